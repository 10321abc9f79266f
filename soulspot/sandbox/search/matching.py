"""The matching documents of a parsed query and their scores, the rarest clause first."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Protocol

from rapidfuzz.distance import OSA

from soulspot.sandbox.search.analysis import tokens
from soulspot.sandbox.search.index import FieldIndex, Index
from soulspot.sandbox.search.lucene import (
    Boolean,
    Boosted,
    Everything,
    Node,
    Occur,
    Pattern,
    Phrase,
    Range,
    Term,
    parse,
)


class Matcher(Protocol):
    """A part of a compiled query."""

    @property
    def cost(self) -> int:
        """About how many documents `scores` goes through."""
        ...

    def scores(self) -> Mapping[int, float]:
        """Return the score of every document that matches."""
        ...

    def score(self, doc: int) -> float | None:
        """Return the score of one document, None when it does not match."""
        ...


@dataclass
class OneTerm:
    """Matches one token, or one whole value."""

    field: FieldIndex
    term: str

    @cached_property
    def docs(self) -> array[int]:
        return self.field.docs(self.term)

    @cached_property
    def idf(self) -> float:
        return self.field.idf(len(self.docs))

    @property
    def cost(self) -> int:
        return len(self.docs)

    def scores(self) -> Mapping[int, float]:
        idf, weight, term = self.idf, self.field.weight, self.term
        return {doc: idf * weight(doc, term) for doc in self.docs}

    def score(self, doc: int) -> float | None:
        return self.idf * self.field.weight(doc, self.term) if self.field.has(doc, self.term) else None


@dataclass
class AnyOf:
    """Matches these documents, all with the same score: patterns, ranges, everything."""

    docs: Collection[int]

    @property
    def cost(self) -> int:
        return len(self.docs)

    def scores(self) -> Mapping[int, float]:
        return dict.fromkeys(self.docs, 1.0)

    def score(self, doc: int) -> float | None:
        return 1.0 if doc in self.docs else None


class Between(AnyOf):
    """Matches a number in a range, both ends included."""

    def __init__(self, field: FieldIndex, low: float, high: float) -> None:
        super().__init__(field.docs_between(low, high))
        self.field, self.low, self.high = field, low, high

    def score(self, doc: int) -> float | None:
        # the documents are a list in order of their numbers, so that the document's own numbers are
        # faster
        numbers = self.field.numbers_by_doc.get(doc, ())
        return 1.0 if any(self.low <= number <= self.high for number in numbers) else None


@dataclass
class WordsInOrder:
    """Matches a phrase of at least two words."""

    field: FieldIndex
    words: tuple[str, ...]
    slop: int

    @cached_property
    def parts(self) -> list[OneTerm]:
        return sorted((OneTerm(self.field, word) for word in set(self.words)), key=lambda part: part.cost)

    @property
    def cost(self) -> int:
        return self.parts[0].cost

    def scores(self) -> Mapping[int, float]:
        return {doc: score for doc in self.parts[0].docs if (score := self.score(doc)) is not None}

    def score(self, doc: int) -> float | None:
        total = 0.0
        for part in self.parts:
            share = part.score(doc)
            if share is None:
                return None
            total += share
        return total if self.field.has_phrase(doc, self.words, self.slop) else None


@dataclass
class Times:
    """Matches as its part does, with the score multiplied by `boost`."""

    part: Matcher
    boost: float

    @property
    def cost(self) -> int:
        return self.part.cost

    def scores(self) -> Mapping[int, float]:
        return {doc: score * self.boost for doc, score in self.part.scores().items()}

    def score(self, doc: int) -> float | None:
        score = self.part.score(doc)
        return None if score is None else score * self.boost


@dataclass
class Clauses:
    """Matches required, optional and forbidden parts.

    Without a required part, at least one optional part must match."""

    must: list[Matcher]
    should: list[Matcher]
    never: list[Matcher]

    @cached_property
    def cheapest_first(self) -> list[Matcher]:
        return sorted(self.must, key=lambda part: part.cost)

    @property
    def cost(self) -> int:
        return self.cheapest_first[0].cost if self.must else sum(part.cost for part in self.should)

    def scores(self) -> Mapping[int, float]:
        total: dict[int, float] = {}
        if self.must:
            # Only the rarest part lists its documents; the other parts are asked about those alone.
            total = dict(self.cheapest_first[0].scores())
            for part in self.cheapest_first[1:]:
                kept = ((doc, score, part.score(doc)) for doc, score in total.items())
                total = {doc: score + share for doc, score, share in kept if share is not None}
            for part in self.should:
                for doc in total:
                    total[doc] += part.score(doc) or 0.0
        else:
            for part in self.should:
                for doc, score in part.scores().items():
                    total[doc] = total.get(doc, 0.0) + score
        return {doc: score for doc, score in total.items() if not self._forbids(doc)} if self.never else total

    def _forbids(self, doc: int) -> bool:
        return any(part.score(doc) is not None for part in self.never)

    def score(self, doc: int) -> float | None:
        total, matched = 0.0, bool(self.must)
        for part in self.cheapest_first:
            share = part.score(doc)
            if share is None:
                return None
            total += share
        for part in self.should:
            share = part.score(doc)
            if share is not None:
                total, matched = total + share, True
        return total if matched and not self._forbids(doc) else None


def compile_query(node: Node, index: Index, is_top: bool = True) -> Matcher:
    """Return the matcher of a parsed query.

    Raises BadQuery for fields that the index does not have and values that a field cannot read."""
    match node:
        case Everything():
            return AnyOf(range(index.size))
        case Boosted(part, boost):
            return Times(compile_query(part, index, is_top), boost)
        case Boolean(clauses):
            parts: dict[Occur, list[Matcher]] = {occur: [] for occur in Occur}
            for occur, part in clauses:
                parts[occur].append(compile_query(part, index, False))
            must, should, never = parts[Occur.MUST], parts[Occur.SHOULD], parts[Occur.NOT]
            if is_top and never and not must and not should:
                # Solr, unlike Lucene, answers a query of nothing but NOT
                must = [AnyOf(range(index.size))]
            return Clauses(must, should, never)
    field = index.field(node.field)
    match node:
        case Range() if field.kind == "number":
            return Between(field, *field.number_bounds(node))
        case Range():
            return _any_term(field, field.terms_between(node))
        case Pattern(regex=regex):
            return _any_term(field, field.matching_terms(regex))
        case Phrase(text=text, slop=slop):
            return _text(field, text, slop)
        case Term(text=text, fuzzy=None):
            return _text(field, text)
        case Term(text=text, fuzzy=int(edits)):
            wanted = tokens(text)[0] if field.is_analysed and tokens(text) else text.lower()
            near = [t for t in field.terms if OSA.distance(t, wanted, score_cutoff=edits) <= edits]
            return _any_term(field, near)
    raise AssertionError(f"no such node: {node}")


def _any_term(field: FieldIndex, terms: list[str]) -> AnyOf:
    return AnyOf({doc for term in terms for doc in field.docs(term)})


def _text(field: FieldIndex, text: str, slop: int | None = None) -> Matcher:
    """Return the matcher of a text: a phrase with `slop`, otherwise a term that may hold several
    words."""
    if field.kind == "date":
        return _any_term(field, field.overlapping_dates(text))
    if not field.is_analysed:
        return OneTerm(field, field.canonical(text))
    words = tokens(text, field.kind == "accents")
    if len(words) == 1:
        return OneTerm(field, words[0])
    if slop is not None and words:
        return WordsInOrder(field, words, slop)
    return Clauses([], [OneTerm(field, word) for word in words], [])


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of a result."""

    total: int  # documents that match, on this page or another
    docs: list[tuple[int, int]]  # (document, score 0-100), best first


def search(
    index: Index,
    query: str,
    limit: int,
    offset: int,
    rng: Random,
    *,
    cut: bool = False,
    hidden: Callable[[int], bool] | None = None,
) -> Hits:
    """Find and rank the documents of a query and return `limit` of them from `offset` on.

    Equal scores stand in no stable order: `rng` shuffles them anew each time. `cut` answers as if
    the time were up half way, so that part of the index was not seen, and nothing says so. `hidden`
    tells which documents are not in the index yet. Raises BadQuery."""
    scores = compile_query(parse(query, index.default), index).scores()
    ranked = sorted((-round(score, 6), rng.random(), doc) for doc, score in scores.items())
    if hidden:
        ranked = [hit for hit in ranked if not hidden(hit[2])]
    if cut:
        ranked = [hit for hit in ranked if rng.random() < 0.5]
    best = (-ranked[0][0] if ranked else 0.0) or 1.0
    page = ranked[offset : offset + limit]
    return Hits(len(ranked), [(doc, max(1, round(-100 * score / best))) for score, _, doc in page])
