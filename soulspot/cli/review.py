"""`soulspot review`: what is merely likely, decided by hand."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from soulspot.cli import review_tables as tables
from soulspot.cli.console import complain, out
from soulspot.cli.json_output import Commands
from soulspot.cli.review_desk import (
    NoSuchThing,
    Reading,
    Writing,
    reading,
    taken_back,
    until_answered,
    until_found,
    writing,
)
from soulspot.cli.running import INCOMPLETE, USAGE, guarded, load, log_quietly, run
from soulspot.config import Config
from soulspot.operations.review import cases
from soulspot.operations.review.reviewer import EntityKey, default_candidates

T = TypeVar("T")

app = Commands(
    help="Decide by hand what is merely likely.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="config.toml to use (also SOULSPOT_CONFIG; default: the first found).",
        metavar="PATH",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")]
Track = Annotated[
    str,
    typer.Argument(help="A track's number, or the path of its file.", metavar="TRACK", show_default=False),
]
ProviderOption = Annotated[
    str | None, typer.Option("--provider", help="musicbrainz or spotify.", metavar="NAME")
]
ReasonOption = Annotated[
    str | None, typer.Option("--reason", help="Kept with the decision.", metavar="WORDS")
]
WaitOption = Annotated[
    float,
    typer.Option("--wait", min=0, metavar="SECONDS", help="Wait this long for what the services answer."),
]


@app.command(name="list")
def list_(
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=cases.LARGEST_PAGE, help="Tracks to show.", metavar="N")
    ] = 20,
    after: Annotated[
        int, typer.Option("--after", min=0, help="Go on behind this track.", metavar="TRACK")
    ] = 0,
    query: Annotated[
        str,
        typer.Option(
            "--query", "-q", help="Only those with these words in a name or the path.", metavar="WORDS"
        ),
    ] = "",
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """List the tracks that wait for a decision."""

    async def look(desk: Reading) -> dict[str, Any]:
        return await desk.page(after, limit, query)

    page = _look(load(config, needs_contact=False), look)
    if json_:
        print(json.dumps(page))
        return
    if page["review"]:
        out.print(tables.list_table(page["review"], out.width))
    for line in tables.list_end(page, query):
        out.print(line, markup=False, soft_wrap=True)


@app.command()
def show(
    track: Track,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Candidates to show.", metavar="N")] = 4,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Show a track beside its candidates; ≠ marks what differs."""

    async def look(desk: Reading) -> dict[str, Any]:
        return await desk.case(await _number_of(track, desk))

    case = _look(load(config, needs_contact=False), look)
    if json_:
        print(json.dumps(case))
        return
    for part in tables.case_parts(case, limit, out.width):
        _put(part)


@app.command()
def accept(
    track: Track,
    entity_id: Annotated[
        str | None,
        typer.Argument(
            help="An id or web address of MusicBrainz (a recording's) or Spotify (a track's), also one that is no"
            " candidate; default: the best candidate.",
            metavar="ID",
            show_default=False,
        ),
    ] = None,
    provider: ProviderOption = None,
    reason: ReasonOption = None,
    wait: WaitOption = 30.0,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Say which recording or Spotify track it is. No refresh undoes it; `undo` does."""
    given = _named(entity_id, provider) if entity_id else None
    _refuse_unknown(provider)
    loaded = load(config)
    case = _case(loaded, track)
    named = given or next(iter(default_candidates(case, provider)), None)
    if named is None:
        complain(
            f"track {case['track_id']} has no candidates; give an id, or find one with `soulspot review search`"
        )
        raise typer.Exit(USAGE)
    known = _describes(case, named)

    async def say(desk: Writing) -> tuple[dict[str, Any], bool, bool]:
        told = await desk.accept(case["track_id"], named, reason)
        if known:
            return told, False, desk.in_daemon
        # of an id by hand nothing is known yet: it is asked for, and its facts fill the row
        told, unknown = await until_answered(desk, loaded, case["track_id"], named, wait)
        if unknown := unknown and not _is_described(told, named[0]):
            told = await taken_back(desk, case, named[0])
        return told, unknown, desk.in_daemon

    told, unknown, in_daemon = _write(loaded, say, work=not known, quiet=json_)
    if unknown:
        complain(f"{named[0]} does not know {named[1]}: the track stays as it was")
        raise typer.Exit(INCOMPLETE)
    _tell(told, in_daemon, json_)
    if not known and not _is_described(told, named[0]):
        complain(f"{named[0]} has not answered yet; the decision stands, and the question stays queued")
        raise typer.Exit(INCOMPLETE)


@app.command()
def reject(
    track: Track,
    entity_ids: Annotated[
        list[str] | None,
        typer.Argument(
            help="Ids or web addresses; default: all candidates.", metavar="ID", show_default=False
        ),
    ] = None,
    provider: ProviderOption = None,
    reason: ReasonOption = None,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Say what the track is not; that is never proposed again."""
    given = [_named(one, provider) for one in entity_ids or []]
    _refuse_unknown(provider)
    loaded = load(config)
    case = _case(loaded, track)
    named = given or default_candidates(case, provider)
    if not named:
        complain(f"track {case['track_id']} has no candidates to reject")
        raise typer.Exit(USAGE)

    async def say(desk: Writing) -> tuple[dict[str, Any], bool]:
        return await desk.reject(case["track_id"], named, reason), desk.in_daemon

    _tell(*_write(loaded, say, quiet=json_), json_)


@app.command()
def undo(
    track: Track,
    provider: ProviderOption = None,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Take back what was accepted or rejected by hand."""
    _refuse_unknown(provider)
    loaded = load(config)
    track_id = _case(loaded, track)["track_id"]

    async def say(desk: Writing) -> tuple[dict[str, Any], bool]:
        return await desk.undo(track_id, provider), desk.in_daemon

    told, in_daemon = _write(loaded, say, quiet=json_)
    if not json_:
        count = told["taken_back"]
        out.print(f"{count} decision{'' if count == 1 else 's'} taken back", markup=False)
    _tell(told, in_daemon, json_)


@app.command()
def search(
    track: Track,
    words: Annotated[str, typer.Argument(help='"artist - title", or any words of them.', metavar="WORDS")],
    provider: ProviderOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Finds to show.", metavar="N")] = 4,
    wait: WaitOption = 30.0,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Search by hand; what is found can be accepted."""
    _refuse_unknown(provider)
    loaded = load(config)
    case = _case(loaded, track)

    async def ask(desk: Writing) -> dict[str, Any]:
        lookup_id = await desk.search(case["track_id"], words, provider)
        return await until_found(desk, case["track_id"], lookup_id, wait)

    found = _write(loaded, ask, work=True, quiet=json_)
    if json_:
        print(json.dumps({"track_id": case["track_id"], **found}))
    else:
        at_once = tables.beside_each_other(out.width)
        for start in range(0, min(limit, len(found["results"])), at_once):
            beside = found["results"][start : min(start + at_once, limit)]
            out.print(tables.compared(case["tags"]["shown"], beside, start + 1))
            for part in tables.named(beside, start + 1):
                _put(part)
        if found["results"]:
            out.print(f"{min(limit, len(found['results']))} of {len(found['results'])} found", markup=False)
            out.print(f"next: soulspot review accept {case['track_id']} ID", markup=False)
        elif found["answered"]:
            out.print(f"{found['provider']} knows nothing by these words", markup=False)
    if not found["answered"]:
        why = f": {found['error']}" if found["error"] else ""
        complain(f"{found['provider']} has not answered yet{why}; it stays queued, say the same again later")
        raise typer.Exit(INCOMPLETE)


# --- what they share ----------------------------------------------------------------------------------------------


def _put(part: Table | Text) -> None:
    out.print(
        part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap)
    )  # rich itself folds what has no space


def _named(said: str, provider: str | None) -> EntityKey:
    try:
        return cases.parse_entity(said, provider)
    except ValueError as error:
        complain(str(error))
        raise typer.Exit(USAGE) from None


def _refuse_unknown(provider: str | None) -> None:
    if provider not in (None, *cases.PROVIDERS):
        complain(f"--provider is {' or '.join(cases.PROVIDERS)}")
        raise typer.Exit(USAGE)


async def _number_of(track: str, desk: Reading) -> int:
    """The track of this number or path."""
    if track.isascii() and track.isdecimal() and len(track) < 19:
        return int(track)
    if not track:
        raise NoSuchThing("name a track by its number, or by the path of its file")
    try:
        return await desk.track_of(os.path.abspath(os.fsencode(track)))
    except NoSuchThing as error:
        raise NoSuchThing(f"{track}: {error}") from error


def _case(loaded: Config, track: str) -> dict[str, Any]:
    async def look(desk: Reading) -> dict[str, Any]:
        return await desk.case(await _number_of(track, desk))

    return _look(loaded, look)


def _describes(case: Mapping[str, Any], named: EntityKey) -> bool:
    """Whether anything is known of this entity but its id."""
    return any(
        one["shown"]["title"] and (one["provider"], one["entity_id"]) == named for one in case["candidates"]
    )


def _is_described(case: Mapping[str, Any], provider: str) -> bool:
    """Whether anything is known of what was accepted; that has another id where the one given was merged into it."""
    return any(
        one["shown"]["title"] and one["provider"] == provider and one["verdict"] == "accepted"
        for one in case["candidates"]
    )


def _look(loaded: Config, look: Callable[[Reading], Coroutine[Any, Any, T]]) -> T:
    async def work() -> T | NoSuchThing:
        try:
            async with reading(loaded) as desk:
                return await look(desk)
        except NoSuchThing as error:
            return error

    return _or_usage(guarded(lambda: asyncio.run(work()), loaded.database.path))


def _write(
    loaded: Config,
    say: Callable[[Writing], Coroutine[Any, Any, T]],
    *,
    work: bool = False,
    quiet: bool,
) -> T:
    async def do() -> T | NoSuchThing:
        try:
            async with writing(loaded, work=work) as desk:
                return await say(desk)
        except NoSuchThing as error:
            return error

    log_quietly(loaded)
    return _or_usage(run(lambda bars: do(), quiet=quiet, database=loaded.database.path))


def _or_usage(done: T | NoSuchThing) -> T:
    """What is not there, or cannot be meant, is wrong usage: exit code 2."""
    if isinstance(done, NoSuchThing):
        complain(str(done))
        raise typer.Exit(USAGE)
    return done


def _tell(case: Mapping[str, Any], in_daemon: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(case))
        return
    for line in tables.outcome_lines(case, in_daemon=in_daemon):
        out.print(line, markup=False, soft_wrap=True)
