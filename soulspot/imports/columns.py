"""Which column of a table is which, by the headings that music programs write; pure."""

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from soulspot.imports.records import COLUMNS, SURPLUS
from soulspot.library import identifiers, values

# Of several headings that fit a column, the first named here comes first; in a row where its cell
# is empty, the next one counts. Compared in lower case, letters and digits only, "#" as "number".
_HEADINGS: Mapping[str, str] = {
    "key": "sourcekey",
    "spotify_id": "spotifytrackid spotifytrackuri spotifytrackurl spotifyuri spotifyurl spotifylink spotify trackuri"
    " trackid trackurl tracklink songuri songurl uri url link id",
    "isrc": "isrccode isrcs trackisrc externalidsisrc",
    "mb_recording_id": "recordingmbid mbrecording musicbrainzrecordingid musicbrainztrackid mbtrackid trackmbid",
    "mb_release_id": "releasembid musicbrainzreleaseid musicbrainzalbumid mbalbumid albummbid",
    "artist": "artistname artistnames artists trackartist trackartists trackartistname trackartistnames songartist"
    " performer performers band mastermetadataalbumartistname artistname1 interpret interpreten künstler artiste"
    " artistes artista artisti artistas artiest uitvoerende wykonawca исполнитель アーティスト",
    "title": "trackname tracktitle songname songtitle song titlename mastermetadatatrackname recordingname"
    " recordingtitle titel songtitel titre titolo título titulo nombre nom nome tytuł название 曲名 track name",
    "album": "albumname albumtitle release releasename releasetitle mastermetadataalbumalbumname albumtitel álbum",
    "album_artist": "albumartistname albumartistnames albumartists albuminterpret albumkünstler artistealbum",
    "track_number": "trackno tracknr tracknum trackposition albumtracknumber titelnummer titelnr tracknumberonalbum"
    " track",
    "disc_number": "discno discnr discnum disknumber diskno disc disk cd cdnumber discnummer",
    "duration_ms": "duration tracklength trackduration songduration songlength length totaltime time runtime"
    " mediaduration playtime dauer länge laufzeit durée durata duración duração duur 時間",
}
_TARGETS = {
    heading: (column, rank)
    for column, headings in _HEADINGS.items()
    for rank, heading in enumerate([values.plain_key(column), *headings.split()])
}
# The many kinds of `id` and `url`: only a cell that is a Spotify track is meant.
_VAGUE = frozenset(
    ["trackuri", "trackid", "trackurl", "tracklink", "songuri", "songurl", "uri", "url", "link", "id", "spotify"]
)
_UNIT = re.compile(r"(?:in)?(?:(?P<ms>ms|msec|millis|milliseconds|millisecs)|s|sec|secs|seconds|sekunden)")
_SPAN = re.compile(
    r"(?:PT)?(?:(?P<h>\d+)\s*h(?:ours?|rs?)?)?\s*(?:(?P<m>\d+)\s*m(?:in(?:ute)?s?)?)?\s*"
    r"(?:(?P<s>\d+(?:[.,]\d+)?)\s*s(?:ec(?:ond)?s?)?)?\.?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_MILLISECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*ms", re.IGNORECASE)
# A bare number without a unit: up to an hour in seconds, from twenty seconds on in milliseconds.
_MOST_SECONDS, _LEAST_MS = 3600, 20_000
# Spreadsheets get an apostrophe before what they would run as a formula.
_GUARDED = re.compile(r"'(?=[\s'\"`\ufeff\u200b]*[=+\-@|%\uff1d\uff0b\uff0d\uff20\uff5c\uff05]|[\t\r\n])")
_NAME_BREAK = re.compile(r"\s*;\s*|(?<!\\),(?=[^\s\d])")

Cell = Callable[[Any], Any]
"""Reads a cell as the import column has it; None when the cell means something else."""


class Columns:
    """The reading of headings; `given` names the heading of an import column where it is known, as
    {"title": "Song"}. Raises ValueError for another column."""

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self._given = dict(given or {})
        if unknown := [name for name in self._given if name not in COLUMNS]:
            raise ValueError(f"there is no column {unknown[0]!r} to fill; there are {', '.join(COLUMNS)}")
        self._headings: tuple[str, ...] = ()
        self._uses: dict[str, list[tuple[str, Cell]]] = {}
        self.unknown: list[str] = []
        """The headings of the last record that fill no column."""

    def count(self, headings: Iterable[str]) -> int:
        """Return how many import columns these headings fill."""
        return len(self._find(tuple(headings)))

    def missing(self, headings: Iterable[str]) -> list[str]:
        """Return the given headings that are not there."""
        there = {heading.lower() for heading in headings}
        return [heading for heading in self._given.values() if heading.strip().lower() not in there]

    def record(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """Return the cells by import column, and those behind the last heading as they are."""
        headings = tuple(cells)
        if headings != self._headings:
            self._headings, self._uses = headings, self._find(headings)
            used = {heading for uses in self._uses.values() for heading, _ in uses}
            self.unknown = [heading for heading in headings if heading not in used and heading != SURPLUS]
        record = {SURPLUS: cells[SURPLUS]} if SURPLUS in cells else {}
        for column, uses in self._uses.items():
            for heading, read in uses:
                cell = read(cells[heading])
                if cell is not None and cell != "":
                    record[column] = cell
                    break
        return record

    def _find(self, headings: tuple[str, ...]) -> dict[str, list[tuple[str, Cell]]]:
        found: dict[str, list[tuple[int, str, Cell]]] = {}
        given = {heading.strip().lower(): column for column, heading in self._given.items()}
        plain = {heading: _plain(heading) for heading in headings if heading != SURPLUS}
        # In the tables of disc jockeys "Key" is the key of the music.
        is_musical = not {"bpm", "tempo", "beatsperminute"}.isdisjoint(plain.values())
        for heading, name in plain.items():
            if column := given.get(heading.strip().lower()):
                found[column] = [(0, heading, _reader(column, name, is_given=True))]
        for heading, name in plain.items():
            column, rank = _TARGETS.get(name, ("", 0))
            if not column and (match := _unit_of(name)):
                column, rank = "duration_ms", match[1]
            if (
                column
                and column not in self._given
                and heading.strip().lower() not in given
                and not (name == "key" and is_musical)
            ):
                found.setdefault(column, []).append((rank, heading, _reader(column, name)))
        _settle_track_and_name(found, plain)
        return {
            column: [(heading, read) for _, heading, read in sorted(uses, key=_rank)] for column, uses in found.items()
        }


def _rank(use: tuple[int, str, Cell]) -> int:
    return use[0]


def _settle_track_and_name(found: dict[str, list[tuple[int, str, Cell]]], plain: Mapping[str, str]) -> None:
    """Let "track" be the title where nothing else is, and the position otherwise; let "name" be
    nothing beside another title, because playlists and people have names too."""
    titles = found.get("title", [])
    is_titled = any(plain[heading] not in ("track", "name") for _, heading, _ in titles)
    for heading in [heading for _, heading, _ in found.get("track_number", []) if plain[heading] == "track"]:
        has_name = any(plain[other] == "name" for _, other, _ in titles)
        if not (is_titled or has_name):
            found["track_number"] = [use for use in found["track_number"] if use[1] != heading]
            found.setdefault("title", []).append((0, heading, _reader("title", "track")))
    if is_titled:
        found["title"] = [use for use in titles if plain[use[1]] != "name"]


def _plain(heading: str) -> str:
    return values.plain_key(heading.replace("#", " number "))


def _unit_of(name: str) -> tuple[bool, int] | None:
    """Return whether a heading with a unit means milliseconds, and the rank of its name; None for
    no heading of a length with a unit."""
    for base, (column, rank) in _TARGETS.items():
        if column == "duration_ms" and name.startswith(base) and (unit := _UNIT.fullmatch(name, len(base))):
            return bool(unit["ms"]), rank
    return None


def _reader(column: str, name: str, *, is_given: bool = False) -> Cell:
    if column == "duration_ms" and name != "durationms":
        unit = _unit_of(name)
        return lambda cell: _length(cell, unit[0] if unit else None)
    if name in _VAGUE and not is_given:
        return _spotify_track
    if column in ("artist", "album_artist"):
        is_many = name.rstrip("0123456789").endswith("s")
        return lambda cell: _names(cell, is_many=is_many)
    return _text


def _text(cell: Any) -> Any:
    return _GUARDED.sub("", cell, count=1) if isinstance(cell, str) and cell.startswith("'") else cell


def _spotify_track(cell: Any) -> Any:
    found = identifiers.parse_spotify_tracks([cell], "", []) if isinstance(cell, str) else ()
    return found[0] if found else None


def _names(cell: Any, *, is_many: bool) -> Any:
    """Return a list of the names in a cell where it is clear that there are several."""
    text = _text(cell)
    if not isinstance(text, str):
        return text
    if text.startswith("[") and text.endswith("]") and len(text) < values.MAX_VALUE:
        try:
            names = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return text
        return [str(name) for name in names if name] if isinstance(names, list) else text
    if not is_many:
        return text
    # A comma with a blank may stand within a name: "Tyler, The Creator".
    names = [name.replace("\\,", ",") for name in _NAME_BREAK.split(text) if name]
    return names if len(names) > 1 else text.replace("\\,", ",")


def _length(cell: Any, is_ms: bool | None) -> Any:
    """Return a length as `duration_ms` has it. What is left as it is will be named as no length."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return cell
    text = str(cell).strip()
    if stated := _MILLISECONDS.fullmatch(text):
        return stated[1]
    if (span := _SPAN.fullmatch(text)) and any(span.groups()):
        hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in span.group("h", "m", "s"))
        return round((hours * 3600 + minutes * 60 + seconds) * 1000)
    if not _NUMBER.fullmatch(text):
        return cell
    number = float(text.replace(",", "."))
    if is_ms is None and _MOST_SECONDS < number < _LEAST_MS:
        return f"{text}, seconds or milliseconds,"
    is_ms = number >= _LEAST_MS if is_ms is None else is_ms
    return round(number * (1 if is_ms else 1000))


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """Return {"title": "Track Name"} of ["title=Track Name"]. ValueError for another form."""
    given: dict[str, str] = {}
    for text in texts:
        column, equals, heading = text.partition("=")
        if not equals or not heading.strip():
            raise ValueError(f'{text!r} says not which column is which; write title="Track Name", say')
        given[column.strip().lower()] = heading.strip().strip("\"'")
    Columns(given)
    return given
