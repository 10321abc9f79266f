"""Refetching before the time: its cost, the lookups it queues, and the rows it leaves alone."""

from __future__ import annotations

import time
from typing import Any

import pytest

from soulspot.models import MUSICBRAINZ, LookupState, Query, Settlement, Status
from soulspot.operations.refetch import RefetchCost, refetch
from soulspot.store import enriched, queue
from tests.pipeline.test_intake import song
from tests.support.answering import KINDS, answer_all, bring_in
from tests.support.factories import mbid, recording, tags
from tests.web.conftest import Running
from tests.web.test_api import accepted as operation
from tests.web.test_guards import is_problem

MB = MUSICBRAINZ


async def cost(running: Running, *paths: str) -> RefetchCost:
    async with running.http.post("/api/v1/enrich/cost", json={"paths": list(paths)}) as answer:
        assert answer.status == 200, await answer.text()
        return RefetchCost.from_json(await answer.json())


async def states(running: Running) -> dict[str, int]:
    found = await running.service.database.read(
        lambda c: c.execute("SELECT state, count(*) FROM lookups GROUP BY 1").fetchall()
    )
    return dict(found)


async def rows(running: Running) -> list[Any]:
    found = await running.service.database.read(lambda c: enriched.load(c, range(100)))
    return [found[track_id] for track_id in sorted(found)]


async def test_nothing_asked_before_costs_nothing_and_says_so(running: Running) -> None:
    nothing = await cost(running)
    assert nothing == RefetchCost(0)
    assert "none is sent again" in str(nothing)


async def test_the_cost_counts_full_batches_of_each_service_and_the_time_they_take(running: Running) -> None:
    known = [tags(f"Song {'abcdefghij'[n]}", recording=n) for n in range(10)]
    await bring_in(running.service, *known)
    found = [recording(n, provider="listenbrainz") for n in range(10)]
    asked = await answer_all(running.service, {("listenbrainz", "recording"): found})
    said = await cost(running)
    assert said.lookups == len(asked)
    assert said.requests["listenbrainz"] < len(asked)
    assert said.seconds > 0
    assert f"sends {len(asked)} lookups again: at least {sum(said.requests.values())} requests" in str(said)


async def test_a_search_that_is_a_request_of_its_own_counts_as_one(running: Running) -> None:
    names = ("Azure", "Birch", "Cedar")
    await bring_in(running.service, *(tags(name, duration_ms=None, album=None) for name in names))
    await answer_all(running.service, {})
    together = (await cost(running)).requests[MB]
    by_hand = {n: [Query.of(MB, "text", title=name, scope="wide")] for n, name in enumerate(names, start=1)}
    await running.service.database.write(lambda c: queue.enqueue(c, by_hand, time.time()))
    await answer_all(running.service, {})
    assert (await cost(running)).requests == {MB: together + 3}  # what a person searches for by words


async def test_only_what_lies_at_or_below_the_paths_is_asked_again(running: Running) -> None:
    for place in ("a/1.flac", "a/2.flac", "ab/3.flac"):
        song(running.music / place, f"Song {place}")
    await operation(running, "/api/v1/scan")
    await answer_all(running.service, {})
    folder = running.music / "a"
    every, below = await cost(running), await cost(running, str(folder))
    one = await cost(running, str(folder / "2.flac"))
    assert every.lookups > below.lookups > one.lookups > 0
    count = await refetch(running.service, [bytes(running.music / "a")])
    assert count == below.lookups == (await states(running))["pending"]
    asked = await answer_all(running.service, {})
    assert len(asked) == count
    assert not any("ab/3" in lookup.query.key for lookup in asked)


async def test_rows_stay_as_they_are_until_there_are_other_answers(running: Running) -> None:
    await bring_in(running.service, tags(recording=1), tags("Nobody Knows It", "Somebody", album=None))
    replies = {("listenbrainz", "recording"): [recording(1, provider="listenbrainz")]}
    await answer_all(running.service, replies)
    before = await rows(running)
    assert [row.status for row in before] == [Status.ACCEPTED, Status.UNMATCHED]
    assert await refetch(running.service, []) > 0
    assert await rows(running) == before
    renamed = recording(1, provider="listenbrainz", title="Blue Hour, Renamed")
    await answer_all(running.service, {("listenbrainz", "recording"): [renamed]})
    after = await rows(running)
    assert (after[0].mb_recording_id, after[0].title) == (mbid(1), "Blue Hour, Renamed")


async def test_what_was_given_up_is_asked_again_too_and_its_track_waits(running: Running) -> None:
    await bring_in(running.service, tags("Azure", duration_ms=None, album=None))
    [lookup] = await running.service.database.write(
        lambda c: queue.claim(c, MB, dict.fromkeys(KINDS, 10), running.service.now()).lookups
    )
    await running.service.settle([Settlement(lookup, LookupState.FAILED, 0.0, error="the service said no")])
    assert [row.status for row in await rows(running)] == [Status.FAILED]
    assert await refetch(running.service, []) == 1
    assert [row.status for row in await rows(running)] == [Status.PENDING]


@pytest.mark.parametrize("body", [{"force": "yes"}, {"force": 1}, {"force": None}])
async def test_a_force_that_is_neither_true_nor_false_is_a_problem(running: Running, body: dict[str, Any]) -> None:
    async with running.http.post("/api/v1/enrich", json=body) as answer:
        assert "force" in await is_problem(answer, 422)


async def test_what_was_answered_since_it_was_asked_for_is_not_asked_twice(running: Running) -> None:
    await bring_in(running.service, tags("Azure", duration_ms=None, album=None))
    await answer_all(running.service, {})
    now = running.service.now()
    assert await refetch(running.service, [], before=now - 3600) == 0
    assert await refetch(running.service, [], before=now + 3600) == 1


async def test_the_cost_of_what_lies_outside_the_library_is_a_problem(running: Running) -> None:
    async with running.http.post("/api/v1/enrich/cost", json={"paths": ["/etc"]}) as answer:
        assert "outside the configured library" in await is_problem(answer, 422)
