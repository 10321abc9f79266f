"""The command line: one short function a command."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from soulspot import __version__, commands
from soulspot.config import Config, find_config, load_config
from soulspot.console import (
    bars,
    complain,
    err,
    out,
    postponed_lines,
    requests_table,
    results_table,
    status_lines,
)
from soulspot.errors import ConfigError, DatabaseOwned, SoulSpotError

T = TypeVar("T")

DONE, INCOMPLETE, USAGE, OWNED, BAD_CONFIG = 0, 1, 2, 75, 78

app = typer.Typer(
    help="SoulSpot keeps a music library's metadata complete.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,  # they hold secrets
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="config.toml to use (also SOULSPOT_CONFIG; default: the first found).",
        metavar="PATH",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")]
PathsArgument = Annotated[list[Path] | None, typer.Argument(help="Files or folders.", metavar="[PATH]...")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"soulspot {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """SoulSpot keeps a music library's metadata complete."""


@app.command()
def daemon(
    config: ConfigOption = None,
    allow_root: Annotated[bool, typer.Option("--allow-root", help="Run although this is root.")] = False,
) -> None:
    """Run the service: scan, enrich and answer HTTP until SIGTERM; SIGHUP reads the configuration again."""
    from soulspot.daemon import run_daemon

    loaded = _load(config, check_library=True)
    if os.geteuid() == 0 and not (allow_root or os.environ.get("SOULSPOT_ALLOW_ROOT")):
        complain("the daemon needs no root rights: run it as another user, or say --allow-root")
        raise typer.Exit(USAGE)
    _log_as_configured(loaded)
    _guarded(lambda: run_daemon(loaded, config or loaded.source))


@app.command()
def scan(paths: PathsArgument = None, config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Queue new and changed files, in the running daemon if there is one."""
    loaded = _load(config, check_library=not paths)
    places = commands.absolute(paths or [])
    if not places and not loaded.library.paths:
        complain("nothing to scan: name a folder, or set library.paths in config.toml")
        raise typer.Exit(USAGE)
    _refuse_absent(paths or [])
    _log_quietly(loaded)
    with bars(quiet=json_) as shown:
        report = _run(commands.scan(loaded, places, shown))
    _say(report, json_)


@app.command(name="import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(help="CSV, JSON or NDJSON (also .gz); `soulspot import --help` lists the columns."),
    ],
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Queue tracks without files, from a CSV, JSON or NDJSON file.

    Columns, all optional: key spotify_id isrc mb_recording_id mb_release_id artist title album album_artist
    duration_ms track_number disc_number. `key` is your own name for the row: the same key again updates it."""
    loaded = _load(config)
    _refuse_absent([file])
    _log_quietly(loaded)
    with bars(quiet=json_) as shown:
        report = _run(commands.import_file(loaded, file, shown))
    _say(report, json_)


@app.command()
def enrich(
    paths: PathsArgument = None,
    config: ConfigOption = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="End when nothing is due within this many seconds.")
    ] = 60.0,
    json_: JsonOption = False,
) -> None:
    """Scan PATH (or the configured library), then enrich what is queued until nothing more can be asked."""
    loaded = _load(config, check_library=not paths)
    _refuse_absent(paths or [])
    _log_quietly(loaded)
    with bars(quiet=json_) as shown:
        report = _run(commands.enrich(loaded, commands.absolute(paths or []), wait, shown))
    if json_:
        print(json.dumps(report.as_json() | {"database": str(loaded.database.path)}))
    else:
        out.print(results_table(report.tracks))
        if report.requests:
            out.print(requests_table(report.requests, report.answered))
        for line in postponed_lines(report.postponed):
            out.print(line, markup=False, soft_wrap=True)
        if report.lost:
            out.print(f"{report.lost} lookups failed; `soulspot retry` asks them again", markup=False)
        out.print(f"database: {loaded.database.path}", markup=False, soft_wrap=True)
    if not report.complete or report.bad_places:
        raise typer.Exit(INCOMPLETE)


@app.command()
def status(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Say how far it is and what it is waiting for, from the daemon if one runs."""
    loaded = _load(config)
    found = _run(commands.status(loaded))
    if found is None:
        complain(
            f"there is no database yet at {loaded.database.path}; `soulspot enrich PATH` or `soulspot daemon` makes it"
        )
        raise typer.Exit(INCOMPLETE)
    if json_:
        print(json.dumps(found))
        return
    out.print(f"daemon at {found['daemon']}" if found["daemon"] else "no daemon runs", markup=False)
    for part in status_lines(found):
        out.print(part)


@app.command()
def retry(
    provider: Annotated[str | None, typer.Option(help="Only this provider's lookups.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="failed or missing; both may be given.")] = None,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Queue lookups again that failed (or, with --state missing, were not known)."""
    states = state or ["failed"]
    if not set(states) <= {"failed", "missing"}:
        complain("--state is failed or missing")
        raise typer.Exit(USAGE)
    if provider not in (None, "musicbrainz", "spotify", "listenbrainz"):
        complain("--provider is musicbrainz, spotify or listenbrainz")
        raise typer.Exit(USAGE)
    loaded = _load(config)
    _log_quietly(loaded)
    with bars(quiet=json_) as shown:
        report = _run(commands.retry(loaded, states, provider, shown))
    _say(report, json_)


@app.command()
def check(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Check configuration, database, credentials, library and versions, without asking any service."""
    from soulspot.check import checks

    loaded = _load(config, check_library=True)
    found = checks(loaded)
    if json_:
        print(json.dumps([dataclasses.asdict(one) for one in found]))
    else:
        for one in found:
            out.print(
                f"{'ok  ' if one.ok else 'FAIL' if one.fatal else 'note'}  {one.subject}: {one.words}",
                markup=False,
                soft_wrap=True,
            )
    if any(one.fatal and not one.ok for one in found):
        raise typer.Exit(INCOMPLETE)


@app.command()
def init(
    config: Annotated[Path, typer.Option("--config", "-c", help="Where to write it.")] = Path("config.toml"),
    library: Annotated[list[Path] | None, typer.Option(help="A folder with music.")] = None,
    contact: Annotated[
        str | None, typer.Option(help="Your e-mail address or web page, for MusicBrainz.")
    ] = None,
    spotify_client_id: Annotated[str | None, typer.Option(help="The client id of your Spotify app.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing, leave empty what was not given.")
    ] = False,
) -> None:
    """Write a commented config.toml, asking for what it needs."""
    from soulspot.setup import ask_and_write

    ask = not yes and sys.stdin.isatty()
    _guarded(lambda: ask_and_write(config, library, contact, spotify_client_id, force=force, ask=ask))


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to work; made if it is not there.")] = Path(
        "soulspot-demo"
    ),
    tracks: Annotated[int, typer.Option(min=20, max=5000, help="Files in the sample library.")] = 150,
    config: Annotated[Path | None, typer.Option("--config", "-c", hidden=True)] = None,
    json_: JsonOption = False,
) -> None:
    """Do the whole job on a sample library against local servers: no account, no network, no configuration."""
    from soulspot.demo import run_demo

    with bars(quiet=json_) as shown:
        report = _run(run_demo(folder, tracks, shown))
    if json_:
        print(json.dumps(report.as_json()))
    else:
        for part in report.tables():
            out.print(part)
    if not report.right:
        raise typer.Exit(INCOMPLETE)


def _load(path: Path | None, *, check_library: bool = False) -> Config:
    try:
        loaded = load_config(path or find_config(), check_library=check_library)
    except ConfigError as error:
        for problem in error.problems:
            complain(problem)
        complain("`soulspot init` writes a config.toml with every key explained")
        raise typer.Exit(BAD_CONFIG) from None
    for warning in loaded.warnings:
        err.print(f"soulspot: {warning}", markup=False, soft_wrap=True)
    return loaded


def _log_as_configured(config: Config) -> None:
    from soulspot.telemetry import configure_logging

    try:
        configure_logging(config.log.format, config.log.level, config.log.file)
    except OSError as error:
        complain(f"log.file: {error}")
        raise typer.Exit(BAD_CONFIG) from None


def _log_quietly(config: Config) -> None:
    """A command that shows progress logs to the configured file, and only errors to the terminal."""
    from soulspot.telemetry import configure_logging

    if config.log.file:
        _log_as_configured(config)
    else:
        configure_logging("console", "error")


def _refuse_absent(paths: list[Path]) -> None:
    absent = [path for path in paths if not os.path.lexists(path)]
    for path in absent:
        complain(f"{path}: there is no such file or folder")
    if absent:
        raise typer.Exit(USAGE)


def _run(work: Coroutine[Any, Any, T]) -> T:
    return _guarded(lambda: asyncio.run(work))


def _guarded(work: Callable[[], T]) -> T:
    """Turn what is foreseen into a sentence and an exit code."""
    try:
        return work()
    except DatabaseOwned as error:
        complain(str(error))
        raise typer.Exit(OWNED) from None
    except ConfigError as error:
        for problem in error.problems:
            complain(problem)
        raise typer.Exit(BAD_CONFIG) from None
    except (SoulSpotError, OSError, ValueError, sqlite3.Error) as error:
        if _is_lock(error):
            complain(f"the database is locked by another program: {error}")
            raise typer.Exit(OWNED) from None
        words = str(error) or type(error).__name__
        complain(f"the database: {words}" if isinstance(error, sqlite3.Error) else words)
        raise typer.Exit(INCOMPLETE) from None
    except KeyboardInterrupt:
        complain("interrupted; what was queued stays queued")
        raise typer.Exit(130) from None


def _is_lock(error: BaseException) -> bool:
    """Whether another program kept SQLite's lock for longer than we wait for it."""
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    # the low byte: there are extended codes of each
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def _say(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(report))
    else:
        out.print(", ".join(f"{count} {name}" for name, count in report.items()), markup=False)


def main() -> None:
    """The entry point of the `soulspot` script."""
    app()
