"""What plans are made of: what is known of a track, which services there are, and the questions it still waits for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from soulspot.models import LISTENBRAINZ, MUSICBRAINZ, SPOTIFY, Asked, Entity, Query, TrackState, TrackTags

BY_HAND = "wide"  # the scope of text that a person looks for
_PLACEHOLDER = re.compile(r"(?i)^(audio)?\s*(track|titel|title|piste|pista|untitled|unknown)\W*\d*$")


@dataclass(frozen=True, slots=True)
class Services:
    """Which providers may be asked."""

    musicbrainz: bool = True
    listenbrainz: bool = True
    spotify: bool = True
    spotify_batches: bool = True  # False: an app in Development Mode, which may ask for one thing at a time

    @property
    def names(self) -> list[str]:
        """Those that are on."""
        return [name for name in (MUSICBRAINZ, LISTENBRAINZ, SPOTIFY) if getattr(self, name)]


@dataclass(frozen=True, slots=True)
class Known:
    """What has been decided of a track so far. `tags` is its text as far as it is known from any source,
    `editions` the releases that its album may be, the likeliest first, `spotify_albums` the ids of Spotify albums that a
    search for its album found, the likeliest first. `unasked`: Spotify itself has not said anything of `spotify_id`,
    and need not. `release_group_id`: the release group that the recording was accepted on. `other_names` are the MBIDs of
    artists that go by the tagged artist's name, among others or as the only one, `album_other_names` those by the album's
    artist's. `unstated_version`: what else is called like this, however long, may tell whether this is a version that
    the tags do not mention, or the only one. `is_near`: a recording is known that it is likely to be."""

    tags: TrackTags
    recording_id: str | None = None
    spotify_id: str | None = None
    isrcs: tuple[str, ...] = ()
    spotify_links: tuple[str, ...] = field(default=())
    editions: tuple[Entity, ...] = ()
    spotify_albums: tuple[str, ...] = ()
    unasked: bool = False
    release_group_id: str | None = None
    other_names: tuple[str, ...] = ()
    album_other_names: tuple[str, ...] = ()
    unstated_version: bool = False
    is_near: bool = False


class Asking:
    """Collects the queries that are still to be answered and hands out the answers that are there."""

    def __init__(self, state: TrackState) -> None:
        self.waits = False
        """Whether it is for the other tracks of the album that no more is asked."""
        self._state = state
        self._wanted: dict[Query, None] = {}

    def __call__(self, query: Query) -> Asked | None:
        asked = self._state.answer_to(query)
        if asked is None or not asked.settled:
            self._wanted.setdefault(query)
            return None
        return asked

    def knows(self, entity_id: str) -> bool:
        """Whether any answer describes this recording or track."""
        answers = self._state.asked.values()
        described = ("recording", "track")
        return any(
            one.id == entity_id and one.kind in described for asked in answers for one in asked.entities
        )

    def in_full(self, spotify_id: str) -> None:
        """Ask for this Spotify track where only a list of its album's tracks has described it, which names no ISRC."""
        answers = [one for one in self._state.asked.values() if one.query.kind != "tracklist"]
        if not any(
            one.kind == "track" and one.id == spotify_id for asked in answers for one in asked.entities
        ):
            self(Query.of(SPOTIFY, "track", id=spotify_id))

    @property
    def wanted(self) -> tuple[Query, ...]:
        return tuple(self._wanted)


def searchable(tags: TrackTags) -> tuple[str, str] | None:
    """(title, artist) when a text search can find one recording by them; None for "Track 01" and the like."""
    return (str(tags.title), tags.artist) if titled(tags) and tags.artist else None


def titled(tags: TrackTags) -> bool:
    """Whether the title is a name."""
    return bool(tags.title) and not _PLACEHOLDER.match(str(tags.title).strip())
