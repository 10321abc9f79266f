"""A failure stays with its track, and new rules hold before more tracks come in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from soulspot.assembly import open_service
from soulspot.config.loading import make_config
from soulspot.deciding.outcome import Rules, decide_track
from soulspot.matching import MatchPolicy
from soulspot.models import Status, TrackOutcome, TrackState, Verdict
from soulspot.pipeline import decider
from soulspot.pipeline.service import EnrichmentService
from soulspot.store.tracks import ImportedTrack
from tests.support.answering import decide_by_person
from tests.support.factories import mbid, tags
from tests.support.flow import rows

WAITING = """SELECT track_id, kind FROM track_lookups JOIN lookups USING (lookup_id)
    WHERE state = 'pending' ORDER BY 1, 2"""


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[EnrichmentService]:
    """One that asks nobody, with three tracks that wait for answers."""
    config = make_config({"database.path": str(tmp_path / "db"), "providers.musicbrainz.contact": "tests@example.org"})
    async with open_service(config, work=False) as service:
        service.decider.use_rules(service.decider.rules)
        await service.add_rows([ImportedTrack(f"old {n}", tags(f"Song {n}")) for n in range(3)])
        await service.decide_new()
        yield service


async def test_a_track_that_cannot_be_decided_goes_on_waiting_for_its_answers_and_the_next_ones_are_decided(
    tmp_path: Path, service: EnrichmentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(tmp_path / "db", WAITING)
    assert {row["track_id"] for row in before} == {1, 2, 3}

    def broken(state: TrackState, rules: Rules) -> TrackOutcome:
        if state.track_id == 1:
            raise ValueError("a bug")
        return decide_track(state, rules)

    monkeypatch.setattr(decider, "decide_track", broken)
    for track_id in (1, 2):
        await decide_by_person(service, track_id, mbid(track_id), Verdict.REJECTED)
    await service.add_rows([ImportedTrack("new", tags("Another song"))])
    await service.decide_new()
    after = rows(tmp_path / "db", WAITING)
    assert [row for row in after if row["track_id"] < 4] == before
    assert {row["track_id"] for row in after} == {1, 2, 3, 4}


async def test_what_was_there_is_decided_by_new_rules_before_more_comes_in(
    service: EnrichmentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided: list[int] = []

    def watched(state: TrackState, rules: Rules) -> TrackOutcome:
        decided.append(state.track_id)
        return decide_track(state, rules)

    monkeypatch.setattr(decider, "decide_track", watched)
    service.decider.use_rules(replace(service.decider.rules, policy=MatchPolicy(accept=0.97)))
    await service.add_rows([ImportedTrack("new", tags("Another song"))])
    assert decided == [1, 2, 3]


async def test_a_result_that_changes_by_new_rules_is_not_counted_as_another_track(
    service: EnrichmentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for status in (Status.UNMATCHED, Status.REVIEW):

        def decided(state: TrackState, rules: Rules, status: Status = status) -> TrackOutcome:
            outcome = decide_track(state, rules)
            row = replace(outcome.row, status=status)
            return replace(outcome, row=row, is_news=state.row is None or state.row.status is not status)

        monkeypatch.setattr(decider, "decide_track", decided)
        limit = 0.97 if status is Status.UNMATCHED else 0.98
        service.decider.use_rules(replace(service.decider.rules, policy=MatchPolicy(accept=limit)))
        await service.decider.wait_until_rules_hold()
    assert service.telemetry.results == {"unmatched": 3}
