"""A catalogue that was built: recordings, releases and artists by their numbers, as entities.

The entities are those of MusicBrainz, field by field: `musicbrainz/answers.py` makes them of its
answers, this module of rows."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from soulspot.errors import CatalogueError
from soulspot.models import MUSICBRAINZ, Entity
from soulspot.providers.documents import distinct, rank_by_votes, without_empty

FORMAT = 1  # of the file; another one is built again
MAP_BYTES = 1 << 40  # the file is read through the page cache, whatever its size
SAMPLE = 20  # recordings that a new catalogue must find
CACHED = 20_000  # credits and releases; a few hundred bytes each


@dataclass(frozen=True, slots=True)
class About:
    """A catalogue's account of itself. `dated` is the time of its dump in epoch seconds, `built_at`
    that of its making."""

    names_only: bool
    dated: float
    built_at: float
    recordings: int

    def age(self, now: float) -> float:
        """Return the age of the dump in seconds."""
        return now - self.dated


def _read_about(values: Mapping[str, str]) -> About:
    if values["format"] != str(FORMAT):
        raise ValueError(values["format"])
    return About(
        values["names_only"] == "1", float(values["dated"]), float(values["built_at"]), int(values["recordings"])
    )


class Catalogue:
    """One catalogue file, opened to read; one thread at a time may use it.

    Raises CatalogueError when there is none, or when it is of another SoulSpot."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise CatalogueError(f"there is no catalogue at {path}: soulspot catalogue build makes one")
        # immutable: a catalogue is replaced whole, and never changes in its place
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        self._connection.create_function("gid_of", 1, bytes.fromhex, deterministic=True)
        try:
            self._connection.execute(f"PRAGMA mmap_size = {MAP_BYTES}")
            self.about = _read_about(dict(self._connection.execute("SELECT key, value FROM about")))
            self._terms = {(kind, number): name for kind, number, name in self.rows("SELECT kind, id, name FROM term")}
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise CatalogueError(f"{path} is no catalogue ({error}): build it again") from None
        except (KeyError, ValueError):
            self._connection.close()
            raise CatalogueError(f"{path} was built by another SoulSpot: build it again") from None
        self._credits = lru_cache(CACHED)(self._fetch_credit)
        self._releases: dict[int, dict[str, Any]] = {}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query; a list or dict among `values` is passed as JSON, for
        `json_each`."""
        plain = [json.dumps(value) if isinstance(value, list | tuple | dict) else value for value in values]
        return self._connection.execute(sql, plain).fetchall()

    def check(self, *, thoroughly: bool = False) -> None:
        """Raise CatalogueError unless the catalogue finds recordings of its own by MBID, and with
        `thoroughly` unless every page of the file is sound."""
        try:
            if thoroughly and (said := self.rows("PRAGMA quick_check(1)")) != [("ok",)]:
                raise CatalogueError(f"{self.path} is damaged ({said[0][0]}): build it again")
            self._check_sample()
        except sqlite3.DatabaseError as error:
            raise CatalogueError(f"{self.path} is damaged ({error}): build it again") from None

    def _check_sample(self) -> None:
        sample = self.rows(f"SELECT id, gid FROM recording ORDER BY gid LIMIT {SAMPLE}")
        found = self.by_mbid("recording", [str(UUID(bytes=gid)) for _, gid in sample])
        entities = self.recordings([number for number, _ in sample])
        if not sample or len(found) < len(sample) or len(entities) < len(sample):
            raise CatalogueError(f"{self.path} does not find its own recordings: build it again")

    # --- numbers --------------------------------------------------------------------------------

    def by_mbid(self, kind: str, mbids: Collection[str]) -> dict[str, int]:
        """Return the numbers of recordings, releases or artists by MBID."""
        return self._numbers(kind, mbids)

    def merged(self, kind: str, mbids: Collection[str]) -> dict[str, int]:
        """Return the numbers of what these MBIDs were merged into: recordings or releases."""
        return self._numbers(f"{kind}_redirect", mbids)

    def _numbers(self, table: str, mbids: Collection[str]) -> dict[str, int]:
        hexes = [mbid.replace("-", "") for mbid in mbids]
        found = self.rows(f"SELECT j.value, t.id FROM json_each(?) j JOIN {table} t ON t.gid = gid_of(j.value)", hexes)
        return {str(UUID(one)): number for one, number in found}

    # --- entities -------------------------------------------------------------------------------

    def recordings(self, numbers: Iterable[int]) -> dict[int, Entity]:
        """Return recordings with their credits, ISRCs, genres, links and releases."""
        wanted = list(dict.fromkeys(numbers))
        rows = self.rows(
            "SELECT r.id, r.gid, r.name, r.credit, r.length, r.comment, r.video, d.date, g.genres "
            "FROM json_each(?) j JOIN recording r ON r.id = j.value "
            "LEFT JOIN first_date d ON d.recording = r.id LEFT JOIN recording_genre g ON g.recording = r.id",
            wanted,
        )
        isrcs, links = self._listed("isrc", "isrc", wanted), self._listed("link", "spotify_id", wanted)
        places = self._places(wanted)
        found = {}
        for number, gid, name, credit, length, comment, video, date, genres in rows:
            mbid = str(UUID(bytes=gid))
            fields = {
                "title": name,
                **self._credits(credit),
                "duration_ms": length or None,
                "isrcs": isrcs.get(number),
                "original_date": date,
                "genres": genres and rank_by_votes([{"name": n, "count": v} for n, v in json.loads(genres)], "name"),
                "disambiguation": comment,
                "video": None if video is None else bool(video),
                "mb_recording_id": mbid,
                "spotify_track_ids": links.get(number),
                "releases": places.get(number),
            }
            found[number] = Entity(MUSICBRAINZ, "recording", mbid, without_empty(fields))
        return found

    def releases(self, numbers: Collection[int]) -> dict[int, Entity]:
        """Return releases without their tracks."""
        self._load_releases(numbers)
        labels = dict(self._labels(numbers))
        tracks = dict(
            self.rows(
                "SELECT m.release, sum(m.track_count) FROM json_each(?) j JOIN medium m ON m.release = j.value "
                "GROUP BY 1", list(numbers),
            )
        )  # fmt: skip
        found = {}
        for number, gid, credit, barcode, comment in self.rows(
            "SELECT r.id, r.gid, r.credit, r.barcode, r.comment FROM json_each(?) j JOIN release r ON r.id = j.value",
            list(numbers),
        ):
            mbid, entry = str(UUID(bytes=gid)), self._releases[number]
            credited = self._credits(credit) if credit is not None else {}
            fields = {
                "album": entry.get("title"),
                "album_artist": entry.get("album_artist"),
                "artist_aliases": credited.get("artist_aliases"),
                "release_date": entry.get("date"),
                **labels.get(number, {}),
                "barcode": barcode,
                "track_count": tracks.get(number),
                "mb_artist_ids": credited.get("mb_artist_ids"),
                "disambiguation": comment,
                "mb_release_id": mbid,
                "mb_release_group_id": entry.get("release_group_id"),
                "releases": [entry | ({"track_count": tracks[number]} if tracks.get(number) else {})],
            }
            found[number] = Entity(MUSICBRAINZ, "release", mbid, without_empty(fields))
        return found

    def artists(self, numbers: Collection[int]) -> dict[int, Entity]:
        """Return artists with their other names."""
        found = {}
        aliases = self._listed("artist_alias", "name", list(numbers), of="artist")
        for number, gid, name, sort_name, comment in self.rows(
            "SELECT a.id, a.gid, a.name, a.sort_name, a.comment FROM json_each(?) j JOIN artist a ON a.id = j.value",
            list(numbers),
        ):
            mbid = str(UUID(bytes=gid))
            fields = {
                "artist": name,
                "artist_aliases": distinct([sort_name, *aliases.get(number, ())]),
                "mb_artist_ids": [mbid],
                "disambiguation": comment,
            }
            found[number] = Entity(MUSICBRAINZ, "artist", mbid, without_empty(fields))
        return found

    # --- parts ----------------------------------------------------------------------------------

    def _listed(self, table: str, column: str, numbers: Sequence[int], of: str = "recording") -> dict[int, list[str]]:
        found = defaultdict(list)
        for number, value in self.rows(
            f"SELECT j.value, t.{column} FROM json_each(?) j JOIN {table} t ON t.{of} = j.value ORDER BY t.rowid",
            list(numbers),
        ):
            found[number].append(value)
        return found

    def _fetch_credit(self, credit: int) -> Mapping[str, Any]:
        parts = self.rows(
            "SELECT c.artist, c.name, c.join_phrase, a.gid, a.name, a.sort_name FROM credit_name c "
            "LEFT JOIN artist a ON a.id = c.artist WHERE c.credit = ? ORDER BY c.position", credit,
        )  # fmt: skip
        aliases = self._listed("artist_alias", "name", [part[0] for part in parts], of="artist")
        others: list[str | None] = []
        for artist, credited, _, _, name, sort_name in parts:
            others += [name if name != credited else None, sort_name, *aliases.get(artist, ())]
        return {
            "artist": "".join(f"{name or ''}{join or ''}" for _, name, join, *_ in parts).strip() or None,
            "artists": distinct(part[1] for part in parts),
            "artist_aliases": distinct(others),
            "mb_artist_ids": distinct(str(UUID(bytes=part[3])) for part in parts if part[3]),
        }

    def _places(self, recordings: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        rows = self.rows(
            "SELECT p.recording, p.position, m.position, m.format, m.track_count, m.release "
            "FROM json_each(?) j JOIN place p ON p.recording = j.value JOIN medium m ON m.id = p.medium "
            "ORDER BY p.recording, m.release, m.position, p.position", list(recordings),
        )  # fmt: skip
        self._load_releases({row[5] for row in rows})
        found = defaultdict(list)
        for recording, track, disc, format_id, tracks, release in rows:
            entry = dict(self._releases[release])
            if disc:
                entry["disc_number"] = disc
            if track:
                entry["track_number"] = track
            if tracks:
                entry["track_count"] = tracks
            if medium := self._terms.get(("format", format_id)):
                entry["format"] = medium
            found[recording].append(entry)
        return found

    def _load_releases(self, numbers: Collection[int]) -> None:
        """Make the entries of these releases ready in `_releases`."""
        if len(self._releases) > CACHED:
            self._releases.clear()
        wanted = [number for number in numbers if number not in self._releases]
        if not wanted:
            return
        secondary = defaultdict(list)
        rows = self.rows(
            "SELECT r.id, r.gid, r.name, r.credit, r.status, g.gid, g.type, g.id FROM json_each(?) j "
            "JOIN release r ON r.id = j.value LEFT JOIN release_group g ON g.id = r.release_group", wanted,
        )  # fmt: skip
        for group, kind in self.rows(
            "SELECT j.value, s.type FROM json_each(?) j JOIN secondary_type s ON s.release_group = j.value",
            list({row[7] for row in rows if row[7] is not None}),
        ):
            secondary[group].append(self._terms.get(("secondary", kind)))
        events: dict[int, tuple[Any, Any]] = {}
        for release, country, date in self.rows(
            "SELECT j.value, e.country, e.date FROM json_each(?) j JOIN release_event e ON e.release = j.value "
            "ORDER BY e.release, e.date IS NULL, e.date, e.country", wanted,
        ):  # fmt: skip
            events.setdefault(release, (country, date))
        for number, gid, name, credit, status, group_gid, primary, group in rows:
            country, date = events.get(number, (None, None))
            entry = {
                "id": str(UUID(bytes=gid)),
                "title": name,
                "status": self._terms.get(("status", status)),
                "date": date,
                "country": self._terms.get(("country", country)),
                "primary_type": self._terms.get(("primary", primary)),
                "secondary_types": distinct(secondary.get(group, ())),
                "release_group_id": str(UUID(bytes=group_gid)) if group_gid else None,
                "album_artist": self._credits(credit)["artist"] if credit is not None else None,
            }
            self._releases[number] = without_empty(entry)

    def _labels(self, releases: Collection[int]) -> Iterable[tuple[int, dict[str, Any]]]:
        seen: dict[int, dict[str, Any]] = {}
        for release, name, number in self.rows(
            "SELECT j.value, l.name, r.catalog_number FROM json_each(?) j JOIN release_label r ON r.release = j.value "
            "LEFT JOIN label l ON l.id = r.label ORDER BY r.rowid", list(releases),
        ):  # fmt: skip
            seen.setdefault(release, without_empty({"label": name, "catalog_number": number}))
        return seen.items()
