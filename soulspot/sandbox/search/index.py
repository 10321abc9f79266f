"""A search index over numbered documents: the postings of every field, built when first used."""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar

from soulspot.sandbox.catalogue.ids import is_mbid
from soulspot.sandbox.search.analysis import tokens
from soulspot.sandbox.search.lucene import BadQuery, Range

V = TypeVar("V")
Kind = Literal["text", "accents", "keyword", "mbid", "number", "date"]
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_NOTHING = array("l")


@dataclass(frozen=True, slots=True)
class Field:
    """A field's kind and values by document number; "text" and "accents" are split into tokens."""

    kind: Kind
    values: Callable[[int], Iterable[str]]


def fields_of(documents: Sequence[V]) -> Callable[[Kind, Callable[[V], Iterable[str | None]]], Field]:
    """Return a maker of fields from a kind and a function of a document; it drops None and ""."""

    def field(kind: Kind, values: Callable[[V], Iterable[str | None]]) -> Field:
        return Field(kind, lambda doc: [value for value in values(documents[doc]) if value])

    return field


class FieldIndex:
    """One field of all documents.

    `terms` maps a token, or a whole value, to the numbers of its documents in ascending order.
    `words` has the tokens of each document, with None between its values."""

    def __init__(self, field: Field, size: int) -> None:
        self.kind, self.size = field.kind, size
        self.is_analysed = field.kind in ("text", "accents")
        self.words: list[tuple[str | None, ...]] = []
        gathered: defaultdict[str, array[int]] = defaultdict(lambda: array("l"))
        for doc in range(size):
            if self.is_analysed:
                terms = self._add_words(field.values(doc))
            else:
                terms = {self.canonical(value) for value in field.values(doc)}
            for term in terms:
                gathered[term].append(doc)
        self.terms: Mapping[str, array[int]] = dict(gathered)

    def _add_words(self, values: Iterable[str]) -> set[str]:
        words: list[str | None] = []
        for value in values:
            if words:
                # None keeps a phrase from matching across two values.
                words.append(None)
            words += tokens(value, self.kind == "accents")
        self.words.append(tuple(words))
        return {word for word in words if word is not None}

    @cached_property
    def average_length(self) -> float:
        return max(1.0, sum(map(len, self.words)) / max(1, self.size))

    def canonical(self, value: str) -> str:
        """Return a value as the index keeps it. Raises BadQuery where Solr cannot read it."""
        if self.kind == "mbid" and not is_mbid(value):
            raise BadQuery(f"Invalid UUID String: '{value}'")
        if self.kind == "number":
            return str(_number(value))
        if self.kind == "date" and not _DATE.fullmatch(value):
            raise BadQuery(f"Couldn't parse date because: Improperly formatted date: {value}")
        return value.lower()

    def docs(self, term: str) -> array[int]:
        return self.terms.get(term, _NOTHING)

    def has(self, doc: int, term: str) -> bool:
        docs = self.docs(term)
        at = bisect_left(docs, doc)
        return at < len(docs) and docs[at] == doc

    def idf(self, frequency: int) -> float:
        """Return BM25's weight of a term in `frequency` documents; whole values all weigh 1."""
        if not self.is_analysed:
            return 1.0
        return math.log(1 + (self.size - frequency + 0.5) / (frequency + 0.5))

    def weight(self, doc: int, term: str) -> float:
        if not self.is_analysed:
            return 1.0
        words, count = self.words[doc], self.words[doc].count(term)
        # BM25 with Lucene's defaults: k1 1.2, b 0.75.
        return count * 2.2 / (count + 0.3 + 0.9 * len(words) / self.average_length)

    def has_phrase(self, doc: int, phrase: tuple[str, ...], slop: int) -> bool:
        """Whether the words stand in order in one value, at most `slop` other words among them."""
        words, first = self.words[doc], phrase[0]
        return any(words[at] == first and self._follows(words, at, phrase, slop) for at in range(len(words)))

    @staticmethod
    def _follows(words: tuple[str | None, ...], at: int, phrase: tuple[str, ...], slop: int) -> bool:
        left = slop
        for word in phrase[1:]:
            at += 1
            while at < len(words) and words[at] is not None and words[at] != word and left:
                at, left = at + 1, left - 1
            if at >= len(words) or words[at] != word:
                return False
        return True

    @cached_property
    def _numbers(self) -> tuple[list[int], list[int]]:
        # Sorted by number, a range of any width is two binary searches.
        pairs = sorted((int(term), doc) for term, docs in self.terms.items() for doc in docs)
        return [number for number, _ in pairs], [doc for _, doc in pairs]

    @cached_property
    def numbers_by_doc(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, doc in zip(*self._numbers, strict=True):
            found.setdefault(doc, []).append(number)
        return found

    def docs_between(self, low: float, high: float) -> list[int]:
        """Return the documents with a number from `low` to `high`, both included."""
        numbers, docs = self._numbers
        return docs[bisect_left(numbers, low) : bisect_right(numbers, high)]

    def number_bounds(self, wanted: Range) -> tuple[float, float]:
        """Return a range of numbers, both ends included. Raises BadQuery for no number."""
        low = -math.inf if wanted.low is None else _number(wanted.low) + (not wanted.include_low)
        high = math.inf if wanted.high is None else _number(wanted.high) - (not wanted.include_high)
        return low, high

    def terms_between(self, wanted: Range) -> list[str]:
        """Return the terms within a range: dates by the time they mean, others by spelling."""
        low = "" if wanted.low is None else self.canonical(wanted.low)
        # The highest character makes 2001 reach to the end of that year.
        high = "" if wanted.high is None else self.canonical(wanted.high)
        highest = high + "\U0010ffff"
        return [
            term
            for term in self.terms
            if (term >= low or low.startswith(term))
            and term <= highest
            and (wanted.include_low or term != low)
            and (wanted.include_high or wanted.high is None or term != high)
        ]

    def overlapping_dates(self, text: str) -> list[str]:
        """Return the dates that overlap this one: 2003-01 overlaps 2003 and 2003-01-17."""
        wanted = self.canonical(text)
        return [term for term in self.terms if term.startswith(wanted) or wanted.startswith(f"{term}-")]

    def matching_terms(self, regex: str) -> list[str]:
        """Return the terms that match a regular expression. Raises BadQuery for a malformed one."""
        try:
            pattern = re.compile(regex, re.DOTALL | re.IGNORECASE)
        except re.error as error:
            raise BadQuery(f"Cannot parse the pattern: {error}") from None
        return [term for term in self.terms if pattern.fullmatch(term)]


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadQuery(f"Invalid Number: {text}") from None


class Index:
    """Fields by name over `size` documents; `default` is searched where a query names no field."""

    def __init__(self, size: int, fields: Mapping[str, Field], default: str) -> None:
        self.size, self.fields, self.default = size, fields, default
        self._built: dict[str, FieldIndex] = {}

    def build(self, names: Iterable[str]) -> None:
        for name in names:
            self.field(name)

    def field(self, name: str) -> FieldIndex:
        """Return the index of a field. Raises BadQuery for a name the service does not have."""
        if name not in self.fields:
            raise BadQuery(f"undefined field {name}")
        # A search uses few of the thirty fields: the others are never built.
        if name not in self._built:
            self._built[name] = FieldIndex(self.fields[name], self.size)
        return self._built[name]
