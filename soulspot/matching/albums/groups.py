"""Which tracks of the library belong to one album: same folder, or same album artist, and same album name; pure."""

from __future__ import annotations

import os

from soulspot.matching.albums.release import Album, bare_name
from soulspot.matching.text.fallback import normalise_tags
from soulspot.matching.text.names import credit_of, is_various
from soulspot.models import AlbumMember, TrackTags
from soulspot.text import fold


def identify_album(path: bytes | None, tags: TrackTags, group: str | None = None) -> AlbumMember | None:
    """The album that a track says it belongs to, or that its path says; None without any.

    Files group by folder, tracks without a file by their (album) artist. The member's `artist` is the album's, else
    the first of the track's; empty for compilations. Somebody who knows better names the `group`: tracks of one group
    are one album then, whatever its name, which may be empty."""
    tidy = normalise_tags(tags, path)
    if not tidy.album and group is None:
        return None
    various = tidy.compilation or is_various(tidy.album_artist)
    lead = "" if various else (tidy.album_artist or _first_name(tidy.artist) or "")
    if group is not None:
        named = f"\0\0{group}".encode("utf-8", "surrogateescape")
        return AlbumMember(named, bare_name(tidy.album) if tidy.album else "", lead)
    assert tidy.album
    place = os.fsdecode(os.path.dirname(path)) if path else f"\0{fold(lead)}"
    key = f"{place}\0{Album(tidy.album).title.core or fold(tidy.album)}"
    return AlbumMember(key.encode("utf-8", "surrogateescape"), bare_name(tidy.album), lead)


def _first_name(artist: str | None) -> str | None:
    """ "A feat. B" and "A & B" lead with A, so that guests do not make an album look like a compilation."""
    names = credit_of(artist).names if artist else ()
    return names[0] if names else artist
