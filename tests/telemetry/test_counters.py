"""Events are logged once and counted once; alarms, gauges and distributions."""

from __future__ import annotations

import io
import json
import logging
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from soulspot.limits import LimitEvent, RequestRecord
from soulspot.store.times import iso
from soulspot.telemetry import Telemetry, configure_logging, get_logger
from soulspot.telemetry.log_setup import LEVELS
from soulspot.telemetry.numbers import DAY, DailyTracks, Distribution
from soulspot.telemetry.resident_memory import ResidentMemory, read_rss_bytes
from tests.support.factories import NOW


def said(stream: io.StringIO) -> list[dict[str, Any]]:
    """The lines of a JSON log."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def request(provider: str = "spotify", status: int | None = 200) -> RequestRecord:
    return RequestRecord(provider, "api.example.org", "tracks", status, 12.345, 1)


# --- the log --------------------------------------------------------------------------------------


def test_every_event_is_one_line_of_json_with_its_time_and_level() -> None:
    stream = io.StringIO()
    configure_logging("json", "info", stream=stream)
    Telemetry().event("scan_finished", found=3, note="two\nlines ☂")
    [line] = said(stream)
    assert (line["event"], line["level"], line["found"], line["note"]) == (
        "scan_finished",
        "info",
        3,
        "two\nlines ☂",
    )
    assert line["at"].endswith("Z")


def test_paths_that_are_not_utf8_and_half_characters_can_be_logged() -> None:
    for format_ in ("json", "console"):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace")
        configure_logging(format_, "info", stream=stream)
        Telemetry().warning("scan_problem", path=b"/music/caf\xe9.mp3", other=os.fsdecode(b"/x/\xff"), reason="r")
        stream.seek(0)
        assert "caf\\" in stream.read()


def test_what_is_below_the_level_is_not_said() -> None:
    stream = io.StringIO()
    configure_logging("json", "warning", stream=stream)
    telemetry = Telemetry()
    telemetry.event("request", status=200)
    telemetry.warning("limited", provider="spotify")
    assert [line["event"] for line in said(stream)] == ["limited"]


@pytest.mark.parametrize("level", LEVELS)
def test_warnings_of_libraries_come_in_the_same_form_and_their_chatter_does_not(level: str) -> None:
    stream = io.StringIO()
    configure_logging("json", level, stream=stream)
    library = logging.getLogger("somebody.else")
    library.info("chatter")
    library.error("trouble with %s", "caf☂")
    [line] = said(stream)
    assert (line["event"], line["level"]) == ("trouble with caf☂", "error")


def test_an_exception_comes_with_its_traceback_in_the_same_line() -> None:
    stream = io.StringIO()
    configure_logging("json", "info", stream=stream)
    try:
        raise RuntimeError("odd")
    except RuntimeError:
        get_logger(__name__).exception("pump_failed", provider="spotify")
    [line] = said(stream)
    assert line["event"] == "pump_failed"
    assert "RuntimeError: odd" in line["exception"]


def test_a_log_file_is_appended_to_and_gets_json_whatever_the_console_would(tmp_path: Path) -> None:
    path = tmp_path / "soulspot.log"
    path.write_text('{"event": "before"}\n', encoding="utf-8")
    configure_logging("console", "info", file=path)
    Telemetry().event("daemon_ready", pid=1)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["before", "daemon_ready"]


def test_a_reload_takes_effect_for_what_speaks_already(tmp_path: Path) -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logging("json", "info", stream=first)
    telemetry = Telemetry()
    telemetry.event("one")
    configure_logging("json", "info", stream=second)
    telemetry.event("two")
    logging.getLogger("library").error("three")
    assert [line["event"] for line in said(first)] == ["one"]
    assert [line["event"] for line in said(second)] == ["two", "three"]


def test_a_log_file_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        configure_logging("json", "info", file=tmp_path / "absent/soulspot.log")


# --- counters -------------------------------------------------------------------------------------


def test_every_request_is_said_and_counted_once() -> None:
    telemetry = Telemetry()
    with capture_logs() as events:
        for status in (200, 429, None):
            telemetry.on_request(request(status=status))
        telemetry.on_request(request("musicbrainz"))
    assert telemetry.requests == {"spotify": 3, "musicbrainz": 1}
    assert telemetry.statuses["spotify", 429] == telemetry.statuses["spotify", None] == 1
    assert [event["status"] for event in events] == [200, 429, None, 200]
    assert (events[0]["endpoint"], events[0]["duration_ms"], events[0]["attempt"]) == ("tracks", 12.3, 1)


def batch(telemetry: Telemetry, provider: str = "spotify", **outcomes: int) -> None:
    telemetry.on_batch(
        provider,
        outcomes,
        items=sum(outcomes.values()),
        room=50,
        waited_ms=12.34,
        duration_ms=56.78,
        reason="full",
    )


def test_the_requests_and_tracks_of_a_batch_are_those_since_the_last_one() -> None:
    telemetry = Telemetry()
    with capture_logs() as events:
        telemetry.on_request(request())
        telemetry.on_request(request())
        telemetry.on_tracks("spotify", [1, 2, 3])
        batch(telemetry, ok=24, missing=1)
        batch(telemetry, ok=50)
        batch(telemetry, "musicbrainz", postponed=2)
    said = [event for event in events if event["event"] == "batch_flushed"]
    assert [(one["requests"], one["tracks"], one["fill"]) for one in said] == [
        (2, 3, 0.5),
        (0, 0, 1.0),
        (0, 0, 0.04),
    ]
    assert (said[0]["ok"], said[0]["missing"], said[0]["failed"], said[2]["postponed"]) == (24, 1, 0, 2)
    assert (said[0]["waited_ms"], said[0]["duration_ms"], said[0]["reason"]) == (12.3, 56.8, "full")


def test_a_limit_is_said_when_it_begins_and_when_it_ends() -> None:
    telemetry = Telemetry()
    with capture_logs() as events:
        telemetry.on_limit(LimitEvent("spotify", "api", "limited", NOW + 60, "429"))
        assert set(telemetry.limited) == {"api"}
        telemetry.on_limit(LimitEvent("spotify", "api", "recovered", None, ""))
    assert telemetry.limited == {}
    assert [(event["event"], event["log_level"]) for event in events] == [
        ("limited", "warning"),
        ("recovered", "info"),
    ]
    assert (events[0]["until"], events[0]["why"]) == (iso(NOW + 60), "429")


def test_requests_saved_are_counted_against_one_a_track_and_service_and_never_below_none() -> None:
    telemetry = Telemetry()
    with capture_logs():
        telemetry.on_request(request())
        assert telemetry.requests_saved() == 0
        telemetry.on_tracks("spotify", range(1, 51))
    assert telemetry.requests_saved() == 49


def test_pictures_that_are_fetched_save_and_cost_nothing_of_the_requests_about_tracks() -> None:
    telemetry = Telemetry()
    with capture_logs():
        telemetry.on_tracks("spotify", range(1, 51))
        telemetry.on_request(request("covers"))
    assert telemetry.requests_saved() == 50


def test_a_track_that_took_several_lookups_saves_no_more_than_its_one_request() -> None:
    telemetry = Telemetry()
    telemetry.on_tracks("spotify", [7, 8])
    telemetry.on_tracks("spotify", [7])
    telemetry.on_tracks("musicbrainz", [7])
    assert (telemetry.served["spotify"].count, telemetry.served["musicbrainz"].count) == (2, 1)
    assert telemetry.requests_saved() == 3


def test_a_track_that_is_asked_for_again_another_day_is_new_work() -> None:
    now = 0.0
    served = DailyTracks(lambda: now)
    assert served.add([1, 2, 2]) == 2
    assert served.add([2]) == 0
    now = DAY
    assert served.add([2, 900_000]) == 2
    assert served.count == 4


def test_results_are_counted_by_status_and_said_in_one_line() -> None:
    telemetry = Telemetry()
    with capture_logs() as events:
        telemetry.on_results({"accepted": 3, "review": 1})
        telemetry.on_results({})
    assert events == [{"event": "decided", "log_level": "info", "tracks": 4, "accepted": 3, "review": 1,
                       "unmatched": 0, "failed": 0}]  # fmt: skip
    assert telemetry.results == {"accepted": 3, "review": 1}


def test_an_alarm_is_said_when_it_is_raised_and_when_it_is_over() -> None:
    telemetry = Telemetry()
    with capture_logs() as events:
        assert telemetry.on_alarm("stall", "nothing for 10 minutes")
        assert not telemetry.on_alarm("stall", "nothing for 11 minutes")
        assert telemetry.alarms == {"stall": "nothing for 11 minutes"}
        assert telemetry.on_alarm("stall", None)
        assert not telemetry.on_alarm("stall", None)
    assert [(one["event"], one["log_level"]) for one in events] == [
        ("alarm", "warning"),
        ("alarm_over", "info"),
    ]


def test_every_line_of_the_log_is_counted_once_whoever_says_it() -> None:
    configure_logging("json", "warning", stream=io.StringIO())
    telemetry = Telemetry()
    telemetry.event("request", status=200)  # below the level of the log
    telemetry.warning("limited", provider="spotify")
    get_logger(__name__).error("pump_failed", provider="spotify")
    get_logger(__name__).warning("watch_failed", error="e")
    assert telemetry.line_counts() == {
        ("request", "info"): 1, ("limited", "warning"): 1, ("pump_failed", "error"): 1, ("watch_failed", "warning"): 1,
    }  # fmt: skip
    assert Telemetry().line_counts() == {}


# --- distributions --------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_a_percentile_is_right_within_a_few_percent(values: list[float], share: float) -> None:
    found = Distribution()
    for value in values:
        found.add(value)
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    assert found.quantile(share) == pytest.approx(exact, rel=0.03)
    assert (found.count, found.total) == (len(values), pytest.approx(sum(values)))


def test_nothing_measured_has_no_percentile_and_nonsense_counts_as_zero() -> None:
    found = Distribution()
    assert found.quantile(0.5) is None
    for value in (-1.0, math.nan, math.inf):
        found.add(value)
    assert (found.quantile(1.0), found.count, found.total) == (0.0, 3, 0.0)


def test_values_at_an_edge_belong_to_it_and_what_came_since_can_be_told() -> None:
    found = Distribution()
    for value in (1.0, 4.0, 4.1, 16.0):
        found.add(value)
    assert [found.count_up_to_power(power) for power in (0, 2, 4)] == [1, 2, 4]
    before = found.copy()
    found.add(100.0)
    assert (found.minus(before).count, found.minus(before).total) == (1, 100.0)
    assert found.minus(before).quantile(0.5) == pytest.approx(100, rel=0.03)


def test_gauges_are_set_and_said() -> None:
    telemetry = Telemetry()
    with capture_logs() as events:
        telemetry.set_gauges(batch_processing_time_ms=12.5, batch_items_processed=10)
    assert telemetry.gauges == {"batch_processing_time_ms": 12.5, "batch_items_processed": 10}
    assert events == [
        {"event": "gauge", "log_level": "info", "batch_processing_time_ms": 12.5, "batch_items_processed": 10}
    ]


def test_the_summary_says_how_deep_the_queue_is_and_how_fast_it_goes() -> None:
    telemetry = Telemetry()
    lookups = {"spotify": {"pending": 3, "leased": 2, "done": 9}, "musicbrainz": {"missing": 1}}
    with capture_logs() as events:
        telemetry.log_summary({"total": 10, "pending": 4, "accepted": 6}, lookups, iso(NOW))
        telemetry.on_results({"accepted": 2})
        telemetry.log_summary({"total": 10, "pending": 2, "accepted": 8}, lookups, None)
        telemetry.log_summary({"total": 10, "pending": 5, "accepted": 5}, lookups, None)
    first, second, third = (event for event in events if event["event"] == "summary")
    assert (first["queued"], first["oldest_waiting"], first["lookups"]) == (5, iso(NOW), lookups)
    assert first["tracks_per_second"] == 0  # what an earlier process finished is no speed of ours
    assert second["tracks_per_second"] > 0
    assert (third["tracks_per_second"], third["oldest_waiting"]) == (0, None)
    assert first["peak_rss_mb"] >= first["rss_mb"] > 1


def test_the_memory_of_this_process_is_known() -> None:
    assert read_rss_bytes() > 1_000_000


def test_the_most_memory_is_told_since_a_moment_and_over_all() -> None:
    memory = ResidentMemory()
    before = memory.start_peak()
    large = bytearray(b"x") * 60_000_000
    memory.now()
    del large
    after = memory.start_peak()
    assert before.peak - after.peak > 50_000_000
    assert memory.peak >= before.peak


def test_where_the_kernel_keeps_no_count_since_then_only_what_was_seen_counts() -> None:
    seen = [300, 100, 100, 150, 120]
    memory = ResidentMemory(now=lambda: seen.pop(0), most=lambda: 900, reset_peak=lambda: False)
    memory.now()
    moment = memory.start_peak()
    assert moment.peak == 100
    memory.now()
    memory.now()
    assert (moment.peak, memory.peak) == (150, 900)


# --- log files and secrets ------------------------------------------------------------------------


def test_a_reload_closes_the_old_log_file_and_one_that_fails_leaves_it(tmp_path: Path) -> None:
    configure_logging("json", "info", tmp_path / "old.log")
    old = logging.getLogger().handlers[0].stream  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="No such file"):
        configure_logging("json", "info", tmp_path / "no" / "such.log")
    Telemetry().event("still_here")
    assert "still_here" in (tmp_path / "old.log").read_text(encoding="utf-8")
    configure_logging("json", "info", tmp_path / "new.log")
    Telemetry().event("moved_on")
    assert old.closed
    assert "moved_on" in (tmp_path / "new.log").read_text(encoding="utf-8")
    configure_logging("json", "info", stream=io.StringIO())


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_traceback_in_the_log_shows_no_values(format_: str) -> None:
    stream = io.StringIO()
    configure_logging(format_, "info", stream=stream)

    def fail(secret: str) -> None:
        raise RuntimeError("no luck")

    try:
        fail("hunter" + "2")
    except RuntimeError:
        get_logger(__name__).exception("request_failed")
    assert "no luck" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
