"""`soulspot enrich --dry-run` and `soulspot check --plan`: what a library will cost, said before anybody is asked."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from soulspot.assembly import build_providers, library_rules, rules
from soulspot.cli import work as commands
from soulspot.cli.console import Bars, bars, out
from soulspot.cli.running import guarded, refuse_absent
from soulspot.config import Config
from soulspot.errors import DatabaseTooNew
from soulspot.estimate import (
    Circumstances,
    Estimate,
    Line,
    RememberedState,
    Survey,
    Surveyed,
    circumstances,
    in_words,
)
from soulspot.limits import Gates
from soulspot.store.database import Database, migrations

ROOM_FOR_ALL = 100  # columns from which on a question's lookups and requests at first are shown too
QUESTIONS = {
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
    "whether Spotify answers your app many tracks at a time shows at the first request; most apps of single persons it"
    " does not, and that is expected here"
)
OLD_DATABASE = (
    "the database is of an earlier version: what it knows already is counted as if it were to be asked"
)


def show(config: Config, paths: Sequence[Path], *, as_json: bool) -> int:
    """Read the files below `paths` (the configured library without any) and say what they will cost. Returns how many
    files there are. Exit 2 when a path is not there."""
    refuse_absent(paths)

    def work() -> tuple[Surveyed, list[str]]:
        with bars(quiet=as_json) as made:
            return _surveyed(config, commands.absolute(paths), made)

    found, notes = guarded(work, config.database.path)
    if as_json:
        print(json.dumps(_document(found, notes)))
        return found.files + found.rows
    for line in _lines(found, notes):
        out.print(line, markup=False, soft_wrap=True) if isinstance(line, str) else out.print(line)
    return found.files + found.rows


def _surveyed(config: Config, places: Sequence[bytes], made: Bars) -> tuple[Surveyed, list[str]]:
    path = config.database.path
    notes: list[str] = []
    if not path.exists():
        return _look(config, places, made, None, notes), notes
    with closing(Database.open_read_only(path)) as connection:
        schema, known = connection.execute("PRAGMA user_version").fetchone()[0], len(migrations())
        if schema > known:
            raise DatabaseTooNew(
                f"{path}: schema {schema} is newer than this SoulSpot's {known}; upgrade SoulSpot"
            )
        if schema < known:
            notes.append(OLD_DATABASE)
        return _look(config, places, made, connection if schema == known else None, notes), notes


async def _circumstances(config: Config, connection: sqlite3.Connection | None) -> Circumstances:
    """Build the providers of this configuration, to learn what each can be asked; nobody is asked."""
    state = RememberedState(connection)
    built = build_providers(config, Gates(state), state)
    try:
        capacities = {provider.name: dict(provider.capacity) for provider in built}
        return await circumstances(config, rules(config, built), capacities, state)
    finally:
        for provider in built:
            await provider.close()


def _look(config: Config, places: Sequence[bytes], made: Bars, connection: Any, notes: list[str]) -> Surveyed:
    them = asyncio.run(_circumstances(config, connection))
    if them.spotify_unknown:
        notes.append(UNKNOWN_APP)
    survey = Survey(library_rules(config), them.terms, them.rules, connection)
    if survey.shares:
        notes.append("what is expected goes by what this database has seen of its tracks")
    return survey.look(places, made.show)


def _document(found: Surveyed, notes: Sequence[str]) -> dict[str, Any]:
    counts = {name: value for name, value in asdict(found).items() if name != "estimate"}
    return {**counts, **found.estimate.as_json(), "notes": list(notes)}


def _lines(found: Surveyed, notes: Sequence[str]) -> Iterator[Table | str]:
    parts = [f"{found.files} files"]
    parts += [f"{found.rows} rows without files"] if found.rows else []
    parts += [f"{found.unreadable} unreadable"] if found.unreadable else []
    parts += [f"{found.finished} finished, which cost nothing"] if found.finished else []
    yield ", ".join(parts)
    estimate = found.estimate
    if not estimate.lines:
        yield "nothing is to be asked"
    else:
        yield _table(estimate, wide=out.width >= ROOM_FOR_ALL)
        yield from _times(estimate)
    for note in notes:
        yield f"note: {note}"
    if found.waiting:
        yield f"note: {found.waiting} lookups for other tracks wait in the queue and go along"
    yield "no service was asked, and nothing was written"


def _table(estimate: Estimate, *, wide: bool) -> Table:
    table = Table(title="Requests", title_justify="left")
    if not wide:
        table.add_column("question", overflow="fold")
        for name in ("at least", "expected", "at most"):
            table.add_column(name, justify="right", no_wrap=True)
        for line in estimate.lines:
            question = f"{NAMES[line.provider]}: {QUESTIONS[f'{line.provider} {line.kind}']}"
            table.add_row(question, *map(_number, (line.least, line.expected, line.most)))
        whole = estimate.requests()
        table.add_row("all", *map(_number, (whole.least, whole.expected, whole.most)), style="bold")
        return table
    table.add_column("service")
    table.add_column("question")
    for name in ("lookups at first", "requests for these", "at least", "expected", "at most"):
        table.add_column(name, justify="right")
    for line in estimate.lines:
        table.add_row(NAMES[line.provider], QUESTIONS[f"{line.provider} {line.kind}"], *_cells(line))
    each = [sum(getattr(line, name) for line in estimate.lines) for name in ("lookups", "first")]
    whole = estimate.requests()
    table.add_row("all", "", *map(_number, (*each, whole.least, whole.expected, whole.most)), style="bold")
    return table


def _cells(line: Line) -> Iterator[str]:
    return map(_number, (line.lookups, line.first, line.least, line.expected, line.most))


def _number(value: float) -> str:
    return f"{int(value):,}" if value else "-"


def _times(estimate: Estimate) -> Iterator[str]:
    for name in estimate.providers:
        seconds, tariff, requests = estimate.seconds(name), estimate.tariffs[name], estimate.requests(name)
        limit = f"{tariff.rate:g} requests a second"
        if tariff.daily_budget:
            limit += f" and {tariff.daily_budget:,} in any 24 hours"
        yield (
            f"{NAMES[name]}: {_number(requests.least)} to {_number(requests.most)} requests, {_number(requests.expected)}"
            f" expected; at {limit}: {_span(seconds.least, seconds.expected, seconds.most)}"
        )
    time = estimate.time()
    yield f"in all: {_span(time.least, time.expected, time.most)}"


def _span(least: float, expected: float, most: float) -> str:
    words = [in_words(one) if one else "no time" for one in (least, expected, most)]
    return f"at least {words[0]}, about {words[1]}, at most {words[2]}"
