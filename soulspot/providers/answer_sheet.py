"""The answers of one `Provider.lookup` call while they are being collected."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from soulspot.errors import BadAnswer, BatchRejected, Limited, Refused, Unavailable
from soulspot.models import Answer, Entity, Failed, Found, Missing, Postponed, Query


class AnswerSheet:
    """One line for each distinct query, filled in request by request. Work inside `request`: a
    lookup may take several requests, and a failure is charged only to its own request's queries."""

    def __init__(self, queries: Sequence[Query]) -> None:
        self._queries = tuple(queries)
        self._answers: dict[Query, Answer] = {}
        self._requested: frozenset[Query] = frozenset()
        self._has_service_answer = False

    def unanswered(self, *kinds: str) -> list[Query]:
        """Return the distinct queries of these kinds that have no answer yet, in their order."""
        lines = dict.fromkeys(query for query in self._queries if query.kind in kinds)
        return [query for query in lines if query not in self._answers]

    @contextmanager
    def request(self, queries: Iterable[Query], *, missing_on_404: bool = False) -> Iterator[None]:
        """Make the requests of the `with` block about `queries`.

        A BatchRejected fails the query for good when it is the only one; of several it passes
        through, for the caller to halve the batch. With `missing_on_404` a BadAnswer of status 404
        means that the service knows none of the queries."""
        self._requested = frozenset(queries)
        try:
            yield
        except BatchRejected as error:
            if len(self._requested) != 1:
                raise
            self.put(next(iter(self._requested)), Failed(str(error), retryable=False))
        except BadAnswer as error:
            if error.status != 404 or not missing_on_404:
                raise
            for query in self._requested:
                self.put(query, Missing())

    def put(self, query: Query, answer: Answer) -> None:
        """Write down the service's answer to `query`, unless it has one."""
        self._has_service_answer = True
        # The first answer stays: an album may have answered a track before the track's own request.
        self._answers.setdefault(query, answer)

    def put_found(self, query: Query, entities: Iterable[Entity]) -> None:
        """Write down Found with the entities, or Missing when there are none."""
        known = tuple(entities)
        self.put(query, Found(known) if known else Missing())

    async def fill(
        self, kinds: Iterable[str], find_fault: Callable[[Query], str | None],
        answer: Callable[[Self], Awaitable[None]],
    ) -> list[Answer]:  # fmt: skip
        """Let `answer` make the requests, and return an answer for each query, in order.

        Queries of none of the `kinds`, or with a fault (`find_fault` returns it in words for a
        person, or None), fail for good and are not sent. An error that ends the work is raised if
        the service has answered nothing. Otherwise the queries of the failed request have failed,
        if there was a response to it, and all other unanswered queries are postponed."""
        for query in dict.fromkeys(self._queries):
            fault = find_fault(query) if query.kind in kinds else f"there is no lookup of kind {query.kind!r}"
            if fault is not None:
                self._answers[query] = Failed(fault, retryable=False)
        try:
            await answer(self)
        except (Limited, Unavailable, Refused, BadAnswer) as error:
            if not self._has_service_answer:
                raise
            has_response = isinstance(error, BadAnswer) or (isinstance(error, Unavailable) and error.answered)
            for query in self._queries:
                is_failed = has_response and query in self._requested
                self._answers.setdefault(query, Failed(str(error)) if is_failed else Postponed(str(error)))
        return [self._answers[query] for query in self._queries]
