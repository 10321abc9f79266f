"""Identifiers as people and taggers write them, made canonical or named malformed; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NIL = "00000000-0000-0000-0000-000000000000"
_MB_URL = re.compile(
    r"(?:https?://)?(?:[\w-]+\.)?musicbrainz\.org/(?:ws/2/)?(?P<kind>[a-z-]+)/(?P<id>[0-9a-f-]+)"
)
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
_BETWEEN = re.compile(r"[\s\0;,|]+")
_BRACKETS = "{}[]()<>\"'"
_DASHES = str.maketrans("‐‑‒–—−", "------")
_SHOWN = 100  # characters of a malformed value that are kept


def note_malformed(malformed: list[str], field: str, value: str) -> None:
    """Note in `malformed` that `value` stands in `field` and is not what the field is for."""
    shown = " ".join(value.replace("\0", " ").split())
    note = f"{field}: {shown[:_SHOWN]}{'…' if len(shown) > _SHOWN else ''}"
    if note not in malformed:
        malformed.append(note)


def parse_mbids(values: Iterable[str], kind: str, field: str, malformed: list[str]) -> tuple[str, ...]:
    """The distinct MBIDs in `values`, lower case, in order: bare, in braces, several in a value, or URLs.

    `kind` is what a musicbrainz.org URL must be of ("recording", "release" ...). A value with anything else
    in it is reported; what is sound in it still counts. The nil UUID is no MBID."""
    found: dict[str, None] = {}
    for value in values:
        sound = True
        for token in filter(None, _BETWEEN.split(value.lower())):
            url = _MB_URL.match(token)
            if url:
                ids = [url["id"] if url["kind"] == kind else ""]
            else:
                ids = [part.strip(_BRACKETS).removeprefix("urn:uuid:") for part in token.split("/") if part]
            for one in ids:
                if _UUID.fullmatch(one) and one != _NIL:
                    found[one] = None
                else:
                    sound = False
        if not sound:
            note_malformed(malformed, field, value)
    return tuple(found)


def parse_isrcs(values: Iterable[str], field: str, malformed: list[str]) -> tuple[str, ...]:
    """The distinct ISRCs in `values` as 12 upper-case characters, in order.

    Hyphens, spaces, lower case, "ISRC" in front and several in one value (parted by / ; , space or NUL) are
    understood; a value with anything else in it is reported. Form: ISO 3901, CC-XXX-YY-NNNNN."""
    found: dict[str, None] = {}
    for value in values:
        text = unicodedata.normalize("NFKC", value).translate(_DASHES).upper()
        for match in _ISRC.finditer(text):
            found["".join(match.groups())] = None
        if _BETWEEN.sub("", _ISRC.sub("", text)).strip("/&+" + _BRACKETS):
            note_malformed(malformed, field, value)
    return tuple(found)


def parse_spotify_tracks(values: Iterable[str], field: str, malformed: list[str]) -> tuple[str, ...]:
    """The distinct track ids in a field made for them: ids, spotify:track: URIs or open.spotify.com URLs.

    Anything else (spotify:local:, an album's URL, a wrong length) is reported."""
    found: dict[str, None] = {}
    for value in values:
        for token in filter(None, _BETWEEN.split(value)):
            link = _SPOTIFY_TRACK.search(token)
            one = link["id"] if link else token
            if _SPOTIFY_ID.fullmatch(one):
                found[one] = None
            else:
                note_malformed(malformed, field, value)
    return tuple(found)


def find_spotify_links(values: Iterable[str], field: str, malformed: list[str]) -> tuple[str, ...]:
    """The distinct track ids that free text (comments, web addresses) links to; bad links are reported."""
    found: dict[str, None] = {}
    for value in values:
        for link in _SPOTIFY_TRACK.finditer(value):
            if _SPOTIFY_ID.fullmatch(link["id"]):
                found[link["id"]] = None
            else:
                note_malformed(malformed, field, link[0])
    return tuple(found)


def single(ids: Sequence[str]) -> str | None:
    """The id when there is exactly one: of several nobody can say which is meant."""
    return ids[0] if len(ids) == 1 else None
