"""Simulation of a track's plan with invented answers, to learn which lookups may follow; pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

from soulspot.deciding import Known, Services, artist_query, plan
from soulspot.models import (
    CATALOGUE,
    LISTENBRAINZ,
    MUSICBRAINZ,
    SPOTIFY,
    Entity,
    LookupState,
    Query,
    TrackLookup,
    TrackState,
)
from soulspot.text import fold

ROUNDS = 40  # more rounds of lookups and answers than any plan has
TWO_SERVICES = "told twice"  # the share of Spotify links that two services agree on, which is enough
_SHARES = {
    MUSICBRAINZ: {"recording": 0.9, "isrc": 0.71, "album": 0.9, "release": 0.98, "url": 0.6, "text": 0.37,
                  "loose": 0.66, "artist": 0.1, "by_artist": 0.3, "redirect": 0.3},
    LISTENBRAINZ: {"recording": 0.93, "redirect": 0.5, "text": 0.53, "spotify_ids": 0.85, "spotify_names": 0.2},
    SPOTIFY: {"track": 0.9, "album": 0.8, "tracklist": 0.8, "isrc": 0.7, "text": 0.6},
}  # fmt: skip
SHARES: Mapping[str, float] = {TWO_SERVICES: 0.5} | {
    f"{provider} {kind}": share for provider, kinds in _SHARES.items() for kind, share in kinds.items()
}
"""How often a lookup is the last of its search, until a database has shares of its own.

The shares of isrc, release, text, loose and redirect are measured: `python -m benchmarks.requests
--kind spotify-development --kind loose --json` prints them ("shares"). The others are estimates."""

EarlierAnswer = Callable[[Query], TrackLookup | None]
"""earlier_answer(query) -> the stored answer to a lookup, whichever track it was for."""

Chance = Callable[[Query, str], bool]
"""chance(query, song) -> whether the event happens for this song's lookup."""


@dataclass(frozen=True, slots=True)
class Luck:
    """The answers that a simulation invents."""

    ends: Chance  # the lookup ends the search that it belongs to
    leads: Chance  # otherwise: its answer leads to other lookups
    found_at_last: bool = False  # a recording that no lookup found is found all the same afterwards
    links: int = 1  # links from a recording to Spotify
    two_services: Callable[[str], bool] = field(default=lambda song: True)


BEST = Luck(ends=lambda query, song: True, leads=lambda query, song: True)
"""The first lookup finds every track."""
WORST = Luck(
    ends=lambda query, song: False, leads=BEST.leads, found_at_last=True, links=3, two_services=lambda song: False
)  # fmt: skip
"""Every answer leads to the next lookup only. At the end the track is found after all, and is
enriched too: no track can need more lookups, found or not."""


def usual(shares: Mapping[str, float]) -> Luck:
    """Return luck by shares: {"provider kind": 0 to 1}. The same song always has the same luck."""

    def happens(query: Query, song: str) -> bool:
        kind = f"{query.provider} {query.kind}"
        return _draw(kind, song) < shares.get(kind, SHARES.get(kind, 0.5))

    def two_services(song: str) -> bool:
        return _draw(TWO_SERVICES, song) < shares.get(TWO_SERVICES, SHARES[TWO_SERVICES])

    # Tracks that share a lookup share its answer, so what it leads to depends on the query alone.
    return Luck(happens, lambda query, _: happens(query, query.key), two_services=two_services)


def _draw(event: str, song: str) -> float:
    return crc32(f"{event}\0{song}".encode("utf-8", "surrogateescape")) / 2**32


def simulated_lookups(
    state: TrackState,
    known: Known,
    services: Services,
    luck: Luck,
    earlier_answer: EarlierAnswer = lambda query: None,
) -> Iterator[Query]:
    """Yield the queries that a track would ask with this luck, one after the other.

    `known` is what is decided so far. A query with an earlier answer is not yielded."""
    # A song learns what its answers tell; the simulated track only holds them.
    song = _Song(state, known, services, luck)
    answers: Any = {asked.query: asked for asked in state.lookups.values()}
    simulated = _SimulatedTrack(
        state.track_id, state.path, state.source_key, state.tags, lookups=answers,
        decisions=state.decisions, row=state.row, group=state.group,
    )  # fmt: skip
    for _ in range(ROUNDS):
        queries = plan(simulated, song.known, services)
        if not queries and not song.find_at_last():
            return
        for query in queries:
            answer = earlier_answer(query)
            if answer is None or not answer.is_settled:
                yield query
                answer = song.answer(query)
            # The next plan sees this answer.
            answers[query] = answer


class _SimulatedTrack(TrackState):
    """A track with its answers by query."""

    __slots__ = ()

    def answer_to(self, query: Query) -> TrackLookup | None:
        # Making the text of a query's key takes longer than a whole plan, so the query is the key.
        return self.lookups.get(query)  # type: ignore[call-overload, no-any-return]


class _Song:
    """The knowledge about one track during its simulation."""

    def __init__(self, state: TrackState, known: Known, services: Services, luck: Luck) -> None:
        self.known = known
        self._state, self._services, self._luck = state, services, luck
        # Two files of one song are one recording, whose lookups are shared: name it by its words.
        words = "\0".join(fold(word or "") for word in (known.tags.title, known.tags.artist))
        self._name = words.strip("\0") or f"{state.track_id}"

    def find_at_last(self) -> bool:
        """Find what no lookup found, if the luck says so; return whether new lookups may follow.

        The recording comes first; then a track that is not on Spotify is sought on two albums."""
        before = self.known
        if not self._luck.found_at_last:
            return False
        if before.recording_id is None:
            self.known = replace(before, recording_id=self._invented("late"))
        elif not before.spotify_albums and self._state.group is not None and before.spotify_id is None:
            self.known = replace(before, spotify_albums=self._albums(2))
        return self.known is not before

    def answer(self, query: Query) -> TrackLookup:
        """Invent the answer to a query, and learn from it."""
        if query.provider == CATALOGUE:  # which finds what MusicBrainz finds
            query = replace(query, provider=MUSICBRAINZ, kind="text" if query.kind == "names" else query.kind)
        if query.provider == SPOTIFY:
            entities = self._of_spotify(query)
        elif query.kind in ("spotify_ids", "spotify_names"):
            entities = self._links(query)
        else:
            entities = self._of_recording(query)
        return TrackLookup(query, LookupState.DONE if entities else LookupState.MISSING, True, entities)

    def _of_recording(self, query: Query) -> tuple[Entity, ...]:
        ends, leads = self._luck.ends(query, self._name), self._luck.leads(query, self._name)
        match query.provider, query.kind:
            case provider, "recording":
                return self._recordings(query["mbid"], provider, ends)
            case "listenbrainz", "redirect":
                target = {"redirect_to": self._invented("target")}
                return (Entity(LISTENBRAINZ, "redirect", query["mbid"], target),) if leads else ()
            case "listenbrainz", "text":
                recording = Entity(LISTENBRAINZ, "recording", self._invented("text"), {})
                return (recording,) if ends or leads else ()
            case _, "artist":
                self._learn_names(query, leads)
                return ()
            case _, "album":
                self._learn_editions(query, leads)
                return ()
        return self._found(self._invented("recording"), query.provider) if ends else ()

    def _recordings(self, mbid: str, provider: str, ends: bool) -> tuple[Entity, ...]:
        if mbid != self.known.recording_id:
            if mbid in self.known.tags.ids.mb_recording_ids:
                return self._found(mbid, provider) if ends else ()
            # A text search or an old id led to this recording: the luck of that lookup decides.
            kind = "text" if mbid == self._invented("text") else "redirect"
            if self._luck.ends(Query.of(LISTENBRAINZ, kind), self._name):
                return self._found(mbid, provider)
        return (Entity(provider, "recording", mbid, {}),)

    def _learn_editions(self, query: Query, leads: bool) -> None:
        """Learn one edition of the album at once; in the worst case, two by the last way alone."""
        group, worst = self._state.group, self._luck.found_at_last
        if leads and group and not (worst and group.artist and query.get("tracks") is None):
            editions = (Entity(MUSICBRAINZ, "release", mbid, {}) for mbid in self._albums(2 if worst else 1))
            self.known = replace(self.known, editions=tuple(editions))

    def _learn_names(self, query: Query, leads: bool) -> None:
        artist = self.known.tags.artist
        if leads and artist and query == artist_query(artist):
            worst = self._luck.found_at_last
            self.known = replace(self.known, alias_artist_ids=(query["name"],), needs_rivals=worst)

    def _found(self, mbid: str, provider: str) -> tuple[Entity, ...]:
        self.known = replace(self.known, recording_id=mbid)
        return (Entity(provider, "recording", mbid, {}),)

    def _links(self, query: Query) -> tuple[Entity, ...]:
        if not self._luck.leads(query, self._name):
            return ()
        links = tuple(self._invented(f"link {n}") for n in range(self._luck.links))
        # A link that two services name is accepted unasked where each request counts.
        if not self._services.spotify_batches and self._luck.two_services(self._name):
            self.known = replace(self.known, spotify_id=links[0], spotify_unasked=True)
        return (Entity(LISTENBRAINZ, "spotify_ids", self._name, {"spotify_track_ids": links}),)

    def _of_spotify(self, query: Query) -> tuple[Entity, ...]:
        ends, worst = self._luck.ends(query, self._name), self._luck.found_at_last
        own = query.kind == "track" and query["id"] == self.known.tags.ids.spotify_track_id
        if own and (ends or worst) and not self.known.isrcs:
            self.known = replace(self.known, isrcs=(self._invented("isrc"),))
        if query.kind == "album" and self._luck.leads(query, self._name) and not worst:
            self.known = replace(self.known, spotify_albums=self._albums(1))
        if not ends:
            return ()
        spotify_id = query["id"] if query.kind == "track" else self._invented("track")
        self.known = replace(self.known, spotify_id=spotify_id)
        return (Entity(SPOTIFY, "track", spotify_id, {}),)

    def _albums(self, count: int) -> tuple[str, ...]:
        group = self._state.group
        return tuple(f"{group.album}\0{group.artist}\0{n}" for n in range(count)) if group else ()

    def _invented(self, entity: str) -> str:
        """Return an id for something of this song that has none yet, such as "track of ..."."""
        return f"{entity} of {self._name}"
