"""The command line: one short function a command. What enriches is loaded by the commands that do."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import sqlite3
from pathlib import Path
from typing import Annotated, Any

import typer

from soulspot.cli import report as cli_report
from soulspot.cli import status as commands_look
from soulspot.cli.console import complain, out
from soulspot.cli.export import export
from soulspot.cli.import_sql import PAGE, URL_VARIABLE, import_from_sql
from soulspot.cli.json_output import Commands
from soulspot.cli.review import app as review
from soulspot.cli.running import (
    BAD_CONFIG,
    INCOMPLETE,
    USAGE,
    as_path,
    guarded,
    load,
    log_as_configured,
    log_quietly,
    refuse_absent,
    run,
)
from soulspot.cli.stats import stats
from soulspot.cli.tables import (
    UNREADABLE_SHOWN,
    postponed_lines,
    requests_table,
    results_table,
    status_lines,
    unreadable_lines,
)
from soulspot.cli.watch import operations_lines, watch
from soulspot.cli.webhooks import webhooks
from soulspot.cli.write_tags import write_tags
from soulspot.config import LIBRARY_EMPTY, SPOTIFY_OFF, Config
from soulspot.errors import SoulSpotError
from soulspot.version import __version__

app = Commands(
    help="SoulSpot keeps a music library's metadata complete.\n\n"
    "Begin with `soulspot init`, then `soulspot enrich`. `soulspot demo` shows it all without an account or music.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,  # they hold secrets
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(review, name="review")

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
PathsArgument = Annotated[
    list[Path] | None, typer.Argument(help="Files or folders.", metavar="PATH", parser=as_path)
]
ABOUT_ALL = (SPOTIFY_OFF, LIBRARY_EMPTY)


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
    allow_root: Annotated[
        bool, typer.Option("--allow-root", help="Run as root even as a systemd service.")
    ] = False,
) -> None:
    """Run the service until it is told to stop.

    It scans, watches, enriches and answers HTTP until SIGTERM; SIGHUP reads the configuration again."""
    from soulspot.daemon.process import run_daemon

    loaded = load(config, check_library=True, about=ABOUT_ALL)
    if os.geteuid() == 0 and not allow_root:
        if {"INVOCATION_ID", "NOTIFY_SOCKET"} <= os.environ.keys():  # a unit without User= or DynamicUser=
            complain("the service needs no root rights: give the unit a User=, or say --allow-root")
            raise typer.Exit(USAGE)
        complain("runs as root, which it does not need")
    log_as_configured(loaded)
    guarded(lambda: run_daemon(loaded, config or loaded.source), loaded.database.path)


@app.command()
def scan(paths: PathsArgument = None, config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Queue new and changed files.

    The running daemon does it, if there is one."""
    from soulspot.cli import work as commands

    loaded = load(config, check_library=not paths)
    places = commands.absolute(paths or [])
    if not places and not loaded.library.paths:
        complain("nothing to scan: name a folder, or set library.paths in config.toml")
        raise typer.Exit(USAGE)
    refuse_absent(paths or [])
    log_quietly(loaded)
    report = run(lambda bars: commands.scan(loaded, places, bars), quiet=json_, database=loaded.database.path)
    _say(report, json_)
    if not json_ and report.get("unreadable"):
        _show_unreadable(loaded)
    if not report.get("found"):
        complain(f"no music found in {_named(paths, loaded)}")
        raise typer.Exit(INCOMPLETE)


@app.command(name="import")
def import_(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV, JSON, NDJSON or DDEX ERN (.xml), each also .gz; or a folder of such files.",
            metavar="FILE",
            parser=as_path,
        ),
    ] = None,
    from_sql: Annotated[
        str | None,
        typer.Option(
            "--from-sql",
            metavar="URL",
            help=f"Read from this database instead (or {URL_VARIABLE}, for a URL with a password).",
        ),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query", metavar="SQL", help="The SELECT whose rows are tracks; AS names their columns."
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key", metavar="COLUMN", help="Column(s) of the query to go along: unique, with an index (key)."
        ),
    ] = None,
    page: Annotated[
        int,
        typer.Option(
            "--page", min=1, max=100_000, metavar="ROWS", help="Rows read at a time from the database."
        ),
    ] = PAGE,
    restart: Annotated[
        bool, typer.Option("--restart", help="Read all rows of the query again, not only those that are new.")
    ] = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Queue tracks without files, from lists or another database.

    Lists are CSV, JSON, NDJSON or DDEX release messages.

    Columns, all optional: key spotify_id isrc mb_recording_id mb_release_id artist title album album_artist
    duration_ms track_number disc_number. `key` is your own name for the row: the same key again updates it.
    Of a release message (ERN 3.8 or 4) every sound recording is a row, which a later message of the release updates."""
    if file is not None and (from_sql or query or key or restart):
        complain("import a FILE, or with --from-sql and --query from a database, not both at once")
        raise typer.Exit(USAGE)
    loaded = load(config)
    if file is None:
        import_from_sql(loaded, from_sql, query, key, page, restart=restart, as_json=json_)
        return
    from soulspot.cli.import_files import import_from_files

    import_from_files(loaded, file, as_json=json_)


@app.command()
def enrich(
    paths: PathsArgument = None,
    config: ConfigOption = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait", min=0, metavar="SECONDS", help="End when nothing is due within this many seconds."
        ),
    ] = 60.0,
    force: Annotated[
        bool, typer.Option("--force", help="Ask again for what is known or missing, before its time.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many requests it would take, and how long.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Find out about the music in PATH, or in the library.

    It scans, then asks the services until nothing more can be asked within --wait seconds."""
    from soulspot.cli import work as commands

    loaded = load(config, check_library=not paths, about=() if paths else (LIBRARY_EMPTY,))
    if dry_run:
        if force:
            complain("--dry-run is about what has not been asked, --force about what has: give one of them")
            raise typer.Exit(USAGE)
        _plan(loaded, paths, json_)
        return
    refuse_absent(paths or [])
    places = commands.absolute(paths or [])
    log_quietly(loaded)
    report = run(
        lambda bars: commands.enrich(loaded, places, wait, bars, force=force),
        quiet=json_,
        database=loaded.database.path,
    )
    nothing = report.found == 0
    if json_:
        print(json.dumps(report.as_json() | {"database": str(loaded.database.path)}))
    else:
        out.print(results_table(report.tracks))
        if report.requests:
            out.print(requests_table(report.requests, report.served))
        _show_unreadable(loaded)
        for line in postponed_lines(report.postponed, report.answered):
            out.print(line, markup=False, soft_wrap=True)
        cli_report.show(report.performance, {"lookups": report.errors.get("lookups", ())})
        if count := report.tracks.get("review"):
            out.print(f"{count} wait for your decision: soulspot review list", markup=False)
        if report.lost:
            out.print(f"{report.lost} lookups failed; `soulspot retry` asks them again", markup=False)
        out.print(f"database: {loaded.database.path}", markup=False, soft_wrap=True)
    if nothing:
        complain(f"no music found in {_named(paths, loaded)}")
    if not report.complete or report.bad_places or nothing:
        raise typer.Exit(INCOMPLETE)


def _plan(loaded: Config, paths: list[Path] | None, as_json: bool) -> None:
    log_quietly(loaded)
    from soulspot.cli import plan as cli_plan

    if not cli_plan.show(loaded, paths or [], as_json=as_json):
        complain(f"no music found in {_named(paths, loaded)}")
        raise typer.Exit(INCOMPLETE)


def _named(paths: list[Path] | None, loaded: Config) -> str:
    return ", ".join(map(str, paths or loaded.library.paths))


@app.command()
def status(
    config: ConfigOption = None,
    unreadable: Annotated[
        bool, typer.Option("--unreadable", help="List the files that could not be read, and why.")
    ] = False,
    watch_: Annotated[bool, typer.Option("--watch", "-w", help="Go on showing it until Ctrl-C.")] = False,
    json_: JsonOption = False,
) -> None:
    """Say how far it is and what it is waiting for."""
    loaded = load(config, needs_contact=False)
    database = loaded.database.path
    if database.is_dir():  # SQLite would call it a disk I/O error
        complain(f"database.path: {database} is a folder; name a file in it")
        raise typer.Exit(BAD_CONFIG)
    if watch_:
        if json_ or unreadable:
            complain("--watch goes with neither --json nor --unreadable")
            raise typer.Exit(USAGE)

        def watching() -> None:
            with contextlib.suppress(KeyboardInterrupt):  # that is how it ends
                asyncio.run(watch(lambda: commands_look.status(loaded), out))

        guarded(watching)
        return
    if unreadable and database.exists():
        files, _ = guarded(lambda: asyncio.run(commands_look.unreadable(loaded)))
        if json_:
            print(json.dumps([{"path": path, "reason": reason} for path, reason in files]))
        for path, reason in () if json_ else files:
            out.print(f"{path}: {reason}", markup=False, soft_wrap=True)
        return
    found = None if unreadable else guarded(lambda: asyncio.run(commands_look.status(loaded)))
    if found is None:
        complain(
            f"there is no database yet at {database}; `soulspot enrich PATH` or `soulspot daemon` makes it"
        )
        raise typer.Exit(INCOMPLETE)
    if json_:
        print(json.dumps(found))
        return
    here = commands_look.who_else(loaded)
    without = f"{here} is running" if here else "no daemon runs"
    out.print(f"daemon at {found['daemon']}" if found["daemon"] else without, markup=False)
    for line in operations_lines(found):
        out.print(line, markup=False, soft_wrap=True)
    for part in status_lines(found):
        out.print(part, markup=False)


@app.command()
def retry(
    provider: Annotated[
        str | None, typer.Option(help="Only those of musicbrainz, listenbrainz or spotify.", metavar="NAME")
    ] = None,
    state: Annotated[
        list[str] | None, typer.Option(help="failed (default) or missing; may be repeated.", metavar="STATE")
    ] = None,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Queue lookups again that failed, or that nobody knew.

    Without a daemon they are only queued: `soulspot enrich` asks them."""
    from soulspot.cli import work as commands

    states = state or ["failed"]
    if not set(states) <= {"failed", "missing"}:
        complain("--state is failed or missing")
        raise typer.Exit(USAGE)
    if provider not in (None, "musicbrainz", "spotify", "listenbrainz"):
        complain("--provider is musicbrainz, spotify or listenbrainz")
        raise typer.Exit(USAGE)
    loaded = load(config)
    log_quietly(loaded)
    report = run(
        lambda bars: commands.retry(loaded, states, provider, bars),
        quiet=json_,
        database=loaded.database.path,
    )
    _say(report, json_)
    if not json_ and report["queued"] and not commands_look.who_else(loaded):
        out.print("next: soulspot enrich", markup=False)


@app.command()
def check(
    paths: PathsArgument = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what the music in PATH would cost to enrich.")
    ] = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Check configuration, database, library and versions.

    Credentials are looked at too, but no service is asked."""
    from soulspot.cli.check import checks

    if paths and not plan:
        complain("PATH goes with --plan")
        raise typer.Exit(USAGE)
    loaded = load(config, check_library=not paths)
    if plan:
        _plan(loaded, paths, json_)
        return
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
    if not json_:
        out.print("all well; next: soulspot enrich", markup=False)


@app.command()
def init(
    path: Annotated[
        Path | None, typer.Argument(help="Where to write it (default: config.toml here).", metavar="PATH")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The same as PATH.", metavar="PATH")
    ] = None,
    library: Annotated[list[Path] | None, typer.Option(help="A folder with music.", metavar="PATH")] = None,
    contact: Annotated[
        str | None, typer.Option(help="Your e-mail address or web page, for MusicBrainz.", metavar="WORDS")
    ] = None,
    spotify_client_id: Annotated[
        str | None, typer.Option(help="The client id of your Spotify app.", metavar="ID")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing, leave empty what was not given.")
    ] = False,
) -> None:
    """Write a commented config.toml, asking for what it needs.

    Where there is no terminal the answers are the lines of standard input: contact, folder with music, Spotify's
    client id, its secret. What is left out stays empty."""
    from soulspot.cli.init import ask_and_write

    if path and config and path != config:
        complain("name the file once: as PATH or with --config")
        raise typer.Exit(USAGE)
    refuse_absent([folder.expanduser() for folder in library or []])
    where = path or config or Path("config.toml")
    guarded(lambda: ask_and_write(where, library, contact, spotify_client_id, force=force, ask=not yes))


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Argument(help="Where to work; made if it is not there.", metavar="FOLDER")
    ] = Path("soulspot-demo"),
    tracks: Annotated[
        int, typer.Option(min=20, max=5000, help="Files in the sample library.", metavar="N")
    ] = 150,
    stay: Annotated[
        bool, typer.Option("--stay", help="Keep the page and the servers up until Ctrl-C.")
    ] = False,
    config: Annotated[Path | None, typer.Option("--config", "-c", hidden=True)] = None,
    json_: JsonOption = False,
) -> None:
    """Do the whole job on a sample library against local servers.

    A page shows it in a browser. It needs no account, no network and no configuration."""
    from soulspot.cli.demo import DemoReport, is_foreign, run_demo

    if folder.exists() and not folder.is_dir():
        complain(f"{folder} is a file; name a folder for the demo to work in")
        raise typer.Exit(USAGE)
    if guarded(lambda: is_foreign(folder)):
        complain(f"{folder} is not empty and not of an earlier demo: name another folder")
        raise typer.Exit(USAGE)

    def show(report: DemoReport) -> None:
        if json_:
            print(json.dumps(report.as_json()), flush=True)
        else:
            for part in report.tables():
                out.print(part, soft_wrap=isinstance(part, str))

    report = run(
        lambda bars: run_demo(folder, tracks, bars, show if stay else None),
        quiet=json_,
        database=folder / "soulspot.db",
    )
    if not stay:
        show(report)
    if not report.right:
        raise typer.Exit(INCOMPLETE)


def _say(report: dict[str, Any], as_json: bool, more: str = "") -> None:
    if as_json:
        print(json.dumps(report))
    else:
        out.print(", ".join(f"{count} {name}" for name, count in report.items()) + more, markup=False)


def _show_unreadable(loaded: Config) -> None:
    # the daemon may keep the database from us: then its log has them
    with contextlib.suppress(SoulSpotError, OSError, sqlite3.Error):
        for line in unreadable_lines(*asyncio.run(commands_look.unreadable(loaded, UNREADABLE_SHOWN))):
            out.print(line, markup=False, soft_wrap=True)


app.command()(stats)
app.command()(export)
app.command(name="report")(cli_report.report)
app.command(name="write-tags")(write_tags)
app.add_typer(webhooks, name="webhooks")


def main() -> None:
    """The entry point of the `soulspot` script."""
    app()
