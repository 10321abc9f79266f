"""Playing a track's plan to its end with answers that nobody has given: what may come to be asked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

from soulspot.deciding import Known, Services, artist_query, plan
from soulspot.models import (
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

WAVES = 40  # questions after questions: more than any plan has
TWICE = "told twice"  # the share of links for which the word of two services is enough
SHARES: Mapping[str, float] = {
    f"{MUSICBRAINZ} recording": 0.9,
    f"{LISTENBRAINZ} recording": 0.93,
    f"{LISTENBRAINZ} redirect": 0.5,
    f"{MUSICBRAINZ} isrc": 0.71,
    f"{MUSICBRAINZ} album": 0.9,
    f"{MUSICBRAINZ} release": 0.98,
    f"{MUSICBRAINZ} url": 0.6,
    f"{LISTENBRAINZ} text": 0.53,
    f"{MUSICBRAINZ} text": 0.37,
    f"{MUSICBRAINZ} loose": 0.66,
    f"{MUSICBRAINZ} artist": 0.1,
    f"{MUSICBRAINZ} by_artist": 0.3,
    f"{MUSICBRAINZ} redirect": 0.3,
    f"{LISTENBRAINZ} spotify_ids": 0.85,
    f"{LISTENBRAINZ} spotify_names": 0.2,
    f"{SPOTIFY} track": 0.9,
    f"{SPOTIFY} album": 0.8,
    f"{SPOTIFY} tracklist": 0.8,
    f"{SPOTIFY} isrc": 0.7,
    f"{SPOTIFY} text": 0.6,
    TWICE: 0.5,
}
"""How often a question is the last one of its sort, until the database of a library tells. Of ISRCs, releases, text,
loose text and labs' answers as `python -m benchmarks.requests --kind spotify-development --kind loose --json` has it
("shares"); of the others, which those libraries ask too seldom to tell, estimated."""


@dataclass(frozen=True, slots=True)
class Luck:
    """How answers turn out. `ends` says whether a question of this sort ends the search that it belongs to, `leads`
    whether its answer leads to other questions otherwise; `found_at_last`: what nothing found is found all the same,
    so that what comes after is asked too; `links` to Spotify a recording has."""

    ends: Callable[[Query, str], bool]
    leads: Callable[[Query, str], bool]
    found_at_last: bool = False
    links: int = 1
    twice: Callable[[str], bool] = field(default=lambda whose: True)


def _always(query: Query, whose: str) -> bool:
    return True


def _never(query: Query, whose: str) -> bool:
    return False


BEST = Luck(_always, _always)
"""Every track is found at the first question."""
WORST = Luck(_never, _always, found_at_last=True, links=3, twice=lambda whose: False)
"""Every answer only leads to the next question. When there are none left, the track is found after all, and what is then
asked about it is asked too: nobody can ask more, whether it is found or not."""


def usual(shares: Mapping[str, float]) -> Luck:
    """As often as `shares` says ("provider kind" -> 0 to 1). The same track has the same luck every time."""

    def happens(query: Query, whose: str) -> bool:
        sort = f"{query.provider} {query.kind}"
        return _draw(sort, whose) < shares.get(sort, SHARES.get(sort, 0.5))

    def twice(whose: str) -> bool:
        return _draw(TWICE, whose) < shares.get(TWICE, SHARES[TWICE])

    def leads(query: Query, whose: str) -> bool:
        # one answer for all who share the question
        return happens(query, query.key)

    return Luck(happens, leads, twice=twice)


def _draw(what: str, whose: str) -> float:
    return crc32(f"{what}\0{whose}".encode("utf-8", "surrogateescape")) / 2**32


def played(
    state: TrackState,
    known: Known,
    services: Services,
    luck: Luck,
    heard: Callable[[Query], TrackLookup | None] = lambda query: None,
) -> Iterator[Query]:
    """The queries that this track asks, one after the other, with this luck. `known` is what has been decided of it so
    far; `heard` has the answer to what somebody else has asked before: it is used, and not among the queries."""
    story = _Story(state, known, services, luck)
    asked: Any = {one.query: one for one in state.lookups.values()}
    played_on = _Played(
        state.track_id, state.path, state.source_key, state.tags, lookups=asked, decisions=state.decisions,
        row=state.row, group=state.group,
    )  # fmt: skip
    for _ in range(WAVES):
        wanted = plan(played_on, story.known, services)
        if not wanted:
            if not story.goes_on():
                return
            continue
        for query in wanted:
            answer = heard(query)
            if answer is None or not answer.is_settled:
                yield query
                answer = story.answer(query)
            asked[query] = answer


class _Played(TrackState):
    """A track whose answers are kept by query: to make the text of a query's key takes longer than all of its plan."""

    __slots__ = ()

    def answer_to(self, query: Query) -> TrackLookup | None:
        return self.lookups.get(query)  # type: ignore[call-overload, no-any-return]


class _Story:
    """What is known of one track while it is played."""

    def __init__(self, state: TrackState, known: Known, services: Services, luck: Luck) -> None:
        self.known = known
        self._state, self._services, self._luck = state, services, luck
        named = "\0".join(fold(one or "") for one in (known.tags.title, known.tags.artist))
        # two files of one song are one recording: what is asked of it is asked once
        self._whose = named.strip("\0") or f"{state.track_id}"
        self._late = False

    def goes_on(self) -> bool:
        """Whether there is more to ask although the plan has ended: what nobody found is found at last, and what is
        not on Spotify by itself is looked for on two albums."""
        if not self._luck.found_at_last:
            return False
        if self.known.recording_id is None:
            self.known = replace(self.known, recording_id=self._made("late"))
            self._late = True
            return True
        if not self.known.spotify_albums and self._state.group is not None and self.known.spotify_id is None:
            self.known = replace(self.known, spotify_albums=self._albums(2))
            return True
        return False

    def answer(self, query: Query) -> TrackLookup:
        """What comes of this question, and what is known then."""
        if query.provider == SPOTIFY:
            entities = self._of_spotify(query)
        elif query.kind in ("spotify_ids", "spotify_names"):
            entities = self._links(query)
        else:
            entities = self._of_recording(query)
        return TrackLookup(query, LookupState.DONE if entities else LookupState.MISSING, True, entities)

    def _of_recording(self, query: Query) -> tuple[Entity, ...]:
        ends, leads = self._luck.ends(query, self._whose), self._luck.leads(query, self._whose)
        match query.provider, query.kind:
            case _, "recording" if query["mbid"] == self.known.recording_id:
                return (self._recording(query["mbid"], query.provider),)
            case _, "recording" if query["mbid"] in self.known.tags.ids.mb_recording_ids:
                return self._found(query["mbid"], query.provider) if ends else ()
            case _, "recording":  # the one that a text or an old id led to
                told = Query.of(LISTENBRAINZ, "text" if query["mbid"] == self._made("text") else "redirect")
                if self._luck.ends(told, self._whose):
                    return self._found(query["mbid"], query.provider)
                return (self._recording(query["mbid"], query.provider),)
            case "listenbrainz", "redirect":
                return (self._redirect(query),) if leads else ()
            case "listenbrainz", "text":
                return (self._recording(self._made("text"), LISTENBRAINZ),) if ends or leads else ()
            case _, "artist":
                self._named(query, leads)
                return ()
            case _, "album":
                self._edition(query, leads)
                return ()
        return self._found(self._made("recording"), query.provider) if ends else ()

    def _edition(self, query: Query, leads: bool) -> None:
        """One edition the first time; where all questions are asked, two and only by the last way to them."""
        group, worst = self._state.group, self._luck.found_at_last
        if leads and group and not (worst and group.artist and query.get("tracks") is None):
            editions = tuple(
                Entity(MUSICBRAINZ, "release", f"{group.album}\0{group.artist}\0{n}", {})
                for n in range(2 if worst else 1)
            )
            self.known = replace(self.known, editions=editions)

    def _named(self, query: Query, leads: bool) -> None:
        artist = self.known.tags.artist
        if leads and artist and query == artist_query(artist):
            self.known = replace(
                self.known, alias_artist_ids=(query["name"],), needs_rivals=self._luck.found_at_last
            )

    def _found(self, mbid: str, provider: str) -> tuple[Entity, ...]:
        self.known = replace(self.known, recording_id=mbid)
        return (self._recording(mbid, provider),)

    def _links(self, query: Query) -> tuple[Entity, ...]:
        if not self._luck.leads(query, self._whose):
            return ()
        links = tuple(self._made(f"link {n}") for n in range(self._luck.links))
        if not self._services.spotify_batches and self._luck.twice(self._whose):
            self.known = replace(self.known, spotify_id=links[0], spotify_unasked=True)
        return (Entity(LISTENBRAINZ, "spotify_ids", self._whose, {"spotify_track_ids": links}),)

    def _of_spotify(self, query: Query) -> tuple[Entity, ...]:
        ends, leads = self._luck.ends(query, self._whose), self._luck.leads(query, self._whose)
        own = query.kind == "track" and query["id"] == self.known.tags.ids.spotify_track_id
        if own and (ends or self._luck.found_at_last) and not self.known.isrcs:
            self.known = replace(self.known, isrcs=(self._made("isrc"),))
        if query.kind == "album" and leads and not self._luck.found_at_last:
            self.known = replace(self.known, spotify_albums=self._albums(1))
            ends = ends and leads
        if not ends:
            return ()
        spotify_id = query["id"] if query.kind == "track" else self._made("track")
        self.known = replace(self.known, spotify_id=spotify_id)
        return (Entity(SPOTIFY, "track", spotify_id, {}),)

    def _albums(self, count: int) -> tuple[str, ...]:
        group = self._state.group
        return tuple(f"{group.album}\0{group.artist}\0{n}" for n in range(count)) if group else ()

    def _recording(self, mbid: str, provider: str) -> Entity:
        return Entity(provider, "recording", mbid, {})

    def _redirect(self, query: Query) -> Entity:
        return Entity(LISTENBRAINZ, "redirect", query["mbid"], {"redirect_to": self._made("target")})

    def _made(self, what: str) -> str:
        """A name for something of this track that has none yet."""
        return f"{what} of {self._whose}"
