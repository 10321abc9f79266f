"""Artist names: credits split into names, and two credits compared."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz.fuzz import ratio

from soulspot.matching.text.scripts import differ_in_script, name_sound_similarity, unify_letters
from soulspot.matching.text.vocabulary import IMITATION, UNKNOWN_ARTISTS, VARIOUS_ARTISTS
from soulspot.text import fold, latin

_FEATURED = r"(?:feat(?:\.|uring)?|ft\.?|f/|w/|con la colaboracion de|starring|presents|pres\.?)"
# Behind "feat." and "w/" a blank is often forgotten; "w/o" is "without".
_BLANK = r"(?:[\s:]+|(?<=[./])(?=\w)(?!(?<=w/)o\b))"
FEATURED = re.compile(rf"(?i)[\s,;]+\(?{_FEATURED}{_BLANK}(?P<names>.+?)\)?$")
_WITH = r"(?:with|con|avec|mit|com)"
_DUET = rf"(?:(?:an?|in|im|en|un|una|ein) )?(?:duet|duett|duetto|dueto|duo) {_WITH}"
FEATURED_BRACKET = re.compile(rf"(?i)^(?:(?P<explicit>{_FEATURED}|{_DUET})|{_WITH}){_BLANK}(?P<names>.+)$")
# Any of these may be part of one name ("Earth, Wind & Fire"). That does no harm: whole credits are
# compared first, and such a name falls into the same pieces on both sides.
_JOIN = re.compile(
    r"(?i)\s*(?:;|/|\x00|、|，|×|・(?=.*・)|,(?!\s*(?:jr|sr|the|inc)\b)|\s(?:&|\+|x|vs\.?|versus|and|und|et|y|e|och|og|en|ja|with|con|avec"
    r"|mit|feat\.?|featuring|ft\.?|meets|presents|pres\.|и|和|與|与)\s)\s*"
)
_THE_LAST = re.compile(r"(?i)^(?P<name>.+),\s*(?P<article>the|die|der|das|les|le|la|los|las|el)$")
_BACKING = re.compile(r"(?i)(?:the|his|her|their|los|las|les|die|seine?|ihre?) ")
_BAND_WORDS = frozenset(
    ("the", "and", "his", "her", "their", "band", "orchestra", "group", "ensemble", "trio", "quartet")
)
_ARTICLE = re.compile(r"^(?:the|a|an) (?=\w)")
_LETTER_SIGNS = str.maketrans({"$": "s", "€": "e"})
_INNER_BANG = re.compile(r"(?<=\w)!(?=\w)")


def is_various(name: str | None) -> bool:
    """Whether the name is a compilation's word for many artists: "Various Artists", "群星"."""
    return name is not None and fold(name) in VARIOUS_ARTISTS


def is_unknown(name: str) -> bool:
    """Whether the name is a program's word for no artist: "Unknown Artist", "null"."""
    return fold(name) in UNKNOWN_ARTISTS


def is_imitation(name: str) -> bool:
    return bool(IMITATION.search(fold(name)))


@lru_cache(maxsize=1024)
def name_key(name: str) -> str:
    """Return a name folded for comparison, without its article; a name of signs stays itself.
    >>> name_key("Beatles, The"), name_key("P!nk"), name_key("!!!")
    ('beatles', 'pink', '!!!')"""
    turned = _THE_LAST.sub(r"\g<article> \g<name>", name.strip())
    if any(c.isalpha() for c in turned):
        turned = _INNER_BANG.sub("i", turned.translate(_LETTER_SIGNS))
    return _ARTICLE.sub("", fold(turned)) or name.casefold().strip()


@lru_cache(maxsize=1024)
def split_credit(credit: str) -> tuple[str, ...]:
    """Return the names in an artist credit, featured ones last.
    >>> split_credit("Mara Quill & Oto Lind feat. Guest")
    ('Mara Quill', 'Oto Lind', 'Guest')"""
    main, featured = split_featured(credit)
    return tuple(dict.fromkeys(_split_names(main))) + tuple(dict.fromkeys(featured))


@lru_cache(maxsize=1024)
def split_featured(text: str) -> tuple[str, tuple[str, ...]]:
    """Split a title or a credit from its "feat. ..." tail; return it with the names in that."""
    found = FEATURED.search(text)
    if not found or not text[: found.start()].strip(" ("):
        return text, ()
    names = tuple(name for name in _split_names(found["names"]) if name.strip(" )"))
    return text[: found.start()].strip(), names


def _split_names(text: str) -> Iterable[str]:
    return (name.strip() for name in _JOIN.split(text) if name.strip())


@dataclass(frozen=True, slots=True)
class Credit:
    """The artists of a track."""

    whole: str = ""  # the credit as written, without featured artists
    names: tuple[str, ...] = ()  # the single names in it
    featured: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()  # other names of any of them

    @property
    def is_known(self) -> bool:
        return bool(self.names)

    @property
    def everybody(self) -> frozenset[str]:
        """The keys of all names, featured ones included."""
        return frozenset(unify_letters(name_key(name)) for name in (*self.names, *self.featured))


@lru_cache(maxsize=1024)
def parse_credit(artist: str | None, artists: tuple[str, ...] = (), aliases: tuple[str, ...] = ()) -> Credit:
    """Return the credit that an artist field and a list of single names make. Either may be
    missing. Words for nobody ("Various Artists", "Unknown") are dropped."""
    whole = (artist or "").strip()
    if is_various(whole) or is_unknown(whole):
        whole = ""
    listed = tuple(a.strip() for a in artists if a.strip() and not is_various(a) and not is_unknown(a))
    main, featured = split_featured(whole)
    if len(listed) < 2:
        pieces = split_credit(main)
        listed = listed if listed and len(pieces) < 2 and not featured else pieces
    guests = set(map(name_key, featured))
    names = tuple(name for name in listed if name_key(name) not in guests)
    return Credit(main, names, featured, tuple(alias for alias in aliases if alias.strip()))


@lru_cache(maxsize=1024)
def name_similarity(a: str, b: str) -> float:
    """Return 0 to 1: 1 for equal `name_key`s, 0.99 in another order, at most 0.98 or as alike as
    they sound in another script; 0.8 where the words of one name are all in the other. Different
    names usually get less than 0.75.
    >>> name_similarity("Quill, Mara", "Mara Quill"), name_similarity("Yes", "No")
    (0.99, 0.0)"""
    x, y = key_a, key_b = name_key(a), name_key(b)
    if x == y or x.replace(" ", "") == y.replace(" ", ""):
        return 1.0
    if sorted(x.split()) == sorted(y.split()):
        return 0.99
    if not (x.isascii() and y.isascii()):
        if unify_letters(x) == unify_letters(y):
            return 1.0
        x, y = latin(x) or x, latin(y) or y
        if x.replace(" ", "") == y.replace(" ", "") or sorted(x.split()) == sorted(y.split()):
            return 0.98
        if differ_in_script(key_a, key_b):
            return name_sound_similarity(key_a, key_b) or 0.0
    best = max(ratio(x, y), ratio(x.replace(" ", ""), y.replace(" ", ""))) / 100
    # Of short names (U2, ABC, Yes) one letter is a large part, and chance.
    if min(len(x), len(y)) < 4:
        return best * 0.6
    if best < 0.85:
        fewer, more = sorted((frozenset(x.split()), frozenset(y.split())), key=len)
        if fewer <= more and max(map(len, fewer)) >= 4:
            # Composers of classical music go by their last names, "Bach" for "Johann Sebastian
            # Bach"; but then "Prince" is like "Prince Royce", too.
            return 0.8
    return best if best >= 0.75 else best * 0.6


def credit_similarity(a: Credit, b: Credit) -> float | None:
    """Return 0 to 1; from about 0.75 on the credits share their main artist. None where a side
    names nobody, or the scripts cannot be compared. An imitator (karaoke, tribute) and an original
    are never alike."""
    if not a.is_known or not b.is_known:
        return None
    if differ_in_imitation(a, b):
        return 0.0
    whole = name_similarity(a.whole, b.whole)
    if whole == 1.0:
        return 1.0
    one, other = _comparable_names(a, b)
    forward, back = _coverage(one, other), _coverage(other, one)
    pieces = 0.88 * max(forward, back) + 0.12 * min(forward, back)
    main = max((name_similarity(a.names[0], name) for name in (*b.names, *b.featured)), default=0.0)
    if main >= 0.9:
        pieces = max(pieces, 0.8)  # the same main artist beside other artists
    alias = max(
        (
            name_similarity(known, name)
            for this, that in ((a, b), (b, a))
            for known in this.aliases
            for name in (that.whole, *that.names)
        ),
        default=0.0,
    )
    best = max(whole, pieces, alias * 0.99 if alias >= 0.9 else 0.0)
    # Only main names and aliases decide here: a guest in a script that can be compared says nothing
    # about a main artist in one that cannot.
    if best < 0.6 and all(
        differ_in_script(name_key(x), name_key(y)) for x in (*a.names, *a.aliases) for y in (*b.names, *b.aliases)
    ):
        return None
    return best


def lacks_artists(a: Credit, b: Credit) -> bool:
    """Whether `b` is another act than `a`, although they share an artist: `b` lacks one that `a`
    names, as half of a duo does, or its lead is no main artist of `a`, as where lead and guest are
    swapped. A backing band ("and the Wailers") may be left out, and so may guests."""
    if not a.is_known or not b.is_known or name_similarity(a.whole, b.whole) >= 0.85:
        return False
    theirs = (b.whole, *b.names, *b.featured, *b.aliases)
    missing = (name for name in a.names if not _BACKING.match(name))
    if any(not any(_may_be_one(name, other) for other in theirs) for name in missing):
        return True
    return not any(_may_be_one(name, b.names[0]) for name in (a.whole, *a.names, *a.aliases))


def has_one_word_more(a: Credit, b: Credit) -> bool:
    """Whether two names differ in whole words that one has and the other lacks, as "Alex" and "Alex
    G" do: two acts, unless the words merely say that it is a band."""
    if len(a.names) != 1 or len(b.names) != 1:
        return False
    fewer, more = sorted((set(name_key(a.whole).split()), set(name_key(b.whole).split())), key=len)
    return fewer < more and not more - fewer <= _BAND_WORDS


def _may_be_one(a: str, b: str) -> bool:
    return name_similarity(a, b) >= 0.75 or differ_in_script(name_key(a), name_key(b))


def differ_in_imitation(a: Credit, b: Credit) -> bool:
    return any(map(is_imitation, a.names)) != any(map(is_imitation, b.names))


def _comparable_names(a: Credit, b: Credit) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names to compare: featured ones count where both sides have some or need them."""
    if (
        bool(a.featured) == bool(b.featured)
        or (len(a.names) > len(b.names) and b.featured)
        or (len(b.names) > len(a.names) and a.featured)
    ):
        return a.names + a.featured, b.names + b.featured
    return a.names, b.names


def _coverage(names: tuple[str, ...], others: tuple[str, ...]) -> float:
    return sum(max(name_similarity(n, o) for o in others) for n in names) / len(names)


def artist_has_name(artist: Mapping[str, Any], name: str) -> bool:
    """Whether an artist (the fields of a search's hit) is called `name` upstream."""
    return name_similarity(str(artist.get("artist", "")), name) == 1.0


def artist_has_alias(artist: Mapping[str, Any], name: str) -> bool:
    """Whether an artist (the fields of a search's hit) of another name has the alias `name`."""
    if artist_has_name(artist, name):
        return False
    return any(name_similarity(str(alias), name) >= 0.95 for alias in artist.get("artist_aliases", ()))
