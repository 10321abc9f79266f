"""`soulspot status --watch`: the status again and again, in place on a terminal, in one line elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from soulspot.cli.tables import STATUSES, minutes, pace, status_lines
from soulspot.errors import SoulSpotError

EVERY = 2.0  # seconds between two looks on a terminal
EVERY_LINE = 10.0  # elsewhere

Look = Callable[[], Awaitable[Mapping[str, Any] | None]]


async def watch(
    look: Look, console: Console, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Show what `look` gives until it is cancelled. A daemon that has gone is told, and waited for."""
    if not console.is_terminal:
        said = ""
        while True:
            line = one_line(await _seen(look))
            if line != said:
                console.print(f"{datetime.now().astimezone():%H:%M:%S} {line}", markup=False, soft_wrap=True)
                said = line
            await sleep(EVERY_LINE)
    with Live(console=console, auto_refresh=False, screen=False, vertical_overflow="visible") as live:
        while True:
            live.update(picture(await _seen(look)), refresh=True)
            await sleep(EVERY)


async def _seen(look: Look) -> Mapping[str, Any] | str:
    """The status, or why there is none."""
    try:
        return await look() or "there is no database yet"
    except SoulSpotError as error:
        return str(error)


def one_line(seen: Mapping[str, Any] | str) -> str:
    """How it stands, in one line."""
    if isinstance(seen, str):
        return seen
    tracks = seen["tracks"]
    counts = ", ".join(f"{tracks[name]} {name}" for name in STATUSES if tracks.get(name))
    parts = [f"{_percent(tracks)} of {tracks['total']} tracks", counts, pace(seen), *operations_lines(seen)]
    return "; ".join(part for part in parts if part)


def operations_lines(seen: Mapping[str, Any]) -> list[str]:
    """The operations under way, and how far each is."""
    return [_in_words(one) for one in seen["operations"] if not one["is_complete"]]


def picture(seen: Mapping[str, Any] | str) -> RenderableType:
    """The whole of it, for a terminal."""
    if isinstance(seen, str):
        return Text(seen)
    return Group(*_parts(seen))


def _parts(seen: Mapping[str, Any]) -> Iterator[RenderableType]:
    where = f"daemon at {seen['daemon']}" if seen["daemon"] else "no daemon runs"
    yield Text(f"{where} · {datetime.now().astimezone():%H:%M:%S} · Ctrl-C ends this, and nothing else")
    yield _bars(seen)
    for part in status_lines(seen):
        yield Text(part) if isinstance(part, str) else part


def _bars(seen: Mapping[str, Any]) -> Table:
    tracks = seen["tracks"]
    done = tracks["total"] - tracks.get("pending", 0)
    bars = Table.grid(padding=(0, 1))
    bars.add_row(
        "library",
        _bar(done, tracks["total"]),
        _percent(tracks),
        ", ".join(part for part in (f"{done} of {tracks['total']} tracks", pace(seen)) if part),
    )
    for one in seen["operations"]:
        if not one["is_complete"]:
            name, words = f"{one['kind']} {one['id']}", _in_words(one).partition(": ")[2]
            bars.add_row(name, _bar(one["progress"], 100), f"{int(one['progress'])} %", words)
    return bars


def _bar(done: float, total: float) -> ProgressBar:
    return ProgressBar(total=max(total, 1), completed=done, width=30)


def _percent(tracks: Mapping[str, int]) -> str:
    """Rounded down: 100 % is when all is done, and not before."""
    total = tracks["total"]
    return f"{100 * (total - tracks.get('pending', 0)) // total if total else 0} %"


def _in_words(one: Mapping[str, Any]) -> str:
    words = f"{one['kind']} {one['id']}: {one['processed_items']}"
    if one["total_items"]:
        words += f" of {one['total_items']}"
    if one.get("failed_items"):
        words += f", {one['failed_items']} failed"
    if one.get("rate"):
        words += f", {one['rate']:.1f}/s"
    if one.get("eta_seconds"):
        words += f", {minutes(one['eta_seconds'])} left"
    return words
