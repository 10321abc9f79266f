"""The version phrases of `phrases.toml`, where every kind and mark is explained, ready for use."""

from typing import NamedTuple

from soulspot.matching.text.vocabulary import load_table, split_lines


class Kind(NamedTuple):
    """A kind of version, such as "live", with the phrases and the marks of its table."""

    name: str
    phrases: str
    anywhere: str = ""
    shown: str = ""
    same_recording: bool = False
    names_itself: bool = False
    many: bool = False
    packaging: bool = False
    unstated: bool = False


_TABLE = load_table(__package__, "phrases.toml")

KINDS = tuple(Kind(**entry) for entry in _TABLE["kind"])
ALBUM_KINDS = tuple(Kind(**entry) for entry in _TABLE["album"])
LANGUAGES = "|".join(split_lines(_TABLE["languages"]))
TRAILING: str = _TABLE["trailing"]
FILLER = frozenset(_TABLE["filler"].split())
NEAR = tuple(map(frozenset, _TABLE["near"]))
ALONGSIDE = tuple(map(frozenset, _TABLE["alongside"]))

SHOWN = {kind.name: kind.shown for kind in KINDS if kind.shown}
SAME_RECORDING = frozenset(kind.name for kind in KINDS if kind.same_recording)
NAMES_ITSELF = frozenset(kind.name for kind in KINDS if kind.names_itself)
MANY = frozenset(kind.name for kind in KINDS if kind.many)
PACKAGING = frozenset(kind.name for kind in KINDS if kind.packaging)
UNSTATED = frozenset(kind.name for kind in KINDS if kind.unstated)
