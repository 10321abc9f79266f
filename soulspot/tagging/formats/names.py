"""Names of the fields that SoulSpot writes, in each tag format: those of Picard's tag mapping."""

from typing import Final

FIELDS: Final = (
    "title", "artist", "artists", "album", "album_artist", "track_number", "disc_number", "release_date",
    "original_date", "genres", "label", "catalog_number", "barcode", "isrc", "mb_recording_id", "mb_release_id",
    "mb_release_group_id", "mb_artist_ids", "spotify_track_id",
)  # fmt: skip
"""The fields, named as the columns of `enriched_tracks`, in the order in which people read them."""

COVER: Final = "cover"
"""The front cover: shown among the fields, and written only on request."""
POSITIONS: Final = frozenset({"track_number", "disc_number"})
DATES: Final = frozenset({"release_date", "original_date"})
# "MusicBrainz Track Id" holds the id of the recording, for historical reasons.
_MUSICBRAINZ = {
    "mb_recording_id": "MusicBrainz Track Id", "mb_release_id": "MusicBrainz Album Id",
    "mb_release_group_id": "MusicBrainz Release Group Id", "mb_artist_ids": "MusicBrainz Artist Id",
}  # fmt: skip

ID3_FRAMES: Final = {
    "title": "TIT2", "artist": "TPE1", "album": "TALB", "album_artist": "TPE2", "track_number": "TRCK",
    "disc_number": "TPOS", "release_date": "TDRC", "original_date": "TDOR", "genres": "TCON",
    "label": "TPUB", "isrc": "TSRC",
}  # fmt: skip
# Descriptions of TXXX frames. The id of the recording has its own kind: UFID, with its owner.
ID3_FREE: Final = {
    "artists": "ARTISTS", "catalog_number": "CATALOGNUMBER", "barcode": "BARCODE",
    "spotify_track_id": "SPOTIFY_TRACK_ID",
    **{field: name for field, name in _MUSICBRAINZ.items() if field != "mb_recording_id"},
}  # fmt: skip
ID3_RECORDING_OWNER: Final = "http://musicbrainz.org"

VORBIS: Final = {
    "title": "TITLE", "artist": "ARTIST", "artists": "ARTISTS", "album": "ALBUM",
    "album_artist": "ALBUMARTIST", "track_number": "TRACKNUMBER", "disc_number": "DISCNUMBER",
    "release_date": "DATE", "original_date": "ORIGINALDATE", "genres": "GENRE", "label": "LABEL",
    "catalog_number": "CATALOGNUMBER", "barcode": "BARCODE", "isrc": "ISRC",
    "mb_recording_id": "MUSICBRAINZ_TRACKID", "mb_release_id": "MUSICBRAINZ_ALBUMID",
    "mb_release_group_id": "MUSICBRAINZ_RELEASEGROUPID", "mb_artist_ids": "MUSICBRAINZ_ARTISTID",
    "spotify_track_id": "SPOTIFY_TRACK_ID",
}  # fmt: skip
APE: Final = VORBIS | {
    "title": "Title", "artist": "Artist", "artists": "Artists", "album": "Album",
    "album_artist": "Album Artist", "track_number": "Track", "disc_number": "Disc", "release_date": "Year",
    "genres": "Genre", "label": "Label", "catalog_number": "CatalogNumber", "barcode": "Barcode",
}  # fmt: skip

MP4_ATOMS: Final = {
    "title": "\xa9nam", "artist": "\xa9ART", "album": "\xa9alb", "album_artist": "aART",
    "track_number": "trkn", "disc_number": "disk", "release_date": "\xa9day", "genres": "\xa9gen",
}  # fmt: skip
MP4_FREE: Final = {
    "artists": "ARTISTS", "original_date": "ORIGINALDATE", "label": "LABEL",
    "catalog_number": "CATALOGNUMBER", "barcode": "BARCODE", "isrc": "ISRC",
    "spotify_track_id": "SPOTIFY_TRACK_ID",
    **_MUSICBRAINZ,
}  # fmt: skip
MP4_FREE_PREFIX: Final = "----:com.apple.iTunes:"

ASF: Final = {
    "title": "Title", "artist": "Author", "artists": "WM/ARTISTS", "album": "WM/AlbumTitle",
    "album_artist": "WM/AlbumArtist", "track_number": "WM/TrackNumber", "disc_number": "WM/PartOfSet",
    "release_date": "WM/Year", "original_date": "WM/OriginalReleaseTime", "genres": "WM/Genre",
    "label": "WM/Publisher", "catalog_number": "WM/CatalogNo", "barcode": "WM/Barcode", "isrc": "WM/ISRC",
    "spotify_track_id": "SPOTIFY_TRACK_ID",
    **{field: name.replace("MusicBrainz ", "MusicBrainz/") for field, name in _MUSICBRAINZ.items()},
}  # fmt: skip

ALIASES: Final = {
    "track_number": ("TRACK", "TRACKNUMBER"), "disc_number": ("DISC", "DISK", "DISCNUMBER"),
    "release_date": ("DATE", "YEAR"), "label": ("LABEL", "PUBLISHER"),
}  # fmt: skip
"""Other names of a field in formats with free names; where present, they get the same value."""
