"""A catalogue from a dump: beside the live one, and in its place once it has answered a check."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from soulspot.errors import CatalogueError
from soulspot.providers.catalogue import keys
from soulspot.providers.catalogue.building.loading import load_dumps
from soulspot.providers.catalogue.reader import FORMAT, Catalogue

CACHE_KIB = 200_000
LOADING = 0.5  # the share of the time that loading takes; the derived tables take the rest
STEPS = 200_000  # of SQLite's machine, between two looks whether to stop


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """The progress of a build. `done` is 0 to 1; `seconds_left` is None while nobody can tell."""

    doing: str
    done: float
    seconds_left: float | None


class BuildStopped(Exception):
    """Somebody asked the build to stop; nothing has changed."""


def build_catalogue(
    dumps: Sequence[Path],
    target: Path,
    *,
    report: Callable[[BuildProgress], object] = lambda progress: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Build a catalogue from `dumps` and put it in the place of `target`.

    The dumps are `mbdump.tar.bz2`, with `mbdump-derived.tar.bz2` or without, or a canonical dump
    alone. Raises CatalogueError, and leaves `target` as it is, when they cannot be read, the disk
    is full, another build runs, or the new catalogue does not answer; BuildStopped when asked
    to."""
    building, staging = (target.with_name(f"{target.name}.{part}") for part in ("building", "staging"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target), _removed_at_the_end(building, staging):
            _Build(report, is_stopped).run(dumps, building, staging)
            with closing(Catalogue(building)) as made:
                made.check()
            with building.open("rb") as file:
                os.fsync(file.fileno())
            building.replace(target)
    except OSError as error:
        raise CatalogueError(f"{target}: {error.strerror or error}") from None


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CatalogueError(f"another build of {target} is running: wait for it, or end it") from None
        yield


@contextmanager
def _removed_at_the_end(*paths: Path) -> Iterator[None]:
    def remove() -> None:
        for path in paths:
            path.unlink(missing_ok=True)

    remove()  # what a killed build has left
    try:
        yield
    finally:
        remove()


class _Build:
    def __init__(self, report: Callable[[BuildProgress], object], is_stopped: Callable[[], bool]) -> None:
        self._report, self._is_stopped = report, is_stopped
        self._began = time.monotonic()

    def run(self, dumps: Sequence[Path], building: Path, staging: Path) -> None:
        # large sorts go to the disk of the catalogue: /tmp is often small, or memory
        os.environ.setdefault("SQLITE_TMPDIR", str(building.parent))
        with closing(sqlite3.connect(building, isolation_level=None)) as connection:
            try:
                self._prepare(connection, staging)
                about = load_dumps(connection, dumps, lambda doing, share: self._tell(doing, LOADING * share))
                about |= {"format": str(FORMAT), "built_at": str(int(time.time()))}
                connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
                self._derive(connection)
            except sqlite3.Error as error:
                if self._is_stopped():
                    raise BuildStopped from None
                raise CatalogueError(f"{building}: {error}") from None

    def _prepare(self, connection: sqlite3.Connection, staging: Path) -> None:
        connection.execute("ATTACH ? AS staging", (str(staging),))
        for schema in ("main", "staging"):
            # A build that is cut off begins anew, so nothing has to survive it.
            connection.execute(f"PRAGMA {schema}.journal_mode = OFF")
            connection.execute(f"PRAGMA {schema}.synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = FILE")
        connection.set_progress_handler(self._is_stopped, STEPS)
        for function in (keys.title_key, keys.latin_title_key, keys.name_key, keys.latin_name_key, keys.slips):
            connection.create_function(function.__name__, 1, _or_null(function), deterministic=True)
        connection.executescript(_script("schema.sql"))

    def _derive(self, connection: sqlite3.Connection) -> None:
        steps = [step.split("\n", 1) for step in _script("derived.sql").split("\n-- ")[1:]]
        for number, (name, statements) in enumerate(steps):
            self._tell(f"making {name}", LOADING + (1 - LOADING) * number / len(steps))
            connection.executescript(statements)

    def _tell(self, doing: str, done: float) -> None:
        if self._is_stopped():
            raise BuildStopped
        passed = time.monotonic() - self._began
        self._report(BuildProgress(doing, done, passed / done * (1 - done) if done > 0.01 else None))


def _or_null(function: Callable[[str], str | None]) -> Callable[[str | None], str | None]:
    return lambda text: None if text is None else function(text)


def _script(name: str) -> str:
    return files("soulspot.providers.catalogue.building").joinpath(name).read_text("utf-8")
