"""Tags for the silent files: the fields of a track under the names Picard gives them in each format."""

# mutagen has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from io import BytesIO
from typing import Final

from mutagen.flac import FLAC
from mutagen.id3 import COMM, ID3, TXXX, UFID, Encoding, Frames
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

from soulspot.models import TrackTags

Values = dict[str, list[str]]

# Field -> its name in the format, for the fields that are plain lists of text.
# Source: "Tag Mapping" in the manual of Picard. "MusicBrainz Track Id" means, by history, the recording.
_ID3_TEXT: Final = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "album_artist": "TPE2",
    "date": "TDRC",
    "genres": "TCON",
    "compilation": "TCMP",
    "isrcs": "TSRC",
    "track": "TRCK",
    "disc": "TPOS",
}
_ID3_FREE: Final = {
    "artists": "ARTISTS",
    "mb_track_id": "MusicBrainz Release Track Id",
    "mb_release_id": "MusicBrainz Album Id",
    "mb_release_group_id": "MusicBrainz Release Group Id",
    "mb_artist_ids": "MusicBrainz Artist Id",
    "acoustid_id": "Acoustid Id",
}
_VORBIS: Final = {
    "title": ("TITLE",),
    "artist": ("ARTIST",),
    "artists": ("ARTISTS",),
    "album": ("ALBUM",),
    "album_artist": ("ALBUMARTIST",),
    "date": ("DATE",),
    "genres": ("GENRE",),
    "compilation": ("COMPILATION",),
    "isrcs": ("ISRC",),
    "track_number": ("TRACKNUMBER",),
    "track_total": ("TRACKTOTAL", "TOTALTRACKS"),
    "disc_number": ("DISCNUMBER",),
    "disc_total": ("DISCTOTAL", "TOTALDISCS"),
    "mb_recording_ids": ("MUSICBRAINZ_TRACKID",),
    "mb_track_id": ("MUSICBRAINZ_RELEASETRACKID",),
    "mb_release_id": ("MUSICBRAINZ_ALBUMID",),
    "mb_release_group_id": ("MUSICBRAINZ_RELEASEGROUPID",),
    "mb_artist_ids": ("MUSICBRAINZ_ARTISTID",),
    "acoustid_id": ("ACOUSTID_ID",),
    "comment": ("COMMENT",),
}
_MP4_TEXT: Final = {
    "title": "\xa9nam",
    "artist": "\xa9ART",
    "album": "\xa9alb",
    "album_artist": "aART",
    "date": "\xa9day",
    "genres": "\xa9gen",
    "comment": "\xa9cmt",
}
_MP4_FREE: Final = {**_ID3_FREE, "isrcs": "ISRC", "mb_recording_ids": "MusicBrainz Track Id"}


def add_tags(suffix: str, audio: bytes, tags: TrackTags, comment: str | None) -> bytes:
    """The untagged file `audio`, whose format `suffix` (".mp3") names, with these tags in it."""
    file, values = BytesIO(audio), _values(tags, comment)
    match suffix:
        case ".mp3":
            _tag_id3(file, values)
        case ".flac":
            _tag_vorbis(FLAC(file), file, values)
        case ".ogg":
            _tag_vorbis(OggVorbis(file), file, values)
        case ".opus":
            _tag_vorbis(OggOpus(file), file, values)
        case ".m4a":
            _tag_mp4(file, values)
    return file.getvalue()


def _values(tags: TrackTags, comment: str | None) -> Values:
    """The fields that are there, as lists of text under the names of the tables above."""
    ids = tags.ids
    if comment is None and ids.spotify_track_id:
        comment = f"https://open.spotify.com/track/{ids.spotify_track_id}"
    values: dict[str, tuple[str | int | None, ...]] = {
        "title": (tags.title,),
        "artist": (tags.artist,),
        "artists": tags.artists,
        "album": (tags.album,),
        "album_artist": (tags.album_artist,),
        "track_number": (tags.track_number,),
        "track_total": (tags.track_total,),
        "disc_number": (tags.disc_number,),
        "disc_total": (tags.disc_total,),
        "date": (tags.date,),
        "genres": tags.genres,
        "compilation": ("1" if tags.compilation else None,),
        "comment": (comment,),
        "isrcs": ids.isrcs,
        "mb_recording_ids": ids.mb_recording_ids,
        "mb_track_id": (ids.mb_track_id,),
        "mb_release_id": (ids.mb_release_id,),
        "mb_release_group_id": (ids.mb_release_group_id,),
        "mb_artist_ids": ids.mb_artist_ids,
        "acoustid_id": (ids.acoustid_id,),
    }
    present = {name: [str(value) for value in group if value is not None] for name, group in values.items()}
    return {name: group for name, group in present.items() if group}


def _tag_id3(file: BytesIO, values: Values) -> None:
    id3 = ID3()
    for kind in ("track", "disc"):
        parts = [values[name][0] for name in (f"{kind}_number", f"{kind}_total") if name in values]
        if f"{kind}_number" in values:
            values = {**values, kind: ["/".join(parts)]}
    for name, frame in _ID3_TEXT.items():
        if name in values:
            id3.add(Frames[frame](encoding=Encoding.UTF8, text=values[name]))
    for name, description in _ID3_FREE.items():
        if name in values:
            id3.add(TXXX(encoding=Encoding.UTF8, desc=description, text=values[name]))
    if "mb_recording_ids" in values:
        id3.add(UFID(owner="http://musicbrainz.org", data=values["mb_recording_ids"][0].encode()))
    if "comment" in values:
        id3.add(COMM(encoding=Encoding.UTF8, lang="eng", desc="", text=values["comment"]))
    id3.save(file)


def _tag_vorbis(opened: FLAC | OggVorbis | OggOpus, file: BytesIO, values: Values) -> None:
    if opened.tags is None:
        opened.add_tags()
    for name, keys in _VORBIS.items():
        for key in keys if name in values else ():
            opened[key] = values[name]
    file.seek(0)
    opened.save(file)


def _tag_mp4(file: BytesIO, values: Values) -> None:
    opened = MP4(file)
    opened.add_tags()
    for name, atom in _MP4_TEXT.items():
        if name in values:
            opened[atom] = values[name]
    for name, key in _MP4_FREE.items():
        if name in values:
            opened[f"----:com.apple.iTunes:{key}"] = [MP4FreeForm(value.encode()) for value in values[name]]
    for kind, atom in (("track", "trkn"), ("disc", "disk")):
        if f"{kind}_number" in values:
            total = values.get(f"{kind}_total", ["0"])[0]
            opened[atom] = [(int(values[f"{kind}_number"][0]), int(total))]
    if "compilation" in values:
        opened["cpil"] = True
    file.seek(0)
    opened.save(file)
