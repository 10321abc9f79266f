"""The frozen values that travel between the rooms; nothing here does anything but hold and compare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

MUSICBRAINZ = "musicbrainz"
SPOTIFY = "spotify"
LISTENBRAINZ = "listenbrainz"


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Identifiers found in a file's tags or an import row, each already in its canonical spelling.

    MBIDs are lower-case UUIDs, ISRCs twelve upper-case characters, Spotify ids 22 base62 characters.
    What looked like an identifier and is not one stands in `malformed` as "field: value"."""

    mb_recording_ids: tuple[str, ...] = ()
    mb_track_id: str | None = None
    mb_release_id: str | None = None
    mb_release_group_id: str | None = None
    mb_artist_ids: tuple[str, ...] = ()
    isrcs: tuple[str, ...] = ()
    spotify_track_id: str | None = None
    acoustid_id: str | None = None
    malformed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackTags:
    """What the library itself says of one track: text, position, length and identifiers.

    `artists` has the single names where the tags list several; `artist` is the credit as written.
    `duration_ms` is None when unknown, never 0. `date` is as precise as the tag: YYYY[-MM[-DD]]."""

    title: str | None = None
    artist: str | None = None
    artists: tuple[str, ...] = ()
    album: str | None = None
    album_artist: str | None = None
    track_number: int | None = None
    disc_number: int | None = None
    track_total: int | None = None
    disc_total: int | None = None
    duration_ms: int | None = None
    date: str | None = None
    genres: tuple[str, ...] = ()
    compilation: bool = False
    ids: Identifiers = field(default_factory=Identifiers)


@dataclass(frozen=True, slots=True)
class AlbumMember:
    """What puts a track into an album of the library: tracks of one `key` are one album.

    `album` and `artist` are the names by this track's own tags; `artist` is empty for a compilation."""

    key: bytes
    album: str
    artist: str


@dataclass(frozen=True, slots=True)
class GroupedTrack:
    """A track of an album as its other tracks see it."""

    track_id: int
    tags: TrackTags
    path: bytes | None = None


@dataclass(frozen=True, slots=True)
class AlbumGroup:
    """An album of the library, as most of its tracks name it. `artist` is None for a compilation; `size` in tracks.

    `members` are its tracks, in the order of track_id; empty where they are too many to be paired.
    `all_here`: every track of it has been looked for on Spotify as far as that goes without the others; then
    `spotify_albums` are those on which tracks of it were found so, the commonest first, `spotify_late` those that turned
    out later, and `turn` is the track_id of the one that may ask for its own links now."""

    album: str
    artist: str | None
    size: int
    members: tuple[GroupedTrack, ...] = field(default=(), compare=False, repr=False)
    all_here: bool = True
    spotify_albums: tuple[str, ...] = ()
    spotify_late: tuple[str, ...] = ()
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells an unchanged file from a changed one without opening it."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """One audio file as the scan found it. Exactly one of `tags` and `unreadable` is set.

    `unreadable` is the reason, in words for a person."""

    path: bytes
    stamp: FileStamp
    tags: TrackTags | None = None
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """One question to one provider. Equal queries are one lookup: `hint` is not part of the question.

    `kind` is the provider's name for the question ("recording", "isrc", "track" ...), `terms` its content as
    sorted (name, value) pairs. A hint lets a provider group questions (the album of a Spotify track, say)."""

    provider: str
    kind: str
    terms: tuple[tuple[str, str], ...]
    hint: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @classmethod
    def of(
        cls, provider: str, kind: str, hint: Mapping[str, str | None] | None = None, **terms: str | None
    ) -> Self:
        """Build a query from keyword terms; None values are left out."""
        return cls(provider, kind, _pairs(terms), _pairs(hint or {}))

    def __getitem__(self, name: str) -> str:
        return dict(self.terms)[name]

    def get(self, name: str) -> str | None:
        return dict(self.terms).get(name)

    def hinted(self, name: str) -> str | None:
        return dict(self.hint).get(name)

    @property
    def key(self) -> str:
        """The terms as canonical JSON; (provider, kind, key) identifies a lookup."""
        return json.dumps(dict(self.terms), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _pairs(terms: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in terms.items() if value is not None))


@dataclass(frozen=True, slots=True)
class Entity:
    """What one provider says of one thing. `fields` uses the names listed in docs/fields.md.

    `kind` is "recording", "track", "release", "artist", "redirect" or "spotify_ids"; `id` the provider's id of it
    (of "spotify_ids" that were asked by names, the names folded)."""

    provider: str
    kind: str
    id: str
    fields: Mapping[str, Any]

    @property
    def ref(self) -> tuple[str, str, str]:
        return (self.provider, self.kind, self.id)


@dataclass(frozen=True, slots=True)
class Found:
    """The provider knows: one entity, or several candidates, best first."""

    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """The provider answered and does not know."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider answered this lookup with a failure. Not `retryable`: the question itself is at fault."""

    reason: str
    retryable: bool = True


@dataclass(frozen=True, slots=True)
class Postponed:
    """The provider was not asked, or could not say: ask again later. Not an attempt."""

    reason: str


Answer = Found | Missing | Failed | Postponed


class Verdict(StrEnum):
    """What was decided of one candidate for one track."""

    ACCEPTED = "accepted"
    REVIEW = "review"
    NONE = "none"
    REJECTED = "rejected"


class Status(StrEnum):
    """Where a track stands, as `enriched_tracks.status` says it."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVIEW = "review"
    UNMATCHED = "unmatched"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EnrichedTrack:
    """One row of `enriched_tracks`, columns as design and docs/fields.md name them; lists are tuples here."""

    track_id: int
    path: bytes | None
    source_key: str | None
    status: Status
    confidence: float
    title: str | None = None
    artist: str | None = None
    artists: tuple[str, ...] = ()
    album: str | None = None
    album_artist: str | None = None
    track_number: int | None = None
    disc_number: int | None = None
    duration_ms: int | None = None
    isrc: str | None = None
    release_date: str | None = None
    original_date: str | None = None
    genres: tuple[str, ...] = ()
    label: str | None = None
    catalog_number: str | None = None
    barcode: str | None = None
    explicit: bool | None = None
    popularity: int | None = None
    cover_url: str | None = None
    mb_recording_id: str | None = None
    mb_release_id: str | None = None
    mb_release_group_id: str | None = None
    mb_artist_ids: tuple[str, ...] = ()
    spotify_track_id: str | None = None
    spotify_album_id: str | None = None
    spotify_artist_ids: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


class LookupState(StrEnum):
    """Where a lookup stands in the durable queue.

    PENDING and LEASED are still to be answered; FAILED was refused for good, BURIED failed too often."""

    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    MISSING = "missing"
    FAILED = "failed"
    BURIED = "buried"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A query in the durable queue. `attempts` counts answered failures, `misses` consecutive misses."""

    lookup_id: int
    query: Query
    attempts: int = 0
    misses: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a lookup: its new state, when it is due again (epoch seconds), and what it brought.

    `counts` is False for what is not an attempt (a limit, an outage, a shutdown)."""

    lookup: Lookup
    state: LookupState
    due_at: float
    entities: tuple[Entity, ...] = ()
    error: str | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """A lookup as the track that it serves sees it. `answered`: it has an answer, even while it is refreshed."""

    query: Query
    state: LookupState
    answered: bool
    entities: tuple[Entity, ...] = ()
    error: str | None = None

    @property
    def settled(self) -> bool:
        """Nothing to wait for: answered once, or given up."""
        return self.answered or self.state in (LookupState.FAILED, LookupState.BURIED)


@dataclass(frozen=True, slots=True)
class PersonDecision:
    """What a person said of one candidate of one track: a lock that no refresh undoes."""

    provider: str
    entity_id: str
    verdict: Verdict
    by: str
    at: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TrackState:
    """All that is known of one track: what plan, match and merge decide from, and nothing else.

    `on_spotify`: of the Spotify tracks that sources link to it, those that an answer to anybody's question has
    described."""

    track_id: int
    path: bytes | None
    source_key: str | None
    tags: TrackTags
    unreadable: str | None = None
    asked: Mapping[tuple[str, str, str], Asked] = field(default_factory=dict)
    decisions: tuple[PersonDecision, ...] = ()
    row: EnrichedTrack | None = None
    group: AlbumGroup | None = None
    on_spotify: frozenset[str] = frozenset()

    def answer_to(self, query: Query) -> Asked | None:
        """How this query stands for this track; None when it was never asked."""
        return self.asked.get((query.provider, query.kind, query.key))


@dataclass(frozen=True, slots=True)
class ShownCandidate:
    """A candidate as review shows it."""

    provider: str
    entity_id: str
    score: float
    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrackOutcome:
    """What was made of a track's state: its row, its candidates, and the queries it still wants answered.

    `waits`: it wants nothing now and will when the other tracks of its album are as far as it is.
    `is_news`: the track came to a result that it did not have before."""

    row: EnrichedTrack
    candidates: tuple[ShownCandidate, ...] = ()
    wanted: tuple[Query, ...] = ()
    waits: bool = False
    is_news: bool = False
