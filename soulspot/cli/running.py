"""How every command runs: the configuration it loads, the signals it obeys, and failures as sentences with exit codes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from soulspot.cli.console import Bars, bars, complain, err, out
from soulspot.cli.daemon_client import DaemonRefused, who_works
from soulspot.cli.database_place import database_problem
from soulspot.config import (
    ALL_OFF,
    LIBRARY_EMPTY,
    SPOTIFY_OFF,
    Config,
    default_config_paths,
    find_config,
    load_config,
)
from soulspot.errors import (
    ConfigError,
    DatabaseError,
    DatabaseFull,
    DatabaseOwned,
    SchemaError,
    SoulSpotError,
)
from soulspot.imports.files import UnusableFile

T = TypeVar("T")

DONE, INCOMPLETE, USAGE, OWNED, BAD_CONFIG = 0, 1, 2, 75, 78
INTERRUPTED, TERMINATED = 130, 143
MEANT_WRONG = (400, 404, 422)  # answers of the daemon that say the command cannot be meant

CONTACT = "providers.musicbrainz.contact"
GO_ON = "what was queued stays queued: run the same command again to go on"
MANUAL = Path(__file__).parents[2] / "docs" / "configuration.md"


def load(
    path: Path | None,
    *,
    check_library: bool = False,
    needs_contact: bool = True,
    about: Sequence[str] = (),
) -> Config:
    """The configuration, or its problems as sentences and exit code 78.

    Without `needs_contact` (a command that asks no service) one that only lacks MusicBrainz' contact will do: it
    comes with MusicBrainz off. Of what is off or empty by choice only the warnings that begin with one of `about` are
    said."""
    path = path or find_config()
    try:
        loaded = load_config(path, check_library=check_library)
    except ConfigError as error:
        if not needs_contact and len(error.problems) == 1 and error.problems[0].startswith(CONTACT):
            with contextlib.suppress(ConfigError):
                return load_config(path, overrides={"providers.musicbrainz.enabled": False})
        for problem in error.problems:
            complain(problem)
        explained = f"; {MANUAL} explains them too" if MANUAL.is_file() else ""
        none = "" if path else f"there is no {', no '.join(map(str, default_config_paths()))}: "
        hint = f"soulspot: {none}`soulspot init` writes a config.toml with every key explained{explained}"
        err.print(hint, markup=False, soft_wrap=True)
        raise typer.Exit(BAD_CONFIG) from None
    unsaid = (SPOTIFY_OFF, LIBRARY_EMPTY) if needs_contact else (SPOTIFY_OFF, LIBRARY_EMPTY, ALL_OFF)
    for warning in loaded.warnings:
        if warning.startswith(tuple(about)) or not warning.startswith(unsaid):
            err.print(f"soulspot: {warning}", markup=False, soft_wrap=True)
    return loaded


def log_as_configured(config: Config) -> None:
    from soulspot.telemetry import configure_logging

    try:
        configure_logging(config.log.format, config.log.level, config.log.file)
    except OSError as error:
        complain(f"log.file: {error}")
        raise typer.Exit(BAD_CONFIG) from None


def log_quietly(config: Config) -> None:
    """A command that shows progress logs to the configured file, and only errors to the terminal."""
    from soulspot.telemetry import configure_logging

    if config.log.file:
        log_as_configured(config)
    else:
        configure_logging("console", "error")


def refuse_absent(paths: Sequence[Path]) -> None:
    """Exit 2 when one of these is not there, or is no name at all."""
    wrong = [path for path in paths if path == Path() or not os.path.lexists(path)]
    for path in wrong:
        complain(f"{path}: there is no such file or folder")
    if wrong:
        raise typer.Exit(USAGE)


def as_path(given: str) -> Path:
    """A path of the command line. An empty one would be the folder we are in, which nobody means by ""."""
    if not given:
        raise typer.BadParameter("a path cannot be empty; say . for the folder you are in")
    return Path(given)


def say_next(database: Path) -> None:
    """How to go on with what was queued, unless whoever works on the database goes on anyway."""
    worker = who_works(database)
    out.print(f"{worker} works it off" if worker else "next: soulspot enrich", markup=False)


def run(
    work: Callable[[Bars], Coroutine[Any, Any, T]],
    *,
    quiet: bool = False,
    database: Path | None = None,
    left: str = GO_ON,
) -> T:
    """Run a command's work with its progress shown; what went wrong is said after the last of the bars.

    `left` is what an interruption leaves, in words."""

    def shown() -> T:
        with bars(quiet=quiet) as made:
            return asyncio.run(_until_told(work(made), made))

    return guarded(shown, database, left=left)


async def _until_told(work: Coroutine[Any, Any, T], made: Bars) -> T:
    """SIGTERM cancels the work, which then drains as it does at its end; a second one ends at once."""
    task = asyncio.current_task()
    assert task is not None
    told = False

    def stop() -> None:
        nonlocal told
        if told:
            os._exit(TERMINATED)
        told = True
        made.note("stopping: what is under way is finished first")
        task.cancel()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        return await work
    except asyncio.CancelledError:
        if told:
            raise _Terminated from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


class _Terminated(Exception):
    """SIGTERM came, and everything is closed."""


def guarded(work: Callable[[], T], database: Path | None = None, *, left: str = GO_ON) -> T:
    """Turn what is foreseen into a sentence and an exit code; `left` is what an interruption leaves, in words."""
    try:
        return work()
    except DatabaseOwned as error:
        who = who_works(database) if database else None
        _end(
            OWNED, f"{who} is running on this database: wait for it, or stop it with Ctrl-C" if who else error
        )
    except (SchemaError, UnusableFile):
        raise
    except DaemonRefused as error:
        _end(USAGE if error.status in MEANT_WRONG else INCOMPLETE, error)
    except ConfigError as error:
        for problem in error.problems[:-1]:
            complain(problem)
        _end(BAD_CONFIG, error.problems[-1])
    except (SoulSpotError, OSError, ValueError, sqlite3.Error) as error:
        if _is_lock(error):
            _end(OWNED, f"the database is locked by another program: {error}")
        if database and isinstance(error, OSError | DatabaseError) and (why := database_problem(database)):
            _end(BAD_CONFIG, why)
        words = _words_of(error)
        unusable = _is_damage(error) or (
            isinstance(error, DatabaseError) and not isinstance(error, DatabaseFull)
        )
        _end(
            BAD_CONFIG if unusable else INCOMPLETE,
            f"the database: {words}" if isinstance(error, sqlite3.Error) else words,
        )
    except KeyboardInterrupt:
        _end(INTERRUPTED, f"interrupted; {left}")
    except _Terminated:
        _end(TERMINATED, f"stopped; {left}")


def _words_of(error: Exception) -> str:
    """What happened to which file, without what only programmers read."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error) or type(error).__name__


def _end(code: int, words: object) -> NoReturn:
    complain(str(words))
    raise typer.Exit(code) from None


def _is_damage(error: BaseException) -> bool:
    """Whether SQLite met damage that did not show when the file was opened."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )


def _is_lock(error: BaseException) -> bool:
    """Whether another program kept SQLite's lock for longer than we wait for it."""
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    # the low byte: there are extended codes of each
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )
