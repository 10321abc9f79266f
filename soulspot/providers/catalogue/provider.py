"""The provider of a catalogue on this machine: MusicBrainz' answers, without a request."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from soulspot.errors import CatalogueError, Unavailable
from soulspot.models import CATALOGUE, MUSICBRAINZ, Answer, Entity, Query
from soulspot.providers import ids
from soulspot.providers.answer_sheet import AnswerSheet
from soulspot.providers.base import Provider
from soulspot.providers.catalogue import searches
from soulspot.providers.catalogue.reader import About, Catalogue
from soulspot.providers.musicbrainz.provider import find_fault

log = logging.getLogger(__name__)

KINDS = (
    "recording", "redirect", "isrc", "url", "release", "album", "text", "names", "artist", "by_artist", "loose",
)  # fmt: skip
# so many at a time: their answers are in memory together
MOST = {"release": 100, "album": 1000, "by_artist": 100, "loose": 500}
BATCH = 2000


class CatalogueProvider(Provider):
    """The provider of the catalogue at `path`. A catalogue that is built anew there is opened with
    the next lookups."""

    name = CATALOGUE

    def __init__(self, path: Path, *, batch_size: int = BATCH) -> None:
        self._path = path
        self._batch_size = batch_size
        self._catalogue: Catalogue | None = None
        self._opened: tuple[int, int] | None = None  # the file that is open
        self._described: tuple[int, int] | None = (0, 0)  # the file that `_about` is of; none yet
        self._about: About | None = None
        self._turn = asyncio.Lock()

    @property
    def capacity(self) -> Mapping[str, int]:
        return {kind: min(MOST.get(kind, BATCH), self._batch_size) for kind in KINDS}

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """Answer `queries` as MusicBrainz would; a merged id is found at once."""
        return await AnswerSheet(queries).fill(KINDS, find_fault, self._answer_all)

    def describe(self) -> About | None:
        """Return the account that the catalogue gives of itself; None while there is none that can
        be read."""
        if (identity := self._identity()) != self._described:
            self._described, self._about = identity, None
            try:
                with closing(Catalogue(self._path)) as catalogue:
                    self._about = catalogue.about
            except CatalogueError as error:
                log.warning("the catalogue cannot be used: %s", error)
        return self._about

    def opens_at(self, kind: str) -> float | None:
        return None

    def retune(self, *, rate: float, batch_size: int, timeout: float, daily_budget: int | None = None) -> None:
        self._batch_size = batch_size

    async def close(self) -> None:
        async with self._turn:
            if self._catalogue is not None:
                self._catalogue.close()
                self._catalogue = None

    async def _answer_all(self, sheet: AnswerSheet) -> None:
        async with self._turn:
            await asyncio.to_thread(self._answer, sheet)

    def _answer(self, sheet: AnswerSheet) -> None:
        try:
            catalogue = self._open()
        except CatalogueError as error:
            raise Unavailable(str(error), answered=False) from None
        for kind in KINDS:
            if queries := sheet.unanswered(kind):
                for query, found in zip(queries, _ANSWERS[kind](catalogue, queries), strict=True):
                    sheet.put_found(query, found)

    def _open(self) -> Catalogue:
        identity = self._identity()
        if self._catalogue is None or identity != self._opened:
            fresh = Catalogue(self._path)
            if self._catalogue is not None:
                self._catalogue.close()
            self._catalogue, self._opened = fresh, identity
        return self._catalogue

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


# --- answers by kind: for each query, the entities that were found --------------------------------

Found = list[list[Entity]]


def _recordings_of(search: Callable[[Catalogue, Sequence[Query]], searches.Numbers]) -> Callable[..., Found]:
    def answer(catalogue: Catalogue, queries: Sequence[Query]) -> Found:
        numbers = search(catalogue, queries)
        known = catalogue.recordings({number for several in numbers for number in several})
        return [[known[number] for number in several if number in known] for several in numbers]

    return answer


def _by_mbid(catalogue: Catalogue, queries: Sequence[Query]) -> Found:
    mbids = [ids.parse_mbid(query["mbid"]) or "" for query in queries]
    numbers = catalogue.by_mbid("recording", mbids)
    known = catalogue.recordings(numbers.values())
    return [[known[numbers[mbid]]] if mbid in numbers else [] for mbid in mbids]


def _merged(catalogue: Catalogue, queries: Sequence[Query]) -> Found:
    mbids = [ids.parse_mbid(query["mbid"]) or "" for query in queries]
    numbers = catalogue.merged("recording", mbids)
    known = catalogue.recordings(numbers.values())
    found: Found = []
    for mbid in mbids:
        entity = known.get(numbers.get(mbid, 0))
        redirect = entity and Entity(MUSICBRAINZ, "redirect", mbid, {"redirect_to": entity.id})
        found.append([redirect, entity] if redirect and entity else [])
    return found


def _releases(catalogue: Catalogue, queries: Sequence[Query]) -> Found:
    numbers = searches.find_albums(catalogue, queries)
    known = catalogue.releases({number for several in numbers for number in several})
    return [[known[number] for number in several if number in known] for several in numbers]


def _artists(catalogue: Catalogue, queries: Sequence[Query]) -> Found:
    numbers = searches.find_artists(catalogue, queries)
    known = catalogue.artists({number for several in numbers for number in several})
    return [[known[number] for number in several] for several in numbers]


def _linked(catalogue: Catalogue, queries: Sequence[Query]) -> Found:
    found = _recordings_of(searches.find_by_link)(catalogue, queries)
    return [
        [Entity(one.provider, one.kind, one.id, {**one.fields, "spotify_track_ids": [query["spotify_id"].strip()]})
         for one in several]
        for query, several in zip(queries, found, strict=True)
    ]  # fmt: skip


_ANSWERS: Mapping[str, Callable[[Catalogue, Sequence[Query]], Found]] = {
    "recording": _by_mbid,
    "redirect": _merged,
    "isrc": _recordings_of(searches.find_by_isrc),
    "url": _linked,
    "release": _recordings_of(searches.find_on_releases),
    "album": _releases,
    "text": _recordings_of(searches.find_by_text),
    "names": _recordings_of(searches.find_by_names),
    "artist": _artists,
    "by_artist": _recordings_of(searches.find_by_artist),
    "loose": _recordings_of(searches.find_loosely),
}
