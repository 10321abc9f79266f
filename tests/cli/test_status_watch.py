"""`soulspot status --watch`: bars on a terminal, and lines where there is none."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from soulspot.cli.main import app
from soulspot.cli.status import status_line, watch
from soulspot.client.daemon_client import DaemonUnreachable


def status(accepted: int, pending: int, *operations: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "daemon": "http://127.0.0.1:8753", "tracks": {"accepted": accepted, "pending": pending, "total": accepted + pending},
        "lookups": {"musicbrainz": {"pending": 7, "done": 3}}, "gates": [], "pumps": {"musicbrainz": {"held": None}},
        "services": {"musicbrainz": {"requests_last_minute": 42, "batch_fill": 0.5}}, "operations": list(operations),
    }  # fmt: skip


def operation(processed: int) -> dict[str, Any]:
    return {"id": 3, "kind": "enrich", "is_complete": False, "processed_items": processed, "total_items": 20,
            "failed_items": 1, "rate": 2.0, "eta_seconds": 75.0, "progress": processed * 5.0}  # fmt: skip


async def watched(seen: Sequence[Mapping[str, Any] | Exception], *, terminal: bool) -> str:
    """Return the text that watching these statuses (or errors) in turn leaves on the screen."""
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=120, no_color=True, highlight=False)
    rest = list(seen)

    async def look() -> Mapping[str, Any] | None:
        one = rest.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    async def sleep(_: float) -> None:
        if not rest:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await watch(look, console, sleep)
    return text.getvalue()


async def test_a_terminal_shows_bars_operations_and_services_anew_each_time() -> None:
    shown = await watched([status(1, 19, operation(1)), status(19, 1, operation(19))], terminal=True)
    for words in (
        "5 %",
        "95 %",
        "19 of 20 tracks",
        "enrich 3",
        "19 of 20, 1 failed, 2.0/s, 1:15 left",
        "42",
        "50%",
        "Ctrl-C",
    ):
        assert words in shown, words


async def test_without_a_terminal_only_a_change_is_a_line() -> None:
    said = await watched([status(1, 19), status(1, 19), status(2, 18), status(20, 0)], terminal=False)
    assert [re.sub(r"^[\d:]+ ", "", line) for line in said.splitlines()] == [
        "5 % of 20 tracks; 1 accepted, 19 pending",
        "10 % of 20 tracks; 2 accepted, 18 pending",
        "100 % of 20 tracks; 20 accepted",
    ]


@pytest.mark.parametrize("terminal", [True, False])
async def test_a_daemon_that_has_gone_is_reported_and_waited_for(terminal: bool) -> None:
    said = await watched([status(1, 1), DaemonUnreachable("it does not answer"), status(2, 0)], terminal=terminal)
    assert said.index("50 %") < said.index("it does not answer") < said.index("100 %")


def test_an_operation_without_numbers_yet_is_shown_without_them() -> None:
    bare = operation(0) | {"total_items": 0, "failed_items": 0, "rate": None, "eta_seconds": None}
    assert status_line(status(0, 0, bare)) == "0 % of 0 tracks; enrich 3: 0"


def test_the_speed_and_the_time_left_are_shown() -> None:
    line = status_line(status(1, 19) | {"tracks_per_second": 0.25, "eta_seconds": 76.0})
    assert line == "5 % of 20 tracks; 1 accepted, 19 pending; 0.2 tracks/s, 1:16 left"


def test_100_per_cent_is_not_shown_while_a_track_is_left() -> None:
    assert status_line(status(999, 1)).startswith("99 % of 1000")


def test_watch_and_json_exclude_each_other(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('providers.musicbrainz.contact = "a@example.org"\n', encoding="utf-8")
    ended = CliRunner().invoke(app, ["status", "--watch", "--json", "--config", str(config)])
    assert ended.exit_code == 2
