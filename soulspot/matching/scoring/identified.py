"""What a supplied identifier is worth once it is verified against text and length."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from soulspot.matching.scoring.comparing import Marks
from soulspot.matching.scoring.score import score

VERIFIED_AT_LEAST = 0.93
WITH_ONE_DOUBT = 0.91
UNVERIFIED_AT_MOST = 0.85
CONTRADICTED_AT_MOST = 0.7


class Standing(Enum):
    """How an identifier stands after verification."""

    ABSENT = "no identifier led here"
    VERIFIED = "the identifier agrees with text and length"
    UNSURE = "the identifier is not confirmed by text and length"
    CONTRADICTED = "the identifier is contradicted by text and length"


def verify(marks: Marks) -> Standing:
    """Judge an identifier by a second signal.

    A recording or Spotify id needs no more than that nothing clear speaks against it; an ISRC, which several
    versions and movements may share, needs title and length or artist on its side. Neither is believed against the
    artist, nor against a length that only the place on the album explains, nor against words that say another
    version, unless taggers often leave those out, or they stand in a comment while the title is the very one."""
    if not (marks.recording_id or marks.isrc):
        return Standing.ABSENT
    title, artist = marks.title, marks.artist
    other_artist = artist is not None and artist < 0.5
    if title is not None and title < 0.5 and (other_artist or marks.duration == -1.0):
        return Standing.CONTRADICTED
    if title == 0.0:  # another part of the same work
        return Standing.CONTRADICTED
    if marks.duration == -1.0 or (marks.duration == 0.0 and not marks.placed):
        return Standing.UNSURE
    if artist is not None and artist < 0.6:
        return Standing.UNSURE
    return Standing.VERIFIED if _confirmed(marks) else Standing.UNSURE


def _confirmed(marks: Marks) -> bool:
    """Whether enough agrees, where no artist and no length contradicts."""
    title, artist = marks.title, marks.artist
    known = artist is not None and artist >= 0.75
    if marks.version:
        exact = known and marks.duration is not None and marks.duration >= 0.9
        said = marks.packaging or (marks.commented and marks.recording_id)
        return said and exact and (title or 0.0) >= 0.9
    if title is None and marks.foreign:
        return (known or artist is None) and (marks.same_length or marks.placed)
    if title is None:
        return marks.recording_id and (known or (artist is None and marks.same_length))
    if title >= 0.75:
        return (marks.recording_id or title >= 0.85) and (marks.counted or title >= 0.97 or marks.placed)
    return title >= 0.5 and marks.recording_id and known and marks.same_length


def identified_score(marks: Marks, standing: Standing) -> float:
    """The score of a candidate that an identifier led to."""
    if standing is Standing.ABSENT:
        return score(marks)
    if standing is Standing.VERIFIED:
        doubtful = bool(marks.version) or (marks.artist or 1.0) < 0.6 or (marks.title or 0.0) < 0.75
        return max(score(marks), WITH_ONE_DOUBT if doubtful else VERIFIED_AT_LEAST)
    plain = score(replace(marks, recording_id=False, isrc=False))
    if standing is Standing.UNSURE:
        return min(max(plain, score(marks)), UNVERIFIED_AT_MOST) if plain < 0.9 else plain
    return min(plain, CONTRADICTED_AT_MOST)
