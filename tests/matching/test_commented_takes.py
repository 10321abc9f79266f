"""Takes that only a comment tells apart, which nobody writes into a file's title."""

from __future__ import annotations

import pytest

from soulspot.matching import Candidate, MatchPolicy, decide
from soulspot.models import Entity, Identifiers, TrackTags, Verdict

LIVE, STUDIO = "1b0ad0f5-2b2b-4b8e-8d8e-000000000001", "1b0ad0f5-2b2b-4b8e-8d8e-000000000002"


def take(mbid: str, length: int, comment: str = "", title: str = "Slow Kite") -> Entity:
    fields = {"title": title, "artist": "Oto Marsh", "duration_ms": length, "mb_recording_id": mbid}
    return Entity("musicbrainz", "recording", mbid, fields | ({"disambiguation": comment} if comment else {}))


def tagged(title: str = "Slow Kite", length: int = 200_000) -> TrackTags:
    return TrackTags(title=title, artist="Oto Marsh", duration_ms=length, ids=Identifiers(mb_recording_ids=(LIVE,)))


def test_its_id_is_believed_when_title_artist_and_length_are_the_very_ones() -> None:
    candidates = [
        Candidate(take(LIVE, 200_100, "live, 1999-05-01: Oslo"), frozenset({"recording id"})),
        Candidate(take(STUDIO, 199_600), frozenset({"text"})),
    ]
    decision = decide(tagged(), candidates, MatchPolicy())
    assert decision.verdict is Verdict.ACCEPTED
    assert decision.best is not None
    assert decision.best.candidate.entity.id == LIVE


@pytest.mark.parametrize(("title", "length"), [("Slow Kite (live)", 200_000), ("Slow Kite", 230_000)])
def test_its_id_is_not_believed_when_the_title_itself_or_the_length_says_otherwise(title: str, length: int) -> None:
    told = take(LIVE, length, title=title)
    decision = decide(tagged(), [Candidate(told, frozenset({"recording id"}))], MatchPolicy())
    assert decision.verdict is not Verdict.ACCEPTED
