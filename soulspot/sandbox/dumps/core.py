"""The core dump of an invented catalogue, in the form of MusicBrainz' full exports, schema 31."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import (
    VARIOUS_ARTISTS_MBID,
    Artist,
    Catalogue,
    Credit,
    CreditedName,
    Recording,
    Release,
    credit_text,
)
from soulspot.sandbox.catalogue.words import GENRES
from soulspot.sandbox.dumps.further import FurtherMusic
from soulspot.sandbox.dumps.further_core import FurtherRows, Taken
from soulspot.sandbox.dumps.tables import Tables

CORE, DERIVED = "mbdump.tar.bz2", "mbdump-derived.tar.bz2"
WRITTEN = "2026-11-25 00:12:34.567890+00"
SCHEMA = 31
CORE_TABLES = (
    "artist", "artist_alias", "artist_credit", "artist_credit_name", "genre", "iso_3166_1", "isrc", "l_recording_url",
    "l_release_url", "label", "medium", "medium_format", "recording", "recording_gid_redirect", "release",
    "release_country", "release_gid_redirect", "release_group", "release_group_gid_redirect",
    "release_group_primary_type", "release_group_secondary_type", "release_group_secondary_type_join",
    "release_label", "release_status", "release_unknown_country", "track", "url",
)  # fmt: skip
DERIVED_TABLES = (
    "recording_first_release_date", "recording_tag", "release_first_release_date", "release_group_meta",
    "release_group_tag", "tag",
)  # fmt: skip


def write_core_dump(
    catalogue: Catalogue, folder: Path, *, level: int = 9, further: int = 0, seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> tuple[Path, Path]:  # fmt: skip
    """Write both archives of a full export into the folder; return their paths.

    `further` made-up recordings of this seed follow those of the catalogue. `level` is bzip2's;
    0 writes plain tar archives, whose names end the same. `progress` hears how many of the further
    recordings are written."""
    folder.mkdir(parents=True, exist_ok=True)
    notes = {
        "TIMESTAMP": WRITTEN, "SCHEMA_SEQUENCE": f"{SCHEMA}\n", "REPLICATION_SEQUENCE": "181920\n",
        "README": "An invented catalogue in the form of a MusicBrainz database dump.\n",
        "COPYING": "Invented data, free of rights.\n",
    }  # fmt: skip
    with Tables(folder) as tables:
        _CoreDump(catalogue, tables).write(FurtherMusic(seed, further) if further else None, progress)
        for name, members in ((CORE, CORE_TABLES), (DERIVED, DERIVED_TABLES)):
            tables.pack(folder / name, members, notes, level=level)
    return folder / CORE, folder / DERIVED


class _Numbers:
    """Row ids, handed out from 1 in the order in which things are first named."""

    def __init__(self) -> None:
        self._known: dict[Any, int] = {}

    def __contains__(self, thing: Any) -> bool:
        return thing in self._known

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        yield from self._known.items()

    def of(self, thing: Any) -> int:
        return self._known.setdefault(thing, len(self._known) + 1)


class _CoreDump:
    def __init__(self, catalogue: Catalogue, tables: Tables) -> None:
        self._catalogue, self._tables, self._add = catalogue, tables, tables.add
        self._artists, self._credits, self._groups = _Numbers(), _Numbers(), _Numbers()
        self._recordings, self._labels, self._tags, self._countries = _Numbers(), _Numbers(), _Numbers(), _Numbers()
        self._formats, self._statuses, self._primary, self._secondary = _Numbers(), _Numbers(), _Numbers(), _Numbers()
        self._rows = count(1)  # ids of rows that nothing refers to

    def write(self, further: FurtherMusic | None, progress: Callable[[int], None] | None) -> None:
        for artist in self._catalogue.artists:
            self._artist(artist)
        for recording in self._catalogue.recordings:
            self._recording(recording)
        for number, release in enumerate(self._catalogue.releases, 1):
            self._release(number, release)
        if further:
            FurtherRows(self._tables, further, self._taken()).write(progress)
        self._terms()

    def _taken(self) -> Taken:
        artists = {one.mbid: one for one in self._catalogue.artists}
        various = artists.get(VARIOUS_ARTISTS_MBID) or Artist(
            VARIOUS_ARTISTS_MBID, None, "Various Artists", "Various Artists"
        )
        compilations = self._credit((CreditedName(various, various.name),))
        kinds = {
            "primary": self._primary.of, "secondary": self._secondary.of, "status": self._statuses.of,
            "format": self._formats.of, "country": self._countries.of, "tag": self._tags.of, "label": self._invented_label,
        }  # fmt: skip
        return Taken(
            artists=len(self._artists), credits=len(self._credits), recordings=len(self._recordings),
            groups=len(self._groups), releases=len(self._catalogue.releases), rows=next(self._rows),
            various=compilations, term=lambda kind, name: kinds[kind](name), written=WRITTEN,
        )  # fmt: skip

    def _artist(self, artist: Artist) -> int:
        is_new = artist.mbid not in self._artists
        number = self._artists.of(artist.mbid)
        if is_new:
            dates = [None] * 6
            self._add(
                "artist", number, artist.mbid, artist.name, artist.sort_name, *dates, 1, None, None,
                artist.disambiguation, 0, WRITTEN, False, None, None,
            )  # fmt: skip
            for alias in artist.aliases:
                self._add(
                    "artist_alias", next(self._rows), number, alias, None, 0, WRITTEN, None, alias, *dates, False, False
                )
        return number

    def _credit(self, credit: Credit) -> int:
        key = tuple((part.artist.mbid, part.name, part.join) for part in credit)
        is_new = key not in self._credits
        number = self._credits.of(key)
        if is_new:
            text = credit_text(credit)
            gid = ids.mbid("credit", text, str(number))
            self._add("artist_credit", number, text, len(credit), 1, WRITTEN, 0, gid)
            for position, part in enumerate(credit):
                self._add("artist_credit_name", number, position, self._artist(part.artist), part.name, part.join)
        return number

    def _recording(self, one: Recording) -> None:
        number = self._recordings.of(one.mbid)
        self._add(
            "recording", number, one.mbid, one.title, self._credit(one.credit), one.duration_ms, one.disambiguation, 0,
            WRITTEN, one.video,
        )  # fmt: skip
        for old in one.merged_mbids:
            self._add("recording_gid_redirect", old, number, WRITTEN)
        for isrc in one.isrcs:
            self._add("isrc", next(self._rows), number, isrc, 0, WRITTEN)
        for link in one.url_ids:
            url = next(self._rows)
            address = f"https://open.spotify.com/track/{link}"
            self._add("url", url, ids.mbid("url", address), address, 0, WRITTEN)
            self._add("l_recording_url", next(self._rows), 1, number, url, 0, WRITTEN, 0, "", "")
        for name, votes in one.tags:
            self._add("recording_tag", number, self._tags.of(name), votes, WRITTEN)
        if one.first_release_date:
            self._add("recording_first_release_date", number, *_date(one.first_release_date))

    def _release(self, number: int, one: Release) -> None:
        credit, is_new = self._credit(one.credit), one.group_mbid not in self._groups
        group = self._groups.of(one.group_mbid)
        if is_new:
            primary = self._primary.of(one.primary_type) if one.primary_type else None
            self._add("release_group", group, one.group_mbid, one.title, credit, primary, "", 0, WRITTEN)
            self._add("release_group_meta", group, 1, *_date(one.group_first_date), None, None)
            for kind in one.secondary_types:
                self._add("release_group_secondary_type_join", group, self._secondary.of(kind), WRITTEN)
            for name, votes in one.tags:
                self._add("release_group_tag", group, self._tags.of(name), votes, WRITTEN)
        status = self._statuses.of(one.status) if one.status else None
        self._add(
            "release", number, one.mbid, one.title, credit, group, status, None, 120, 28, one.barcode,
            one.disambiguation, 0, -1, WRITTEN,
        )  # fmt: skip
        if one.country:
            self._add("release_country", number, self._countries.of(one.country), *_date(one.date))
        elif one.date:
            self._add("release_unknown_country", number, *_date(one.date))
        if one.date:
            self._add("release_first_release_date", number, *_date(one.date))
        if one.label:
            self._add(
                "release_label", next(self._rows), number, self._label(one.label, one.label_mbid), one.catno, WRITTEN
            )
        if one.linked and one.spotify_id:
            url = next(self._rows)
            address = f"https://open.spotify.com/album/{one.spotify_id}"
            self._add("url", url, ids.mbid("url", address), address, 0, WRITTEN)
            self._add("l_release_url", next(self._rows), 2, number, url, 0, WRITTEN, 0, "", "")
        for medium in one.media:
            place = next(self._rows)
            self._add(
                "medium", place, number, medium.position, self._formats.of(medium.format), "", 0, WRITTEN,
                len(medium.tracks), ids.mbid("medium", one.mbid, str(medium.position)),
            )  # fmt: skip
            for track in medium.tracks:
                played = self._catalogue.recordings_by_mbid[track.recording_mbid]
                self._add(
                    "track", next(self._rows), track.mbid, self._recordings.of(track.recording_mbid), place,
                    track.position, track.number, track.title, self._credit(played.credit), track.duration_ms, 0,
                    WRITTEN, False,
                )  # fmt: skip

    def _invented_label(self, name: str) -> int:
        return self._label(name, None)

    def _label(self, name: str, mbid: str | None) -> int:
        is_new = name not in self._labels
        label = self._labels.of(name)
        if is_new:
            self._add("label", label, mbid or ids.mbid("label", name), name, *[None] * 9, "", 0, WRITTEN, False)
        return label

    def _terms(self) -> None:
        for table, names in (
            ("release_status", self._statuses), ("release_group_primary_type", self._primary),
            ("release_group_secondary_type", self._secondary),
        ):  # fmt: skip
            for name, number in names:
                self._add(table, number, name, None, 0, None, ids.mbid(table, name))
        for name, number in self._formats:
            self._add("medium_format", number, name, None, 0, None, False, None, ids.mbid("medium_format", name))
        for name, number in self._countries:
            self._add("iso_3166_1", number, name)
        for name, number in self._tags:
            self._add("tag", number, name, 1)
            if name in GENRES:
                self._add("genre", number, ids.mbid("genre", name), name, "", 0, WRITTEN)


def _date(text: str) -> list[int | None]:
    parts: list[int | None] = [int(part) for part in text.split("-") if part]
    return [*parts, None, None, None][:3]
