"""Artist names: credits split into names, and two sets of names compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz.fuzz import ratio

from soulspot.matching.text.scripts import foreign, name_sound_similarity
from soulspot.matching.text.vocabulary import IMITATION, UNKNOWN_ARTISTS, VARIOUS_ARTISTS, lines
from soulspot.text import fold, latin

_FEATURED = r"(?:feat(?:\.|uring)?|ft\.?|f/|w/|con la colaboracion de|starring|presents|pres\.?)"
FEATURED = re.compile(rf"(?i)[\s,;]+\(?{_FEATURED}[\s:]+(?P<names>.+?)\)?$")
FEATURED_BRACKET = re.compile(rf"(?i)^(?:{_FEATURED}|with|con|avec|mit|duet with)[\s:]+(?P<names>.+)$")
# Every one of these may be part of one name ("Earth, Wind & Fire"): whole credits are compared first, and the
# pieces are the same pieces on both sides.
_JOIN = re.compile(
    r"(?i)\s*(?:;|/|\x00|、|，|×|・(?=.*・)|,(?!\s*(?:jr|sr|the|inc)\b)|\s(?:&|\+|x|vs\.?|versus|and|und|et|y|e|och|og|en|ja|with|con|avec"
    r"|mit|feat\.?|featuring|ft\.?|meets|presents|pres\.|и|和|與|与)\s)\s*"
)
_THE_LAST = re.compile(r"(?i)^(?P<name>.+),\s*(?P<article>the|die|der|das|les|le|la|los|las|el)$")
_ARTICLE = re.compile(r"^(?:the|a|an) (?=\w)")
_TOKEN_SIGNS = str.maketrans({"$": "s", "€": "e"})
_INNER_BANG = re.compile(r"(?<=\w)!(?=\w)")

_IMITATION = re.compile("|".join(lines(IMITATION)))


def is_various(name: str | None) -> bool:
    return name is not None and fold(name) in VARIOUS_ARTISTS


def is_unknown(name: str) -> bool:
    """Whether the name is what programs write for none."""
    return fold(name) in UNKNOWN_ARTISTS


def is_imitation(name: str) -> bool:
    """Whether the name says karaoke, tribute or cover."""
    return bool(_IMITATION.search(fold(name)))


@lru_cache(maxsize=16384)
def key(name: str) -> str:
    """A name folded for comparison; "Beatles, The" and "The Beatles" are "beatles", "!!!" stays itself."""
    turned = _THE_LAST.sub(r"\g<article> \g<name>", name.strip())
    turned = (
        _INNER_BANG.sub("i", turned.translate(_TOKEN_SIGNS)) if any(c.isalpha() for c in turned) else turned
    )
    folded = _ARTICLE.sub("", fold(turned))
    return folded or name.casefold().strip()


@lru_cache(maxsize=16384)
def split_credit(credit: str) -> tuple[str, ...]:
    """The names in an artist credit, featured ones last; a credit that does not split is one name."""
    return tuple(
        dict.fromkeys(name.strip() for name in _JOIN.split(unfeatured(credit)[0]) if name.strip())
    ) + tuple(dict.fromkeys(unfeatured(credit)[1]))


@lru_cache(maxsize=16384)
def unfeatured(text: str) -> tuple[str, tuple[str, ...]]:
    """A title or credit without its "feat. ..." tail, and the names in it."""
    found = FEATURED.search(text)
    if not found or not text[: found.start()].strip(" ("):
        return text, ()
    return text[: found.start()].strip(), tuple(
        n.strip() for n in _JOIN.split(found["names"]) if n.strip(" )")
    )


@dataclass(frozen=True, slots=True)
class Credit:
    """Who made a track: the credit as written, the single names, featured ones apart, other names for them."""

    whole: str = ""
    names: tuple[str, ...] = ()
    featured: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.names)

    @property
    def company(self) -> frozenset[str]:
        """Everybody named, folded."""
        return frozenset(map(key, (*self.names, *self.featured)))


def credit_of(artist: str | None, artists: Iterable[str] = (), aliases: Iterable[str] = ()) -> Credit:
    """Read an artist credit and the list of its names (either may be missing); "various" and "unknown" are nobody."""
    whole = (artist or "").strip()
    if fold(whole) in VARIOUS_ARTISTS or fold(whole) in UNKNOWN_ARTISTS:
        whole = ""
    listed = tuple(
        a.strip()
        for a in artists
        if a.strip() and fold(a) not in VARIOUS_ARTISTS and fold(a) not in UNKNOWN_ARTISTS
    )
    main, featured = unfeatured(whole)
    if len(listed) < 2:
        pieces = tuple(n for n in split_credit(main) if n)
        listed = listed if listed and len(pieces) < 2 and not featured else pieces
    guests = {key(name) for name in featured}
    return Credit(
        main,
        tuple(n for n in listed if key(n) not in guests),
        featured,
        tuple(a for a in aliases if a.strip()),
    )


@lru_cache(maxsize=32768)
def name_similarity(a: str, b: str) -> float:
    """0 to 1: 1 for the same name in any spelling, order or script; below 0.75 it is another name."""
    x, y = key(a), key(b)
    if x == y:
        return 1.0
    if x.replace(" ", "") == y.replace(" ", ""):
        return 1.0
    if sorted(x.split()) == sorted(y.split()):
        return 0.99
    if not (x.isascii() and y.isascii()):
        x, y = latin(x) or x, latin(y) or y
        if x.replace(" ", "") == y.replace(" ", "") or sorted(x.split()) == sorted(y.split()):
            return 0.98
        if foreign(key(a), key(b)):
            return name_sound_similarity(key(a), key(b)) or 0.0
    best = max(ratio(x, y), ratio(x.replace(" ", ""), y.replace(" ", ""))) / 100
    shorter = min(len(x), len(y))
    if shorter < 4:
        return best * 0.6
    if best < 0.85:
        wordset, other = sorted((frozenset(x.split()), frozenset(y.split())), key=len)
        if wordset <= other and max(map(len, wordset)) >= 4:
            return 0.8  # "Bach" for "Johann Sebastian Bach", but also "Prince" for "Prince Royce"
    return best if best >= 0.75 else best * 0.6


def credit_similarity(a: Credit, b: Credit) -> float | None:
    """0 to 1, None when a side names nobody or the names are in scripts that cannot be compared.

    From about 0.75 on the credits share their main artist."""
    if not a.known or not b.known:
        return None
    if any(map(is_imitation, a.names)) != any(map(is_imitation, b.names)):
        return 0.0
    if name_similarity(a.whole, b.whole) == 1.0:
        return 1.0
    one, other = _sides(a, b)
    whole = name_similarity(a.whole, b.whole)
    forward, back = _cover(one, other), _cover(other, one)
    pieces = 0.88 * max(forward, back) + 0.12 * min(forward, back)
    main = max((name_similarity(a.names[0], n) for n in _all(b)), default=0.0)
    if main >= 0.9:
        pieces = max(pieces, 0.8)  # the same main artist with other company
    alias = max((name_similarity(x, n) for x in a.aliases for n in (b.whole, *b.names)), default=0.0)
    alias = max(
        alias, max((name_similarity(x, n) for x in b.aliases for n in (a.whole, *a.names)), default=0.0)
    )
    best = max(whole, pieces, alias * 0.99 if alias >= 0.9 else 0.0)
    # guests in a script that can be compared are no names of the main artist
    if best < 0.6 and all(
        foreign(key(x), key(y)) for x in (*a.names, *a.aliases) for y in (*b.names, *b.aliases)
    ):
        return None
    return best


def _all(credit: Credit) -> tuple[str, ...]:
    return credit.names + credit.featured


def _sides(a: Credit, b: Credit) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names to compare: featured ones only where both sides have some or need them."""
    if bool(a.featured) == bool(b.featured):
        return _all(a), _all(b)
    if len(a.names) > len(b.names) and b.featured:
        return _all(a), _all(b)
    if len(b.names) > len(a.names) and a.featured:
        return _all(a), _all(b)
    return a.names, b.names


def _cover(names: tuple[str, ...], others: tuple[str, ...]) -> float:
    return sum(max(name_similarity(n, o) for o in others) for n in names) / len(names)


def artist_has_name(artist: Mapping[str, Any], name: str) -> bool:
    """Whether an artist (the fields of an artist search's hit) has this name upstream."""
    return name_similarity(str(artist.get("artist", "")), name) == 1.0


def artist_has_alias(artist: Mapping[str, Any], name: str) -> bool:
    """Whether an artist of other name (the fields of an artist search's hit) goes by `name`, too."""
    if artist_has_name(artist, name):
        return False
    return any(name_similarity(str(one), name) >= 0.95 for one in artist.get("artist_aliases", ()))
