"""Further music as rows of the core dump's tables, behind those of the catalogue."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from soulspot.sandbox.catalogue import ids, words
from soulspot.sandbox.dumps.further import FurtherBlock, FurtherMusic, isrcs, lines, numbers, uuids
from soulspot.sandbox.dumps.tables import Tables


@dataclass(frozen=True, slots=True)
class Taken:
    """Row ids that the catalogue has used: the last of each table, and `rows` of all the others."""

    artists: int
    credits: int
    recordings: int
    groups: int
    releases: int
    rows: int
    various: int  # the artist credit of compilations
    term: Callable[[str, str], int]  # kind ("status", "label" ...) and name -> id
    written: str


class FurtherRows:
    """Writes blocks; ids of a table count on from one block to the next."""

    def __init__(self, tables: Tables, music: FurtherMusic, taken: Taken) -> None:
        self._tables, self._music, self._taken = tables, music, taken
        self._releases, self._groups, self._rows = taken.releases, taken.groups, taken.rows

    def write(self, progress: Callable[[int], None] | None = None) -> None:
        """Write everything; `progress` hears how many recordings are written."""
        self._artists()
        self._credits()
        for block in self._music.blocks():
            self._block(block)
            if progress:
                progress(block.first + block.size)

    def _artists(self) -> None:
        base, date, nothing = self._taken.artists + 1, self._taken.written, "\\N\t" * 6
        rows: dict[str, list[str]] = {"artist": [], "artist_alias": []}
        for number in range(self._music.artists):
            name, sort, alias = self._music.artist(number)
            gid, kind = self._music.artist_mbid(number), number % 2 + 1
            rows["artist"].append(
                f"{base + number}\t{gid}\t{name}\t{sort}\t{nothing}{kind}\t\\N\t\\N\t\t0\t{date}\tf\t\\N\t\\N\n"
            )
            if alias:
                self._rows += 1
                row = f"{self._rows}\t{base + number}\t{alias}\t\\N\t0\t{date}\t\\N\t{alias}\t{nothing}f\tf\n"
                rows["artist_alias"].append(row)
            if len(rows["artist"]) == 10_000:
                self._write(rows)
        self._write(rows)

    def _credits(self) -> None:
        base, artist, date = self._taken.credits + 1, self._taken.artists + 1, self._taken.written
        rows: dict[str, list[str]] = {"artist_credit": [], "artist_credit_name": []}
        for number in range(self._music.credits):
            parts = [(one, self._music.artist(one)[0], join) for one, join in self._music.credit(number)]
            text, gid = "".join(name + join for _, name, join in parts), ids.mbid("further credit", number)
            rows["artist_credit"].append(f"{base + number}\t{text}\t{len(parts)}\t1\t{date}\t0\t{gid}\n")
            rows["artist_credit_name"] += (
                f"{base + number}\t{position}\t{artist + one}\t{name}\t{join}\n"
                for position, (one, name, join) in enumerate(parts)
            )
            if len(rows["artist_credit"]) == 10_000:
                self._write(rows)
        self._write(rows)

    def _write(self, rows: dict[str, list[str]]) -> None:
        for table, texts in rows.items():
            self._tables.write(table, "".join(texts).encode())
            texts.clear()

    def _block(self, block: FurtherBlock) -> None:
        rng = Random(f"core {self._music.seed} {block.number}")
        date, write = self._taken.written, self._tables.write
        first = self._taken.recordings + 1 + block.first
        own = numbers(array("q", range(first, first + block.size)))
        own_text, credit_base = pc.cast(own, "string"), self._taken.credits + 1
        credits = pc.cast(pc.add(numbers(block.credits), credit_base), "string")
        row = (own_text, block.mbids, block.titles, credits, block.lengths, block.comments, "0", date, "f\n")
        write("recording", lines(*row))
        some = self._some(rng, own, 0.35)
        write("isrc", lines(self._ids(len(some)), some, isrcs(rng, len(some)), "0", f"{date}\n"))
        some = self._some(rng, own, 0.2)
        write("recording_gid_redirect", lines(uuids(rng, len(some)), some, f"{date}\n"))
        self._links(rng, self._some(rng, own, 0.05))
        some = self._some(rng, own, 0.15)
        genres = [self._taken.term("tag", name) for name in words.GENRES]
        drawn = pc.cast(numbers(array("q", rng.choices(genres, k=len(some)))), "string")
        write("recording_tag", lines(some, drawn, "1", f"{date}\n"))
        dates = pc.cast(
            pc.take(numbers(array("q", (one.year for one in block.releases))), numbers(block.home)), "string"
        )
        write("recording_first_release_date", lines(own_text, dates, "\\N", "\\N\n"))
        self._block_releases(rng, block)
        self._tracks(rng, block, (own_text, block.titles, credits, block.lengths))
        self._groups += block.groups

    def _some(self, rng: Random, own: Any, share: float) -> Any:
        """Return this share of the recordings as text, drawn by chance."""
        drawn = sorted(rng.sample(range(len(own)), int(share * len(own))))
        return pc.cast(own.take(numbers(array("q", drawn))), "string")

    def _ids(self, number: int) -> Any:
        """Return so many new row ids as text."""
        self._rows += number
        return pc.cast(numbers(array("q", range(self._rows - number + 1, self._rows + 1))), "string")

    def _links(self, rng: Random, recordings: Any) -> None:
        date, urls = self._taken.written, self._ids(len(recordings))
        names = self._music.seed, self._rows
        addresses = pa.array(
            (f"https://open.spotify.com/track/{ids.spotify_id(*names, n)}" for n in range(len(recordings))), pa.string()
        )
        self._tables.write("url", lines(urls, uuids(rng, len(urls)), addresses, "0", f"{date}\n"))
        row = (self._ids(len(urls)), "1", recordings, urls, "0", date, "0", "", "\n")
        self._tables.write("l_recording_url", lines(*row))

    def _block_releases(self, rng: Random, block: FurtherBlock) -> None:
        date, term = self._taken.written, self._taken.term
        found: dict[str, str] = {}
        seen: set[int] = set()
        rows: dict[str, list[str]] = {}
        gids = uuids(rng, block.groups).to_pylist()
        official = term("status", "Official")
        countries = [term("country", name) for name in words.COUNTRIES]
        labels = [term("label", name) for name in words.LABELS]
        for number, one in enumerate(block.releases, self._releases + 1):
            group = self._groups + 1 + one.group
            credit = self._taken.various if one.credit < 0 else self._taken.credits + 1 + one.credit
            if one.group not in seen:
                seen.add(one.group)
                found["release_group"] = (
                    f"{group}\t{gids[one.group]}\t{one.title}\t{credit}\t"
                    f"{term('primary', one.primary_type)}\t\t0\t{date}\n"
                )
                found["release_group_meta"] = f"{group}\t1\t{one.year}\t{one.month}\t\\N\t\\N\t\\N\n"
                if one.secondary_type:
                    kind = term("secondary", one.secondary_type)
                    found["release_group_secondary_type_join"] = f"{group}\t{kind}\t{date}\n"
            found["release"] = (
                f"{number}\t{one.mbid}\t{one.title}\t{credit}\t{group}\t{official}\t\\N\t120\t28\t"
                f"{10**12 + number * 7919}\t\t0\t-1\t{date}\n"
            )
            luck, day = rng.getrandbits(32), f"{one.year}\t{one.month}\t\\N"
            country = countries[luck % len(countries)]
            found["release_country"] = f"{number}\t{country}\t{day}\n"
            found["release_first_release_date"] = f"{number}\t{day}\n"
            if number % 3:
                label = labels[luck // 16 % len(labels)]
                self._rows += 1
                found["release_label"] = f"{self._rows}\t{number}\t{label}\tCAT {number % 90_000}\t{date}\n"
            for table, text in found.items():
                rows.setdefault(table, []).append(text)
            found.clear()
        self._write(rows)

    def _tracks(self, rng: Random, block: FurtherBlock, columns: tuple[Any, ...]) -> None:
        date = self._taken.written
        formats = [self._taken.term("format", name) for name in words.FORMATS]
        which, media, positions = array("q"), array("q"), array("q")
        rows: list[str] = []
        gids = iter(uuids(rng, len(block.releases)).to_pylist())
        for one, number in zip(block.releases, count(self._releases + 1), strict=False):
            self._rows += 1
            kind = formats[rng.getrandbits(16) % len(formats)]
            rows.append(f"{self._rows}\t{number}\t1\t{kind}\t\t0\t{date}\t{len(one.tracks)}\t{next(gids)}\n")
            which.extend(one.tracks)
            media.extend([self._rows] * len(one.tracks))
            positions.extend(range(1, len(one.tracks) + 1))
        self._releases += len(block.releases)
        self._tables.write("medium", "".join(rows).encode())
        own, titles, credits, lengths = (column.take(numbers(which)) for column in columns)
        places, positions_text = (pc.cast(numbers(column), "string") for column in (media, positions))
        row = (
            self._ids(len(which)), uuids(rng, len(which)), own, places, positions_text, positions_text, titles, credits,
            lengths, "0", date, "f\n",
        )  # fmt: skip
        self._tables.write("track", lines(*row))
