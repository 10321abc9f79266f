"""Artist credits: the text of the credit, and the artists in it with the role of each; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from soulspot.export.ddex import cells
from soulspot.text import fold

MAIN, FEATURED = "MainArtist", "FeaturedArtist"
ROLES = ("Artist", "Brand", "Composer", FEATURED, MAIN)  # of DDEX' DisplayArtistRole
VARIOUS = "Various Artists"
_VARIOUS = frozenset({"various artists", "various", "va", "v a", "verschiedene interpreten", "varios artistas"})
_FEATURING = re.compile(r"(?i)\s*[(\[]?\b(?:feat|ft|featuring)\b\.?\s*")


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist of a credit. `ident` tells two artists of one name apart, and is not written."""

    name: str
    role: str = MAIN
    ident: str | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """An artist credit: its text, such as "Ana & Bo feat. Cy", and its artists, at least one."""

    text: str
    artists: tuple[Artist, ...]

    @property
    def is_various(self) -> bool:
        """Whether the credit says "Various Artists" in one of the usual spellings."""
        return fold(self.text) in _VARIOUS


VARIOUS_CREDIT = Credit(VARIOUS, (Artist(VARIOUS),))


def read_credit(record: Mapping[str, Any], remarks: list[str]) -> Credit | None:
    """Return the credit in column `artist`, with the artists of column `artists`.

    An element of `artists` is a name, or a mapping of name, role and id. Without that column the
    credit's text is split at "feat.". An unknown role is remarked and counts as a main artist."""
    text = cells.text(record.get("artist"), "artist", remarks)
    listed = _listed(record, remarks)
    if text is None and not listed:
        return None
    text = text or ", ".join(artist.name for artist in listed)
    return Credit(text, tuple(_with_roles(text, listed))) if listed else split_credit(text)


def split_credit(text: str) -> Credit:
    """Return a credit with the artists of its text, split at "feat." alone.

    "&" and "," do not split: there are artists with these in their names."""
    main, *featured = (part.rstrip(" )]") for part in _FEATURING.split(text))
    guests = (Artist(part, FEATURED) for part in featured if part and main)
    return Credit(text, (Artist(main or text), *guests))


def _listed(record: Mapping[str, Any], remarks: list[str]) -> list[Artist]:
    given = cells.values(record.get("artists"))
    idents: Sequence[Any] = cells.values(record.get("mb_artist_ids"))
    # With another number of ids, the owner of each id is unknown.
    if len(idents) != len(given):
        idents = [None] * len(given)
    artists = []
    for artist, ident in zip(given, idents, strict=True):
        role, name = "", artist
        if isinstance(artist, Mapping):
            name, role = artist.get("name"), cells.text(artist.get("role")) or ""
            ident = artist.get("id") or ident
        if role and role not in ROLES:
            remarks.append(f"artists: the role {role!r:.40} is none of {', '.join(ROLES)}; taken as {MAIN}")
            role = MAIN
        if name := cells.text(name, "artists", remarks):
            artists.append(Artist(name, role, cells.text(ident)))
    return artists


def _with_roles(text: str, listed: Sequence[Artist]) -> list[Artist]:
    """Return the artists; their place before or after "feat." gives those without a role one."""
    mark = _FEATURING.search(text)
    border = mark.end() if mark else len(text)
    before, after = text[:border].casefold(), text[border:].casefold()

    def role(artist: Artist) -> str:
        name = artist.name.casefold()
        return FEATURED if name in after and name not in before else MAIN

    return [artist if artist.role else replace(artist, role=role(artist)) for artist in listed]
