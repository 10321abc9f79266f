"""Print results to stdout, notes and complaints to stderr.

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

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from soulspot.text import visible

# columns where there is no terminal: a program that reads the output needs whole lines
UNLIMITED_WIDTH = 10_000


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
    r"(?<![\w/.~-])soulspot ((?:catalogue |review |webhooks )?[a-z-]+)(?![\w-]| \(process )"
    r"(?: (?:--[\w-]+(?:=\w+)?|[A-Z]+\b|\[[A-Z]+\]|\d+|\"[^\"]*\"|[./~][^\s`]*))*"
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
