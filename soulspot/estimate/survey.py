"""The survey of a library: its files are read and their plans simulated; no service is asked."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from soulspot.deciding import Known, Rules, decide_track, searchable_tags
from soulspot.estimate.cost import Terms
from soulspot.estimate.requests import Estimate, Tally, combined
from soulspot.library.reader import FileReader
from soulspot.library.scan import FoundFile
from soulspot.matching import identify_album, music_path
from soulspot.models import AlbumGroup, AlbumMember, Query, TrackLookup, TrackState, TrackTags
from soulspot.pipeline import LibraryRules, places_outside, walks
from soulspot.store import albums, lookup_history, tracks
from soulspot.store.named_places import beginnings

CHUNK = 500  # files that are read together

OnProgress = Callable[[str, int, int | None], None]
"""on_progress(step, done, in all): the step is "read" (its total is unknown: None) or "plan"."""


@dataclass(slots=True)
class Surveyed:
    """The counts of a survey, and the estimate."""

    files: int = 0
    unreadable: int = 0
    known: int = 0  # files that the database knows, unchanged
    finished: int = 0  # tracks that cost nothing
    rows: int = 0  # imported tracks without a file
    waiting: int = 0  # lookups in the queue for other tracks
    estimate: Estimate = field(default_factory=Estimate)


@dataclass(frozen=True, slots=True)
class _NewFile:
    """A file that the database does not know in its present state."""

    path: bytes
    tags: TrackTags
    member: AlbumMember | None


class Survey:
    """A survey of files below some folders, or of the library and the tracks without files.

    Of the `terms` the dearest come last, where it is unknown which hold. Answers in the database of
    `connection` are used, and their lookups cost nothing."""

    def __init__(
        self,
        library: LibraryRules,
        terms: Sequence[Terms],
        rules: Rules,
        connection: sqlite3.Connection | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._library = library
        self._roots = beginnings(connection, library.roots) if connection else frozenset(library.roots)
        self._rules = rules
        self._connection = connection
        self._now = now
        self._shares = lookup_history.outcome_shares(connection) if connection else {}
        self._tallies = [Tally(one, self._shares, only_least=one is not terms[-1]) for one in terms]
        self._result = Surveyed()
        self._decided = 0  # tracks that are finished, without any simulation

    @property
    def shares(self) -> Mapping[str, float]:
        """The share of lookups that were the last of their search in this database, 0 to 1, by
        "provider kind"; kinds with too few answers are left out."""
        return self._shares

    def look(self, folders: Sequence[bytes], on_progress: OnProgress) -> Surveyed:
        """Read the files below `folders` (none: of the library) and return what they will cost."""
        new: list[_NewFile] = []
        known: list[int] = []
        self._roots |= frozenset(places_outside(self._library, folders))
        with closing(FileReader()) as reader:
            for walk in walks(self._library, folders):
                files = reader.walk(walk)
                while chunk := list(islice(files, CHUNK)):
                    self._read(reader, chunk, new, known)
                    on_progress("read", self._result.files, None)
        if self._connection and not folders:
            rows = self._connection.execute("SELECT track_id FROM tracks WHERE path IS NULL").fetchall()
            self._result.rows = len(rows)
            known += [track_id for (track_id,) in rows]
        total = len(known) + len(new)
        for number, state in enumerate(chain(self._known_states(known), self._new_states(new)), start=1):
            self._simulate(state)
            if not number % CHUNK:
                on_progress("plan", number + self._decided, total)
        on_progress("plan", total, total)
        self._result.finished += self._decided
        if self._connection:
            self._result.waiting = lookup_history.count_waiting_for_others(self._connection, known)
        self._result.estimate = combined([tally.estimate() for tally in self._tallies])
        return self._result

    def _read(self, reader: FileReader, chunk: Sequence[FoundFile], new: list[_NewFile], known: list[int]) -> None:
        self._result.files += len(chunk)
        unchanged: set[bytes] = set()
        if self._connection:
            stamps = tracks.known_stamps(self._connection, (file.path for file in chunk))
            unchanged = {file.path for file in chunk if stamps.get(file.path) == file.stamp}
            ids = tracks.find_ids_by_path(self._connection, list(unchanged)).values()
            self._result.known += len(ids)
            known += ids
        changed = [file for file in chunk if file.path not in unchanged]
        for file in reader.read(changed, self._library.max_file_size):
            if file.tags is None:
                self._result.unreadable += 1
            else:
                new.append(_NewFile(file.path, file.tags, identify_album(file.path, file.tags, roots=self._roots)))

    def _known_states(self, known: Sequence[int]) -> Iterator[TrackState]:
        if self._connection is None:
            return
        for start in range(0, len(known), CHUNK):
            some = known[start : start + CHUNK]
            for tally in self._tallies:
                tally.add_repeated(lookup_history.aged_lookups(self._connection, some, self._now()))
            # All other tracks are decided and have no open lookup.
            unfinished = lookup_history.unfinished_tracks(self._connection, some)
            self._decided += len(some) - len(unfinished)
            yield from tracks.load_states(self._connection, unfinished, roots=self._roots)

    def _new_states(self, new: Sequence[_NewFile]) -> Iterator[TrackState]:
        groups = self._groups(new)
        for number, file in enumerate(new):
            group = groups.get(file.member.key) if file.member else None
            # Negative ids never meet those of the database.
            below = music_path(file.path, self._roots)
            yield TrackState(-1 - number, file.path, None, file.tags, group=group, music_path=below)

    def _groups(self, new: Sequence[_NewFile]) -> dict[bytes, AlbumGroup]:
        """Return the album group of each album key of new files, with its tracks in the
        database."""
        names: dict[bytes, Counter[str]] = {}
        leads: dict[bytes, Counter[str]] = {}
        for file in new:
            if (member := file.member) is None:
                continue
            if member.key not in names:
                stored = albums.count_names(self._connection, member.key) if self._connection else None
                names[member.key], leads[member.key] = stored or (Counter(), Counter())
            names[member.key][member.album] += 1
            leads[member.key][member.artist] += 1
        # A changed file counts with its new tags, so take its old ones off.
        for key, album, lead in self._replaced(new):
            if key in names:
                names[key][album] -= 1
                leads[key][lead] -= 1
        return {key: AlbumGroup(*albums.majority_names(names[key], leads[key])) for key in names}

    def _replaced(self, new: Sequence[_NewFile]) -> Iterator[tuple[bytes, str, str]]:
        """Yield (album key, album, album artist) of the database's old rows of new files."""
        if self._connection is None:
            return
        for file in new:
            yield from self._connection.execute(
                "SELECT album_key, album, album_lead FROM tracks"
                " WHERE path = ? AND album_key IS NOT NULL AND vanished_at IS NULL LIMIT 1",
                (file.path,),
            )

    def _simulate(self, state: TrackState) -> None:
        if state.unreadable:
            self._result.unreadable += 1
            return
        # The track costs something if it does under any of the possible terms.
        costs = False
        for tally in self._tallies:
            rules = replace(self._rules, services=tally.terms.services)
            state, known, wanted = self._so_far(state, rules)
            if wanted:
                costs = True
                tally.add(state, known, wanted, self._earlier_answer)
        self._result.finished += not costs

    def _so_far(self, state: TrackState, rules: Rules) -> tuple[TrackState, Known, list[Query]]:
        """Return the track with every stored answer, what is known of it, and its wanted
        lookups."""
        # An answer may make the plan want lookups that are answered too, so repeat until none is.
        while True:
            outcome = decide_track(state, rules)
            answers = {
                (query.provider, query.kind, query.key): answer
                for query in outcome.wanted
                if (answer := self._earlier_answer(query)) is not None and answer.is_settled
            }
            if not answers:
                break
            state = replace(state, lookups={**state.lookups, **answers}, row=outcome.row)
        row, tags = outcome.row, state.tags
        if row.mb_recording_id or row.spotify_track_id:
            tags = replace(tags, title=tags.title or row.title, artist=tags.artist or row.artist)
        known = Known(
            searchable_tags(tags, state.path), recording_id=row.mb_recording_id, spotify_id=row.spotify_track_id,
            isrcs=tags.ids.isrcs,
        )  # fmt: skip
        return state, known, list(outcome.wanted)

    def _earlier_answer(self, query: Query) -> TrackLookup | None:
        return lookup_history.load_answer(self._connection, query) if self._connection else None
