"""Catalogues over the Spotify ids, names and lengths of a CSV file, the rest invented."""

import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from soulspot.sandbox.catalogue import ids, words
from soulspot.sandbox.catalogue.build import Builder, Draft, ReleaseDraft, no_garbage_collection, sole_credit
from soulspot.sandbox.catalogue.values import Artist, Catalogue, Credit, CreditedName, SpotifyAlbum, SpotifyTrack

_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_LENGTH = re.compile(r"(?:(\d+):)?(\d+):(\d\d)")
_FEATURED = re.compile(r"\s*[(\[](?:feat\.?|ft\.?|with)\s+([^)\]]+)[)\]]", re.IGNORECASE)
_SAME_RECORDING = re.compile(r"remaster|original (?:mix|version)|album version|bonus track", re.IGNORECASE)
_LIVE = re.compile(r"\blive\b|ao vivo|en vivo", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One track of the file, whichever columns the file has."""

    track_id: str
    title: str
    artists: tuple[tuple[str, str], ...]  # (Spotify id, name)
    album_id: str
    album: str
    date: str  # "" when the file has none
    length_ms: int


def catalogue_from_csv(path: Path | str, limit: int | None = None) -> Catalogue:
    """Make a catalogue of the Spotify ids, names and lengths in a CSV file, plain or .gz.

    Everything else is invented from the ids. The file needs the columns track_id, track_name,
    track_artist or artist_names, an album name and id, and duration_ms or length (m:ss). `limit`
    counts distinct track ids. Raises ValueError when a column is missing."""
    with no_garbage_collection():
        reader = _CsvCatalogue()
        albums: dict[str, list[Row]] = {}
        for row in _rows(Path(path), limit):
            albums.setdefault(row.album_id, []).append(row)
        for album_id, rows in albums.items():
            reader.add_album(album_id, rows)
        return reader.out.finish()


def _rows(path: Path, limit: int | None) -> Iterator[Row]:
    """Yield distinct tracks in the file's order, without rows whose id or length is impossible."""
    opener = gzip.open if path.suffix == ".gz" else open
    seen: set[str] = set()
    with opener(path, "rt", encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        columns = set(reader.fieldnames or ())
        if not {"track_id", "track_name"} <= columns or not columns & {"track_artist", "artist_names"}:
            raise ValueError(f"{path}: no columns track_id, track_name and track_artist or artist_names")
        for cells in reader:
            row = _row(cells)
            if row is None or row.track_id in seen:
                continue
            if limit is not None and len(seen) >= limit:
                return
            seen.add(row.track_id)
            yield row


def _row(cells: Mapping[str, str | None]) -> Row | None:
    def cell(*names: str) -> str:
        return next((cells[name] or "" for name in names if name in cells), "")

    length = int(cell("duration_ms") or 0) or _milliseconds(cell("length"))
    track_id, album_id = cell("track_id"), cell("track_album_id", "album_id")
    if not _SPOTIFY_ID.fullmatch(track_id) or not _SPOTIFY_ID.fullmatch(album_id) or not length:
        return None
    names = cell("artist_names").split("; ") if "artist_names" in cells else [cell("track_artist")]
    # Names may have the separator in them; ids then do not fit, and are invented.
    artist_ids = [each for each in cell("artist_ids").split(";") if _SPOTIFY_ID.fullmatch(each)]
    if len(artist_ids) != len(names):
        artist_ids = [ids.spotify_id("csv", name) for name in names]
    artists = tuple(zip(artist_ids, names, strict=True))
    album, date = cell("track_album_name", "album_name"), cell("track_album_release_date")
    return Row(track_id, cell("track_name"), artists, album_id, album, date, length)


def _milliseconds(length: str) -> int:
    found = _LENGTH.fullmatch(length.strip())
    if not found:
        return 0
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 1000 * (3600 * hours + 60 * minutes + seconds)


class _CsvCatalogue:
    """Adds albums of rows to a builder; artists and recordings of several albums are added once."""

    def __init__(self) -> None:
        self.out = Builder("csv")
        self._artists: dict[str, Artist] = {}  # by Spotify id
        # Title with disambiguation, artist and length: Spotify tracks that agree are one recording.
        self._drafts: dict[tuple[str, str, int], Draft] = {}

    def add_album(self, album_id: str, rows: list[Row]) -> None:
        out, luck = self.out, ids.number("album", album_id)
        credits = [self._credit(row) for row in rows]
        is_compilation = len({row.artists[0] for row in rows}) > 1
        credit = out.various if is_compilation else credits[0][:1]
        date = rows[0].date or str(1970 + luck % 54)
        label = words.LABELS[luck // 12 % len(words.LABELS)]
        drafts: list[Draft | None] = [None] * len(rows)
        release = None
        # MusicBrainz lacks many albums that Spotify has.
        if luck % 12 != 0:
            found = [self._draft(row, credit, date) for row, credit in zip(rows, credits, strict=True)]
            drafts = list(found)
            release = out.add_release(
                ReleaseDraft(
                    album_id, rows[0].album or "[untitled]", sole_credit(credit[0].artist), [found], date,
                    primary_type="Single" if len(rows) == 1 else "Album",
                    secondary_types=("Compilation",) if is_compilation else (),
                    format="Digital Media", country="XW", label=label, spotify_id=album_id,
                )
            )  # fmt: skip
        else:
            out.cases["spotify_only"] += [row.track_id for row in rows]
        album = SpotifyAlbum(
            album_id, rows[0].album, out.credit_at_spotify(credit), date,
            "single" if len(rows) == 1 else "compilation" if is_compilation else "album",
            tuple(row.track_id for row in rows), label=label, upc=ids.barcode("upc", album_id),
            popularity=luck % 80, release_mbid=release.mbid if release else None,
        )  # fmt: skip
        pairs = enumerate(zip(rows, credits, drafts, strict=True), 1)
        out.add_album(album, [self._track(*parts, date, position) for position, parts in pairs])

    def _credit(self, row: Row) -> Credit:
        parts, last = [], len(row.artists) - 1
        for at, (spotify_id, name) in enumerate(row.artists):
            artist = self._artists.get(spotify_id)
            if artist is None:
                shown = name or "[unknown]"
                artist = Artist(ids.mbid("csv artist", spotify_id), spotify_id, shown, shown)
                self._artists[spotify_id] = self.out.add_artist(artist, name)
            join = "" if at == last else " feat. " if at == 0 else " & " if at == last - 1 else ", "
            parts.append(CreditedName(artist, artist.name, join))
        return tuple(parts)

    def _draft(self, row: Row, credit: Credit, date: str) -> Draft:
        title, disambiguation = _musicbrainz_title(row.title)
        same = (f"{title}\x1f{disambiguation}".casefold(), row.artists[0][0], row.length_ms // 2000)
        cases = self.out.cases
        # The file lists the same recording under several Spotify ids: single, album, compilation.
        if same in self._drafts:
            cases["several_spotify_ids"].append(self._drafts[same].mbid)
            return self._drafts[same]
        mbid = ids.mbid("csv recording", row.track_id)
        luck = ids.number("draft", row.track_id)
        isrc = ids.isrc(int(date[:4]), row.track_id)
        shifts = (2, 9)[: luck % 3]
        tags = tuple((words.GENRES[(luck >> shift) % len(words.GENRES)], 3 + shift) for shift in shifts)
        isrcs = [isrc] if luck // 3 % 10 < 7 else []
        draft = Draft(mbid, title, credit, row.length_ms, isrc, isrcs, tags=tags, disambiguation=disambiguation)
        if luck // 31 % 25 == 0:
            draft.has_length = False
            cases["no_length"].append(mbid)
        if luck // 37 % 50 == 0:
            draft.merged_mbids = [ids.mbid(mbid, "old")]
            cases["merged"].append(mbid)
        if luck // 41 % 50 == 0:
            draft.dead_ids = [ids.spotify_id(mbid, "dead")]
            draft.url_ids = list(draft.dead_ids)
            cases["dead_link"].append(mbid)
        if not draft.isrcs:
            cases["isrc_unknown"].append(mbid)
        self._drafts[same] = draft
        return self.out.add_recording(draft)

    def _track(self, row: Row, credit: Credit, draft: Draft | None, date: str, position: int) -> SpotifyTrack:
        isrc = draft.isrc if draft else ids.isrc(int(date[:4]), row.track_id)
        artists = self.out.credit_at_spotify(credit)
        track = SpotifyTrack(row.track_id, row.title, artists, row.album_id, row.length_ms, isrc, position)
        return self.out.with_traits(track, draft)


def _musicbrainz_title(title: str) -> tuple[str, str]:
    """Return title and disambiguation: "Song (feat. B) - Live in Rio" -> "Song", "live in rio"."""
    title = _FEATURED.sub("", title).strip()
    name, dash, version = title.partition(" - ")
    if not dash or _SAME_RECORDING.search(version):
        return name or "[untitled]", ""
    if _LIVE.search(version):
        return name, version.lower()
    return f"{name} ({version.lower()})", ""
