"""Factories of test data: identifiers, tags, entities, answers, files, and rows of a store."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from soulspot.deciding.outcome import Rules, decide_track
from soulspot.models import (
    LISTENBRAINZ,
    MUSICBRAINZ,
    SPOTIFY,
    Entity,
    FileStamp,
    Identifiers,
    Lookup,
    LookupState,
    PersonDecision,
    Query,
    ScannedFile,
    Settlement,
    TrackLookup,
    TrackOutcome,
    TrackState,
    TrackTags,
    Verdict,
)
from soulspot.store import queue, tracks

NOW = 1_700_000_000.0
DAY = 86_400.0
_BASE62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def mbid(number: int) -> str:
    """Return a valid MBID, always the same for a number."""
    return str(uuid.UUID(int=(0x5 << 76) | (0x8 << 60) | number))


def spotify_id(number: int) -> str:
    """Return a valid Spotify id, always the same for a number."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(22, "0")


def isrc(number: int) -> str:
    """Return a valid ISRC, always the same for a number."""
    return f"DEAB1{number:07d}"


def tags(
    title: str | None = "Blue Hour",
    artist: str | None = "The Lanterns",
    album: str | None = "Night Shift",
    duration_ms: int | None = 201_000,
    *,
    recording: int | None = None,
    isrcs: Iterable[int] = (),
    spotify: int | None = None,
    malformed: Iterable[str] = (),
    **more: Any,
) -> TrackTags:
    """Return the tags of the usual song; `recording`, `isrcs` and `spotify` number its
    identifiers."""
    ids = Identifiers(
        mb_recording_ids=() if recording is None else (mbid(recording),),
        isrcs=tuple(isrc(number) for number in isrcs),
        spotify_track_id=None if spotify is None else spotify_id(spotify),
        malformed=tuple(malformed),
    )
    return TrackTags(title=title, artist=artist, album=album, duration_ms=duration_ms, ids=ids, **more)


NOTHING = TrackTags()


def release(number: int, title: str = "Night Shift", **more: Any) -> dict[str, Any]:
    """Return an entry of a recording's `releases`."""
    return {
        "id": mbid(9_000 + number), "title": title, "status": "Official", "date": "2001-05-04", "country": "DE",
        "primary_type": "Album", "secondary_types": [], "release_group_id": mbid(8_000 + number),
        "album_artist": "The Lanterns", "track_number": 3, "disc_number": 1, "track_count": 12,
    } | more  # fmt: skip


def recording(number: int, *, provider: str = MUSICBRAINZ, **fields: Any) -> Entity:
    """Return the recording that `tags()` describes, as MusicBrainz or ListenBrainz answers it."""
    known = {
        "title": "Blue Hour", "artist": "The Lanterns", "artists": ["The Lanterns"], "duration_ms": 201_000,
        "mb_recording_id": mbid(number), "mb_artist_ids": [mbid(7_000)],
    }  # fmt: skip
    if provider == MUSICBRAINZ:
        known["releases"] = [release(1)]
    return Entity(provider, "recording", mbid(number), known | fields)


def edition(number: int, tracks: int = 12, **fields: Any) -> Entity:
    """Return a release that the album of `tags()` may be, as a search of MusicBrainz shows it."""
    entry = release(number, date=fields.get("date", "2001-05-04"), track_count=tracks)
    known = {
        "album": "Night Shift", "album_artist": "The Lanterns", "track_count": tracks, "mb_release_id": entry["id"],
        "release_date": fields.pop("date", "2001-05-04"), "releases": [entry],
    }  # fmt: skip
    return Entity(MUSICBRAINZ, "release", entry["id"], known | fields)


def artist_entity(number: int, name: str, *aliases: str) -> Entity:
    """Return an artist as a search of MusicBrainz shows it."""
    fields = {"artist": name, "artist_aliases": list(aliases), "mb_artist_ids": [mbid(number)]}
    return Entity(MUSICBRAINZ, "artist", mbid(number), fields)


def spotify_track(number: int, **fields: Any) -> Entity:
    """Return the Spotify track that `tags()` describes."""
    known = {
        "title": "Blue Hour", "artist": "The Lanterns", "artists": ["The Lanterns"], "album": "Night Shift",
        "album_artist": "The Lanterns", "track_number": 3, "disc_number": 1, "duration_ms": 201_000,
        "spotify_track_id": spotify_id(number), "spotify_album_id": spotify_id(6_000),
        "spotify_artist_ids": [spotify_id(5_000)],
    }  # fmt: skip
    return Entity(SPOTIFY, "track", spotify_id(number), known | fields)


def redirect(old: int, new: int, *, provider: str = LISTENBRAINZ) -> Entity:
    """Return the entity that says that the recording `old` was merged into `new`."""
    return Entity(provider, "redirect", mbid(old), {"redirect_to": mbid(new)})


def spotify_links(number: int, *links: int) -> Entity:
    """Return the entity that links a recording to Spotify tracks."""
    return Entity(
        LISTENBRAINZ, "spotify_ids", mbid(number), {"spotify_track_ids": [spotify_id(link) for link in links]}
    )


def said(provider: str, entity_id: str, verdict: Verdict = Verdict.ACCEPTED, at: str = "2026-01-01") -> PersonDecision:
    """Return a person's decision about an entity."""
    return PersonDecision(provider, entity_id, verdict, "somebody", at)


def state(known: TrackTags, *answered: TrackLookup, **more: Any) -> TrackState:
    """Return the state of a track whose lookups have these answers."""
    asked = {(one.query.provider, one.query.kind, one.query.key): one for one in answered}
    return TrackState(1, more.pop("path", None), more.pop("source_key", None), known, lookups=asked, **more)


def asked(query: Query, *entities: Entity, state: LookupState | None = None, answered: bool = True) -> TrackLookup:
    """Return a query with its answer: found when there are entities, missing when there are
    none."""
    usual = LookupState.DONE if entities else LookupState.MISSING
    return TrackLookup(query, state or usual, answered, tuple(entities))


def failed(query: Query) -> TrackLookup:
    """Return a query that the service refused for good."""
    return TrackLookup(query, LookupState.FAILED, is_answered=False, error="the service said no")


Reply = Callable[[Query], TrackLookup]


def by_kind(replies: Mapping[tuple[str, str], Sequence[Entity]]) -> Reply:
    """Return a reply function: entities by provider and kind, and missing for every other query."""
    return lambda query: asked(query, *replies.get((query.provider, query.kind), ()))


def play(
    start: TrackState, reply: Reply, rules: Rules, *, most_rounds: int = 20
) -> tuple[TrackOutcome, list[list[Query]]]:
    """Answer a track's lookups until it wants no more.

    Returns its outcome, and the queries of each round."""
    rounds: list[list[Query]] = []
    known, now = dict(start.lookups), start
    while True:
        outcome = decide_track(now, rules)
        if not outcome.wanted:
            return outcome, rounds
        assert len(rounds) < most_rounds, f"still asking after {most_rounds} rounds: {outcome.wanted}"
        rounds.append(list(outcome.wanted))
        known |= {(q.provider, q.kind, q.key): reply(q) for q in outcome.wanted}
        now = replace(now, lookups=dict(known), row=outcome.row)


# --- what is in the store ---


def scanned(
    path: bytes, known: TrackTags | None = None, *, inode: int = 1, size: int = 10, mtime: int = 100
) -> ScannedFile:
    """Return a file as a scan finds it."""
    return ScannedFile(path, FileStamp(size, mtime, inode), known or tags())


def isrc_query(number: int) -> Query:
    """Return a MusicBrainz query by ISRC."""
    return Query.of(MUSICBRAINZ, "isrc", isrc=isrc(number))


def decide(
    connection: sqlite3.Connection, track_ids: Iterable[int], now: float = NOW, rules: Rules | None = None
) -> None:
    """Work out the outcomes of these tracks and store them, as the service does."""
    waiting = sorted(track_ids)
    while waiting:
        outcomes = [decide_track(one, rules or Rules()) for one in tracks.load_states(connection, waiting)]
        waiting = sorted(tracks.save_outcomes(connection, outcomes, now))


def add_tracks(connection: sqlite3.Connection, *known: TrackTags, now: float = NOW) -> list[int]:
    """Store tracks without files and without lookups, and return their ids."""
    rows = [tracks.ImportedTrack(f"key {number}", one) for number, one in enumerate(known)]
    return tracks.save_imported(connection, rows, now)[1]


def add_lookups(connection: sqlite3.Connection, *numbers: int, now: float = NOW) -> int:
    """Store a track with a lookup for each of these ISRCs, and return its id."""
    [track_id] = add_tracks(connection, tags(title=f"track of {numbers}"))
    queue.enqueue(connection, {track_id: [isrc_query(number) for number in numbers]}, now)
    return track_id


def claim(connection: sqlite3.Connection, now: float = NOW, *, kind: str = "isrc", most: int = 100) -> list[Lookup]:
    """Lease up to `most` MusicBrainz lookups of a kind."""
    return list(queue.claim(connection, MUSICBRAINZ, {kind: most}, now).lookups)


def found(lookup: Lookup, *entities: Entity, due_at: float = NOW + 90 * DAY) -> Settlement:
    """Return the settlement of a lookup that was answered with these entities."""
    return Settlement(lookup, LookupState.DONE, due_at, tuple(entities))
