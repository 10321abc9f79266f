"""The answers of one `lookup` call while they are being collected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from soulspot.errors import BadAnswer, BatchRejected, ProviderError, Unavailable
from soulspot.models import Answer, Entity, Failed, Found, Missing, Postponed, Query


class AnswerSheet:
    """Equal queries are one line. `asking` says which lines the request under way is about, so that a failure
    in the middle of a lookup of several requests is charged to those lines alone."""

    def __init__(self, queries: Sequence[Query]) -> None:
        self._queries = tuple(queries)
        self._answers: dict[Query, Answer] = {}
        self._asked: frozenset[Query] = frozenset()
        self._heard = False

    def open(self, *kinds: str) -> list[Query]:
        """The distinct queries of these kinds that have no answer yet, in the order they were asked."""
        lines = dict.fromkeys(query for query in self._queries if query.kind in kinds)
        return [query for query in lines if query not in self._answers]

    def check(self, known: Iterable[str], fault: Callable[[Query], str | None]) -> None:
        """Fail the queries that must not be sent: of a kind not `known`, or with a `fault` (in words)."""
        kinds = frozenset(known)
        for query in dict.fromkeys(self._queries):
            reason = fault(query) if query.kind in kinds else f"there is no lookup of kind {query.kind!r}"
            if reason is not None:
                self._answers[query] = Failed(reason, retryable=False)

    def asking(self, queries: Iterable[Query]) -> None:
        """The next request is about these."""
        self._asked = frozenset(queries)

    def put(self, query: Query, answer: Answer) -> None:
        """What the service said; the first answer stays."""
        self._heard = True
        self._answers.setdefault(query, answer)

    def put_found(self, query: Query, entities: Iterable[Entity]) -> None:
        """What the service found; nothing found is Missing."""
        known = tuple(entities)
        self.put(query, Found(known) if known else Missing())

    def rejected(self, error: BatchRejected) -> None:
        """The request under way was refused as malformed: the fault of its only query, or else unknown whose.

        Raises `error` when the request asked for several."""
        if len(self._asked) != 1:
            raise error
        (query,) = self._asked
        self.put(query, Failed(str(error), retryable=False))

    def answers(self) -> list[Answer]:
        """One for each query, in their order. KeyError when one has none, which is a provider's own fault."""
        return [self._answers[query] for query in self._queries]

    def given_up(self, error: ProviderError) -> list[Answer]:
        """The answers so far, after `error` ended the work: the rest is postponed, and what the failing
        request was about has failed if the service did answer that request.

        Raises `error` when the service had answered nothing yet: then the whole batch could not be asked."""
        if not self._heard:
            raise error
        attempted = isinstance(error, BadAnswer) or (isinstance(error, Unavailable) and error.answered)
        for query in self._queries:
            failed = attempted and query in self._asked
            self._answers.setdefault(query, Failed(str(error)) if failed else Postponed(str(error)))
        return self.answers()
