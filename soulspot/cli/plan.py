"""`enrich --dry-run` and `check --plan`: estimate a library's requests and the time they take."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from soulspot.assembly import build_providers, library_rules, rules
from soulspot.cli.options import absolute_paths, refuse_missing
from soulspot.cli.results import counts_table
from soulspot.cli.running import exit_on_error, exit_without_music, log_beside_progress
from soulspot.client.daemon_search import refuse_other_daemon
from soulspot.config import Config, require_means
from soulspot.errors import DatabaseTooNew
from soulspot.estimate import Circumstances, Estimate, RememberedState, Survey, Surveyed, circumstances, in_words
from soulspot.limits import Gates
from soulspot.store.database import Database
from soulspot.store.migrations import migrations
from soulspot.terminal.bars import Bars, progress_bars
from soulspot.terminal.console import out, print_answer

WIDTH_FOR_ALL = 100  # columns of a terminal from which on the first lookups are shown, too
# read beside numbers of requests: they name what is fetched, not the kind of lookup
LOOKUPS = {
    "musicbrainz recording": "recordings by their ids",
    "musicbrainz isrc": "recordings by ISRC",
    "musicbrainz album": "which release an album is",
    "musicbrainz release": "whole albums",
    "musicbrainz url": "recordings by Spotify links",
    "musicbrainz text": "recordings by title, artist and length",
    "musicbrainz loose": "the same, however it is spelt",
    "musicbrainz artist": "who goes by a name",
    "musicbrainz by_artist": "recordings of an artist by length",
    "musicbrainz redirect": "ids that were merged",
    "listenbrainz recording": "recordings by their ids",
    "listenbrainz redirect": "ids that were merged",
    "listenbrainz text": "recordings by title and artist",
    "listenbrainz spotify_ids": "Spotify links of recordings",
    "listenbrainz spotify_names": "Spotify links by names",
    "spotify track": "tracks by their ids",
    "spotify album": "searches for an album",
    "spotify tracklist": "whole albums",
    "spotify isrc": "searches for a track by ISRC",
    "spotify text": "searches for a track by name",
}
NAMES = {"musicbrainz": "MusicBrainz", "listenbrainz": "ListenBrainz", "spotify": "Spotify"}
UNKNOWN_APP = (
    "only the first request shows whether Spotify answers your app many tracks at a time; it does not for most"
    " apps of single persons, and the estimate assumes that"
)
CATALOGUE_FIRST = "the catalogue on this machine answers first, for nothing: what is asked is what it cannot say"
OLD_DATABASE = "the database is of an earlier version: what it knows already is counted as if it were still to be asked"


def print_plan(config: Config, paths: Sequence[Path] | None, *, as_json: bool) -> None:
    """Read the files below `paths`, or of the library, and print what enriching them will cost.

    Asks no service and writes nothing. Exits with code 2 when a path does not exist, and with code
    1 when there is no music."""
    log_beside_progress(config)
    refuse_missing(paths or ())

    def survey() -> tuple[Surveyed, list[str]]:
        # the daemon may see more of library and secrets than this user, who reads them here
        require_means(config, library=not paths)
        asyncio.run(refuse_other_daemon(config))
        with progress_bars(quiet=as_json) as bars:
            return _survey(config, absolute_paths(paths), bars)

    surveyed, notes = exit_on_error(survey, config.database.path)
    counts = {name: value for name, value in asdict(surveyed).items() if name != "estimate"}
    document = {**counts, **surveyed.estimate.as_json(), "notes": notes}
    print_answer(document, as_json, *_plan_parts(surveyed, notes))
    if not surveyed.files + surveyed.rows:
        exit_without_music(paths, config)


def _survey(config: Config, places: Sequence[bytes], bars: Bars) -> tuple[Surveyed, list[str]]:
    path = config.database.path
    if not path.exists():
        return _survey_with(config, places, bars, None)
    with closing(Database.open_read_only(path)) as connection:
        schema, known = connection.execute("PRAGMA user_version").fetchone()[0], len(migrations())
        if schema > known:
            raise DatabaseTooNew(f"{path}: schema {schema} is newer than this SoulSpot's {known}; upgrade SoulSpot")
        # only a writer migrates: an older database is left alone, and its knowledge unused
        if schema < known:
            surveyed, notes = _survey_with(config, places, bars, None)
            return surveyed, [OLD_DATABASE, *notes]
        return _survey_with(config, places, bars, connection)


def _survey_with(
    config: Config, places: Sequence[bytes], bars: Bars, connection: sqlite3.Connection | None
) -> tuple[Surveyed, list[str]]:
    found, notes = asyncio.run(_circumstances(config, connection)), []
    if found.spotify_unknown:
        notes.append(UNKNOWN_APP)
    if found.rules.services.catalogue is not None:
        notes.append(CATALOGUE_FIRST)
    survey = Survey(library_rules(config), found.terms, found.rules, connection)
    if survey.shares:
        notes.append("what is expected goes by what this database has seen of its tracks")
    return survey.look(places, bars.show), notes


async def _circumstances(config: Config, connection: sqlite3.Connection | None) -> Circumstances:
    """Build the configured providers to learn what each can be asked. No request is made."""
    state = RememberedState(connection)
    built = build_providers(config, Gates(state), state)
    try:
        capacities = {provider.name: dict(provider.capacity) for provider in built}
        return await circumstances(config, rules(config, built), capacities, state)
    finally:
        for provider in built:
            await provider.close()


def _plan_parts(surveyed: Surveyed, notes: Sequence[str]) -> Iterator[Table | str]:
    counts = [f"{surveyed.files} files"]
    counts += [f"{surveyed.rows} rows without files"] if surveyed.rows else []
    counts += [f"{surveyed.unreadable} unreadable"] if surveyed.unreadable else []
    counts += [f"{surveyed.finished} finished, which cost nothing"] if surveyed.finished else []
    yield ", ".join(counts)
    if not surveyed.estimate.lines:
        yield "nothing is to be asked"
    else:
        yield _requests_table(surveyed.estimate, is_wide=out.width >= WIDTH_FOR_ALL)
        yield from _duration_lines(surveyed.estimate)
    for note in notes:
        yield f"note: {note}"
    if surveyed.waiting:
        yield f"note: {surveyed.waiting} lookups for other tracks wait in the queue and go along"
    yield "no service was asked, and nothing was written"


def _requests_table(estimate: Estimate, *, is_wide: bool) -> Table:
    first = {"lookups at first": "lookups", "requests for these": "first"} if is_wide else {}
    bounds = {"at least": "least", "expected": "expected", "at most": "most"}
    table = counts_table("Requests", "service" if is_wide else "question")
    if is_wide:
        table.add_column("question")
    else:
        table.columns[0].overflow = "fold"
    for title in (*first, *bounds):
        table.add_column(title, justify="right", no_wrap=not is_wide)
    for line in estimate.lines:
        names = NAMES[line.provider], LOOKUPS[f"{line.provider} {line.kind}"]
        numbers = [getattr(line, name) for name in (*first.values(), *bounds.values())]
        table.add_row(*(names if is_wide else [": ".join(names)]), *map(_number, numbers))
    whole = estimate.requests()
    numbers = [sum(getattr(line, name) for line in estimate.lines) for name in first.values()]
    numbers += [getattr(whole, name) for name in bounds.values()]
    table.add_row("all", *([""] if is_wide else []), *map(_number, numbers), style="bold")
    return table


def _number(value: float) -> str:
    return f"{int(value):,}" if value else "-"


def _duration_lines(estimate: Estimate) -> Iterator[str]:
    for name in estimate.providers:
        seconds, tariff, requests = estimate.seconds(name), estimate.tariffs[name], estimate.requests(name)
        limit = f"{tariff.rate:g} requests a second"
        if tariff.daily_budget:
            limit += f" and {tariff.daily_budget:,} in any 24 hours"
        least, expected, most = map(_number, (requests.least, requests.expected, requests.most))
        duration = _duration(seconds.least, seconds.expected, seconds.most)
        yield f"{NAMES[name]}: {least} to {most} requests, {expected} expected; at {limit}: {duration}"
    time = estimate.time()
    yield f"in all: {_duration(time.least, time.expected, time.most)}"


def _duration(*seconds: float) -> str:
    least, expected, most = (in_words(one) if one else "no time" for one in seconds)
    return f"at least {least}, about {expected}, at most {most}"
