"""What a library will cost, said before anybody is asked: its files read, their plans played. Writes and asks nothing."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from soulspot.deciding import Known, Rules, decide_track, searchable_tags
from soulspot.estimate.cost import Terms
from soulspot.estimate.requests import Estimate, Tally, combined
from soulspot.library.scan import FoundFile
from soulspot.library.tags import read_file
from soulspot.matching import identify_album
from soulspot.models import AlbumGroup, AlbumMember, Query, TrackLookup, TrackState, TrackTags
from soulspot.pipeline import LibraryRules, walks
from soulspot.store import albums, lookup_history, tracks

CHUNK = 500  # files looked at together


@dataclass(slots=True)
class Surveyed:
    """`files` found, those of them that are `unreadable`, `known` to the database and unchanged, and `finished`, which
    cost nothing; `rows` imported without files; `waiting`: lookups in the queue for other tracks than these."""

    files: int = 0
    unreadable: int = 0
    known: int = 0
    finished: int = 0
    rows: int = 0
    waiting: int = 0
    estimate: Estimate = field(default_factory=Estimate)


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A file that the database does not know as it is now."""

    path: bytes
    tags: TrackTags
    member: AlbumMember | None


class Survey:
    """One look at the files below `places` (without any: at the library, and at rows without files)."""

    def __init__(
        self,
        library: LibraryRules,
        terms: Sequence[Terms],
        rules: Rules,
        connection: sqlite3.Connection | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`terms` of the services, the dearest last where it is not known which of them hold; `connection` to a database
        whose answers are used and not asked for again."""
        self._library = library
        self._rules = rules
        self._connection = connection
        self._now = now
        self._shares = lookup_history.outcome_shares(connection) if connection else {}
        self._tallies = [Tally(one, self._shares, only_least=one is not terms[-1]) for one in terms]
        self._found = Surveyed()
        self._passed = 0  # tracks that need no plan

    @property
    def shares(self) -> Mapping[str, float]:
        """What the database itself has seen, by which expectations were made; empty where it has seen too little."""
        return self._shares

    def look(self, places: Sequence[bytes], progress: Callable[[str, int, int | None], None]) -> Surveyed:
        """Read and play. `progress` hears what is done, how far, and of how many if that is known."""
        fresh: list[_Fresh] = []
        known: list[int] = []
        for walk in walks(self._library, places):
            files = iter(walk)
            while chunk := list(islice(files, CHUNK)):
                self._read(chunk, fresh, known)
                progress("read", self._found.files, None)
        if self._connection and not places:
            rows = self._connection.execute("SELECT track_id FROM tracks WHERE path IS NULL").fetchall()
            self._found.rows = len(rows)
            known += [track_id for (track_id,) in rows]
        states = (one for states in (self._known_states(known), self._fresh_states(fresh)) for one in states)
        total = len(known) + len(fresh)
        for number, state in enumerate(states, start=1):
            self._play(state)
            if not number % CHUNK:
                progress("plan", number + self._passed, total)
        progress("plan", total, total)
        self._found.finished += self._passed
        self._found.waiting = self._waiting(known)
        self._found.estimate = combined([tally.estimate() for tally in self._tallies])
        return self._found

    def _read(self, chunk: Sequence[FoundFile], fresh: list[_Fresh], known: list[int]) -> None:
        self._found.files += len(chunk)
        stamps = (
            tracks.known_stamps(self._connection, (one.path for one in chunk)) if self._connection else {}
        )
        same = [one.path for one in chunk if stamps.get(one.path) == one.stamp]
        if self._connection:
            ids = tracks.find_ids_by_path(self._connection, same).values()
            self._found.known += len(ids)
            known += ids
        same_paths = set(same)
        for one in chunk:
            if one.path in same_paths:
                continue
            file = read_file(one.path, one.stamp, max_file_size=self._library.max_file_size)
            if file.tags is None:
                self._found.unreadable += 1
            else:
                fresh.append(_Fresh(one.path, file.tags, identify_album(one.path, file.tags)))

    def _known_states(self, known: Sequence[int]) -> Iterator[TrackState]:
        for start in range(0, len(known), CHUNK):
            if self._connection:
                some = known[start : start + CHUNK]
                for tally in self._tallies:
                    tally.again(lookup_history.aged_lookups(self._connection, some, self._now()))
                # the others are decided, and wait for nothing
                open_ones = lookup_history.unfinished_tracks(self._connection, some)
                self._passed += len(some) - len(open_ones)
                yield from tracks.load_states(self._connection, open_ones)

    def _fresh_states(self, fresh: Sequence[_Fresh]) -> Iterator[TrackState]:
        groups = self._groups(fresh)
        for number, one in enumerate(fresh):
            group = groups.get(one.member.key) if one.member else None
            yield TrackState(-1 - number, one.path, None, one.tags, group=group)

    def _groups(self, fresh: Sequence[_Fresh]) -> dict[bytes, AlbumGroup]:
        """The albums of new files, together with what the database has of them."""
        names: dict[bytes, Counter[str]] = {}
        leads: dict[bytes, Counter[str]] = {}
        for one in fresh:
            if (member := one.member) is None:
                continue
            if member.key not in names:
                before = (
                    albums.count_names(self._connection, member.key)
                    if self._connection
                    else (Counter(), Counter())
                )
                names[member.key], leads[member.key] = before
            names[member.key][member.album] += 1
            leads[member.key][member.artist] += 1
        for key, album, lead in self._changed(fresh):
            if key in names:  # it is counted as it is now
                names[key][album] -= 1
                leads[key][lead] -= 1
        return {key: AlbumGroup(*albums.majority_names(names[key], leads[key])) for key in names}

    def _changed(self, fresh: Sequence[_Fresh]) -> Iterator[tuple[bytes, str, str]]:
        """What the database says of the albums of files that have changed since."""
        for one in fresh if self._connection else ():
            assert self._connection
            row = self._connection.execute(
                "SELECT album_key, album, album_lead FROM tracks"
                " WHERE path = ? AND album_key IS NOT NULL AND vanished_at IS NULL",
                (one.path,),
            ).fetchone()
            if row:
                yield row

    def _play(self, state: TrackState) -> None:
        if state.unreadable:
            self._found.unreadable += 1
            return
        costs = False
        for tally in self._tallies:
            rules = replace(self._rules, services=tally.terms.services)
            state, known, wanted = self._so_far(state, rules)
            if wanted:
                costs = True
                tally.add(state, known, wanted, self._heard)
        self._found.finished += not costs

    def _so_far(self, state: TrackState, rules: Rules) -> tuple[TrackState, Known, list[Query]]:
        """The track with every answer that the database has for it, what is known then, and what it wants next."""
        while True:
            outcome = decide_track(state, rules)
            heard = {query: answer for query in outcome.wanted if (answer := self._heard(query)) is not None}
            fresh = {query: answer for query, answer in heard.items() if answer.is_settled}
            if not fresh:
                break
            more = {(query.provider, query.kind, query.key): answer for query, answer in fresh.items()}
            state = replace(state, lookups={**state.lookups, **more}, row=outcome.row)
        row = outcome.row
        tags = state.tags
        if row.mb_recording_id or row.spotify_track_id:
            tags = replace(tags, title=tags.title or row.title, artist=tags.artist or row.artist)
        known = Known(
            searchable_tags(tags, state.path), recording_id=row.mb_recording_id, spotify_id=row.spotify_track_id,
            isrcs=tags.ids.isrcs,
        )  # fmt: skip
        return state, known, list(outcome.wanted)

    def _heard(self, query: Query) -> TrackLookup | None:
        return lookup_history.load_answer(self._connection, query) if self._connection else None

    def _waiting(self, known: Sequence[int]) -> int:
        return lookup_history.count_waiting_for_others(self._connection, known) if self._connection else 0
