"""The material of a plan: what is known of a track, the services, and the lookups wanted so far."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from soulspot.models import (
    CATALOGUE,
    LISTENBRAINZ,
    MUSICBRAINZ,
    SPOTIFY,
    Entity,
    Query,
    TrackLookup,
    TrackState,
    TrackTags,
)

BY_HAND = "wide"  # the term `scope` of a text lookup that a person asked for in review
_PLACEHOLDER = re.compile(r"(?i)^(audio)?\s*(track|titel|title|piste|pista|untitled|unknown)\W*\d*$")


# How far services are asked beside a catalogue: not at all, for what it does not know or cannot
# say, or as if it were not there.
Online = Literal["never", "missing", "always"]


@dataclass(frozen=True, slots=True)
class OfflineSource:
    """The catalogue on this machine, as far as plans depend on it."""

    names_only: bool = False  # it has neither lengths nor ISRCs
    is_fresh: bool = True  # what it does not know is hardly known anywhere
    online: Online = "missing"
    built_at: float = 0.0  # epoch seconds; what an earlier one did not know, a newer one may


@dataclass(frozen=True, slots=True)
class Services:
    """The providers that may be asked."""

    musicbrainz: bool = True
    listenbrainz: bool = True
    spotify: bool = True
    spotify_batches: bool = True  # False in Development Mode: an app may ask for one track at a time
    catalogue: OfflineSource | None = None

    @property
    def names(self) -> list[str]:
        """The names of the providers that are on."""
        return [name for name in (CATALOGUE, MUSICBRAINZ, LISTENBRAINZ, SPOTIFY) if getattr(self, name)]

    @property
    def knows_names(self) -> bool:
        """Whether somebody can be searched for recordings with their lengths."""
        return self.musicbrainz or (self.catalogue is not None and not self.catalogue.names_only)

    def online(self) -> "Services":
        """Return the services that may be asked for what the catalogue does not say."""
        if self.catalogue is None or self.catalogue.online != "never":
            return replace(self, catalogue=None)
        return Services(musicbrainz=False, listenbrainz=False, spotify=False)


@dataclass(frozen=True, slots=True)
class Known:
    """The decisions on a track so far, as far as its plan depends on them."""

    tags: TrackTags  # the track's text as far as any source knows it
    recording_id: str | None = None  # accepted
    spotify_id: str | None = None  # accepted
    isrcs: tuple[str, ...] = ()
    spotify_links: tuple[str, ...] = ()  # Spotify ids that sources relate to the accepted recording
    editions: tuple[Entity, ...] = ()  # releases that the track's album may be, the likeliest first
    spotify_albums: tuple[str, ...] = ()  # Spotify albums that the album may be, the likeliest first
    spotify_unasked: bool = False  # `spotify_id` is accepted without Spotify having described it
    release_group_id: str | None = None  # of the release that the recording was accepted on
    alias_artist_ids: tuple[str, ...] = ()  # MBIDs of artists that go by the tagged artist's name
    album_alias_artist_ids: tuple[str, ...] = ()  # the same for the album's artist
    # Recordings of the same name but another length may tell whether this is a version that the
    # tags do not mention, or the only recording of its name.
    needs_rivals: bool = False
    has_likely_recording: bool = False  # a recording is up for review


class LookupPlan:
    """Collects the lookups that a track still wants, and hands out the answers that are there."""

    def __init__(self, state: TrackState) -> None:
        self.waits_for_album = False  # whether the other tracks of the album have to go first
        # who is asked what MusicBrainz knows: the service, or the catalogue
        self.musicbrainz = MUSICBRAINZ
        self._state = state
        self._wanted: dict[Query, None] = {}

    @property
    def wanted(self) -> tuple[Query, ...]:
        """The queries to be answered, in the order in which they were wanted."""
        return tuple(self._wanted)

    def answer(self, query: Query) -> TrackLookup | None:
        """Return the settled lookup of this query; None, and the query is wanted, while there is
        none."""
        if query.provider == MUSICBRAINZ:
            query = replace(query, provider=self.musicbrainz)
        lookup = self._state.answer_to(query)
        if lookup is None or not lookup.is_settled:
            self._wanted.setdefault(query)
            return None
        return lookup

    def is_described(self, entity_id: str) -> bool:
        """Whether any answer describes this recording or Spotify track."""
        return any(
            entity.id == entity_id and entity.kind in ("recording", "track")
            for lookup in self._state.lookups.values()
            for entity in lookup.entities
        )

    def want_full_track(self, spotify_id: str) -> None:
        """Want this Spotify track where only a tracklist has described it, which names no ISRC."""
        is_described = any(
            entity.kind == "track" and entity.id == spotify_id
            for lookup in self._state.lookups.values()
            if lookup.query.kind != "tracklist"
            for entity in lookup.entities
        )
        if not is_described:
            self.answer(Query.of(SPOTIFY, "track", id=spotify_id))


def searchable_names(tags: TrackTags) -> tuple[str, str] | None:
    """Return (title, artist) where a text search can find one recording by them; None for "Track
    01"."""
    return (str(tags.title), tags.artist) if has_real_title(tags) and tags.artist else None


def has_real_title(tags: TrackTags) -> bool:
    """Whether the title is a name, and no placeholder like "Track 01" or "Untitled". With artist
    and album even that can be a song's name."""
    is_placeholder = _PLACEHOLDER.match(str(tags.title).strip()) and not (tags.artist and tags.album)
    return bool(tags.title) and not is_placeholder
