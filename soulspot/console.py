"""What people see on a terminal: progress bars there, one line a step elsewhere, tables at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from soulspot.enrich import Postponed

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

STATUSES = ("accepted", "review", "unmatched", "failed", "pending")
SECONDS_BETWEEN_LINES = 5.0


class Bars:
    """Progress bars on a terminal, a line every few seconds elsewhere, nothing when quiet."""

    def __init__(self, quiet: bool) -> None:
        self._live = err.is_terminal and not quiet
        self._quiet = quiet
        self._ids: dict[str, TaskID] = {}
        self._said: dict[str, float] = {}
        self.progress = Progress(
            TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=err, disable=not self._live,
        )  # fmt: skip

    def show(self, name: str, done: int, total: int | None, note: str = "") -> None:
        """Bring the bar called `name` to `done` of `total`; an unknown total is None."""
        if name not in self._ids:
            self._ids[name] = self.progress.add_task(name, total=total, note=note)
            self.step(f"{name}: started") if not self._live else None
        self.progress.update(self._ids[name], completed=done, total=total, note=note)
        now = self.progress.get_time()
        if not self._live and now - self._said.get(name, now - 1) >= SECONDS_BETWEEN_LINES:
            self.step(f"{name}: {done}" + (f" of {total}" if total else "") + (f", {note}" if note else ""))
            self._said[name] = now
        self._said.setdefault(name, now)

    def step(self, text: str) -> None:
        """One line, for where there is no terminal."""
        if not self._live and not self._quiet:
            err.print(text, markup=False)

    def note(self, text: str) -> None:
        """A line that stays, above the bars."""
        if not self._quiet:
            (self.progress.console if self._live else err).print(text, markup=False)


@contextmanager
def bars(quiet: bool = False) -> Iterator[Bars]:
    made = Bars(quiet)
    with made.progress:
        yield made


def results_table(counts: Mapping[str, int]) -> Table:
    """How many tracks came to which result."""
    table = Table(title="Tracks", title_justify="left")
    table.add_column("result")
    table.add_column("tracks", justify="right")
    for status in STATUSES:
        if counts.get(status) or status == "accepted":
            table.add_row(status, str(counts.get(status, 0)))
    table.add_row("all", str(counts.get("total", 0)), style="bold")
    return table


def requests_table(requests: Mapping[str, int], answered: Mapping[str, int]) -> Table:
    """Requests used beside what one request a lookup would have cost."""
    table = Table(title="Requests", title_justify="left")
    for name, justify in (
        ("service", "left"),
        ("lookups answered", "right"),
        ("requests used", "right"),
        ("saved", "right"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for provider in sorted({*requests, *answered}):
        used, lookups = requests.get(provider, 0), answered.get(provider, 0)
        table.add_row(provider, str(lookups), str(used), str(max(0, lookups - used)))
    used, lookups = sum(requests.values()), sum(answered.values())
    table.add_row("all", str(lookups), str(used), str(max(0, lookups - used)), style="bold")
    return table


def postponed_lines(postponed: Sequence[Postponed]) -> Iterator[str]:
    """What stays queued, until when and why."""
    for one in postponed:
        when = datetime.fromtimestamp(one.until).astimezone()
        yield f"postponed: {one.lookups} lookups at {one.provider} until {when:%Y-%m-%d %H:%M:%S %Z}: {one.why}"


def status_lines(status: Mapping[str, Any]) -> Iterator[Table | str]:
    """`soulspot status` for people."""
    yield results_table(status["tracks"])
    table = Table(title="Services", title_justify="left")
    for name in ("service", "waiting", "answered", "missing", "failed", "limited until", "why"):
        table.add_column(name)
    gates = {
        gate["provider"]: gate for gate in sorted(status["gates"], key=lambda g: g["limited_until"] or "")
    }
    for provider in sorted({*status["lookups"], *gates}):
        states = status["lookups"].get(provider, {})
        gate = gates.get(provider, {})
        table.add_row(
            provider,
            str(states.get("pending", 0) + states.get("leased", 0)),
            str(states.get("done", 0)),
            str(states.get("missing", 0)),
            str(states.get("failed", 0) + states.get("buried", 0)),
            gate.get("limited_until") or "",
            gate.get("why") or "" if gate.get("limited_until") else "",
        )
    yield table
    for name in ("unreadable", "vanished"):
        if status["tracks"].get(name):
            yield f"{name} files: {status['tracks'][name]}"


def complain(message: str) -> None:
    """An error, in words, to stderr."""
    print(f"soulspot: {message}", file=sys.stderr)
