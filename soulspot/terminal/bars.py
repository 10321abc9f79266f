"""Progress as bars on a terminal, as lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress

from soulspot.terminal.console import err, print_note

WIDTH_FOR_BARS, WIDTH_FOR_TIMES = 90, 60  # columns of a terminal from which on these are shown
# seconds; a journal or a cron mail must not fill up with progress
LINE_INTERVAL, FIRST_MINUTE, LATER_LINE_INTERVAL = 5.0, 60.0, 60.0


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
