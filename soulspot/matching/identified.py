"""What a supplied identifier is worth once it is verified against text and length."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from soulspot.matching.comparing import Marks
from soulspot.matching.scoring import score

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
    versions and movements may share, needs title and length or artist on its side."""
    if not (marks.recording_id or marks.isrc):
        return Standing.ABSENT
    title, artist = marks.title, marks.artist
    length = marks.duration
    agrees_length = marks.same_length
    other_title = title is not None and title < 0.5
    other_artist = artist is not None and artist < 0.5
    if other_title and (other_artist or length == -1.0):
        return Standing.CONTRADICTED
    if title == 0.0:  # another part of the same work
        return Standing.CONTRADICTED
    if length == -1.0:
        return Standing.UNSURE
    if marks.version:
        return (
            Standing.VERIFIED
            if agrees_length and (title or 0.0) >= 0.75 and not other_artist
            else Standing.UNSURE
        )
    if title is None:
        known = artist is not None and artist >= 0.75
        if marks.foreign:
            return Standing.VERIFIED if known and (agrees_length or marks.placed) else Standing.UNSURE
        known = known or (artist is None and agrees_length)
        return Standing.VERIFIED if known and marks.recording_id else Standing.UNSURE
    if title >= 0.75:
        if artist is None or artist >= 0.6:
            enough = marks.recording_id or title >= 0.85
            return Standing.VERIFIED if enough else Standing.UNSURE
        exact = agrees_length and marks.recording_id and title >= 0.9
        return Standing.VERIFIED if exact else Standing.UNSURE
    if title >= 0.5 and marks.recording_id and artist is not None and artist >= 0.75 and agrees_length:
        return Standing.VERIFIED
    return Standing.UNSURE


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
