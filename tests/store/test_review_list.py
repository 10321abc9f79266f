"""A track waits for a person as long as one of its questions is open."""

from __future__ import annotations

import sqlite3

import pytest

from soulspot.models import EnrichedTrack, ShownCandidate, Status, TrackOutcome, Verdict
from soulspot.store import review, tracks
from tests.support.factories import NOW, add_tracks, mbid, tags

SPOTIFY_ID = "4uLU6hMCjMI75M1A2tKUQC"


@pytest.mark.parametrize(
    ("status", "recording", "asked", "is_listed"),
    [
        (Status.REVIEW, None, Verdict.REVIEW, True),
        (Status.ACCEPTED, None, Verdict.REVIEW, True),  # on Spotify alone
        (Status.ACCEPTED, None, Verdict.NONE, False),  # MusicBrainz has nothing likely
        (Status.ACCEPTED, mbid(1), Verdict.ACCEPTED, False),
        (Status.UNMATCHED, None, Verdict.NONE, False),
    ],
)
def test_a_track_accepted_on_spotify_alone_shows_its_open_question_of_musicbrainz(
    connection: sqlite3.Connection, status: Status, recording: str | None, asked: Verdict, is_listed: bool
) -> None:
    [track_id] = add_tracks(connection, tags())
    accepted = Verdict.ACCEPTED if status is Status.ACCEPTED else Verdict.NONE
    row = EnrichedTrack(
        track_id, None, "key 0", status, 0.8, mb_recording_id=recording,
        spotify_track_id=SPOTIFY_ID if status is Status.ACCEPTED else None,
    )  # fmt: skip
    candidates = (
        ShownCandidate("musicbrainz", mbid(1), 0.8, asked, ("title equal",)),
        ShownCandidate("spotify", SPOTIFY_ID, 0.95, accepted, ("title equal",)),
    )
    tracks.save_outcomes(connection, [TrackOutcome(row, candidates)], NOW)
    listed = review.list_tracks(connection, after=0, limit=10, wanted=lambda path, known: True)
    assert listed == ([track_id] if is_listed else [])
    assert review.count_tracks(connection) == len(listed)
