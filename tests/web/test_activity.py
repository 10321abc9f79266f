"""Recent activity, as the difference of counters."""

from __future__ import annotations

from soulspot.limits import RequestRecord
from soulspot.web.activity import KEPT, SLICE, Activity
from tests.web.conftest import Running


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def asked(running: Running, provider: str, times: int) -> None:
    for _ in range(times):
        running.service.telemetry.on_request(
            RequestRecord(provider, "example.org", "search", 200, duration_ms=5.0, attempt=1)
        )


def test_a_minute_of_requests_is_forgotten_when_it_is_over(running: Running) -> None:
    clock = Clock()
    activity = Activity(running.service, clock)
    for second in range(12):
        if second < 6:
            asked(running, "spotify", 2)
        clock.now += SLICE
        activity.sample()
        minute = activity.services()["spotify"]["requests_last_minute"]
        assert minute == 2 * max(0, min(second + 1, 6) - max(0, second - 5))
    assert running.service.telemetry.requests["spotify"] == 12


def test_the_hour_has_each_track_and_request_once_and_no_more_than_an_hour(running: Running) -> None:
    clock = Clock()
    activity = Activity(running.service, clock)
    for _ in range(KEPT * 2):
        running.service.telemetry.on_results({"accepted": 2, "review": 1})
        asked(running, "musicbrainz", 1)
        clock.now += SLICE
        activity.sample()
    running.service.telemetry.on_results({"accepted": 4})
    slices = activity.slices()
    assert len(slices) == KEPT + 1
    assert {one["tracks"] for one in slices[:-1]} == {3}
    assert {one["requests"]["musicbrainz"] for one in slices[:-1]} == {1}
    assert (slices[-1]["tracks"], slices[-1]["requests"]) == (4, {})
    assert [one["at"] for one in slices] == sorted(one["at"] for one in slices)


def test_how_long_the_rest_takes_is_told_by_the_last_minute(running: Running) -> None:
    clock = Clock()
    activity = Activity(running.service, clock)
    assert activity.pace(100) == {"tracks_per_second": None, "eta_seconds": None}
    for tracks in (500, 30, 30, 30, 30, 30, 30):
        running.service.telemetry.on_results({"accepted": tracks})
        clock.now += SLICE
        activity.sample()
    assert activity.pace(90) == {"tracks_per_second": 3.0, "eta_seconds": 30.0}
    assert activity.pace(0) == {"tracks_per_second": 3.0, "eta_seconds": None}
    clock.now += 60
    assert activity.pace(90)["tracks_per_second"] is None


def test_batch_fill_is_what_the_batches_held_of_what_they_could_have(running: Running) -> None:
    activity = Activity(running.service)
    assert activity.services() == {}
    for items, room in ((50, 100), (10, 100)):
        running.service.telemetry.on_batch(
            "musicbrainz", {"ok": items}, items=items, room=room, waited_ms=1, duration_ms=1, reason="timer"
        )
    assert activity.services()["musicbrainz"]["batch_fill"] == 0.3


async def test_activity_and_status_say_it_over_http(running: Running) -> None:
    asked(running, "musicbrainz", 3)
    running.service.telemetry.on_results({"accepted": 7})
    async with running.http.get("/api/v1/activity") as answer:
        said = await answer.json()
    assert sum(one["tracks"] for one in said["slices"]) == 7
    assert said["failures"] == {"lookups": [], "files": [], "tracks": [], "retryable": 0}
    async with running.http.get("/api/v1/status") as answer:
        services = (await answer.json())["services"]
    assert services["musicbrainz"] == {"requests_last_minute": 3, "batch_fill": None}
