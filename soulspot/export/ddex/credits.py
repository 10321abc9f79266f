"""Artist credits: the credit as it is shown, and the parties in it with the role each has; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.export.ddex import cells
from soulspot.text import fold

MAIN, FEATURED = "MainArtist", "FeaturedArtist"
ROLES = ("Artist", "Brand", "Composer", FEATURED, MAIN)  # of DDEX' DisplayArtistRole
VARIOUS = "Various Artists"
_VARIOUS = frozenset(
    {"various artists", "various", "va", "v a", "verschiedene interpreten", "varios artistas"}
)
_FEATURING = re.compile(r"(?i)\s*[(\[]?\b(?:feat|ft|featuring)\b\.?\s*")


@dataclass(frozen=True, slots=True)
class Artist:
    """One name of a credit. `ident` tells two artists of the same name apart, and is not written."""

    name: str
    role: str = MAIN
    ident: str | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """`shown` as one text, and the artists in it, at least one."""

    shown: str
    artists: tuple[Artist, ...]

    @property
    def various(self) -> bool:
        return fold(self.shown) in _VARIOUS


VARIOUS_CREDIT = Credit(VARIOUS, (Artist(VARIOUS),))


def credit_of(record: Mapping[str, Any], name: str, remarks: list[str]) -> Credit | None:
    """The credit in column `name` with the artists of column `artists`; without one, "feat." parts the text.

    An element of `artists` is a name, or a mapping of name, role and id. Raises nothing: an unknown role is
    remarked and counts as that of a main artist."""
    shown = cells.text(record.get(name), name, remarks)
    listed = _listed(record, remarks) if name == "artist" else []
    if shown is None and not listed:
        return None
    shown = shown or ", ".join(artist.name for artist in listed)
    return Credit(shown, tuple(_with_roles(shown, listed) if listed else parted(shown)))


def parted(shown: str) -> list[Artist]:
    """The artists of a credit that is only a text. "&" and "," are no borders: there are names with them."""
    main, *featured = (part.rstrip(" )]") for part in _FEATURING.split(shown))
    return [Artist(main or shown), *(Artist(part, FEATURED) for part in featured if part and main)]


def _listed(record: Mapping[str, Any], remarks: list[str]) -> list[Artist]:
    given = cells.several(record.get("artists"))
    idents: Sequence[Any] = cells.several(record.get("mb_artist_ids"))
    if len(idents) != len(given):  # whose they are cannot be told
        idents = [None] * len(given)
    found = []
    for one, ident in zip(given, idents, strict=True):
        role = ""
        if isinstance(one, Mapping):
            role, ident = cells.text(one.get("role")) or "", one.get("id") or ident
            one = one.get("name")
            if role and role not in ROLES:
                remarks.append(
                    f"artists: the role {role!r:.40} is none of {', '.join(ROLES)}; taken as {MAIN}"
                )
                role = MAIN
        if name := cells.text(one, "artists", remarks):
            found.append(Artist(name, role, cells.text(ident)))
    return found


def _with_roles(shown: str, listed: Sequence[Artist]) -> list[Artist]:
    """Who stands behind "feat." in the credit is a featured artist, unless a role was given."""
    mark = _FEATURING.search(shown)
    border = mark.end() if mark else len(shown)
    behind = shown[border:].casefold()
    before = shown[:border].casefold()

    def role(artist: Artist) -> str:
        name = artist.name.casefold()
        return FEATURED if name in behind and name not in before else MAIN

    return [artist if artist.role else Artist(artist.name, role(artist), artist.ident) for artist in listed]
