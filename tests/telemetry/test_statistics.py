"""`soulspot stats`: the log tells the same as the counters did, over any period, whatever stands
in it."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from soulspot.cli.main import app
from soulspot.config.values import parse_time
from soulspot.limits import LimitEvent, RequestRecord
from soulspot.store.times import iso
from soulspot.telemetry import Telemetry, configure_logging
from soulspot.telemetry.log_files import MAX_LINE, bounded_lines, file_lines, rotated_files
from soulspot.telemetry.statistics import MAX_NAMES, Stats
from tests.support.factories import NOW

HOUR = 3600.0


def line(event: str, at: float = NOW, **facts: Any) -> str:
    """A line of the log."""
    return json.dumps({"event": event, "level": "info", "at": iso(at), **facts})


def asked(at: float = NOW, status: int | None = 200, ms: float = 100.0, provider: str = "spotify") -> str:
    return line("request", at, provider=provider, host="h", endpoint="e", status=status, duration_ms=ms, attempt=1)


def flushed(at: float = NOW, items: int = 50, fill: float = 1.0, **more: Any) -> str:
    facts = {"provider": "spotify", "ok": items, "missing": 0, "failed": 0, "postponed": 0, "requests": 1,
             "tracks": items, "waited_ms": 1000.0, "duration_ms": 200.0, "reason": "full"}  # fmt: skip
    return line("batch_flushed", at, items=items, fill=fill, **(facts | more))


def counted(*lines: str | bytes, since: float | None = None, until: float | None = None) -> dict[str, Any]:
    found = Stats(since, until)
    for one in lines:
        found.add_line(one)
    return found.as_json()


# --- what is computed -----------------------------------------------------------------------------


def test_the_log_tells_the_same_as_the_counters_that_it_was_written_from() -> None:
    stream = io.StringIO()
    configure_logging("json", "info", stream=stream)
    telemetry = Telemetry()
    for number in range(40):
        telemetry.on_request(RequestRecord("spotify", "h", "tracks", 429 if number == 3 else 200, number + 1.0, 1))
    telemetry.on_limit(LimitEvent("spotify", "h", "limited", NOW, "HTTP 429"))
    for number in range(3):
        telemetry.on_tracks("spotify", range(number * 50, number * 50 + 60))
        outcomes = {"ok": 30, "missing": 5, "failed": 1, "postponed": 4}
        telemetry.on_answers("spotify", outcomes)
        telemetry.on_batch(
            "spotify", outcomes, items=40, room=50, waited_ms=number * 700.0, duration_ms=90.0, reason="timer"
        )
    telemetry.on_results({"accepted": 100, "review": 4})
    told = counted(*stream.getvalue().splitlines())
    service = told["services"]["spotify"]
    assert told["requests"] == telemetry.requests["spotify"] == service["requests"] == 40
    assert (service["http_429"], service["http_503"], service["limited"]) == (1, 0, 1)
    assert told["requests_saved"] == telemetry.requests_saved() == 160 - 40
    assert service["outcomes"] == {
        name: telemetry.answers["spotify", name] for name in ("ok", "missing", "failed", "postponed")
    }
    assert (told["tracks"], told["results"]["accepted"]) == (104, telemetry.results["accepted"])
    assert (told["batch_fill"], told["success_rate"]) == (80.0, 97.2)
    for share, name in ((0.5, "p50"), (0.95, "p95")):
        exact = telemetry.request_ms["spotify"].quantile(share)
        assert service["request_ms"][name] == pytest.approx(exact, abs=0.1)
    assert service["waited_ms"]["p50"] == pytest.approx(700, rel=0.03)


def test_the_fill_of_batches_is_weighed_by_their_size() -> None:
    told = counted(flushed(items=50, fill=1.0), flushed(items=5, fill=0.1))
    assert told["batch_fill"] == 55.0


def test_tracks_a_second_are_of_the_time_at_work() -> None:
    lines = [line("decided", NOW + 10 * n, tracks=20, accepted=20) for n in range(11)]
    idle = NOW + 100 + 8 * HOUR
    lines += [asked(idle), line("decided", idle + 20, tracks=20, review=20)]
    told = counted(*lines)
    assert (told["tracks"], told["busy_seconds"], told["tracks_per_second"]) == (240, 120.0, 2.0)


def test_only_the_period_that_was_asked_for_counts() -> None:
    lines = [asked(NOW - 1), asked(NOW), asked(NOW + 59.999), asked(NOW + 60)]
    told = counted(*lines, since=NOW, until=NOW + 60)
    assert (told["requests"], told["since"]) == (2, "2023-11-14T22:13:20+00:00")


def test_limits_alarms_operations_errors_and_the_peak_of_memory_are_told() -> None:
    told = counted(
        asked(status=429), asked(status=503), asked(status=503), asked(status=None),
        line("alarm", alarm="stall", why="w"), line("operation_finished", kind="scan", status="completed"),
        line("pump_failed", level="error", provider="spotify"),
        line("summary", rss_mb=80.0), line("summary", rss_mb=70.0, peak_rss_mb=120.5),
    )  # fmt: skip
    service = told["services"]["spotify"]
    assert (service["http_429"], service["http_503"], service["statuses"]["none"]) == (1, 2, 1)
    assert (told["alarms"], told["operations"]) == ({"stall": 1}, {"scan completed": 1})
    assert (told["errors"], told["peak_rss_mb"]) == ({"pump_failed": 1}, 120.5)


def test_an_empty_log_divides_by_nothing() -> None:
    told = counted()
    assert (told["tracks_per_second"], told["success_rate"], told["batch_fill"]) == (None, None, None)


@pytest.mark.parametrize(
    "odd",
    [
        b"", b"not json", b"\xff\xfe", b"[]", b"null", b'{"event": "request"}', b'{"event": 3, "at": "2026-01-01"}',
        b'{"event": "request", "at": "yesterday"}', b"[" * 5000, b'{"event": [], "at": "2026-01-01T00:00:00Z"}',
        b'{"event": "batch_flushed", "at": "2026-01-01T00:00:00Z", "items": "many", "fill": -1, "waited_ms": null}',
        b'{"event": "request", "at": "2026-01-01T00:00:00", "status": {}, "duration_ms": 1e400}',
        b'{"event": "request", "at": "2026-01-01T00:00:00Z", "duration_ms": 1' + b"0" * 400 + b"}",
    ],
)  # fmt: skip
def test_a_damaged_line_harms_none_of_the_others(odd: bytes) -> None:
    told = counted(asked(), odd, flushed())
    assert told["services"]["spotify"]["requests"] == 1
    assert told["services"]["spotify"]["lookups"] == 50


def test_memory_stays_bounded_however_many_names_and_values_a_log_has() -> None:
    found = Stats()
    for number in range(5000):
        found.add_line(asked(provider=f"p{number}", ms=number * 1.37, status=number))
        found.add_line(line(f"odd{number}", level="error"))
    told = found.as_json()
    assert len(told["services"]) <= MAX_NAMES + 1
    assert len(told["errors"]) <= MAX_NAMES + 1
    assert told["requests"] == 5000


# --- where it is read from ------------------------------------------------------------------------


def test_rotated_and_packed_files_are_read_too_oldest_first(tmp_path: Path) -> None:
    log = tmp_path / "soulspot.log"
    packed = tmp_path / "soulspot.log.2.gz"
    packed.write_bytes(gzip.compress(b"1\n2\n"))
    (tmp_path / "soulspot.log.1").write_text("3\n")
    (tmp_path / "soulspot.log-20261122").write_text("4\n")
    (tmp_path / "other.log.1").write_text("none of ours\n")
    log.write_text("5\n")
    for age, name in enumerate(["soulspot.log", "soulspot.log-20261122", "soulspot.log.1", "soulspot.log.2.gz"]):
        os.utime(tmp_path / name, (NOW - age * HOUR, NOW - age * HOUR))
    assert b"".join(file_lines(rotated_files(log))) == b"1\n2\n3\n4\n5\n"
    assert [one.name for one in rotated_files(log, NOW - 1.5 * HOUR)] == [
        "soulspot.log-20261122",
        "soulspot.log",
    ]


def test_a_packed_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    cut = tmp_path / "soulspot.log.1.gz"
    cut.write_bytes(gzip.compress(("\n".join(asked() for _ in range(2000)) + "\n").encode(), 0)[:20_000])
    log = tmp_path / "soulspot.log"
    log.write_text(flushed() + "\n")
    os.utime(cut, (NOW, NOW))
    found = Stats()
    for one in file_lines(rotated_files(log)):
        found.add_line(one)
    told = found.as_json()
    assert told["services"]["spotify"]["lookups"] == 50
    assert told["requests"] > 10


def test_a_line_without_end_is_passed_over_and_not_kept() -> None:
    file = io.BytesIO(b"x" * (3 * MAX_LINE + 5) + b"\n" + b"next\n" + b"last")
    assert list(bounded_lines(file)) == [b"{", b"next\n", b"last"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1h", NOW - HOUR), ("90", NOW - 90), ("2d", NOW - 48 * HOUR), ("2023-11-14T22:13:20+00:00", NOW)],
)
def test_a_time_is_a_span_back_or_a_moment(text: str, expected: float) -> None:
    assert parse_time(text, NOW) == expected


# --- the command ----------------------------------------------------------------------------------


def command(*arguments: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(app, ["stats", *arguments], input=stdin)


def test_the_command_computes_from_a_file_and_prints_one_json_document(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    log.write_text("\n".join([asked(NOW - 2 * HOUR), asked(), asked(ms=300.0), flushed(NOW + 20)]) + "\n")
    ended = command("--log", str(log), "--since", "2023-11-14T22:00:00Z", "--json")
    assert ended.exit_code == 0
    told = json.loads(ended.stdout)
    assert told["requests"] == 2
    assert set(told["services"]) == {"spotify"}


def test_the_command_uses_the_log_file_of_the_configuration(tmp_path: Path) -> None:
    log, config = tmp_path / "soulspot.log", tmp_path / "config.toml"
    log.write_text(asked() + "\n")
    config.write_text(
        f'log.file = "{log}"\nproviders.musicbrainz.contact = "a@example.org"\ndatabase.path = "{tmp_path}/s.db"\n'
    )
    ended = command("--config", str(config), "--json")
    assert json.loads(ended.stdout)["requests"] == 1


def test_people_get_a_table_and_the_reason_when_there_is_nothing() -> None:
    ended = command("--log", "-", stdin=asked(status=429) + "\n" + flushed() + "\n")
    assert ended.exit_code == 0
    for words in ("batches 100% full", "spotify", "p50 / p95", "429"):
        assert words in ended.stdout
    ended = command("--log", "-", stdin="12:00 [info] request\n")
    assert ended.exit_code == 1
    assert "is log.format json?" in ended.stderr


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    assert command("--log", "-", "--since", "soon").exit_code == 2
    ended = command("--log", str(tmp_path / "absent.log"))
    assert ended.exit_code == 2
    assert "there is no such log" in ended.stderr


def test_the_journal_is_asked_for_the_unit_and_the_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "asked"
    fake = tmp_path / "journalctl"
    fake.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {said}\ncat {tmp_path}/lines\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "lines").write_text(asked() + "\n-- a line of the journal's own\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    ended = command("--log", "journal", "--json", "--since", "2023-11-14T22:00:00+00:00")
    assert (json.loads(ended.stdout)["requests"], json.loads(ended.stdout)["skipped"]) == (1, 1)
    assert {"--output=cat", "--unit=soulspot", "--since=@1699999200"} <= set(said.read_text().split())


def test_a_journal_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "journalctl"
    fake.write_text("#!/bin/sh\necho 'no access' >&2\nexit 1\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    ended = command("--log", "journal")
    assert ended.exit_code == 1
    assert "no access" in ended.stderr
