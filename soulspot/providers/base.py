"""The protocol of a provider: write a class with these attributes to add an upstream service.
Assembly builds each provider with the gates of its hosts. One pump a provider claims lookups from
the durable queue, at most `capacity[kind]` of a kind at a time, and hands them to `lookup`.
docs/explain/providers.md lists the kinds of the three providers, and the requests of each."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from soulspot.models import Answer, Query


class Provider(Protocol):
    """One upstream service, asked for many lookups at a time. Subclass it: the attributes with a
    body here are defaults. All methods run in the event loop and must not block it."""

    name: str
    """The provider's name in queries, tables, config.toml and metrics: "musicbrainz", say."""

    @property
    def capacity(self) -> Mapping[str, int]:
        """The lookups that one request can carry, at most, by kind: {"isrc": 100, "url": 70}. The
        keys are the kinds that the provider understands. Read before every claim, so it may change
        with what the service turns out to allow."""

    @property
    def expensive_kinds(self) -> frozenset[str]:
        """The kinds of which one request answers one lookup. The pump claims them only once nothing
        cheaper is waiting: the answers to cheaper lookups often make an expensive one needless."""
        return frozenset()

    @property
    def incidental_kinds(self) -> frozenset[str]:
        """The kinds whose lookups the answer to another kind may settle on the way. Spotify's
        answer for an album, for example, also describes its tracks. Before the pump sends such a
        lookup it checks once more whether the database has the answer by now."""
        return frozenset()

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """Return answers of the same length and order as `queries`, which may mix kinds.

        An answer is Found, Missing, Failed (this lookup alone) or Postponed (not asked, or limited
        meanwhile). Raises Limited, Unavailable, Refused or BadAnswer when the service answered none
        of the queries, and BatchRejected when one of several queries spoils the request: the caller
        then halves the batch to find it. `answer_sheet.AnswerSheet.fill` keeps these rules."""

    def opens_at(self, kind: str) -> float | None:
        """Return when the gate of the host that serves `kind` opens, in seconds since the epoch.
        None when the next request may pass now."""

    def retune(self, *, rate: float, batch_size: int, timeout: float, daily_budget: int | None = None) -> None:
        """Apply changed settings from the next request on, without a restart. `rate` is in requests
        a second to each host, `batch_size` in lookups a request, `timeout` in seconds a request,
        `daily_budget` in requests in any 24 hours (None: no limit of ours)."""

    async def close(self) -> None:
        """Release connections, within a second; requests under way are abandoned."""
        ...
