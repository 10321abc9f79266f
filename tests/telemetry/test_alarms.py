"""Alarms: raised when something is wrong with the work itself, and over when it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from soulspot.assembly import open_service
from soulspot.config.loading import make_config
from soulspot.limits import RequestRecord
from soulspot.pipeline.status import has_work
from soulspot.store import events
from soulspot.telemetry import Telemetry
from soulspot.telemetry.alarms import MIN_SAMPLE, Alarms, Thresholds
from tests.support.factories import add_lookups

MINUTE = 60.0


class Work:
    """Counters that the test moves, a minute at a time."""

    def __init__(self, **thresholds: float) -> None:
        self.now = 0.0
        self.telemetry = Telemetry()
        self.said: list[tuple[str, str | None]] = []
        self.alarms = Alarms(self.telemetry, Thresholds(**thresholds), alarm=self.alarm, clock=lambda: self.now)

    def alarm(self, name: str, why: str | None) -> None:
        if self.telemetry.on_alarm(name, why):
            self.said.append((name, why))

    def minutes(self, count: int, *, busy: bool = True, requests: int = 0, lost: int = 0, **answers: int) -> None:
        for _ in range(count):
            self.now += MINUTE
            self.telemetry.on_answers("musicbrainz", answers)
            for number in range(requests):
                status = 502 if number < lost else 200
                self.telemetry.on_request(RequestRecord("musicbrainz", "h", "e", status, 1.0, 1))
            self.alarms.check(busy=busy)


def test_work_that_goes_well_raises_nothing() -> None:
    work = Work()
    work.minutes(60, requests=30, lost=3, ok=50, missing=10, failed=1)
    work.minutes(60, busy=False)
    assert work.said == []


def test_many_failures_are_an_alarm_until_they_have_passed() -> None:
    work = Work(window=5 * MINUTE)
    work.minutes(5, ok=10)
    work.minutes(5, ok=4, failed=6)
    assert [name for name, _ in work.said] == ["failure_rate"]
    assert "lookups failed" in str(work.said[0][1])
    work.minutes(6, ok=10)
    assert work.said[1:] == [("failure_rate", None)]


def test_a_few_failures_are_no_alarm_however_large_their_share() -> None:
    work = Work()
    work.minutes(1, failed=MIN_SAMPLE - 1)
    assert work.said == []


def test_services_that_do_not_answer_are_an_alarm() -> None:
    work = Work(stall_after=0.0)
    work.minutes(3, requests=10, lost=9)
    assert [name for name, _ in work.said] == ["failure_rate"]
    assert "no answer" in str(work.said[0][1])


def test_slow_work_is_an_alarm_only_when_there_was_something_to_do_all_the_time() -> None:
    work = Work(window=10 * MINUTE, low_rate=0.05)
    work.minutes(9, ok=1)
    work.minutes(1, busy=False, ok=1)
    work.minutes(9, ok=1)
    assert work.said == []
    work.minutes(2, ok=1)
    assert [name for name, _ in work.said] == ["low_rate"]
    work.minutes(10, ok=60)
    assert work.said[1:] == [("low_rate", None)]


def test_standing_still_with_work_at_hand_is_a_stall_and_ends_with_the_first_answer() -> None:
    work = Work(stall_after=15 * MINUTE, low_rate=0.0)
    work.minutes(5, ok=10)
    work.minutes(14)
    assert work.said == []
    work.minutes(2)
    assert work.said == [("stall", "lookups wait, and none was answered for 15 min")]
    work.minutes(1, missing=1)
    assert work.said[1:] == [("stall", None)]


def test_waiting_for_a_limit_is_no_stall() -> None:
    work = Work(stall_after=15 * MINUTE)
    work.minutes(600, busy=False)
    work.minutes(14)
    assert work.said == []


def test_an_alarm_of_zero_is_off() -> None:
    work = Work(failure_rate=0.0, low_rate=0.0, stall_after=0.0)
    work.minutes(60, failed=50)
    work.minutes(60)
    assert work.said == []


async def test_an_alarm_is_logged_shown_and_put_into_the_outbox(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    config = make_config(
        {"database.path": str(tmp_path / "s.db"), "providers.musicbrainz.contact": "a@example.org",
         "providers.musicbrainz.base_url": nobody, "providers.listenbrainz.base_url": nobody,
         "providers.listenbrainz.labs_url": nobody, "limits.memory_mb": 1}
    )  # fmt: skip
    async with open_service(config, work=False) as service:
        with capture_logs() as said:
            service.parts.memory.check()
            service.parts.memory.limit = 0
            service.parts.memory.check()
    assert [line["event"] for line in said] == ["alarm", "alarm_over"]
    async with open_service(config, work=False) as service:
        found: list[Any] = await service.database.read(lambda c: events.list_after(c, 0, 10))
    assert [(one.kind, one.payload["alarm"]) for one in found] == [
        ("alarm.raised", "memory_high"), ("alarm.over", "memory_high")
    ]  # fmt: skip


async def test_there_is_work_when_something_could_be_asked_now(tmp_path: Path) -> None:
    config = make_config(
        {"database.path": str(tmp_path / "s.db"), "providers.musicbrainz.contact": "a@example.org",
         "providers.musicbrainz.base_url": "http://127.0.0.1:9", "providers.listenbrainz.enabled": False}
    )  # fmt: skip
    async with open_service(config, work=False) as service:
        assert not await has_work(service)
        await service.database.write(lambda c: add_lookups(c, 1))
        assert await has_work(service)
        gate = service.parts.gates.for_url("musicbrainz", "http://127.0.0.1:9")
        await gate.pause(600.0, "said so")
        assert not await has_work(service)


@pytest.mark.parametrize("key", ["failure_rate", "low_rate", "stall_after"])
def test_every_threshold_can_be_turned_off(key: str) -> None:
    config = make_config({"providers.musicbrainz.contact": "a@example.org", f"alarms.{key}": 0.0})
    assert getattr(config.alarms, key) == 0
