"""A release as matching sees it: name, place, and what it says of the versions of its tracks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from soulspot.matching.text.names import is_various
from soulspot.matching.text.titles import Title, parse_title
from soulspot.matching.versions.words import album_versions, parse_versions

SAME_ALBUM = 0.85  # from here on two album names are one
NEAR_ALBUM = 0.7  # an album name with a slip of the pen

_YEAR = re.compile(r"\s*[(\[](?:19|20)\d\d(?:-\d\d)*[)\]]$|\s*\((?:unknown|unbekannt)\)$")
_DISC = re.compile(
    r"(?i)\s*[-,:]?\s*[(\[]?\b(?:cd|disc|disk|disque)\s*\d{1,2}(?:\s*of\s*\d+)?\b[)\]]?(?::.*)?$"
)
_SECONDARY = {"live": "live", "remix": "remix", "demo": "demo", "karaoke": "karaoke"}


@dataclass(frozen=True, slots=True)
class Album:
    """A release. `implied` are the version kinds it lends to its tracks, `lent` those that it can explain in a title,
    `preference` is 0 for an official album and grows over singles and EPs, live albums and compilations to bootlegs."""

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
    implied: frozenset[str] = field(init=False, compare=False)
    lent: frozenset[str] = field(init=False, compare=False)
    preference: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        title = parse_title(bare_name(self.name))
        kinds = frozenset(kind.casefold() for kind in self.secondary)
        implied = album_versions(self.name) | frozenset(
            _SECONDARY[kind] for kind in kinds if kind in _SECONDARY
        )
        whole = parse_versions(self.name)
        lent = implied | title.versions.kinds | (frozenset() if whole.details else whole.hard)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "implied", implied)
        object.__setattr__(self, "lent", lent)
        object.__setattr__(self, "preference", self._preference(kinds))

    def _preference(self, kinds: frozenset[str]) -> int:
        if (self.status or "official").casefold() != "official":
            return 4
        if kinds & {"compilation", "dj-mix"} or is_various(self.artist):
            return 3
        if kinds:
            return 2
        return 0 if (self.primary or "").casefold() == "album" else 1


album = lru_cache(maxsize=16384)(Album)


def bare_name(name: str) -> str:
    """An album's name without the year and the disc that libraries append ("Blue [2001]", "Blue CD1")."""
    return _DISC.sub("", _YEAR.sub("", name.strip())).strip() or name


def albums_in(fields: Mapping[str, Any]) -> Iterable[tuple[Album, Mapping[str, Any] | None]]:
    """The releases of an entity, each with its own entry of `releases`, or None for the one the fields describe."""
    releases = [entry for entry in fields.get("releases") or () if entry.get("title")]
    for entry in releases:
        known = album(
            entry["title"],
            entry.get("id"),
            entry.get("album_artist"),
            entry.get("disc_number"),
            entry.get("track_number"),
            entry.get("date"),
            entry.get("status"),
            entry.get("primary_type"),
            tuple(entry.get("secondary_types") or ()),
        )
        yield known, entry
    named = fields.get("album")
    if named and not any(entry["title"] == named for entry in releases):
        id = fields.get("mb_release_id") or fields.get("spotify_album_id")
        number, disc = fields.get("track_number"), fields.get("disc_number")
        yield album(named, id, fields.get("album_artist"), disc, number, fields.get("release_date")), None
