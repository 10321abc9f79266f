"""Tracks grouped into albums: same folder, or same album artist, and same album name."""

import os
from collections.abc import Collection

from soulspot.matching.albums.release import Album, bare_name
from soulspot.matching.text.names import is_various, parse_credit
from soulspot.matching.text.paths import music_path
from soulspot.matching.text.tag_cleanup import normalise_tags
from soulspot.models import AlbumMember, TrackTags
from soulspot.text import fold


def identify_album(
    path: bytes | None, tags: TrackTags, group: str | None = None, *, roots: Collection[bytes] = ()
) -> AlbumMember | None:
    """Return the album that a track belongs to by its tags or its path; None for none.

    Files group by folder, tracks without a file by their (album) artist. The member's `artist` is
    the album's, else the first of the track's; empty for a compilation. A caller that knows better
    names the `group`: its tracks are one album, whatever the album's name, which may be empty. The
    library's `roots` name no album and no artist."""
    tidy = normalise_tags(tags, music_path(path, roots) if path else None)
    if not tidy.album and group is None:
        return None
    is_compilation = tidy.compilation or is_various(tidy.album_artist)
    artist = "" if is_compilation else (tidy.album_artist or _lead_name(tidy.artist) or "")
    # The zero bytes keep the three kinds of keys apart: no path and no name has any.
    if group is not None:
        key, album = f"\0\0{group}", bare_name(tidy.album) if tidy.album else ""
    else:
        assert tidy.album
        place = os.fsdecode(os.path.dirname(path)) if path else f"\0{fold(artist)}"
        key, album = f"{place}\0{Album(tidy.album).title.core or fold(tidy.album)}", bare_name(tidy.album)
    return AlbumMember(key.encode("utf-8", "surrogateescape"), album, artist)


def _lead_name(artist: str | None) -> str | None:
    # Guests must not make an album look like a compilation: "A feat. B" and "A & B" lead with A.
    names = parse_credit(artist).names if artist else ()
    return names[0] if names else artist
