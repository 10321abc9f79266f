"""The matching documents of a parsed query and their scores, the rarest clause first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from random import Random

from rapidfuzz.distance import OSA

from soulspot.sandbox.search import lucene
from soulspot.sandbox.search.analysis import tokens
from soulspot.sandbox.search.index import FieldIndex, Index

Scores = dict[int, float]  # document -> score


# The classes of matchers have the same two members. `cost` is about how many documents `scores`
# goes through; `scores` returns the documents that match, of all or of those `among` these.


@dataclass
class OneTerm:
    """Matches one token, or one whole value."""

    field: FieldIndex
    term: str

    @property
    def cost(self) -> int:
        return len(self.field.docs(self.term))

    def scores(self, among: Collection[int] | None = None) -> Scores:
        field, term, idf = self.field, self.term, self.field.idf(self.cost)
        docs: Iterable[int] = field.docs(term)
        if among is not None:
            docs = (doc for doc in among if field.has(doc, term))
        return {doc: idf * field.weight(doc, term) for doc in docs}


@dataclass
class AnyOf:
    """Matches these documents, all with the same score: patterns, ranges, everything."""

    docs: Collection[int]

    @property
    def cost(self) -> int:
        return len(self.docs)

    def scores(self, among: Collection[int] | None = None) -> Scores:
        docs = self.docs if among is None else [doc for doc in among if self.matches(doc)]
        return dict.fromkeys(docs, 1.0)

    def matches(self, doc: int) -> bool:
        return doc in self.docs


class Between(AnyOf):
    """Matches a number in a range, both ends included."""

    def __init__(self, field: FieldIndex, low: float, high: float) -> None:
        super().__init__(field.docs_between(low, high))
        self.field, self.low, self.high = field, low, high

    def matches(self, doc: int) -> bool:
        # A document's own numbers are few; the documents are a long list in order of numbers.
        return any(self.low <= number <= self.high for number in self.field.numbers_by_doc.get(doc, ()))


@dataclass
class WordsInOrder:
    """Matches a phrase of at least two words."""

    field: FieldIndex
    words: tuple[str, ...]
    slop: int  # see `FieldIndex.has_phrase`

    @cached_property
    def all_words(self) -> Clauses:
        return Clauses([OneTerm(self.field, word) for word in set(self.words)], [], [])

    @property
    def cost(self) -> int:
        return self.all_words.cost

    def scores(self, among: Collection[int] | None = None) -> Scores:
        has_phrase = self.field.has_phrase
        scores = self.all_words.scores(among)
        return {doc: score for doc, score in scores.items() if has_phrase(doc, self.words, self.slop)}


@dataclass
class Times:
    """Matches as its part does, with the score multiplied by `boost`."""

    part: Matcher
    boost: float

    @property
    def cost(self) -> int:
        return self.part.cost

    def scores(self, among: Collection[int] | None = None) -> Scores:
        return {doc: score * self.boost for doc, score in self.part.scores(among).items()}


@dataclass
class Clauses:
    """Matches required, optional and forbidden parts; at least one must match."""

    must: list[Matcher]
    should: list[Matcher]
    never: list[Matcher]

    @cached_property
    def cheapest_first(self) -> list[Matcher]:
        return sorted(self.must, key=lambda part: part.cost)

    @property
    def cost(self) -> int:
        return self.cheapest_first[0].cost if self.must else sum(part.cost for part in self.should)

    def scores(self, among: Collection[int] | None = None) -> Scores:
        total: Scores = {}
        if self.must:
            # Only the rarest part goes through all its documents. The other parts are asked about
            # the documents that are left: a common word costs little beside a rare one.
            total = self.cheapest_first[0].scores(among)
            for part in self.cheapest_first[1:]:
                shares = part.scores(total)
                total = {doc: score + shares[doc] for doc, score in total.items() if doc in shares}
            among = total
        for part in self.should:
            for doc, share in part.scores(among).items():
                total[doc] = total.get(doc, 0.0) + share
        for part in self.never:
            for doc in part.scores(total):
                del total[doc]
        return total


Matcher = OneTerm | AnyOf | WordsInOrder | Times | Clauses


def compile_query(node: lucene.Node, index: Index, is_top: bool = True) -> Matcher:
    """Return the matcher of a query. Raises BadQuery for unknown fields and unreadable values."""
    match node:
        case lucene.Everything():
            return AnyOf(range(index.size))
        case lucene.Boosted(part, boost):
            return Times(compile_query(part, index, is_top), boost)
        case lucene.Boolean(clauses):
            # In the order of Occur: required, optional, forbidden.
            parts: dict[lucene.Occur, list[Matcher]] = {occur: [] for occur in lucene.Occur}
            for occur, part in clauses:
                parts[occur].append(compile_query(part, index, False))
            must, should, never = parts.values()
            if is_top and never and not must and not should:
                # Solr, unlike Lucene, answers a query of nothing but NOT
                must = [AnyOf(range(index.size))]
            return Clauses(must, should, never)
    field = index.field(node.field)
    match node:
        case lucene.Range() if field.kind == "number":
            return Between(field, *field.number_bounds(node))
        case lucene.Range():
            return _any_term(field, field.terms_between(node))
        case lucene.Pattern(regex=regex):
            return _any_term(field, field.matching_terms(regex))
        case lucene.Phrase(text=text, slop=slop):
            return _text(field, text, slop)
        case lucene.Term(text=text, fuzzy=None):
            return _text(field, text)
        case lucene.Term(text=text, fuzzy=int(edits)):
            # A fuzzy term is one token: anything behind its first word is ignored.
            wanted = tokens(text)[0] if field.is_analysed and tokens(text) else text.lower()
            near = [t for t in field.terms if OSA.distance(t, wanted, score_cutoff=edits) <= edits]
            return _any_term(field, near)
    raise AssertionError(f"no such node: {node}")


def _any_term(field: FieldIndex, terms: list[str]) -> AnyOf:
    return AnyOf({doc for term in terms for doc in field.docs(term)})


def _text(field: FieldIndex, text: str, slop: int | None = None) -> Matcher:
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
    """Rank the documents of a query and return `limit` of them from `offset` on.

    Equal scores stand in no stable order: `rng` shuffles them anew each time. `cut` answers as if
    the time were up half way. `hidden` documents are not in the index yet. Raises BadQuery."""
    scores = compile_query(lucene.parse(query, index.default), index).scores()
    # Sums of floats depend on their order: rounded, equal scores are equal.
    ranked = sorted((-round(score, 6), rng.random(), doc) for doc, score in scores.items())
    if hidden:
        ranked = [hit for hit in ranked if not hidden(hit[2])]
    if cut:
        ranked = [hit for hit in ranked if rng.random() < 0.5]
    best = (-ranked[0][0] if ranked else 0.0) or 1.0
    page = ranked[offset : offset + limit]
    return Hits(len(ranked), [(doc, max(1, round(-100 * score / best))) for score, _, doc in page])
