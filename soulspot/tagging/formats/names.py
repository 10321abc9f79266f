"""What each tag format calls the fields that SoulSpot writes: the names of Picard's tag mapping."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

FIELDS: Final = (
    "title", "artist", "artists", "album", "album_artist", "track_number", "disc_number", "release_date",
    "original_date", "genres", "label", "catalog_number", "barcode", "isrc", "mb_recording_id", "mb_release_id",
    "mb_release_group_id", "mb_artist_ids", "spotify_track_id",
)  # fmt: skip
"""The fields, as the columns of `enriched_tracks` name them, in the order in which people read them."""

COVER: Final = "cover"
"""The front cover: shown among the fields, and written only when it is asked for."""

LISTS: Final = frozenset({"artists", "genres", "mb_artist_ids"})
POSITIONS: Final = frozenset({"track_number", "disc_number"})
DATES: Final = frozenset({"release_date", "original_date"})

# "MusicBrainz Track Id" means, by history, the recording.
_MUSICBRAINZ = {
    "mb_recording_id": "MusicBrainz Track Id",
    "mb_release_id": "MusicBrainz Album Id",
    "mb_release_group_id": "MusicBrainz Release Group Id",
    "mb_artist_ids": "MusicBrainz Artist Id",
}

ID3_FRAMES: Final = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "album_artist": "TPE2",
    "track_number": "TRCK",
    "disc_number": "TPOS",
    "release_date": "TDRC",
    "original_date": "TDOR",
    "genres": "TCON",
    "label": "TPUB",
    "isrc": "TSRC",
}
ID3_FREE: Final = {
    "artists": "ARTISTS",
    "catalog_number": "CATALOGNUMBER",
    "barcode": "BARCODE",
    "spotify_track_id": "SPOTIFY_TRACK_ID",
    **{field: name for field, name in _MUSICBRAINZ.items() if field != "mb_recording_id"},
}
ID3_RECORDING_OWNER: Final = "http://musicbrainz.org"

VORBIS: Final = {
    "title": "TITLE",
    "artist": "ARTIST",
    "artists": "ARTISTS",
    "album": "ALBUM",
    "album_artist": "ALBUMARTIST",
    "track_number": "TRACKNUMBER",
    "disc_number": "DISCNUMBER",
    "release_date": "DATE",
    "original_date": "ORIGINALDATE",
    "genres": "GENRE",
    "label": "LABEL",
    "catalog_number": "CATALOGNUMBER",
    "barcode": "BARCODE",
    "isrc": "ISRC",
    "mb_recording_id": "MUSICBRAINZ_TRACKID",
    "mb_release_id": "MUSICBRAINZ_ALBUMID",
    "mb_release_group_id": "MUSICBRAINZ_RELEASEGROUPID",
    "mb_artist_ids": "MUSICBRAINZ_ARTISTID",
    "spotify_track_id": "SPOTIFY_TRACK_ID",
}
APE: Final = VORBIS | {
    "title": "Title",
    "artist": "Artist",
    "artists": "Artists",
    "album": "Album",
    "album_artist": "Album Artist",
    "track_number": "Track",
    "disc_number": "Disc",
    "release_date": "Year",
    "genres": "Genre",
    "label": "Label",
    "catalog_number": "CatalogNumber",
    "barcode": "Barcode",
}

MP4_ATOMS: Final = {
    "title": "\xa9nam",
    "artist": "\xa9ART",
    "album": "\xa9alb",
    "album_artist": "aART",
    "track_number": "trkn",
    "disc_number": "disk",
    "release_date": "\xa9day",
    "genres": "\xa9gen",
}
MP4_FREE: Final = {
    "artists": "ARTISTS",
    "original_date": "ORIGINALDATE",
    "label": "LABEL",
    "catalog_number": "CATALOGNUMBER",
    "barcode": "BARCODE",
    "isrc": "ISRC",
    "spotify_track_id": "SPOTIFY_TRACK_ID",
    **_MUSICBRAINZ,
}
MP4_FREE_PREFIX: Final = "----:com.apple.iTunes:"

ASF: Final = {
    "title": "Title",
    "artist": "Author",
    "artists": "WM/ARTISTS",
    "album": "WM/AlbumTitle",
    "album_artist": "WM/AlbumArtist",
    "track_number": "WM/TrackNumber",
    "disc_number": "WM/PartOfSet",
    "release_date": "WM/Year",
    "original_date": "WM/OriginalReleaseTime",
    "genres": "WM/Genre",
    "label": "WM/Publisher",
    "catalog_number": "WM/CatalogNo",
    "barcode": "WM/Barcode",
    "isrc": "WM/ISRC",
    "mb_recording_id": "MusicBrainz/Track Id",
    "mb_release_id": "MusicBrainz/Album Id",
    "mb_release_group_id": "MusicBrainz/Release Group Id",
    "mb_artist_ids": "MusicBrainz/Artist Id",
    "spotify_track_id": "SPOTIFY_TRACK_ID",
}

ALIASES: Final = {
    "track_number": ("TRACK", "TRACKNUMBER"),
    "disc_number": ("DISC", "DISK", "DISCNUMBER"),
    "release_date": ("DATE", "YEAR"),
    "label": ("LABEL", "PUBLISHER"),
}
"""Other names of the same in formats that are free with names: where they are there, they must say the same."""


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A free-form name without what taggers part its words by: "ALBUM ARTIST" and "albumartist" are one."""
    return "".join(one for one in name.lower() if one.isalnum())
