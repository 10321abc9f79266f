"""Made-up further music in any number, a block at a time: many names again, few of them famous.

Columns of a block are Arrow arrays, which join 20,000,000 rows in minutes where Python would take
an hour. A block depends on the seed and its number alone, so that both dumps tell the same."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

import pyarrow as pa
import pyarrow.compute as pc

from soulspot.sandbox.catalogue import ids, words

BLOCK = 50_000  # recordings
_TABLE = 1 << 16  # entries of a table that a random number of two bytes chooses from
_PER_CREDIT = 16  # recordings; MusicBrainz has 39 million of 2.5 million artist credits
_OFTEN = (
    "Intro", "Love", "Home", "Outro", "Interlude", "[untitled]", "Untitled", "Prelude", "Silent Night", "Forever",
    "You", "Time", "Alone", "Dreams", "Summertime", "Angel", "Fire", "Rain", "Stay", "Hello", "Again", "Paradise",
)  # fmt: skip
_LIVE = 1  # entry of the versions that the tracks of a live release get
_SIZES = (1, 1, 1, 2, 2, 3, 4, 5, 5, 8, 9, 10, 10, 11, 11, 12, 12, 13, 14, 15, 16, 18, 20, 25)


@dataclass(frozen=True, slots=True)
class FurtherRelease:
    """A release; its tracks are the recordings of the block with these numbers from 0."""

    mbid: str
    group: int  # number of its release group in the block
    title: str
    credit: int  # from 0; -1 for various artists
    year: int
    month: int
    primary_type: str
    secondary_type: str
    tracks: Sequence[int]


@dataclass(frozen=True, slots=True)
class FurtherBlock:
    """Recordings number `first` (from 0) and on; `releases` of `groups` release groups."""

    number: int
    first: int
    size: int
    mbids: pa.Array
    titles: pa.Array
    comments: pa.Array
    lengths: pa.Array  # text: milliseconds or \N
    credits: array  # type: ignore[type-arg]  # a number from 0 for each recording
    releases: list[FurtherRelease]
    groups: int
    home: array  # type: ignore[type-arg]  # index of the first release of each recording


class FurtherMusic:
    """So many recordings, the same for the same seed."""

    def __init__(self, seed: int, recordings: int) -> None:
        self.seed, self.recordings = seed, recordings
        self.artists = -(-recordings // _PER_CREDIT) * 4 // 5 + 2
        self.credits = self.artists + self.artists // 4  # the last fifth joins two artists
        rng = Random(f"further {seed}")
        self._titles = [_title(rng) for _ in range(_TABLE)]
        self._ends = [_end(rng) for _ in range(_TABLE)]
        pairs = [_version(rng) for _ in range(_TABLE)]
        pairs[_LIVE] = (" (live)", "live")
        self._versions = [version for version, _ in pairs]
        self._comments = pa.array([comment for _, comment in pairs])
        self._lengths = pa.array(
            "\\N" if rng.random() < 0.05 else str(min(3_000_000, int(rng.lognormvariate(12.3, 0.45))))
            for _ in range(_TABLE)
        )
        self._columns = tuple(map(pa.array, (self._titles, self._ends, self._versions)))

    def artist(self, number: int) -> tuple[str, str, str | None]:
        """Return name, sort name and, for a name in another script, its Latin spelling."""
        rng = Random(number * 1_000_003 + self.seed)
        kind = rng.random()
        if kind < 0.08:
            written, latin, sort = rng.choice(words.SCRIPTS).person(rng)
            return written, sort, latin
        if kind < 0.5:
            name, sort = words.person(rng)
        else:
            name, sort = words.band(rng)
        # Most names are one artist's alone; the rest are homonyms, as "Nirvana" is.
        if kind > 0.2 and number > 500:
            more = f" {rng.choice(_SYLLABLES)}{rng.choice(_SYLLABLES).lower()}{rng.choice(_SYLLABLES).lower()}"
            name, sort = name + more, sort + more
        return name, sort, None

    def artist_mbid(self, number: int) -> str:
        return ids.mbid("further artist", self.seed, number)

    def credit(self, number: int) -> list[tuple[int, str]]:
        """Return the parts of a credit: artist, and the phrase that joins it to the next."""
        if number < self.artists:
            return [(number, "")]
        first, second = number * 7919 % self.artists, number * 104_729 % self.artists
        return [(first, (" feat. ", " & ", " x ")[number % 3]), (second, "")]

    def blocks(self) -> Iterator[FurtherBlock]:
        for number, first in enumerate(range(0, self.recordings, BLOCK)):
            yield self._block(number, first, min(BLOCK, self.recordings - first))

    def _block(self, number: int, first: int, size: int) -> FurtherBlock:
        rng = Random(f"{self.seed} {number}")
        titles, ends, versions = (array("H", rng.randbytes(2 * size)) for _ in range(3))
        credits, home = array("q", bytes(8 * size)), array("q", bytes(8 * size))
        releases: list[FurtherRelease] = []
        at = 0
        while at < size:
            count = min(rng.choice(_SIZES), size - at)
            credit, year, kind = int(self.credits * rng.random() ** 2), rng.randrange(1955, 2026), ""
            if releases and rng.random() < 0.1:
                # the songs of an earlier release once more, by the same artist on a stage
                studio = rng.choice(releases)
                count, credit, kind = min(len(studio.tracks), size - at), studio.credit, "Live"
                year = min(2026, studio.year + rng.randrange(4))
                start = studio.tracks[0]
                for column in (titles, ends):
                    column[at : at + count] = column[start : start + count]
                versions[at : at + count] = array("H", [_LIVE]) * count
            tracks = range(at, at + count)
            place = at + rng.randrange(count)
            title = self._titles[titles[place]] + self._ends[ends[place]]
            primary = "Single" if count < 4 else "EP" if count < 7 else "Album"
            credits[at : at + count] = array("q", [credit]) * count
            home[at : at + count] = array("q", [len(releases)]) * count
            releases.append(
                FurtherRelease(
                    _uuid(rng), len(releases), title, credit, year, rng.randrange(1, 13), primary, kind, tracks
                )
            )
            at += count
        groups = len(releases)
        for one in releases[:groups]:
            chance = rng.random()
            if chance < 0.34:
                year = min(2026, one.year + 1 + rng.randrange(20))
                again = (
                    one.group,
                    one.title,
                    one.credit,
                    year,
                    one.month,
                    one.primary_type,
                    one.secondary_type,
                    one.tracks,
                )
                releases.append(FurtherRelease(_uuid(rng), *again))
            elif chance < 0.37:
                chosen = [rng.randrange(size) for _ in range(16)]
                title = f"{rng.choice(words.GENRES).title()} Hits {rng.randrange(1970, 2027)}"
                releases.append(FurtherRelease(_uuid(rng), groups, title, -1, 2026, 12, "Album", "Compilation", chosen))
                groups += 1
        return FurtherBlock(
            number, first, size, uuids(rng, size),
            pc.binary_join_element_wise(*map(_taken, self._columns, (titles, ends, versions)), ""),
            _taken(self._comments, versions), _taken(self._lengths, array("H", rng.randbytes(2 * size))),
            credits, releases, groups, home,
        )  # fmt: skip


_SYLLABLES = (
    "Ka",
    "Lo",
    "Mi",
    "Ren",
    "Tor",
    "Vel",
    "Zan",
    "Bri",
    "Dor",
    "Fen",
    "Gal",
    "Hol",
    "Jas",
    "Nor",
    "Pel",
    "Sun",
)


def _zipf(rng: Random, names: Sequence[str]) -> str:
    """Return a name; the first of the names come up most often."""
    return names[int(len(names) * rng.random() ** 2)]


def _title(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.04:
        return _zipf(rng, _OFTEN)
    if kind < 0.12:
        return rng.choice(words.SCRIPTS).title(rng)[0]
    # as COPY escapes it
    return "Back\\\\slash" if kind > 0.9999 else words.title(rng)


def _end(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.5:
        return ""
    if kind < 0.6:
        return f" of {_zipf(rng, words.PLACES)}"
    if kind < 0.65:
        return f", Pt. {rng.randrange(1, 9)}"
    if kind < 0.7:
        return f" No. {rng.randrange(1, 120)}"
    link = _zipf(rng, (" & the", " in the", " for a", " without", " and my", " like a"))
    return f"{link} {_zipf(rng, words.ADJECTIVES)} {_zipf(rng, words.NOUNS)}"


def _version(rng: Random) -> tuple[str, str]:
    """Return what a title has in brackets, and the comment of its recording."""
    kind = rng.random()
    if kind < 0.86:
        return "", ""
    if kind < 0.9:
        return "", f"live, {rng.randrange(1970, 2026)}: {rng.choice(words.PLACES)}"
    if kind < 0.93:
        return f" ({rng.choice(words.FAMILY)} remix)", ""
    if kind < 0.95:
        return f" (feat. {words.person(rng)[0]})", ""
    return f" ({_zipf(rng, ('live', 'instrumental', 'acoustic', 'demo', 'radio edit', 'extended mix'))})", ""


def _taken(values: pa.Array, which: "array[int]") -> pa.Array:
    return values.take(pa.Array.from_buffers(pa.uint16(), len(which), [None, pa.py_buffer(which)]))


def numbers(values: "array[int]") -> pa.Array:
    """Return numbers of eight bytes as an Arrow array, without a copy."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def _uuid(rng: Random) -> str:
    h = f"{rng.getrandbits(128):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) % 4]}{h[17:20]}-{h[20:]}"


class _Tables:
    """Texts that random numbers of two bytes choose from, made when they are first used."""

    @cached_property
    def plain(self) -> pa.Array:
        return pa.array(f"{value:04x}" for value in range(_TABLE))

    @cached_property
    def version(self) -> pa.Array:
        return pa.array(f"4{value & 0xFFF:03x}" for value in range(_TABLE))

    @cached_property
    def variant(self) -> pa.Array:
        return pa.array(f"{value & 0x3FFF | 0x8000:04x}" for value in range(_TABLE))

    @cached_property
    def registrants(self) -> pa.Array:
        return pa.array(ids.isrc(1960 + n % 66, n)[:7] for n in range(_TABLE))

    @cached_property
    def digits(self) -> pa.Array:
        return pa.array(f"{n:05d}" for n in range(_TABLE))


_TABLES = _Tables()


def uuids(rng: Random, count: int) -> pa.Array:
    """Return random version 4 UUIDs as text."""
    tables = (*[_TABLES.plain] * 3, _TABLES.version, _TABLES.variant, *[_TABLES.plain] * 3)
    a, b, c, d, e, f, g, h = (_taken(table, array("H", rng.randbytes(2 * count))) for table in tables)
    return pc.binary_join_element_wise(
        pc.binary_join_element_wise(a, b, ""), c, d, e, pc.binary_join_element_wise(f, g, h, ""), "-"
    )


def isrcs(rng: Random, count: int) -> pa.Array:
    """Return ISRCs as text."""
    return pc.binary_join_element_wise(
        _taken(_TABLES.registrants, array("H", rng.randbytes(2 * count))),
        _taken(_TABLES.digits, array("H", rng.randbytes(2 * count))), "",
    )  # fmt: skip


def lines(*columns: "pa.Array | str", separator: str = "\t") -> memoryview:
    """Return the rows of these columns as lines of text, without making a Python string of any."""
    joined = pc.binary_join_element_wise(*columns, separator)
    _, offsets, data = joined.buffers()
    end = int.from_bytes(memoryview(offsets)[4 * len(joined) : 4 * len(joined) + 4], "little")
    return memoryview(data)[:end] if data is not None else memoryview(b"")
