"""Run a command: load its configuration, obey signals, end with a sentence and an exit code."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from soulspot.client.daemon_client import DaemonRefused, describe_owner
from soulspot.client.daemon_search import refuse_other_daemon
from soulspot.config import ALL_OFF, LIBRARY_EMPTY, SPOTIFY_OFF, Config, default_config_paths, find_config, load_config
from soulspot.errors import (
    ConfigError,
    DatabaseBusy,
    DatabaseError,
    DatabaseFull,
    DatabaseOwned,
    SchemaError,
    SoulSpotError,
)
from soulspot.imports.files import UnusableFile
from soulspot.telemetry import configure_logging
from soulspot.terminal.bars import Bars, progress_bars
from soulspot.terminal.console import complain, print_note

T = TypeVar("T")

# 75 and 78 are EX_TEMPFAIL and EX_CONFIG of sysexits.h, 130 and 143 are 128 + the signal
DONE, INCOMPLETE, USAGE, OWNED, BAD_CONFIG = 0, 1, 2, 75, 78
INTERRUPTED, TERMINATED = 130, 143
# HTTP statuses of the daemon for a command that can never work, as it stands
USAGE_STATUSES = (400, 404, 422)

CONTACT = "providers.musicbrainz.contact"
QUEUE_KEPT = "what was queued stays queued: run the same command again to go on"
MANUAL = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


class UsageError(SoulSpotError):
    """The command names something absent, or cannot be done; it ends with exit code 2."""


def exit_with(code: int, *messages: object) -> NoReturn:
    """Print each message to stderr as an error of the command, and exit with this code."""
    for message in messages:
        complain(str(message))
    raise typer.Exit(code) from None


def refuse(*messages: object) -> NoReturn:
    """Say what is wrong with the command line, and exit with code 2."""
    exit_with(USAGE, *messages)


def exit_without_music(paths: Sequence[Path] | None, config: Config) -> NoReturn:
    """Say that there is no music in `paths` (or the library), and exit with code 1."""
    places = ", ".join(map(str, paths or config.library.paths))
    exit_with(INCOMPLETE, f"no music found in {places}")


def load_or_exit(
    path: Path | None, *, check_library: bool = False, needs_contact: bool = True, needs_secrets: bool = False,
    reads_database: bool = False, warn_about: Sequence[str] = (),
) -> Config:  # fmt: skip
    """Load the configuration, or say every problem as a sentence and exit with code 78.

    Files of secrets that this user may not read stop only what needs them, or all with
    `needs_secrets`. A command that reads the database file by itself passes `reads_database`: no
    daemon may work on another database then. A command that asks no service passes
    `needs_contact=False`: a configuration that lacks nothing but MusicBrainz' contact is then
    loaded with MusicBrainz off.

    Warnings about services that are off and about an empty library are shown only where they
    begin with an entry of `warn_about`; all other warnings are always shown."""
    path = path or find_config()
    try:
        config = load_config(path, check_library=check_library, needs_secrets=needs_secrets)
    except ConfigError as error:
        if not needs_contact and len(error.problems) == 1 and error.problems[0].startswith(CONTACT):
            with contextlib.suppress(ConfigError):
                without = {"providers.musicbrainz.enabled": False}
                return _ready_to_read(load_config(path, overrides=without, needs_secrets=needs_secrets), reads_database)
        for problem in error.problems:
            complain(problem)
        explained = f"; {MANUAL} explains them too" if MANUAL.is_file() else ""
        missing = "" if path else f"there is no {', no '.join(map(str, default_config_paths()))}: "
        print_note(f"soulspot: {missing}`soulspot init` writes a config.toml with every key explained{explained}")
        raise typer.Exit(BAD_CONFIG) from None
    # they are choices, and nobody wants to hear of them with every command
    silent = (SPOTIFY_OFF, LIBRARY_EMPTY) if needs_contact else (SPOTIFY_OFF, LIBRARY_EMPTY, ALL_OFF)
    for warning in config.warnings:
        if warning.startswith(tuple(warn_about)) or not warning.startswith(silent):
            print_note(f"soulspot: {warning}")
    return _ready_to_read(config, reads_database)


def _ready_to_read(config: Config, reads_database: bool) -> Config:
    if reads_database:
        exit_on_error(lambda: asyncio.run(refuse_other_daemon(config)), config.database.path)
    return config


def log_as_configured(config: Config) -> None:
    """Log as [log] says. Exits with code 78 when the log file cannot be opened."""
    try:
        configure_logging(config.log.format, config.log.level, config.log.file)
    except OSError as error:
        exit_with(BAD_CONFIG, f"log.file: {error}")


def log_beside_progress(config: Config) -> None:
    """Log to the configured file if there is one, else only errors to the terminal; a daemon's file
    may be closed to other users."""
    if config.log.file and (os.access(config.log.file, os.W_OK) or not os.path.exists(config.log.file)):
        log_as_configured(config)
    else:
        configure_logging("console", "error")


def run_command(
    config: Config, work: Callable[[Bars], Coroutine[Any, Any, T]], *, quiet: bool, if_stopped: str = QUEUE_KEPT
) -> T:
    """Return `work(bars)` as `run_with_bars`; failures end the command as in `exit_on_error`."""
    log_beside_progress(config)
    return exit_on_error(lambda: run_with_bars(work, quiet=quiet), config.database.path, if_stopped=if_stopped)


def run_with_bars(work: Callable[[Bars], Coroutine[Any, Any, T]], *, quiet: bool) -> T:
    """Return `work(bars)`, run in an event loop of its own, with bars shown unless `quiet`."""
    with progress_bars(quiet) as bars:
        return asyncio.run(_stop_on_sigterm(work(bars), bars))


async def _stop_on_sigterm(work: Coroutine[Any, Any, T], bars: Bars) -> T:
    """Await `work`; SIGTERM cancels it, so that it drains. A second SIGTERM exits at once."""
    task = asyncio.current_task()
    assert task is not None
    is_stopping = False

    def stop() -> None:
        nonlocal is_stopping
        if is_stopping:
            os._exit(TERMINATED)
        is_stopping = True
        bars.note("stopping: what is under way is finished first")
        task.cancel()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        return await work
    except asyncio.CancelledError:
        if is_stopping:
            raise _Terminated from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


class _Terminated(Exception):
    """SIGTERM came, and everything is closed."""


def exit_on_error(work: Callable[[], T], database: Path | None = None, *, if_stopped: str = QUEUE_KEPT) -> T:
    """Return `work()`, or turn a foreseeable failure into one sentence on stderr and an exit code.

    `database` is the file that the work needs: its place is examined after an I/O error, and its
    owner is named when another process holds it. `if_stopped` tells a person who interrupts the
    work what is left behind. SchemaError and UnusableFile are raised on: the commands that can
    meet them word them themselves."""
    try:
        return work()
    except DatabaseOwned as error:
        owner = describe_owner(database) if database else None
        running = f"{owner} is running on this database: wait for it, or stop it with Ctrl-C"
        exit_with(OWNED, running if owner else error)
    except (SchemaError, UnusableFile):
        raise
    except UsageError as error:
        refuse(error)
    except DaemonRefused as error:
        exit_with(USAGE if error.status in USAGE_STATUSES else INCOMPLETE, error)
    except ConfigError as error:
        exit_with(BAD_CONFIG, *error.problems)
    except (SoulSpotError, OSError, ValueError, sqlite3.Error) as error:
        # a shell or another program with an open transaction; our own processes take turns
        if isinstance(error, DatabaseBusy):
            exit_with(OWNED, error)
        if _has_sqlite_code(error, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            exit_with(OWNED, f"the database is locked by another program: {error}")
        if database and isinstance(error, OSError | DatabaseError) and (why := database_problem(database)):
            exit_with(BAD_CONFIG, why)
        # an open file can turn out damaged only while it is read
        is_sqlite = isinstance(error, sqlite3.Error)
        is_damaged = is_sqlite and _has_sqlite_code(error, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        is_unusable = isinstance(error, DatabaseError) and not isinstance(error, DatabaseFull)
        code = BAD_CONFIG if is_damaged or is_unusable else INCOMPLETE
        exit_with(code, f"the database: {_message_of(error)}" if is_sqlite else _message_of(error))
    except KeyboardInterrupt:
        # asyncio.run has cancelled the work, and waited until it was closed
        exit_with(INTERRUPTED, f"interrupted; {if_stopped}")
    except _Terminated:
        exit_with(TERMINATED, f"stopped; {if_stopped}")


def _message_of(error: Exception) -> str:
    """Return an error's message; of an operating system's error "file: what happened"."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error) or type(error).__name__


def _has_sqlite_code(error: BaseException, *codes: int) -> bool:
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    # the low byte is the primary code: extended codes put more above it
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in codes


def database_problem(path: Path) -> str | None:
    """Return why no database can be kept at `path`, naming the key to change; None when one can.

    The place is tried by writing there; nothing is left behind."""
    place = f"database.path: {path}"
    if os.path.isdir(path):
        return f"{place} is a folder; name a file in it"
    # folders above it are made with the database: the nearest that exists has to be writable
    folder = path.parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        return f"{place} cannot be made: {folder} is not a folder"
    try:
        # SQLite keeps files beside its own: a writable file in a folder that is not is of no use
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return f"{place} cannot be written: {folder}: {error.strerror}"
    if os.path.exists(path):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            return f"{place} cannot be written: {error.strerror}"
    return None
