"""Identifiers as people and taggers write them, made canonical or reported as malformed; pure.

The parsers share their signature: `values` are the texts of one field, `field` is that field's name
in reports, and a report such as "isrc: 12345" is appended to `malformed` for every value that holds
anything but identifiers."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NIL = "00000000-0000-0000-0000-000000000000"
_MB_URL = re.compile(r"(?:https?://)?(?:[\w-]+\.)?musicbrainz\.org/(?:ws/2/)?(?P<kind>[a-z-]+)/(?P<id>[0-9a-f-]+)")
_ISRC = re.compile(
    r"(?<![A-Z0-9])(?:ISRC[\s:=-]*)?([A-Z]{2})[\s-]?([A-Z0-9]{3})[\s-]?([0-9]{2})[\s-]?([0-9]{5})(?![A-Z0-9])"
)
_SPOTIFY_TRACK = re.compile(
    r"(?:spotify:(?:user:[^:\s]+:playlist:[^:\s]+:)?track:"
    r"|(?:open|play)\.spotify\.com/(?:intl-[a-z-]+/|embed/)*track/)"
    r"(?P<id>[0-9a-z]*)",
    re.IGNORECASE,
)
_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_SEPARATORS = re.compile(r"[\s\0;,|]+")
_BRACKETS = "{}[]()<>\"'"
_DASHES = str.maketrans("‐‑‒–—−", "------")
_MAX_REPORTED = 100  # characters of a malformed value that a report keeps


def note_malformed(malformed: list[str], field: str, value: str) -> None:
    """Append "field: value" to `malformed`, once, with the value shortened to one short line."""
    line = " ".join(value.replace("\0", " ").split())
    note = f"{field}: {line[:_MAX_REPORTED]}{'…' if len(line) > _MAX_REPORTED else ''}"
    if note not in malformed:
        malformed.append(note)


def parse_mbids(values: Iterable[str], kind: str, field: str, malformed: list[str]) -> tuple[str, ...]:
    """Return the distinct MusicBrainz ids in `values`, in lower case and in order.

    Understands bare ids, ids in brackets, several ids in a value, and musicbrainz.org URLs of the
    entity `kind` ("recording", "release" ...). A value with anything else in it is reported in
    `malformed`; its sound ids still count. The nil UUID is no id."""
    found: dict[str, None] = {}
    for value in values:
        is_sound = True
        for token in filter(None, _SEPARATORS.split(value.lower())):
            url = _MB_URL.match(token)
            if url:
                ids = [url["id"] if url["kind"] == kind else ""]
            else:
                ids = [part.strip(_BRACKETS).removeprefix("urn:uuid:") for part in token.split("/") if part]
            for mbid in ids:
                if _UUID.fullmatch(mbid) and mbid != _NIL:
                    found[mbid] = None
                else:
                    is_sound = False
        if not is_sound:
            note_malformed(malformed, field, value)
    return tuple(found)


def parse_isrcs(values: Iterable[str], field: str, malformed: list[str]) -> tuple[str, ...]:
    """Return the distinct ISRCs in `values` as 12 upper-case characters, in order.

    Understands hyphens, spaces, lower case, "ISRC" in front, and several ISRCs in one value
    (separated by / ; , space or NUL). A value with anything else in it is reported in `malformed`.
    The form is that of ISO 3901: CC-XXX-YY-NNNNN."""
    found: dict[str, None] = {}
    for value in values:
        text = unicodedata.normalize("NFKC", value).translate(_DASHES).upper()
        for match in _ISRC.finditer(text):
            found["".join(match.groups())] = None
        if _SEPARATORS.sub("", _ISRC.sub("", text)).strip("/&+" + _BRACKETS):
            note_malformed(malformed, field, value)
    return tuple(found)


def parse_spotify_tracks(values: Iterable[str], field: str, malformed: list[str]) -> tuple[str, ...]:
    """Return the distinct Spotify track ids in the values of a field made for them, in order.
    Understands ids, spotify:track: URIs and open.spotify.com URLs. Anything else (spotify:local:,
    an album's URL, an id of the wrong length) is reported in `malformed`."""
    found: dict[str, None] = {}
    for value in values:
        for token in filter(None, _SEPARATORS.split(value)):
            link = _SPOTIFY_TRACK.search(token)
            track_id = link["id"] if link else token
            if _SPOTIFY_ID.fullmatch(track_id):
                found[track_id] = None
            else:
                note_malformed(malformed, field, value)
    return tuple(found)


def find_spotify_links(values: Iterable[str], field: str, malformed: list[str]) -> tuple[str, ...]:
    """Return the distinct Spotify track ids that free text (comments, web addresses) links to. Text
    without a link is no error; a link with a malformed id is reported in `malformed`."""
    found: dict[str, None] = {}
    for value in values:
        for link in _SPOTIFY_TRACK.finditer(value):
            if _SPOTIFY_ID.fullmatch(link["id"]):
                found[link["id"]] = None
            else:
                note_malformed(malformed, field, link[0])
    return tuple(found)


def single(ids: Sequence[str]) -> str | None:
    """Return the only id, or None when there are none or several to choose from."""
    return ids[0] if len(ids) == 1 else None
