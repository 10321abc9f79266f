"""The other tracks of an album help a track that is not clear by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from soulspot.deciding import album_evidence as module
from soulspot.deciding.album_evidence import album_evidence
from soulspot.deciding.outcome import Rules
from soulspot.deciding.plan_state import Services
from soulspot.matching.albums.pairing import Pairing, pair_tracks
from soulspot.models import MUSICBRAINZ as MB
from soulspot.models import AlbumGroup, Entity, GroupedTrack, Query, Status, TrackTags
from tests.support.factories import asked, by_kind, edition, mbid, play, recording, release, state, tags

RULES = Rules(Services(spotify=False, listenbrainz=False))
NAMES = ["Slow Kite", "Red Morning", "Salt", "Glass Road"]


def song(title: str, number: int | None, seconds: float | None) -> TrackTags:
    length = None if seconds is None else round(seconds * 1000)
    return replace(tags(title), track_number=number, disc_number=None, duration_ms=length)


def on_edition(number: int, title: str, seconds: float | None) -> Entity:
    entity = recording(number, title=title, releases=[release(1, track_number=number)])
    fields = {name: value for name, value in entity.fields.items() if name != "duration_ms"}
    return replace(entity, fields=fields | ({"duration_ms": round(seconds * 1000)} if seconds else {}))


OTHERS = [song(name, n, 150 + 20 * n) for n, name in enumerate(NAMES, 1)]
EDITION = [on_edition(n, name, 150 + 20 * n) for n, name in enumerate(NAMES, 1)]


def row_of(own: TrackTags, others: list[TrackTags], recordings: list[Entity]) -> tuple[Status, str | None]:
    """Status and recording of the first track of an album, once everything is answered."""
    members = tuple(GroupedTrack(n, one) for n, one in enumerate([own, *others], 1))
    group = AlbumGroup("Night Shift", "The Lanterns", len(members), members)
    replies = {(MB, "album"): [edition(1, len(recordings))], (MB, "release"): recordings}
    outcome, _ = play(state(own, group=group), by_kind(replies), RULES)
    return outcome.row.status, outcome.row.mb_recording_id


def test_the_title_twice_on_an_album_is_told_by_what_the_other_one_is() -> None:
    recordings = [*EDITION, on_edition(5, "Interlude", 61), on_edition(9, "Interlude", 61)]
    own, other = song("Interlude", None, 61), song("Interlude", 9, 61)
    assert row_of(own, [*OTHERS, other], recordings) == (Status.ACCEPTED, mbid(5))
    assert row_of(own, [*OTHERS, own], recordings) == (Status.REVIEW, None)


@pytest.mark.parametrize("native", ["夜に駆ける", "보고싶다", "Звезда по имени Солнце"])
def test_the_last_track_in_another_script_is_what_the_others_leave_over(native: str) -> None:
    recordings = [*EDITION, on_edition(5, native, None)]
    own = song("Through the Quiet Park", 5, 244)
    assert row_of(own, OTHERS, recordings) == (Status.ACCEPTED, mbid(5))
    assert row_of(own, [], recordings)[0] is not Status.ACCEPTED


def test_an_album_is_pairing_with_an_edition_once_for_all_tracks_that_are_decided_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paired = 0

    def counting(*of: Any) -> Pairing:
        nonlocal paired
        paired += 1
        return pair_tracks(*of)

    monkeypatch.setattr(module, "pair_tracks", counting)
    members = tuple(GroupedTrack(n, one) for n, one in enumerate(OTHERS, 1))
    group = AlbumGroup("Night Shift", "The Lanterns", len(members), members)
    answer = asked(Query.of(MB, "release", mbid=mbid(40)), *EDITION)
    whole = state(OTHERS[0], answer, group=group)
    shares = [album_evidence(replace(whole, track_id=one.track_id)) for one in members]
    assert [share.own_id for share in shares if share] == [mbid(n) for n in range(1, len(members) + 1)]
    assert paired == 1


def test_an_album_whose_tracks_are_too_many_to_be_pairing_leaves_each_by_itself() -> None:
    group = AlbumGroup("Night Shift", "The Lanterns", 300)
    assert album_evidence(state(OTHERS[0], group=group)) is None
    assert album_evidence(state(OTHERS[0])) is None


def test_two_editions_that_fit_as_well_and_leave_different_recordings_leave_none() -> None:
    members = tuple(GroupedTrack(n, one) for n, one in enumerate([song("Through the Quiet Park", 5, 244), *OTHERS], 1))
    track = state(members[0].tags, group=AlbumGroup("Night Shift", "The Lanterns", len(members), members))
    first, second = (
        asked(
            Query.of(MB, "release", mbid=mbid(40 + n)),
            *EDITION,
            replace(on_edition(5, title, None), id=mbid(n)),
        )
        for n, title in ((5, "夜に駆ける"), (6, "別の夜の歌"))
    )
    for answers in ((first, second), (second, first)):
        share = album_evidence(replace(track, lookups={one.query: one for one in answers}))
        assert share is not None
        assert (share.own_id, share.confirmed) == (None, True)
    only = album_evidence(replace(track, lookups={first.query: first}))
    assert only is not None
    assert only.own_id == mbid(5)
