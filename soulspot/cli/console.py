"""What people see while it works: progress bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console, ConsoleDimensions
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

NO_EDGE = 10_000  # columns where there is no terminal: a program that reads us needs whole lines
ROOM_FOR_BARS, ROOM_FOR_TIMES = 90, 60  # columns of a terminal
SECONDS_BETWEEN_LINES, FIRST_MINUTE, SECONDS_LATER = 5.0, 60.0, 60.0


class Screen(Console):
    """A console that neither wraps nor cuts off what goes into a file or a pipe. NO_COLOR is obeyed."""

    @property
    def size(self) -> ConsoleDimensions:
        return super().size if self.is_terminal else ConsoleDimensions(NO_EDGE, 25)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size


def _screen(*, stderr: bool = False) -> Screen:
    # TERM=dumb asks for plain text; rich would still send it bold
    plain = False if os.environ.get("TERM") in ("dumb", "unknown") else None
    return Screen(stderr=stderr, highlight=False, force_terminal=plain, no_color=_no_color())


def _no_color() -> bool | None:
    return True if os.environ.get("NO_COLOR") else None


out, err = _screen(), _screen(stderr=True)


class Bars:
    """Progress bars on a terminal, a line now and then elsewhere, nothing when quiet."""

    def __init__(self, quiet: bool) -> None:
        self._live = err.is_terminal and not quiet
        self._quiet = quiet
        self._ids: dict[str, TaskID] = {}
        self._said: dict[str, tuple[float, str]] = {}
        self._latest: dict[str, str] = {}
        self._began: float | None = None
        self._about = ""
        self.progress = Progress(*_columns(err.width), console=err, disable=not self._live)

    def show(self, name: str, done: int, total: int | None, note: str = "") -> None:
        """Bring the bar called `name` to `done` of `total`; an unknown total is None."""
        if name not in self._ids:
            self._ids[name] = self.progress.add_task(name, total=total, note=note)
        self.progress.update(self._ids[name], completed=done, total=total, note=note)
        self._latest[name] = (
            f"{name}: {done}" + (f" of {total}" if total is not None else "") + (f", {note}" if note else "")
        )
        now = self.progress.get_time()
        self._began = now if self._began is None else self._began
        pause = SECONDS_BETWEEN_LINES if now - self._began < FIRST_MINUTE else SECONDS_LATER
        at, _ = self._said.get(name, (now - pause, ""))
        if now - at >= pause:
            self._say(name, now)

    def finish(self) -> None:
        """Say how it stands at the end: the last line must not be one of a minute ago."""
        for name in self._latest:
            self._say(name, self.progress.get_time())

    def _say(self, name: str, now: float) -> None:
        line = self._latest[name]
        if line != self._said.get(name, (0.0, ""))[1]:
            self.step(line)
            self._said[name] = now, line

    def step(self, text: str) -> None:
        """One line, for where there is no terminal."""
        if not self._live and not self._quiet:
            err.print(text, markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A line that stays, above the bars."""
        if not self._quiet:
            said = f"{self._about}{text}"
            (self.progress.console if self._live else err).print(said, markup=False, soft_wrap=True)

    @contextmanager
    def about(self, name: str) -> Iterator[None]:
        """What is noted meanwhile is about this one of several files."""
        self._about = f"{name}: "
        try:
            yield
        finally:
            self._about = ""


def _columns(width: int) -> list[ProgressColumn]:
    """What fits: the bars go first, then the times."""
    columns: list[ProgressColumn] = [TextColumn("{task.description:<12}")]
    if width >= ROOM_FOR_BARS:
        columns.append(BarColumn())
    columns.append(MofNCompleteColumn())
    if width >= ROOM_FOR_TIMES:
        columns += [TimeElapsedColumn(), TimeRemainingColumn()]
    return [*columns, TextColumn("{task.fields[note]}")]


@contextmanager
def bars(quiet: bool = False) -> Iterator[Bars]:
    made = Bars(quiet)
    with made.progress:
        try:
            yield made
        finally:
            made.finish()


_complaints: ContextVar[list[str] | None] = ContextVar("complaints", default=None)


@contextmanager
def complaints() -> Iterator[list[str]]:
    """What `complain` says from here on, besides going to stderr."""
    said: list[str] = []
    before = _complaints.set(said)
    try:
        yield said
    finally:
        _complaints.reset(before)


def complain(message: str) -> None:
    """An error, in words, to stderr."""
    if (said := _complaints.get()) is not None:
        said.append(message)
    print(f"soulspot: {message}", file=sys.stderr)
