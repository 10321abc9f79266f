"""A catalogue over the Spotify ids of a CSV file: names and lengths from the rows, the rest from the ids."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from soulspot.sandbox.catalogue import ids, words
from soulspot.sandbox.catalogue.build import Builder, Draft, Parts, uncollected
from soulspot.sandbox.catalogue.values import (
    Artist,
    Catalogue,
    Credit,
    CreditedName,
    SpotifyAlbum,
    SpotifyTrack,
)

_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_LENGTH = re.compile(r"(?:(\d+):)?(\d+):(\d\d)")
_FEATURED = re.compile(r"\s*[(\[](?:feat\.?|ft\.?|with)\s+([^)\]]+)[)\]]", re.IGNORECASE)
_SAME_RECORDING = re.compile(r"remaster|original (?:mix|version)|album version|bonus track", re.IGNORECASE)
_LIVE = re.compile(r"\blive\b|ao vivo|en vivo", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One track of the file, whichever columns it had. `date` is "" when the file has none."""

    track_id: str
    title: str
    artists: tuple[tuple[str, str], ...]  # (Spotify id, name)
    album_id: str
    album: str
    date: str
    length_ms: int


def catalogue_from_csv(path: Path | str, limit: int | None = None) -> Catalogue:
    """Make a catalogue of the Spotify ids, names and lengths of a CSV file (plain or .gz); the rest is invented
    from the ids.

    Needs the columns track_id, track_name, track_artist or artist_names, an album name and id, and
    duration_ms or length (m:ss). `limit` counts distinct track ids.
    Raises ValueError when a column is missing."""
    with uncollected():
        return Catalogue(**_read(Path(path), limit))


def _read(path: Path, limit: int | None) -> Parts:
    out = Builder("csv")
    artists: dict[str, Artist] = {}
    known: dict[tuple[str, str, int], Draft] = {}  # what makes two Spotify tracks one recording
    albums: dict[str, list[Row]] = {}
    for row in _rows(path, limit):
        albums.setdefault(row.album_id, []).append(row)
    for album_id, rows in albums.items():
        _album(out, album_id, rows, artists, known)
    return out.finish()


def _rows(path: Path, limit: int | None) -> Iterator[Row]:
    """Distinct tracks in the file's order; rows whose id or length cannot be one are left out."""
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
    album_id = cell("track_album_id", "album_id")
    if not _SPOTIFY_ID.fullmatch(cell("track_id")) or not _SPOTIFY_ID.fullmatch(album_id) or not length:
        return None
    names = cell("artist_names").split("; ") if "artist_names" in cells else [cell("track_artist")]
    given = [one for one in cell("artist_ids").split(";") if _SPOTIFY_ID.fullmatch(one)]
    artist_ids = given if len(given) == len(names) else [ids.spotify_id("csv", name) for name in names]
    return Row(
        cell("track_id"),
        cell("track_name"),
        tuple(zip(artist_ids, names, strict=True)),
        album_id,
        cell("track_album_name", "album_name"),
        cell("track_album_release_date"),
        length,
    )


def _milliseconds(length: str) -> int:
    found = _LENGTH.fullmatch(length.strip())
    if not found:
        return 0
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 1000 * (3600 * hours + 60 * minutes + seconds)


def _album(
    out: Builder,
    album_id: str,
    rows: list[Row],
    artists: dict[str, Artist],
    known: dict[tuple[str, str, int], Draft],
) -> None:
    """One album of the file: at Spotify always, in MusicBrainz but for one in twelve."""
    luck = ids.number("album", album_id)
    leaders = {row.artists[0] for row in rows}
    credits = [_credit(out, artists, row) for row in rows]
    credit = out.various if len(leaders) > 1 else credits[0][:1]
    date = rows[0].date or str(1970 + luck % 54)
    in_musicbrainz = luck % 12 != 0
    drafts = [
        _draft(out, known, row, row_credit, date) if in_musicbrainz else None
        for row, row_credit in zip(rows, credits, strict=True)
    ]
    release = out.add_release(
        album_id,
        rows[0].album or "[untitled]",
        _plain(credit),
        [[draft for draft in drafts if draft]],
        date=date,
        primary_type="Single" if len(rows) == 1 else "Album",
        secondary_types=("Compilation",) if credit is out.various else (),
        format="Digital Media",
        country="XW",
        label=words.LABELS[luck // 12 % len(words.LABELS)],
        spotify_id=album_id,
    ) if in_musicbrainz else None  # fmt: skip
    tracks = [
        _spotify_track(out, row, draft, date, at)
        for at, (row, draft) in enumerate(zip(rows, drafts, strict=True), 1)
    ]
    if not in_musicbrainz:
        out.cases["spotify_only"] += [row.track_id for row in rows]
    album = SpotifyAlbum(
        album_id,
        rows[0].album,
        out.at_spotify(credit),
        date,
        "single" if len(rows) == 1 else "compilation" if credit is out.various else "album",
        tuple(row.track_id for row in rows),
        label=words.LABELS[luck // 12 % len(words.LABELS)],
        upc=ids.barcode("upc", album_id),
        popularity=luck % 80,
        release_mbid=release.mbid if release else None,
    )
    out.add_album(album, tracks)


def _credit(out: Builder, artists: dict[str, Artist], row: Row) -> Credit:
    """The row's artists as a credit; the second and later ones are featured."""
    parts = []
    for at, (spotify_id, name) in enumerate(row.artists):
        artist = artists.get(spotify_id)
        if artist is None:
            shown = name or "[unknown]"
            artist = Artist(ids.mbid("csv artist", spotify_id), spotify_id, shown, shown)
            artists[spotify_id] = out.add_artist(artist, name)
        last = at == len(row.artists) - 1
        join = "" if last else " feat. " if at == 0 else " & " if at == len(row.artists) - 2 else ", "
        parts.append(CreditedName(artist, artist.name, join))
    return tuple(parts)


def _plain(credit: Credit) -> Credit:
    """The first artist alone, as a release is credited."""
    return (CreditedName(credit[0].artist, credit[0].name),)


def _musicbrainz_title(title: str) -> tuple[str, str]:
    """A Spotify title the way MusicBrainz writes it, and the disambiguation that remains of its version."""
    title = _FEATURED.sub("", title).strip()
    name, dash, version = title.partition(" - ")
    if not dash or _SAME_RECORDING.search(version):
        return name or "[untitled]", ""
    if _LIVE.search(version):
        return name, version.lower()
    return f"{name} ({version.lower()})", ""


def _draft(
    out: Builder, known: dict[tuple[str, str, int], Draft], row: Row, credit: Credit, date: str
) -> Draft:
    title, disambiguation = _musicbrainz_title(row.title)
    same = (f"{title}\x1f{disambiguation}".casefold(), row.artists[0][0], row.length_ms // 2000)
    if same in known:
        out.cases["several_spotify_ids"].append(known[same].mbid)
        return known[same]
    mbid = ids.mbid("csv recording", row.track_id)
    luck = ids.number("draft", row.track_id)
    isrc = ids.isrc(int(date[:4]), row.track_id)
    tags = tuple(
        (words.GENRES[(luck >> shift) % len(words.GENRES)], 3 + shift) for shift in (2, 9)[: luck % 3]
    )
    draft = Draft(mbid, title, credit, row.length_ms, isrc, [isrc] if luck // 3 % 10 < 7 else [], tags=tags)
    draft.disambiguation = disambiguation
    if luck // 31 % 25 == 0:
        draft.timed = False
        out.cases["no_length"].append(mbid)
    if luck // 37 % 50 == 0:
        draft.merged = [ids.mbid(mbid, "old")]
        out.cases["merged"].append(mbid)
    if luck // 41 % 50 == 0:
        draft.dead_ids = [ids.spotify_id(mbid, "dead")]
        draft.url_ids = list(draft.dead_ids)
        out.cases["dead_link"].append(mbid)
    if not draft.isrcs:
        out.cases["isrc_unknown"].append(mbid)
    known[same] = draft
    return out.add_recording(draft)


def _spotify_track(out: Builder, row: Row, draft: Draft | None, date: str, position: int) -> SpotifyTrack:
    luck = ids.number("luck", row.track_id)
    if draft:
        out.link(draft, row.track_id, luck)
    isrc = draft.isrc if draft else ids.isrc(int(date[:4]), row.track_id)
    return SpotifyTrack(
        row.track_id,
        row.title,
        tuple(out.spotify_artists[ids.mbid("csv artist", one)] for one, _ in row.artists),
        row.album_id,
        row.length_ms,
        out.careless(isrc, row.track_id, luck),
        position,
        explicit=luck % 9 == 0,
        popularity=luck % 90,
        recording_mbid=draft.mbid if draft else None,
    )
