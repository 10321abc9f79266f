"""The lookups of many tracks, each counted once, as requests and time for each provider; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from soulspot.deciding import Known
from soulspot.estimate.cost import Tariff, Terms
from soulspot.estimate.simulation import BEST, WORST, EarlierAnswer, simulated_lookups, usual
from soulspot.models import MUSICBRAINZ, Query, TrackState

USUAL_FILL = 0.8  # of a batch: the last batch of a round of lookups is seldom full
WORST_FILL = 0.5  # besides, a search with more hits than it shows is repeated in parts
LATE = 1  # requests of a kind for lookups that come after the full batches
SHOWN = 100.0  # tracks of albums that one search shows (MusicBrainz: limit <= 100)
FIRST, LEAST, EXPECTED, MOST = "first", "least", "expected", "most"

Kind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """The estimate for one kind of lookup of one provider, in requests but for `lookups`."""

    provider: str
    kind: str
    lookups: int  # those that are wanted for certain
    first: int  # for these lookups
    least: int  # in all, when every track is found at once
    expected: int  # in all, as a rule
    most: int  # in all, when tracks are found by the last lookup or not at all


@dataclass(frozen=True, slots=True)
class Span:
    """Three estimates of one quantity: requests, or seconds."""

    least: float = 0
    expected: float = 0
    most: float = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of a library by provider and kind of lookup, and the tariff of each provider."""

    lines: tuple[Line, ...] = ()
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)

    @property
    def providers(self) -> list[str]:
        """The providers with at least one line, in their order."""
        return list(dict.fromkeys(line.provider for line in self.lines))

    def requests(self, provider: str | None = None) -> Span:
        """Return the requests to one provider, or to all providers."""
        lines = [line for line in self.lines if provider in (None, line.provider)]
        return Span(*(sum(getattr(line, name) for line in lines) for name in (LEAST, EXPECTED, MOST)))

    def seconds(self, provider: str) -> Span:
        """Return the seconds that one provider takes at its limits."""
        requests, tariff = self.requests(provider), self.tariffs[provider]
        return Span(*(tariff.seconds(int(n)) for n in (requests.least, requests.expected, requests.most)))

    def time(self) -> Span:
        """Return the seconds of the whole run."""
        spans = [self.seconds(provider) for provider in self.providers]
        # Providers work side by side; in the worst case, each waits for the one before.
        least, expected = (max([0.0, *(getattr(span, name) for span in spans)]) for name in (LEAST, EXPECTED))
        return Span(least, expected, sum(span.most for span in spans))

    def as_json(self) -> dict[str, Any]:
        """Return {"requests": span, "seconds": span, "providers": {name: ...}}."""
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
    """Counts the lookups of tracks under some terms, a lookup that tracks share once.

    `shares` are those of `simulation.usual`. With `only_least` nothing but the least is counted:
    for the rest, dearer and likelier terms have a tally of their own."""

    def __init__(self, terms: Terms, shares: Mapping[str, float], *, only_least: bool = False) -> None:
        self.terms = terms
        self._lucks = {LEAST: BEST} | ({} if only_least else {EXPECTED: usual(shares), MOST: WORST})
        # A large library has a million lookups, so a hash of each is kept instead of its text.
        self._asked: dict[str, dict[Kind, set[int]]] = {name: {} for name in (FIRST, LEAST, EXPECTED, MOST)}
        self._tracks_on: dict[int, int] = {}

    def add(self, state: TrackState, known: Known, wanted: Iterable[Query], answers: EarlierAnswer) -> None:
        """Count the lookups that a track wants now, and those that may follow what is `known`."""
        for query in wanted:
            self._count(FIRST, query.provider, query.kind, query.key)
        for name, luck in self._lucks.items():
            for query in simulated_lookups(state, known, self.terms.services, luck, answers):
                lookup = self._count(name, query.provider, query.kind, query.key)
                if query.kind == "release" and state.group:
                    self._tracks_on[lookup] = state.group.size

    def add_repeated(self, lookups: Iterable[tuple[str, str, str]]) -> None:
        """Count old lookups (provider, kind, key) that are repeated whatever the tracks want."""
        for provider, kind, key in lookups:
            for name in self._asked:
                self._count(name, provider, kind, key)

    def _count(self, name: str, provider: str, kind: str, key: str) -> int:
        lookup = hash((provider, kind, key))
        if provider not in self.terms.usual:
            return lookup  # it takes no request
        self._asked[name].setdefault((provider, kind), set()).add(lookup)
        return lookup

    def estimate(self) -> Estimate:
        """Return the estimate for the lookups that are counted so far."""
        terms = self.terms
        lines = [
            Line(
                *kind, len(self._asked[FIRST].get(kind, ())),
                self._requests(FIRST, terms.best, kind), self._requests(LEAST, terms.best, kind),
                self._requests(EXPECTED, terms.usual, kind, USUAL_FILL),
                self._requests(MOST, terms.worst, kind, WORST_FILL),
            )
            for provider, tariff in terms.usual.items() for kind in ((provider, name) for name in tariff.capacity)
            if any(kind in asked for asked in self._asked.values())
        ]  # fmt: skip
        return Estimate(tuple(lines), terms.usual)

    def _requests(self, name: str, tariffs: Mapping[str, Tariff], kind: Kind, fill: float = 1.0) -> int:
        asked = self._asked[name].get(kind, set())
        tariff = tariffs[kind[0]]
        requests = tariff.requests(kind[1], len(asked), fill=fill)
        if fill < 1 and len(asked) > 1 and tariff.capacity[kind[1]] > 1:
            requests += LATE
        if kind == (MUSICBRAINZ, "release"):
            # A search answers as many releases as have their tracks among its hits.
            on = sum(self._tracks_on.get(lookup, 1) for lookup in asked)
            requests = max(requests, Tariff({"tracks": SHOWN}, 1.0).requests("tracks", on, fill=fill))
        return requests


def combined(estimates: Sequence[Estimate]) -> Estimate:
    """Combine estimates for terms of which any may hold: the least of all, the rest of the last."""
    if not estimates:
        return Estimate()
    last = estimates[-1]
    least = [{(line.provider, line.kind): line.least for line in one.lines} for one in estimates]
    lines = [
        replace(line, least=min(of_kind.get((line.provider, line.kind), 0) for of_kind in least)) for line in last.lines
    ]
    return replace(last, lines=tuple(lines))
