"""Runs a parsed query over an index: which documents match, and how well, the rarest clause first."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
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
    """A part of a query. `cost` is about how many documents `scores` goes through."""

    @property
    def cost(self) -> int: ...

    def scores(self) -> Mapping[int, float]: ...

    def score(self, doc: int) -> float | None:
        """The score of one document, None when it does not match."""
        ...


@dataclass
class OneTerm:
    """One token, or one whole value."""

    field: FieldIndex
    token: str

    @cached_property
    def docs(self) -> array[int]:
        return self.field.docs(self.token)

    @cached_property
    def idf(self) -> float:
        return self.field.idf(len(self.docs))

    @property
    def cost(self) -> int:
        return len(self.docs)

    def scores(self) -> Mapping[int, float]:
        if not self.field.analysed:
            return dict.fromkeys(self.docs, 1.0)
        idf, weight, token = self.idf, self.field.weight, self.token
        return {doc: idf * weight(doc, token) for doc in self.docs}

    def score(self, doc: int) -> float | None:
        return self.idf * self.field.weight(doc, self.token) if self.field.has(doc, self.token) else None


@dataclass
class AnyTerm:
    """Any of several terms at a constant score: patterns and ranges."""

    field: FieldIndex
    terms: Sequence[str]

    @cached_property
    def docs(self) -> set[int]:
        return {doc for term in self.terms for doc in self.field.docs(term)}

    @property
    def cost(self) -> int:
        return len(self.docs)

    def scores(self) -> Mapping[int, float]:
        return dict.fromkeys(self.docs, 1.0)

    def score(self, doc: int) -> float | None:
        return 1.0 if doc in self.docs else None


@dataclass
class Between:
    """A number in a range, both ends included."""

    field: FieldIndex
    low: float
    high: float

    @cached_property
    def docs(self) -> list[int]:
        return self.field.docs_between(self.low, self.high)

    @property
    def cost(self) -> int:
        return len(self.docs)

    def scores(self) -> Mapping[int, float]:
        return dict.fromkeys(self.docs, 1.0)

    def score(self, doc: int) -> float | None:
        return 1.0 if any(self.low <= n <= self.high for n in self.field.numbers_of(doc)) else None


@dataclass
class WordsInOrder:
    """A phrase of at least two words."""

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
        found = ((doc, self.score(doc)) for doc in self.parts[0].docs)
        return {doc: score for doc, score in found if score is not None}

    def score(self, doc: int) -> float | None:
        total = 0.0
        for part in self.parts:
            share = part.score(doc)
            if share is None:
                return None
            total += share
        return total if self.field.phrase_at(doc, self.words, self.slop) else None


@dataclass
class All:
    """Every document."""

    size: int

    @property
    def cost(self) -> int:
        return self.size

    def scores(self) -> Mapping[int, float]:
        return dict.fromkeys(range(self.size), 1.0)

    def score(self, doc: int) -> float | None:
        return 1.0


@dataclass
class Times:
    """A boosted part."""

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
    """Required, optional and forbidden parts; without a required one, an optional one must match."""

    must: list[Matcher]
    should: list[Matcher]
    never: list[Matcher]

    @cached_property
    def ordered(self) -> list[Matcher]:
        return sorted(self.must, key=lambda part: part.cost)

    @property
    def cost(self) -> int:
        return self.ordered[0].cost if self.must else sum(part.cost for part in self.should)

    def scores(self) -> Mapping[int, float]:
        if self.must:
            total = dict(self.ordered[0].scores())
            for part in self.ordered[1:]:
                kept = ((doc, score, part.score(doc)) for doc, score in total.items())
                total = {doc: score + share for doc, score, share in kept if share is not None}
            for part in self.should:
                for doc in total:
                    total[doc] += part.score(doc) or 0.0
            return self._allowed(total)
        total = {}
        for part in self.should:
            for doc, score in part.scores().items():
                total[doc] = total.get(doc, 0.0) + score
        return self._allowed(total)

    def _allowed(self, total: dict[int, float]) -> dict[int, float]:
        return {doc: s for doc, s in total.items() if not self._forbidden(doc)} if self.never else total

    def _forbidden(self, doc: int) -> bool:
        return any(part.score(doc) is not None for part in self.never)

    def score(self, doc: int) -> float | None:
        total, matched = 0.0, bool(self.must)
        for part in self.ordered:
            share = part.score(doc)
            if share is None:
                return None
            total += share
        for part in self.should:
            share = part.score(doc)
            if share is not None:
                total, matched = total + share, True
        return total if matched and not self._forbidden(doc) else None


def compiled(node: Node, index: Index, top: bool = True) -> Matcher:
    """The part that finds what `node` asks for. Raises BadQuery for unknown fields and unreadable values."""
    match node:
        case Everything():
            return All(index.size)
        case Boosted(part, boost):
            return Times(compiled(part, index, top), boost)
        case Boolean(clauses):
            parts = {
                occur: [compiled(part, index, False) for has, part in clauses if has is occur]
                for occur in Occur
            }
            must, should, never = parts[Occur.MUST], parts[Occur.SHOULD], parts[Occur.NOT]
            if top and never and not must and not should:
                must = [All(index.size)]  # Solr, unlike Lucene, answers a query of nothing but NOT
            return Clauses(must, should, never)
    field = index.field(node.field)
    match node:
        case Range(low=low, high=high, include_low=include_low, include_high=include_high):
            if field.kind == "number":
                return Between(field, *field.numeric(low, high, include_low, include_high))
            return AnyTerm(field, field.between(low, high, include_low, include_high))
        case Pattern(regex=regex):
            return AnyTerm(field, field.matching(regex))
        case Phrase(text=text, slop=slop):
            return _text(field, text, slop, phrase=True)
        case Term(text=text, fuzzy=None):
            return _text(field, text, 0, phrase=False)
        case Term(text=text, fuzzy=int(edits)):
            wanted = tokens(text)[0] if field.analysed and tokens(text) else text.lower()
            near = [t for t in field.terms if OSA.distance(t, wanted, score_cutoff=edits) <= edits]
            return AnyTerm(field, near)
    raise AssertionError(f"no such node: {node}")


def _text(field: FieldIndex, text: str, slop: int, *, phrase: bool) -> Matcher:
    if field.kind == "date":
        return AnyTerm(field, field.dates(text))
    if not field.analysed:
        return OneTerm(field, field.canonical(text))
    words = tokens(text, field.kind == "accents")
    if len(words) == 1:
        return OneTerm(field, words[0])
    if phrase and words:
        return WordsInOrder(field, words, slop)
    return Clauses([], [OneTerm(field, word) for word in words], [])


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of a result: `total` documents matched; `docs` are (number, score 0-100), best first."""

    total: int
    docs: list[tuple[int, int]]


def search(
    index: Index,
    query: str,
    limit: int,
    offset: int,
    rng: Random,
    cut: bool = False,
    hidden: Callable[[int], bool] | None = None,
) -> Hits:
    """Find, rank and page. Equal scores stand in no stable order: `rng` shuffles them anew each time.

    `cut` answers as if the time were up half way: part of the index was not seen, and nothing says so.
    `hidden` documents are not in the index yet."""
    found = compiled(parse(query, index.default), index).scores()
    ranked = sorted((-round(score, 6), rng.random(), doc) for doc, score in found.items())
    if hidden:
        ranked = [hit for hit in ranked if not hidden(hit[2])]
    if cut:
        ranked = [hit for hit in ranked if rng.random() < 0.5]
    best = (-ranked[0][0] if ranked else 0.0) or 1.0
    page = ranked[offset : offset + limit]
    return Hits(len(ranked), [(doc, max(1, round(-100 * score / best))) for score, _, doc in page])
