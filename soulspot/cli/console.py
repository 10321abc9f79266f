"""Print results to stdout, notes and complaints to stderr, and progress as bars or lines.

Titles, tags, file names and answers of services are other people's words. Everything for people
goes through the consoles of this module, which show what would steer a terminal as escapes."""

import codecs
import io
import json
import os
import re
import shlex
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO

from rich import progress
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from soulspot.text import visible

# columns where there is no terminal: a program that reads the output needs whole lines
UNLIMITED_WIDTH = 10_000
WIDTH_FOR_BARS, WIDTH_FOR_TIMES = 90, 60  # columns of a terminal from which on these are shown
# seconds; a journal or a cron mail must not fill up with progress
LINE_INTERVAL, FIRST_MINUTE, LATER_LINE_INTERVAL = 5.0, 60.0, 60.0


class CleanConsole(Console):
    """A console whose texts cannot steer the terminal, forge a line, or be taken for markup.

    A text is one line: a line break in it is somebody else's, and shown as an escape."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Render what rich prints, tables and bars cell by cell: every text comes through here."""
        if isinstance(renderable, Table):
            # before the widths of columns are measured
            for column in renderable.columns:
                column._cells[:] = map(_clean, column._cells)
        yield from super().render(_clean(renderable), options)


def _clean(part: RenderableType) -> RenderableType:
    if isinstance(part, str):
        return Text(visible(part))
    if isinstance(part, Text) and (shown := visible(part.plain)) != part.plain:
        part.plain = shown
    return part


def _console(*, stderr: bool = False) -> CleanConsole:
    # TERM=dumb asks for plain text; rich would still send it bold
    plain = False if os.environ.get("TERM") in ("dumb", "unknown") else None
    no_color = True if os.environ.get("NO_COLOR") else None
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream and stream.isatty() else UNLIMITED_WIDTH
    return CleanConsole(
        stderr=stderr, highlight=False, markup=False, emoji=False, force_terminal=plain, no_color=no_color, width=width
    )


# made at import, so by the environment of the process that is the command
out, err = _console(), _console(stderr=True)


class TerminalBytes(io.RawIOBase):
    """A stream of UTF-8 text to a terminal: like the consoles it cannot be steered by the text."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        utf8 = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        lines = self._decoder.decode(bytes(data)).split("\n")
        self._target.write("\n".join(map(visible, lines)).encode())
        return len(data)

    def flush(self) -> None:
        self._target.flush()


# a command in a sentence with its arguments, which are told from words by their form; not a process
_HINT = re.compile(
    r"(?<![\w/.~-])soulspot ((?:review |webhooks )?[a-z-]+)(?![\w-]| \(process )"
    r"(?: (?:--[\w-]+|[A-Z]+\b|\[[A-Z]+\]|\d+|\"[^\"]*\"|[./~][^\s`]*))*"
)
_options_of_hints: ContextVar[tuple[Collection[str], str]] = ContextVar("options_of_hints", default=((), ""))


@contextmanager
def hints_for(commands: Collection[str], config: Path | None) -> Iterator[None]:
    """Name `config`, the --config of the running command, in each `soulspot COMMAND` that is
    printed inside the `with`: without it the hint would be about another database."""
    option = f" --config {shlex.quote(str(config))}" if config else ""
    before = _options_of_hints.set((commands, option))
    try:
        yield
    finally:
        _options_of_hints.reset(before)


def _hint(line: str) -> str:
    commands, option = _options_of_hints.get()
    if not option:
        return line

    def completed(found: re.Match[str]) -> str:
        is_command = found[1].split()[0] in commands and "--config" not in found[0]
        return found[0] + option if is_command else found[0]

    return _HINT.sub(completed, line)


def print_result(*parts: RenderableType) -> None:
    """Print tables and lines to stdout, lines without wrapping."""
    for part in parts:
        if isinstance(part, Text):
            part.plain = _hint(part.plain)
            out.print(part, soft_wrap=bool(part.no_wrap))
        else:
            out.print(visible(_hint(part)) if isinstance(part, str) else part, soft_wrap=isinstance(part, str))


def print_answer(document: Any, as_json: bool, *parts: RenderableType) -> None:
    """Print an answer to stdout: as one JSON document, or as these tables and lines for people."""
    if as_json:
        print(json.dumps(document), flush=True)
    else:
        print_result(*parts)


def print_note(line: str) -> None:
    """Print a line for people to stderr, without wrapping."""
    err.print(visible(_hint(line)), soft_wrap=True)


class Bars:
    """Progress of named parts: bars on a terminal, lines elsewhere, nothing when `quiet`.

    Without a terminal a part is printed when it begins, every 5 seconds in the first minute and
    once a minute later, and at the end, each time only if it has moved."""

    def __init__(self, quiet: bool) -> None:
        self._live = err.is_terminal and not quiet
        self._quiet = quiet
        self._ids: dict[str, progress.TaskID] = {}
        self._latest: dict[str, str] = {}
        # by part: when a line was last printed, and that line
        self._printed: dict[str, tuple[float, str]] = {}
        self._began: float | None = None
        self._prefix = ""
        self.progress = progress.Progress(*_columns(err.width), console=err, disable=not self._live)

    def show(self, name: str, done: int, total: int | None, note: str = "") -> None:
        """Move the bar called `name` to `done` of `total` (None when the total is unknown)."""
        if name not in self._ids:
            self._ids[name] = self.progress.add_task(name, total=total, note=note)
        self.progress.update(self._ids[name], completed=done, total=total, note=note)
        of_total = f" of {total}" if total is not None else ""
        self._latest[name] = f"{name}: {done}{of_total}" + (f", {note}" if note else "")
        now = self.progress.get_time()
        self._began = now if self._began is None else self._began
        interval = LINE_INTERVAL if now - self._began < FIRST_MINUTE else LATER_LINE_INTERVAL
        printed_at, _ = self._printed.get(name, (now - interval, ""))
        if now - printed_at >= interval:
            self._print_latest(name, now)

    def finish(self) -> None:
        """Print where every part stands: the last line must not be a minute old."""
        for name in self._latest:
            self._print_latest(name, self.progress.get_time())

    def _print_latest(self, name: str, now: float) -> None:
        line = self._latest[name]
        if line != self._printed.get(name, (0.0, ""))[1]:
            if not self._live and not self._quiet:
                print_note(line)
            self._printed[name] = now, line

    def note(self, text: str) -> None:
        """Print a line that stays, above the bars."""
        if not self._quiet:
            print_note(f"{self._prefix}{text}")

    @contextmanager
    def prefixed(self, name: str) -> Iterator[None]:
        """Begin every note inside the `with` with `name`, the file that the notes are about."""
        self._prefix = f"{name}: "
        try:
            yield
        finally:
            self._prefix = ""


def _columns(width: int) -> list[progress.ProgressColumn]:
    """Return the columns that fit: on a narrow terminal the bars go first, then the times."""
    bars = [progress.BarColumn()] if width >= WIDTH_FOR_BARS else []
    times = [progress.TimeElapsedColumn(), progress.TimeRemainingColumn()] if width >= WIDTH_FOR_TIMES else []
    name, note = (
        progress.TextColumn(words, markup=False) for words in ("{task.description:<12}", "{task.fields[note]}")
    )
    return [name, *bars, progress.MofNCompleteColumn(), *times, note]


@contextmanager
def progress_bars(quiet: bool = False) -> Iterator[Bars]:
    """Show progress inside the `with`, and its last state at the end."""
    bars = Bars(quiet)
    with bars.progress:
        try:
            yield bars
        finally:
            bars.finish()


_complaints: ContextVar[list[str] | None] = ContextVar("complaints", default=None)


@contextmanager
def collected_complaints() -> Iterator[list[str]]:
    """Yield a list that grows by every message `complain` prints inside the `with`."""
    messages: list[str] = []
    before = _complaints.set(messages)
    try:
        yield messages
    finally:
        _complaints.reset(before)


def complain(message: str) -> None:
    """Print an error as one sentence to stderr, after "soulspot: "."""
    if (messages := _complaints.get()) is not None:
        messages.append(message)
    print_note(f"soulspot: {message}")
