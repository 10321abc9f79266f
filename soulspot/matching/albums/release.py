"""A release: its name, the place of a track on it, and the versions that it lends to tracks."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from soulspot.matching.text.names import credit_similarity, is_various, parse_credit
from soulspot.matching.text.similarity import title_similarity
from soulspot.matching.text.titles import Title, parse_title
from soulspot.matching.versions.parsing import album_versions, parse_versions

SAME_ALBUM = 0.85  # from this likeness on two album names are of one album
NEAR_ALBUM = 0.7  # the likeness of an album name with a slip of the pen
_OTHER_VERSION = 0.8  # the most two names are alike of which one says "live" and the other does not
_YEAR = re.compile(r"\s*[(\[](?:19|20)\d\d(?:-\d\d)*[)\]]$|\s*\((?:unknown|unbekannt)\)$")
_DISC = re.compile(r"(?i)\s*[-,:]?\s*[(\[]?\b(?:cd|disc|disk|disque)\s*\d{1,2}(?:\s*of\s*\d+)?\b[)\]]?(?::.*)?$")
# The keys of an entry of `releases`, in the order of the fields of Album.
_ENTRY = ("title", "id", "album_artist", "disc_number", "track_number", "date", "status", "primary_type")
# Secondary types of MusicBrainz release groups that say which version every track is.
_TYPED_VERSIONS = {"live": "live", "remix": "remix", "demo": "demo", "karaoke": "karaoke", "dj-mix": "mixed"}
# Version words in the brackets of an album's name that say nothing of its tracks.
_OF_THE_ALBUM = frozenset({"version", "interlude", "take"})


@dataclass(frozen=True, slots=True)
class Album:
    """A release with the place of one track on it."""

    name: str
    id: str | None = None
    artist: str | None = None
    disc: int | None = None
    number: int | None = None
    date: str | None = None
    status: str | None = None
    primary: str | None = None
    secondary: tuple[str, ...] = ()
    title: Title = field(init=False, compare=False)
    implied: frozenset[str] = field(init=False, compare=False)  # version kinds of all its tracks
    # Version kinds that its name explains in a track's title, whether or not the tracks have them.
    explained: frozenset[str] = field(init=False, compare=False)
    # 0 for an official album; then singles and EPs, live albums, compilations, and 4 for bootlegs.
    preference: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        title = parse_title(bare_name(self.name))
        types = frozenset(kind.casefold() for kind in self.secondary)
        implied = album_versions(self.name) | (title.versions.hard - _OF_THE_ALBUM)
        implied |= {version for kind, version in _TYPED_VERSIONS.items() if kind in types}
        whole = parse_versions(self.name)
        explained = implied | title.versions.kinds | (frozenset() if whole.details else whole.hard)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "implied", implied)
        object.__setattr__(self, "explained", explained)
        object.__setattr__(self, "preference", self._rank(types))

    def _rank(self, types: frozenset[str]) -> int:
        if (self.status or "official").casefold() != "official":
            return 4
        if types & {"compilation", "dj-mix"} or is_various(self.artist):
            return 3
        if types:
            return 2
        return 0 if (self.primary or "").casefold() == "album" else 1


make_album = lru_cache(maxsize=1024)(Album)


def bare_name(name: str) -> str:
    """Return an album's name without year and disc: "Blue [2001]" and "Blue CD1" are "Blue"."""
    return _DISC.sub("", _YEAR.sub("", name.strip())).strip() or name


def albums_in(fields: Mapping[str, Any]) -> Iterable[tuple[Album, Mapping[str, Any] | None]]:
    """Yield the releases of an entity's fields, each with its entry of `releases`. The album that
    the fields name themselves has no entry: it comes with None."""
    releases = [entry for entry in fields.get("releases") or () if entry.get("title")]
    for entry in releases:
        values = (entry.get(name) for name in _ENTRY)
        yield make_album(*values, tuple(entry.get("secondary_types") or ())), entry
    named = fields.get("album")
    if named and not any(entry["title"] == named for entry in releases):
        id = fields.get("mb_release_id") or fields.get("spotify_album_id")
        place = (fields.get("disc_number"), fields.get("track_number"), fields.get("release_date"))
        yield make_album(named, id, fields.get("album_artist"), *place), None


def album_similarity(a: Album, b: Album) -> float:
    """Return 0 to 1 for two albums by name; 1 for equal ids, less where the album artists differ.
    >>> album_similarity(Album("Harbour"), Album("Harbour (Deluxe Edition)"))
    1.0"""
    if a.id and a.id == b.id:
        return 1.0
    similarity = title_similarity(a.title, b.title)
    if similarity is None:
        return 0.0
    if a.title.versions.hard != b.title.versions.hard:
        similarity = min(similarity, _OTHER_VERSION)
    if a.artist and b.artist and not is_various(a.artist) and not is_various(b.artist):
        artists = credit_similarity(parse_credit(a.artist), parse_credit(b.artist))
        if artists is not None and artists < 0.6:
            return similarity * 0.9
    return similarity


def same_position(a: Album, b: Album) -> bool | None:
    """Return whether both stand at the same disc and track number; None where one does not say."""
    if a.number is None or b.number is None:
        return None
    if a.disc is not None and b.disc is not None and a.disc != b.disc:
        return False
    return a.number == b.number
