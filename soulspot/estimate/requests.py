"""How many requests go to whom: the lookups of many tracks, each counted once, made into requests and time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from soulspot.deciding import Known
from soulspot.estimate.cost import Tariff, Terms
from soulspot.estimate.played_plans import BEST, WORST, played, usual
from soulspot.models import MUSICBRAINZ, Query, TrackLookup, TrackState

USUAL_FILL = 0.8  # of a batch: the last one of a wave of answers is seldom full
WORST_FILL = 0.5  # besides, searches that match more than they show are asked again in parts
STRAGGLING = 1  # requests of a kind for what comes when the batches of the others have gone
SHOWN = 100.0  # tracks of albums that one search shows (MusicBrainz: limit <= 100)
FIRST, LEAST, EXPECTED, MOST = "first", "least", "expected", "most"

Kind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of question to one provider: `lookups` that are sure to be asked, and requests: for those (`first`),
    and in all where everything is found at once (`least`), as a rule (`expected`), and where nothing is found, or all
    by the last question (`most`)."""

    provider: str
    kind: str
    lookups: int
    first: int
    least: int
    expected: int
    most: int


@dataclass(frozen=True, slots=True)
class Span:
    """Three estimates of one thing: requests, or seconds."""

    least: float = 0
    expected: float = 0
    most: float = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a library costs, by provider and kind, at each provider's tariff."""

    lines: tuple[Line, ...] = ()
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)

    @property
    def providers(self) -> list[str]:
        return list(dict.fromkeys(line.provider for line in self.lines))

    def requests(self, provider: str | None = None) -> Span:
        """All requests to one provider, or to all of them."""
        mine = [line for line in self.lines if provider in (None, line.provider)]
        return Span(sum(x.least for x in mine), sum(x.expected for x in mine), sum(x.most for x in mine))

    def seconds(self, provider: str) -> Span:
        """How long one provider takes at its limits."""
        requests, tariff = self.requests(provider), self.tariffs[provider]
        return Span(*(tariff.seconds(int(n)) for n in (requests.least, requests.expected, requests.most)))

    def time(self) -> Span:
        """Seconds for the whole: providers work side by side, but in the worst case each waits for the one before."""
        each = [self.seconds(provider) for provider in self.providers]
        return Span(
            max((one.least for one in each), default=0.0),
            max((one.expected for one in each), default=0.0),
            sum(one.most for one in each),
        )

    def as_json(self) -> dict[str, Any]:
        """The same, JSON-ready; seconds rounded to a tenth."""
        return {
            "requests": asdict(self.requests()),
            "seconds": _rounded(self.time()),
            "providers": {
                name: {
                    "requests": asdict(self.requests(name)), "seconds": _rounded(self.seconds(name)),
                    "rate": self.tariffs[name].rate, "daily_budget": self.tariffs[name].daily_budget,
                    "kinds": {
                        line.kind: {key: value for key, value in asdict(line).items() if key not in ("provider", "kind")}
                        for line in self.lines if line.provider == name
                    },
                }
                for name in self.providers
            },
        }  # fmt: skip


def _rounded(span: Span) -> dict[str, float]:
    return {name: round(value, 1) for name, value in asdict(span).items()}


class Tally:
    """Counts the lookups of tracks under some terms, each once however many tracks share it. `shares` are those by
    which it is expected what is found: see `plan_play.usual`."""

    def __init__(self, terms: Terms, shares: Mapping[str, float], *, only_least: bool = False) -> None:
        """`only_least`: for the rest, others' terms are dearer and likelier."""
        self.terms = terms
        self._lucks = (
            [(LEAST, BEST)] if only_least else [(LEAST, BEST), (EXPECTED, usual(shares)), (MOST, WORST)]
        )
        # of a lookup only a hash is kept: there are a million of them in a large library
        self._asked: dict[str, dict[Kind, set[int]]] = {name: {} for name in (FIRST, LEAST, EXPECTED, MOST)}
        self._tracks_on: dict[int, int] = {}

    def add(
        self,
        state: TrackState,
        known: Known,
        wanted: Iterable[Query],
        heard: Callable[[Query], TrackLookup | None],
    ) -> None:
        """Count what this track wants now, and what it comes to want; as `plan_play.played`."""
        for query in wanted:
            self._count(FIRST, query.provider, query.kind, query.key)
        for name, luck in self._lucks:
            for query in played(state, known, self.terms.services, luck, heard):
                one = self._count(name, query.provider, query.kind, query.key)
                if query.kind == "release" and state.group:
                    self._tracks_on[one] = state.group.size

    def again(self, lookups: Iterable[tuple[str, str, str]]) -> None:
        """Count lookups (provider, kind, key) that are asked whatever the tracks want."""
        for provider, kind, key in lookups:
            for name in self._asked:
                self._count(name, provider, kind, key)

    def _count(self, name: str, provider: str, kind: str, key: str) -> int:
        one = hash((provider, kind, key))
        self._asked[name].setdefault((provider, kind), set()).add(one)
        return one

    def estimate(self) -> Estimate:
        """What is counted so far."""
        terms = self.terms
        lines = [
            Line(
                provider, kind, len(self._asked[FIRST].get((provider, kind), ())),
                self._requests(FIRST, terms.best, (provider, kind)), self._requests(LEAST, terms.best, (provider, kind)),
                self._requests(EXPECTED, terms.usual, (provider, kind), USUAL_FILL),
                self._requests(MOST, terms.worst, (provider, kind), WORST_FILL),
            )
            for provider, tariff in terms.usual.items() for kind in tariff.capacity
            if any((provider, kind) in asked for asked in self._asked.values())
        ]  # fmt: skip
        return Estimate(tuple(lines), terms.usual)

    def _requests(self, name: str, tariffs: Mapping[str, Tariff], kind: Kind, fill: float = 1.0) -> int:
        asked = self._asked[name].get(kind, set())
        tariff = tariffs[kind[0]]
        requests = tariff.requests(kind[1], len(asked), fill=fill)
        if fill < 1 and len(asked) > 1 and tariff.capacity[kind[1]] > 1:
            requests += STRAGGLING
        if kind == (MUSICBRAINZ, "release"):  # so many as their tracks fit into one search
            on = sum(self._tracks_on.get(one, 1) for one in asked)
            requests = max(requests, Tariff({"tracks": SHOWN}, 1.0).requests("tracks", on, fill=fill))
        return requests


def combined(estimates: Sequence[Estimate]) -> Estimate:
    """One estimate for terms of which it is not known which hold: the least of all of them, the rest by the last."""
    if not estimates:
        return Estimate()
    *others, last = estimates
    least = [{(line.provider, line.kind): line.least for line in one.lines} for one in others]
    lines = [
        replace(line, least=min([line.least, *(one.get((line.provider, line.kind), 0) for one in least)]))
        for line in last.lines
    ]
    return replace(last, lines=tuple(lines))
