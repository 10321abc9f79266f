"""Matching: tags and candidates in, a decision with its reasons out; pure functions, nothing waits or writes."""

from soulspot.matching.albums.assigning import Pairing, assign
from soulspot.matching.albums.editions import choose_editions, same_artist
from soulspot.matching.albums.groups import album_member
from soulspot.matching.decision import accepted_by_name, decide
from soulspot.matching.nearby import nearby
from soulspot.matching.records import compare_records
from soulspot.matching.text.fallback import normalise_tags, without_artist
from soulspot.matching.text.names import goes_by, is_called
from soulspot.matching.text.titles import parse_title
from soulspot.matching.values import ALL_FREE, Candidate, Decision, MatchPolicy, Scored, Share
from soulspot.matching.versions.words import shown, version_words

__all__ = [
    "ALL_FREE",
    "Candidate",
    "Decision",
    "MatchPolicy",
    "Pairing",
    "Scored",
    "Share",
    "accepted_by_name",
    "album_member",
    "assign",
    "choose_editions",
    "compare_records",
    "decide",
    "goes_by",
    "is_called",
    "nearby",
    "normalise_tags",
    "parse_title",
    "same_artist",
    "shown",
    "version_words",
    "without_artist",
]
