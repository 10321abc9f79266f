"""A search index over documents that are numbers: postings for every field, built when first asked for."""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from soulspot.sandbox.search.analysis import tokens
from soulspot.sandbox.search.lucene import BadQuery

Kind = Literal["text", "accents", "keyword", "mbid", "number", "date"]
_MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Field:
    """How a field is indexed and where its values come from, given a document's number."""

    kind: Kind
    values: Callable[[int], Iterable[str]]


class FieldIndex:
    """One field of all documents. `terms` maps a token, or a whole value, to its documents, ascending."""

    def __init__(self, field: Field, size: int) -> None:
        self.kind, self.size = field.kind, size
        self.analysed = field.kind in ("text", "accents")
        self.words: list[tuple[str | None, ...]] = []  # per document, None between its values
        gathered: defaultdict[str, array[int]] = defaultdict(lambda: array("l"))
        for doc in range(size):
            if self.analysed:
                self._add_text(gathered, doc, field.values(doc))
            else:
                for value in {self.canonical(value) for value in field.values(doc)}:
                    gathered[value].append(doc)
        self.terms: Mapping[str, array[int]] = dict(gathered)

    def _add_text(self, gathered: defaultdict[str, array[int]], doc: int, values: Iterable[str]) -> None:
        words: list[str | None] = []
        for value in values:
            if words:
                words.append(None)
            words += tokens(value, self.kind == "accents")
        self.words.append(tuple(words))
        for token in set(words):
            if token is not None:
                gathered[token].append(doc)

    @cached_property
    def average(self) -> float:
        return max(1.0, sum(map(len, self.words)) / max(1, self.size))

    def canonical(self, value: str) -> str:
        """A value as the index keeps it. Raises BadQuery where the real one cannot read it."""
        if self.kind == "mbid":
            if not _MBID.fullmatch(value):
                raise BadQuery(f"Invalid UUID String: '{value}'")
            return value.lower()
        if self.kind == "number":
            return str(_number(value))
        if self.kind == "date" and not _DATE.fullmatch(value):
            raise BadQuery(f"Couldn't parse date because: Improperly formatted date: {value}")
        return value.lower()

    def docs(self, token: str) -> array[int]:
        return self.terms.get(token) or array("l")

    def has(self, doc: int, token: str) -> bool:
        found = self.terms.get(token)
        if not found:
            return False
        at = bisect_left(found, doc)
        return at < len(found) and found[at] == doc

    def idf(self, frequency: int) -> float:
        """How telling a term in this many documents is; a whole value tells nothing by being rare."""
        if not self.analysed:
            return 1.0
        return math.log(1 + (self.size - frequency + 0.5) / (frequency + 0.5))

    def weight(self, doc: int, token: str) -> float:
        """BM25's share of one term in one document: often is better, long fields are worse."""
        if not self.analysed:
            return 1.0
        words = self.words[doc]
        often = words.count(token)
        return often * 2.2 / (often + 0.3 + 0.9 * len(words) / self.average)

    def phrase_at(self, doc: int, phrase: tuple[str, ...], slop: int) -> bool:
        """Whether the words stand one after the other in one value, in all at most `slop` places apart."""
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
    def numbers(self) -> tuple[list[int], list[int]]:
        """All numbers ascending, and beside them the documents they are in."""
        pairs = sorted((int(term), doc) for term, docs in self.terms.items() for doc in docs)
        return [number for number, _ in pairs], [doc for _, doc in pairs]

    @cached_property
    def _numbers_of(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, doc in zip(*self.numbers, strict=True):
            found.setdefault(doc, []).append(number)
        return found

    def numbers_of(self, doc: int) -> list[int]:
        return self._numbers_of.get(doc, [])

    def docs_between(self, low: float, high: float) -> list[int]:
        numbers, docs = self.numbers
        return docs[bisect_left(numbers, low) : bisect_right(numbers, high)]

    def numeric(
        self, low: str | None, high: str | None, include_low: bool, include_high: bool
    ) -> tuple[float, float]:
        """A range of numbers, both ends included. Raises BadQuery for what is no number."""
        return (
            -math.inf if low is None else _number(low) + (0 if include_low else 1),
            math.inf if high is None else _number(high) - (0 if include_high else 1),
        )

    def between(self, low: str | None, high: str | None, include_low: bool, include_high: bool) -> list[str]:
        """The terms within a range: dates by the time they mean, others by spelling."""
        lowest = "" if low is None else self.canonical(low)
        highest = "\U0010ffff" if high is None else self.canonical(high) + "\U0010ffff"
        return [
            term
            for term in self.terms
            if (term >= lowest or lowest.startswith(term))
            and term <= highest
            and (include_low or term != lowest)
            and (include_high or high is None or term != highest[:-1])
        ]

    def dates(self, text: str) -> list[str]:
        """The dates that overlap this one: 2003-01 overlaps 2003 and 2003-01-17."""
        wanted = self.canonical(text)
        return [term for term in self.terms if term.startswith(wanted) or wanted.startswith(f"{term}-")]

    def matching(self, regex: str) -> list[str]:
        """The terms a pattern describes."""
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
    """Fields by name; `default` is searched where a query names none."""

    def __init__(self, size: int, fields: Mapping[str, Field], default: str) -> None:
        self.size, self.fields, self.default = size, fields, default
        self._built: dict[str, FieldIndex] = {}

    def build(self, names: Iterable[str]) -> None:
        """Build these fields now, so that no search has to wait for it."""
        for name in names:
            self.field(name)

    def field(self, name: str) -> FieldIndex:
        """The index of a field. Raises BadQuery for a name the service does not have."""
        if name not in self.fields:
            raise BadQuery(f"undefined field {name}")
        if name not in self._built:
            self._built[name] = FieldIndex(self.fields[name], self.size)
        return self._built[name]
