"""Lucene's classic query syntax, parsed to a tree; what Lucene's parser refuses is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class BadQuery(ValueError):
    """Lucene cannot parse the query, or the index has no such field or cannot read the value."""


class Occur(Enum):
    """The role of a clause: required, optional or forbidden."""

    MUST = "+"
    SHOULD = ""
    NOT = "-"


@dataclass(frozen=True, slots=True)
class Term:
    """One unquoted word, escapes removed; `fuzzy` is the edit distance allowed, None for exact."""

    field: str
    text: str
    fuzzy: int | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """A quoted text; its words may be `slop` positions apart."""

    field: str
    text: str
    slop: int = 0


@dataclass(frozen=True, slots=True)
class Pattern:
    """A wildcard term or a /regular expression/, as a regular expression over tokens."""

    field: str
    regex: str


@dataclass(frozen=True, slots=True)
class Range:
    """[low TO high]; an end is None when it is open (*), and excluded with a brace."""

    field: str
    low: str | None
    high: str | None
    include_low: bool = True
    include_high: bool = True


@dataclass(frozen=True, slots=True)
class Everything:
    """The query *:*, which matches every document."""


@dataclass(frozen=True, slots=True)
class Boosted:
    """A clause whose score counts `boost` times."""

    node: Node
    boost: float


@dataclass(frozen=True, slots=True)
class Boolean:
    """Clauses side by side, each required, optional or forbidden."""

    clauses: tuple[tuple[Occur, Node], ...]


Node = Term | Phrase | Pattern | Range | Everything | Boosted | Boolean

_START = r"""(?:[^\s\u3000+\-!():^\[\]"{}~*?\\/]|\\.)"""
_WILD = r"""(?:[^\s\u3000!():^\[\]"{}~\\/]|\\.)"""
_LEXER = re.compile(
    rf"""(?P<space>[\s\u3000]+)
    |(?P<and>AND(?![^\s\u3000()"\[\]{{}}:^~])|&&)
    |(?P<or>OR(?![^\s\u3000()"\[\]{{}}:^~])|\|\|)
    |(?P<not>NOT(?![^\s\u3000()"\[\]{{}}:^~])|!)
    |(?P<range>[\[{{]\s*(?P<low>"(?:[^"\\]|\\.)*"|[^\s\]}}]+)\s+TO\s+(?P<high>"(?:[^"\\]|\\.)*"|[^\s\]}}]+)\s*[\]}}])
    |(?P<quoted>"(?:[^"\\]|\\.)*")
    |(?P<regex>/(?:[^/\\]|\\.)*/)
    |(?P<fuzzy>~[0-9.]*)
    |(?P<boost>\^[0-9.]*)
    |(?P<plus>\+)|(?P<minus>-)|(?P<open>\()|(?P<close>\))|(?P<colon>:)
    |(?P<term>{_START}(?:{_START}|[-+])*+(?![*?]))
    |(?P<star>\*(?=:))
    |(?P<wild>(?:{_START}|[*?]){_WILD}*)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class _Token:
    kind: str  # the name of its group in _LEXER
    text: str
    at: int  # column, from 0
    low: str | None = None  # of a range
    high: str | None = None


def parse(query: str, default_field: str) -> Node:
    """Return the query as a tree. Raises BadQuery where Lucene raises a ParseException."""
    tokens = _lex(query)
    if not tokens:
        raise BadQuery("empty query")
    parser = _Parser(tokens)
    node = parser.query(default_field)
    if parser.at < len(tokens):
        raise parser.error()
    return node


def escape(text: str) -> str:
    """Return the text with every character that means something to Lucene escaped."""
    return re.sub(r'([+\-!(){}\[\]^"~*?:\\/&|])', r"\\\1", text)


def _lex(query: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(query):
        found = _LEXER.match(query, at)
        if not found or found.end() == at:
            raise BadQuery(f"Lexical error at column {at + 1}")
        # in a range the last group that matched is one of its ends
        kind = "range" if found["range"] else found.lastgroup or ""
        if kind != "space":
            tokens.append(_Token(kind, found[kind], at, found["low"], found["high"]))
        at = found.end()
    return tokens


def _unescape(text: str) -> str:
    if text.endswith("\\") and not text.endswith("\\\\"):
        raise BadQuery("Term can not end with escape character.")
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.at = tokens, 0

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at].kind if at < len(self.tokens) else "end"

    def next(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def error(self) -> BadQuery:
        if self.at >= len(self.tokens):
            return BadQuery("Encountered <EOF>")
        token = self.tokens[self.at]
        return BadQuery(f'Encountered "{token.text}" at column {token.at + 1}')

    def query(self, field: str) -> Node:
        """Parse clauses up to a closing parenthesis or the end.

        As in the classic parser, AND makes both neighbours required, OR neither."""
        clauses: list[tuple[Occur, Node]] = []
        while True:
            joined = self.next().kind if clauses and self.peek() in ("and", "or") else ""
            occur = Occur.SHOULD
            if self.peek() in ("plus", "minus", "not"):
                occur = Occur.MUST if self.next().kind == "plus" else Occur.NOT
            node = self.clause(field)
            # A clause that was optional becomes required by the AND behind it.
            if joined == "and":
                if clauses[-1][0] is Occur.SHOULD:
                    clauses[-1] = (Occur.MUST, clauses[-1][1])
                if occur is Occur.SHOULD:
                    occur = Occur.MUST
            clauses.append((occur, node))
            if self.peek() in ("close", "end"):
                break
        # A single clause needs no tree around it, unless it is forbidden.
        if len(clauses) == 1 and clauses[0][0] is not Occur.NOT:
            return clauses[0][1]
        return Boolean(tuple(clauses))

    def clause(self, field: str) -> Node:
        if self.peek() in ("term", "star") and self.peek(1) == "colon":
            name = self.next()
            self.next()
            field = "*" if name.kind == "star" else _unescape(name.text)
        if self.peek() == "open":
            self.next()
            node = self.query(field)
            if self.peek() != "close":
                raise self.error()
            self.next()
            return self.boosted(node)
        return self.boosted(self.term(field))

    def boosted(self, node: Node) -> Node:
        if self.peek() != "boost":
            return node
        try:
            return Boosted(node, float(self.next().text[1:]))
        except ValueError:
            raise BadQuery("Cannot parse the boost") from None

    def term(self, field: str) -> Node:
        if self.peek() not in ("term", "wild", "quoted", "range", "regex"):
            raise self.error()
        token = self.next()
        match token.kind:
            case "range":
                ends = _bound(token.low), _bound(token.high)
                return Range(field, *ends, token.text.startswith("["), token.text.endswith("]"))
            case "regex":
                return Pattern(field, token.text[1:-1])
            case "wild":
                if token.text == "*" and field == "*":
                    return Everything()
                return Pattern(field, _wildcard(token.text))
            case "quoted":
                slop = self.next().text[1:] if self.peek() == "fuzzy" else ""
                return Phrase(field, _unescape(token.text[1:-1]), int(float(slop or 0)))
        fuzzy = None
        if self.peek() == "fuzzy":
            given = float(self.next().text[1:] or 2)
            # from 1 on a number of edits; below 1 a similarity, as in old versions of Lucene
            fuzzy = int(given) if given >= 1 else 2 if given else 0
        return Term(field, _unescape(token.text), fuzzy)


def _bound(text: str | None) -> str | None:
    if text is None or text == "*":
        return None
    return _unescape(text[1:-1] if text.startswith('"') else text)


def _wildcard(text: str) -> str:
    parts = re.findall(r"\\.|.", text, flags=re.DOTALL)
    return "".join({"*": ".*", "?": "."}.get(part, re.escape(_unescape(part))) for part in parts)
