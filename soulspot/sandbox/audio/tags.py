"""Tags for the silent files: the fields of a track under the names that Picard gives them."""

# mutagen has no annotations:
# mypy: disable-error-code="no-untyped-call"

from io import BytesIO
from typing import Final

from mutagen.flac import FLAC
from mutagen.id3 import COMM, ID3, TXXX, UFID, Encoding, Frames
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

from soulspot.models import TrackTags

Values = dict[str, list[str]]

_VORBIS: Final[dict[str, type[FLAC | OggVorbis | OggOpus]]] = {".flac": FLAC, ".ogg": OggVorbis, ".opus": OggOpus}
_TRACK, _GROUP = "MusicBrainz Release Track Id", "MusicBrainz Release Group Id"
# Field -> (ID3 frame, Vorbis comments, MP4 atom), "" where the format has its own way, and
# ":description" for a TXXX frame or a free-form atom. Source: "Tag Mapping" in Picard's manual.
# "MusicBrainz Track Id" means, by history, the recording.
_NAMES: Final = {
    "title": ("TIT2", "TITLE", "\xa9nam"),
    "artist": ("TPE1", "ARTIST", "\xa9ART"),
    "artists": (":ARTISTS", "ARTISTS", ":ARTISTS"),
    "album": ("TALB", "ALBUM", "\xa9alb"),
    "album_artist": ("TPE2", "ALBUMARTIST", "aART"),
    "date": ("TDRC", "DATE", "\xa9day"),
    "genres": ("TCON", "GENRE", "\xa9gen"),
    "compilation": ("TCMP", "COMPILATION", ""),
    "isrcs": ("TSRC", "ISRC", ":ISRC"),
    "track_number": ("", "TRACKNUMBER", ""),
    "track_total": ("", "TRACKTOTAL TOTALTRACKS", ""),
    "disc_number": ("", "DISCNUMBER", ""),
    "disc_total": ("", "DISCTOTAL TOTALDISCS", ""),
    "mb_recording_ids": ("", "MUSICBRAINZ_TRACKID", ":MusicBrainz Track Id"),
    "mb_track_id": (f":{_TRACK}", "MUSICBRAINZ_RELEASETRACKID", f":{_TRACK}"),
    "mb_release_id": (":MusicBrainz Album Id", "MUSICBRAINZ_ALBUMID", ":MusicBrainz Album Id"),
    "mb_release_group_id": (f":{_GROUP}", "MUSICBRAINZ_RELEASEGROUPID", f":{_GROUP}"),
    "mb_artist_ids": (":MusicBrainz Artist Id", "MUSICBRAINZ_ARTISTID", ":MusicBrainz Artist Id"),
    "acoustid_id": (":Acoustid Id", "ACOUSTID_ID", ":Acoustid Id"),
    "comment": ("", "COMMENT", "\xa9cmt"),
}


def add_tags(suffix: str, audio: bytes, tags: TrackTags, comment: str | None) -> bytes:
    """Return the untagged file `audio`, whose format `suffix` (".mp3") names, with these tags.

    Without a `comment`, a Spotify id becomes one: the URL of the track."""
    file, values = BytesIO(audio), _values(tags, comment)
    if suffix == ".mp3":
        _tag_id3(file, values)
    elif suffix == ".m4a":
        _tag_mp4(file, values)
    else:
        _tag_vorbis(_VORBIS[suffix](file), file, values)
    return file.getvalue()


def _values(tags: TrackTags, comment: str | None) -> Values:
    if comment is None and tags.ids.spotify_track_id:
        comment = f"https://open.spotify.com/track/{tags.ids.spotify_track_id}"
    given = {"comment": comment, "compilation": "1" if tags.compilation else None}
    values: Values = {}
    for name in _NAMES:
        owner = tags if hasattr(tags, name) else tags.ids
        value = given[name] if name in given else getattr(owner, name)
        group = value if isinstance(value, tuple) else (value,)
        if texts := [str(each) for each in group if each is not None]:
            values[name] = texts
    return values


def _tag_id3(file: BytesIO, values: Values) -> None:
    id3 = ID3()
    for name, texts in values.items():
        frame, _, description = _NAMES[name][0].partition(":")
        if description:
            id3.add(TXXX(encoding=Encoding.UTF8, desc=description, text=texts))
        elif frame:
            id3.add(Frames[frame](encoding=Encoding.UTF8, text=texts))
    for kind, frame in (("track", "TRCK"), ("disc", "TPOS")):
        if number := values.get(f"{kind}_number"):
            parts = [*number, *values.get(f"{kind}_total", [])]
            id3.add(Frames[frame](encoding=Encoding.UTF8, text=["/".join(parts)]))
    if "mb_recording_ids" in values:
        id3.add(UFID(owner="http://musicbrainz.org", data=values["mb_recording_ids"][0].encode()))
    if "comment" in values:
        id3.add(COMM(encoding=Encoding.UTF8, lang="eng", desc="", text=values["comment"]))
    id3.save(file)


def _tag_vorbis(opened: FLAC | OggVorbis | OggOpus, file: BytesIO, values: Values) -> None:
    if opened.tags is None:
        opened.add_tags()
    for name, texts in values.items():
        for key in _NAMES[name][1].split():
            opened[key] = texts
    file.seek(0)
    opened.save(file)


def _tag_mp4(file: BytesIO, values: Values) -> None:
    opened = MP4(file)
    opened.add_tags()
    for name, texts in values.items():
        atom, _, free = _NAMES[name][2].partition(":")
        if free:
            opened[f"----:com.apple.iTunes:{free}"] = [MP4FreeForm(text.encode()) for text in texts]
        elif atom:
            opened[atom] = texts
    for kind, atom in (("track", "trkn"), ("disc", "disk")):
        if number := values.get(f"{kind}_number"):
            opened[atom] = [(int(number[0]), int(values.get(f"{kind}_total", ["0"])[0]))]
    if "compilation" in values:
        opened["cpil"] = True
    file.seek(0)
    opened.save(file)
