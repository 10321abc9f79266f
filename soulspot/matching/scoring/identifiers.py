"""Identifiers verified against text and length, and the score of the candidates they lead to."""

from dataclasses import replace
from enum import Enum

from soulspot.matching.scoring import rules
from soulspot.matching.scoring.features import ALIKE, EQUAL, NAMED, OTHER, Comparison, IdentifierFeature

_NO_IDENTIFIER = IdentifierFeature()


class Standing(Enum):
    """The result of verifying an identifier."""

    ABSENT = "no identifier led here"
    VERIFIED = "the identifier agrees with text and length"
    UNSURE = "the identifier is not confirmed by text and length"
    CONTRADICTED = "the identifier is contradicted by text and length"


def verify(c: Comparison) -> Standing:
    """Judge an identifier by a second signal.

    A recording or Spotify id needs no more than that nothing clear speaks against it. An ISRC,
    which versions and movements of classical works may share, needs title and length or artist on
    its side. Neither is believed against the artist, or a length that only the place explains."""
    if not c.identifiers.is_any:
        return Standing.ABSENT
    if c.title.is_below(0.5) and (c.artist.is_below(0.5) or c.length.contradicts):
        return Standing.CONTRADICTED
    if c.title.likeness == 0.0:  # another movement or part of the same work
        return Standing.CONTRADICTED
    if c.length.contradicts or (c.length.support == 0.0 and not c.album.is_placed):
        return Standing.UNSURE
    # Rather a person is asked than a cover accepted for the original's identifier.
    if c.artist.is_below(OTHER):
        return Standing.UNSURE
    return Standing.VERIFIED if _is_confirmed(c) else Standing.UNSURE


def _is_confirmed(c: Comparison) -> bool:
    has_id = c.identifiers.recording_id
    has_artist, no_artist = c.artist.reaches(ALIKE), c.artist.likeness is None
    if c.version.conflict:
        # Words that say another version are overruled only where taggers often leave them out, or
        # where they stand in a comment ("live, 1999: Oslo") while the title is the very one.
        may_be_missing = c.version.is_packaging or (c.title.is_equal_as_written and has_id)
        return may_be_missing and has_artist and (c.length.support or 0.0) >= 0.9 and c.title.reaches(0.9)
    if c.title.likeness is None:
        if c.title.is_foreign:
            return (has_artist or no_artist) and (c.length.agrees or c.album.is_placed)
        return has_id and (has_artist or (no_artist and c.length.agrees))
    if c.title.reaches(ALIKE):
        same_part = c.title.has_same_parts or c.title.reaches(EQUAL) or c.album.is_placed
        return same_part and (has_id or c.title.reaches(NAMED))
    return c.title.reaches(0.5) and has_id and has_artist and c.length.agrees


def identified_score(c: Comparison, standing: Standing) -> float:
    """Return the score of a candidate whose identifier, if any, has this standing."""
    if standing is Standing.ABSENT:
        return rules.score(c)
    if standing is Standing.VERIFIED:
        is_doubtful = c.version.conflict or c.artist.is_below(OTHER) or not c.title.reaches(ALIKE)
        return max(rules.score(c), rules.WITH_ONE_DOUBT if is_doubtful else rules.VERIFIED_AT_LEAST)
    # An identifier that is not verified counts little, and nothing where it is contradicted.
    plain = rules.score(replace(c, identifiers=_NO_IDENTIFIER))
    if standing is Standing.UNSURE:
        # 0.9 is the default of [matching] accept: an unverified identifier lifts nothing above it
        return min(max(plain, rules.score(c)), rules.UNVERIFIED_AT_MOST) if plain < 0.9 else plain
    return min(plain, rules.CONTRADICTED_AT_MOST)
