"""The frozen values that travel between the packages: they hold and compare, and do nothing
else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

MUSICBRAINZ = "musicbrainz"
SPOTIFY = "spotify"
LISTENBRAINZ = "listenbrainz"
CATALOGUE = "catalogue"  # on this machine; its entities are MusicBrainz'


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Identifiers found in a file's tags or an import row, each already in its canonical spelling.

    MBIDs are lower-case UUIDs, ISRCs twelve upper-case characters, Spotify ids 22 base62
    characters. A text that looks like an identifier and is none stands in `malformed` as "field:
    value"."""

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
    """The library's own description of one track: text, position, length and identifiers.

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
    """The album of the library that a track belongs to: tracks with one `key` are one album.

    `album` and `artist` are the names in this track's own tags; `artist` is empty for a
    compilation."""

    key: bytes
    album: str
    artist: str


@dataclass(frozen=True, slots=True)
class GroupedTrack:
    """A track of an album as its other tracks see it."""

    track_id: int
    tags: TrackTags
    music_path: bytes | None = None


@dataclass(frozen=True, slots=True)
class AlbumGroup:
    """An album of the library, named as most of its tracks name it."""

    album: str
    artist: str | None  # None for a compilation
    size: int  # tracks
    # the tracks in the order of track_id; empty where they are too many to be paired
    members: tuple[GroupedTrack, ...] = field(default=(), compare=False, repr=False)
    # whether every track has been looked for on Spotify as far as that goes without the others
    is_searched: bool = True
    spotify_albums: tuple[str, ...] = ()  # albums that tracks were found on so, the most frequent first
    late_spotify_albums: tuple[str, ...] = ()  # albums that were found only by a track's own link
    turn_of: int | None = None  # track_id of the track that may look up its own links now


@dataclass(frozen=True, slots=True)
class FileStamp:
    """The marks by which an unchanged file is known without opening it."""

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
    """The content of a lookup. Equal queries to one provider are one lookup.

    `kind` is the provider's name for it ("recording", "isrc", "track" ...), `terms` its content as
    sorted (name, value) pairs. `hint` does not count for equality: it lets a provider group
    lookups, for example by the album of a Spotify track."""

    provider: str
    kind: str
    terms: tuple[tuple[str, str], ...]
    hint: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, provider: str, kind: str, hint: Mapping[str, str | None] | None = None, **terms: str | None) -> Self:
        """Build a query from keyword terms; None values are left out."""
        return cls(provider, kind, _pairs(terms), _pairs(hint or {}))

    def __getitem__(self, name: str) -> str:
        return dict(self.terms)[name]

    def get(self, name: str) -> str | None:
        """Return the value of a term; None when the query has no such term."""
        return dict(self.terms).get(name)

    def hinted(self, name: str) -> str | None:
        """Return the value of a hint; None when the query has no such hint."""
        return dict(self.hint).get(name)

    @property
    def key(self) -> str:
        """Return the terms as canonical JSON; (provider, kind, key) identifies a lookup."""
        return json.dumps(dict(self.terms), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _pairs(terms: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in terms.items() if value is not None))


@dataclass(frozen=True, slots=True)
class Entity:
    """One provider's description of one thing. `fields` uses the names listed in
    docs/reference/fields.md.

    `kind` is "recording", "track", "release", "artist", "redirect" or "spotify_ids". `id` is the
    provider's id; for "spotify_ids" that were looked up by names, it is the folded names."""

    provider: str
    kind: str
    id: str
    fields: Mapping[str, Any]

    @property
    def ref(self) -> tuple[str, str, str]:
        """Return (provider, kind, id), the key of a fact."""
        return (self.provider, self.kind, self.id)


@dataclass(frozen=True, slots=True)
class Found:
    """The provider's answer: one entity, or several candidates, the best first."""

    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """The provider answered and does not know."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider answered this lookup with a failure. Not `retryable`: the query itself is at
    fault."""

    reason: str
    retryable: bool = True


@dataclass(frozen=True, slots=True)
class Postponed:
    """The provider was not asked, or could not answer now: ask again later. Not an attempt."""

    reason: str


Answer = Found | Missing | Failed | Postponed


class Verdict(StrEnum):
    """The verdict on a track or a candidate: accepted, for review, none, or rejected by a
    person."""

    ACCEPTED = "accepted"
    REVIEW = "review"
    NONE = "none"
    REJECTED = "rejected"


class Status(StrEnum):
    """The status of a track, as in `enriched_tracks.status`."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVIEW = "review"
    UNMATCHED = "unmatched"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EnrichedTrack:
    """One row of `enriched_tracks`; docs/reference/fields.md explains the columns. Lists are tuples
    here."""

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
    """The state of a lookup in the durable queue.

    PENDING and LEASED lookups are still to be answered. A FAILED lookup was refused for good, a
    BURIED one failed too often."""

    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    MISSING = "missing"
    FAILED = "failed"
    BURIED = "buried"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A query in the durable queue. `attempts` counts answered failures, `misses` consecutive
    misses."""

    lookup_id: int
    query: Query
    attempts: int = 0
    misses: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """The result of asking a lookup: its new state, when it is due again, and the entities it
    brought."""

    lookup: Lookup
    state: LookupState
    due_at: float  # epoch seconds
    entities: tuple[Entity, ...] = ()
    error: str | None = None
    is_attempt: bool = True  # False for a limit, an outage or a shutdown


@dataclass(frozen=True, slots=True)
class TrackLookup:
    """A lookup as a track that it serves sees it."""

    query: Query
    state: LookupState
    is_answered: bool  # it has an answer, even while that is being refreshed
    entities: tuple[Entity, ...] = ()
    error: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to wait for: it was answered once, or given up."""
        return self.is_answered or self.state in (LookupState.FAILED, LookupState.BURIED)


@dataclass(frozen=True, slots=True)
class PersonDecision:
    """A person's decision on one candidate of one track. No refresh undoes it."""

    provider: str
    entity_id: str
    verdict: Verdict
    by: str
    at: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TrackState:
    """Everything known of one track: plan, match and merge decide by this and by nothing else."""

    track_id: int
    path: bytes | None
    source_key: str | None
    tags: TrackTags
    unreadable: str | None = None
    # by (provider, kind, key) of the query
    lookups: Mapping[tuple[str, str, str], TrackLookup] = field(default_factory=dict)
    decisions: tuple[PersonDecision, ...] = ()
    row: EnrichedTrack | None = None
    group: AlbumGroup | None = None
    # ids of linked Spotify tracks that an answer to any lookup, of any track, has described
    described_on_spotify: frozenset[str] = frozenset()
    has_result: bool = False  # at any time since the track came in or changed
    # the part of `path` that names music: nothing else of it is ever looked up
    music_path: bytes | None = None

    def answer_to(self, query: Query) -> TrackLookup | None:
        """Return the lookup of this query; None when it was never queued for this track."""
        return self.lookups.get((query.provider, query.kind, query.key))


@dataclass(frozen=True, slots=True)
class ShownCandidate:
    """A candidate as review shows it. `score` is 0 to 1."""

    provider: str
    entity_id: str
    score: float
    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrackOutcome:
    """The decision on a track: its row, its candidates, and the queries that it still wants
    answered."""

    row: EnrichedTrack
    candidates: tuple[ShownCandidate, ...] = ()
    wanted: tuple[Query, ...] = ()
    waits_for_album: bool = False  # it will want more when the other tracks of its album are as far
    is_news: bool = False  # the track came to a result that it did not have before
