"""`soulspot review`: decide by hand about tracks whose best match is merely likely."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import typer

from soulspot.cli import review_desk, review_tables
from soulspot.cli.json_documents import Commands
from soulspot.cli.options import ConfigOption, JsonOption
from soulspot.cli.running import INCOMPLETE, UsageError, exit_on_error, exit_with, load_or_exit, refuse, run_command
from soulspot.config import Config
from soulspot.operations.review import cases
from soulspot.operations.review.reviewer import EntityKey, default_candidates
from soulspot.terminal.console import out, print_answer, print_result

T = TypeVar("T")

app = Commands(help="Decide by hand about matches that are merely likely.")

TrackArgument = Annotated[str, typer.Argument(metavar="TRACK", show_default=False,
    help="A track's number, or the path of its file.")]  # fmt: skip
ProviderOption = Annotated[Literal["musicbrainz", "spotify"] | None, typer.Option("--provider", metavar="NAME",
    help="musicbrainz or spotify (default: both).")]  # fmt: skip
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Kept with the decision.", metavar="WORDS")]
WaitOption = Annotated[float, typer.Option("--wait", min=0, metavar="SECONDS",
    help="Wait this long for the services to answer.")]  # fmt: skip


@app.command(name="list")
def list_(
    limit: Annotated[int, typer.Option("--limit", min=1, max=cases.LARGEST_PAGE, metavar="N",
        help="Tracks to show.")] = 20,
    after: Annotated[int, typer.Option("--after", min=0, metavar="TRACK", help="Go on behind this track.")] = 0,
    query: Annotated[str, typer.Option("--query", "-q", metavar="WORDS",
        help="Only tracks with these words in a name or the path.")] = "",
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """List the tracks that wait for a decision.

    Example: soulspot review list --query "night drive\""""
    page = _read(load_or_exit(config, needs_contact=False), lambda desk: desk.page(after, limit, query))
    tables = [review_tables.list_table(page["review"], out.width)] if page["review"] else []
    print_answer(page, json_, *tables, *review_tables.list_end(page, query))


@app.command()
def show(
    track: TrackArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Candidates to show.")] = 4,
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Show a track beside its candidates; ≠ marks what differs.

    Example: soulspot review show 22"""
    case = _read_case(load_or_exit(config, needs_contact=False), track)
    if json_:
        print(json.dumps(case))
        return
    print_result(*review_tables.case_parts(case, limit, out.width))


@app.command()
def accept(
    track: TrackArgument,
    entity_id: Annotated[str | None, typer.Argument(metavar="ID", show_default=False,
        help="An id or web address of MusicBrainz (a recording's) or Spotify (a track's), also one that is no "
        "candidate; default: the best candidate.")] = None,
    provider: ProviderOption = None, reason: ReasonOption = None, wait: WaitOption = 30.0, config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Accept a recording or a Spotify track for a track.

    No refresh undoes the decision; `soulspot review undo` does.

    Example: soulspot review accept 22
    https://musicbrainz.org/recording/8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"""
    given = _parse_id(entity_id, provider) if entity_id else None
    loaded = load_or_exit(config)
    case = _read_case(loaded, track)
    track_id = case["track_id"]
    named = given or next(iter(default_candidates(case, provider)), None)
    if named is None:
        refuse(f"track {track_id} has no candidates; give an id, or find one with `soulspot review search`")
    is_known = _is_described(case, *named)

    async def work(desk: review_desk.Deciding) -> tuple[dict[str, Any], bool]:
        decided = await desk.accept(track_id, named, reason)
        if is_known:
            return decided, False
        # nothing is known yet of an id given by hand: it is looked up, and its facts fill the row
        decided, is_unknown = await review_desk.wait_for_answer(desk, loaded, track_id, named, wait)
        # an id that was merged is unknown itself, but accepted and described under its new id
        if is_unknown := is_unknown and not _is_described(decided, named[0]):
            decided = await review_desk.restore_decisions(desk, case, named[0])
        return decided, is_unknown

    (decided, is_unknown), in_daemon = _decide(loaded, work, asks_services=not is_known, quiet=json_)
    if is_unknown:
        exit_with(INCOMPLETE, f"{named[0]} does not know {named[1]}: the track stays as it was")
    _print_outcome(decided, in_daemon, json_)
    if not is_known and not _is_described(decided, named[0]):
        exit_with(INCOMPLETE, f"{named[0]} has not answered yet; the decision stands, and the lookup stays queued")


@app.command()
def reject(
    track: TrackArgument,
    entity_ids: Annotated[list[str] | None, typer.Argument(metavar="ID", show_default=False,
        help="Ids or web addresses; default: all candidates.")] = None,
    provider: ProviderOption = None, reason: ReasonOption = None, config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Reject candidates of a track; they are never proposed again.

    Example: soulspot review reject 22 --reason "a cover version\""""
    given = [_parse_id(one, provider) for one in entity_ids or []]
    loaded = load_or_exit(config)
    # read first: a track that is not there is named before the lock is asked for
    case = _read_case(loaded, track)
    named = given or default_candidates(case, provider)
    if not named:
        refuse(f"track {case['track_id']} has no candidates to reject")

    _print_outcome(*_decide(loaded, lambda desk: desk.reject(case["track_id"], named, reason), quiet=json_), json_)


@app.command()
def undo(
    track: TrackArgument, provider: ProviderOption = None, config: ConfigOption = None, json_: JsonOption = False
) -> None:
    """Take back decisions made by hand about a track.

    Example: soulspot review undo 22 --provider spotify"""
    loaded = load_or_exit(config)
    track_id = _read_case(loaded, track)["track_id"]

    case, in_daemon = _decide(loaded, lambda desk: desk.undo(track_id, provider), quiet=json_)
    if not json_:
        count = case["taken_back"]
        print_result(f"{count} decision{'' if count == 1 else 's'} taken back")
    _print_outcome(case, in_daemon, json_)


@app.command()
def search(
    track: TrackArgument,
    words: Annotated[str, typer.Argument(metavar="WORDS", help='"artist - title", or any words of them.')],
    provider: ProviderOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Results to show.")] = 4,
    wait: WaitOption = 30.0, config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Search a service by hand for candidates of a track.

    Example: soulspot review search 22 "Thea Rosewood - Night Drive\""""
    loaded = load_or_exit(config)
    case = _read_case(loaded, track)
    track_id = case["track_id"]

    async def work(desk: review_desk.Deciding) -> dict[str, Any]:
        lookup_id = await desk.search(track_id, words, provider)
        return await review_desk.wait_for_results(desk, track_id, lookup_id, wait)

    found, _ = _decide(loaded, work, asks_services=True, quiet=json_)
    if json_:
        print(json.dumps({"track_id": track_id, **found}))
    else:
        _print_results(case, found, limit)
    if not found["answered"]:
        why = f": {found['error']}" if found["error"] else ""
        exit_with(INCOMPLETE, f"{found['provider']} has not answered yet{why}; the search stays queued,"
                  " run the same command again later")  # fmt: skip


def _print_results(case: Mapping[str, Any], found: Mapping[str, Any], limit: int) -> None:
    results: Sequence[Mapping[str, Any]] = found["results"][:limit]
    print_result(*review_tables.compared_parts(case["tags"]["shown"], results, out.width))
    if results:
        print_result(f"{len(results)} of {len(found['results'])} found")
        print_result(f"next: soulspot review accept {case['track_id']} ID")
    elif found["answered"]:
        print_result(f"{found['provider']} knows nothing by these words")


def _parse_id(text: str, provider: str | None) -> EntityKey:
    try:
        return cases.parse_entity(text, provider)
    except ValueError as error:
        refuse(error)


async def _track_id_of(track: str, desk: review_desk.Reading) -> int:
    """Return the number of a track given by number or path. Raises UsageError."""
    # SQLite's integers have 19 digits at most: a longer number can only be a file's name
    if track.isascii() and track.isdecimal() and len(track) < 19:
        return int(track)
    if not track:
        raise UsageError("name a track by its number, or by the path of its file")
    track_id = await desk.track_of(os.path.abspath(os.fsencode(track)))
    if track_id is None:
        raise UsageError(f"{track}: there is no track of this path; `soulspot scan` takes new files in")
    return track_id


def _is_described(case: Mapping[str, Any], provider: str, entity_id: str | None = None) -> bool:
    """Whether more than the id is known of a candidate: of the given one, else of the accepted one.

    The accepted one can have another id than the one given by hand, which was merged into it."""
    return any(
        one["shown"]["title"]
        and one["provider"] == provider
        and (one["entity_id"] == entity_id if entity_id else one["verdict"] == "accepted")
        for one in case["candidates"]
    )


def _read(config: Config, work: Callable[[review_desk.Reading], Awaitable[T]]) -> T:
    async def read() -> T:
        async with review_desk.reading(config) as desk:
            return await work(desk)

    return exit_on_error(lambda: asyncio.run(read()), config.database.path)


def _read_case(config: Config, track: str) -> dict[str, Any]:
    async def read_case(desk: review_desk.Reading) -> dict[str, Any]:
        return await desk.case(await _track_id_of(track, desk))

    return _read(config, read_case)


def _decide(
    config: Config, work: Callable[[review_desk.Deciding], Awaitable[T]], *, asks_services: bool = False, quiet: bool
) -> tuple[T, bool]:
    return run_command(config, lambda bars: review_desk.decide(config, work, asks_services=asks_services), quiet=quiet)


def _print_outcome(case: Mapping[str, Any], in_daemon: bool, as_json: bool) -> None:
    print_answer(case, as_json, *review_tables.outcome_lines(case, in_daemon=in_daemon))
