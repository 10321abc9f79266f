"""`soulspot import`: queue tracks without files, from lists, from release messages, or by SQL."""

import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from soulspot.cli.options import ConfigOption, JsonOption, parse_path, refuse_missing
from soulspot.cli.running import INCOMPLETE, exit_on_error, load_or_exit, refuse, run_command
from soulspot.client.daemon_client import DaemonClient, describe_owner
from soulspot.client.workplace import Completed, Operation, in_daemon_or_here, run_here, run_in_daemon
from soulspot.config import Config
from soulspot.imports.columns import parse_assignments
from soulspot.imports.files import check_readable, list_import_files
from soulspot.operations.kinds import import_request
from soulspot.pipeline import MOST_NAMED
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import print_result

URL_VARIABLE = "SOULSPOT_IMPORT_SQL_URL"
KEY, PAGE_ROWS = "key", 5000


def import_files(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", parser=parse_path,
        help="CSV, JSON, NDJSON or DDEX ERN (.xml), each also as .gz; or a folder of such files.")] = None,
    from_sql: Annotated[str | None, typer.Option("--from-sql", metavar="URL",
        help=f"Read from this database instead (default: {URL_VARIABLE}, which keeps a password out of the process "
        "list).")] = None,
    query: Annotated[str | None, typer.Option("--query", metavar="SQL",
        help="The SELECT whose rows are tracks; AS names their columns.")] = None,
    key: Annotated[list[str] | None, typer.Option("--key", metavar="COLUMN",
        help="Column of the query to page by, unique and indexed; may be repeated for a key of several columns "
        f"(default: {KEY}).")] = None,
    page: Annotated[int, typer.Option("--page", min=1, max=100_000, metavar="ROWS",
        help="Rows to read at a time from the database.")] = PAGE_ROWS,
    columns: Annotated[list[str] | None, typer.Option("--columns", metavar="COLUMN=HEADING",
        help='Heading of a column that is not known by itself, as title="Song"; may be repeated.')] = None,
    restart: Annotated[bool, typer.Option("--restart",
        help="Read all rows of the query again, not only those that are new.")] = False,
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Queue tracks without files, from lists or another database.

    Columns, all optional: key spotify_id isrc mb_recording_id mb_release_id artist title album
    album_artist duration_ms track_number disc_number, also as playlist exporters and music programs
    name them. `key` is your own name for the row: the same key again updates it. Of a release
    message (ERN 3.8 or 4) every sound recording is a row, which a later message updates.

    Example: soulspot import songs.csv

    Example: soulspot import --from-sql sqlite:///songs.db --query "SELECT id AS key, title,
    artist FROM songs\""""
    if columns and file is None:
        refuse("--columns is for a FILE; a query names its columns with AS")
    if file is not None and (from_sql or query or key or restart):
        refuse("import a FILE, or with --from-sql and --query from a database, not both at once")
    loaded = load_or_exit(config)
    if file is None:
        # loads SQLAlchemy, which files do not need
        from soulspot.cli.import_sql import import_by_sql

        url = from_sql or os.environ.get(URL_VARIABLE)
        if not url and not query:
            refuse("name a FILE to import, or a database with --from-sql URL --query SQL")
        if not url:
            refuse(f"--query needs a database: give its URL with --from-sql, or in {URL_VARIABLE}")
        if not query:
            refuse("--from-sql needs a --query: SELECT id, name AS title, artist FROM songs")
        report = import_by_sql(loaded, url, query, key or [KEY], page, restart=restart, quiet=json_)
    else:
        report = _import_file_or_folder(loaded, file, columns or [], quiet=json_)
    if json_:
        print(json.dumps(report))
    else:
        _print_counts(report, loaded.database.path)
    if report["bad"]:
        raise typer.Exit(INCOMPLETE)


def _print_counts(report: Mapping[str, Any], database: Path) -> None:
    counts = [f"{count} {name}" for name, count in report.items() if isinstance(count, int)]
    known = report["rows"] - report["queued"] - report["bad"]
    print_result(", ".join([*counts, *([f"{known} already known"] if known > 0 else [])]))
    if report["queued"]:
        owner = describe_owner(database)
        print_result(f"{owner} works it off" if owner else "next: soulspot enrich")


def _import_file_or_folder(config: Config, place: Path, columns: Sequence[str], *, quiet: bool) -> dict[str, Any]:
    """Import a file, or all of a folder. Exits with code 2 when the file is unusable.

    An unusable file of a folder counts as a bad row, and the others are imported."""
    refuse_missing([place])
    try:
        given = parse_assignments(columns)
        files = list_import_files(place)
        # a file named by a person is checked before a daemon or a lock is asked for
        if files == [place]:
            exit_on_error(lambda: check_readable(place, given))
    except ValueError as error:
        refuse(error)
    return run_command(config, lambda bars: import_listed(config, files, place, bars, given), quiet=quiet)


async def import_listed(
    config: Config, files: Sequence[Path], within: Path, bars: Bars, columns: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Queue the rows of these files, one file after the other, in the daemon or here.

    `within` is the folder that the files were found in, or the one file itself. Returns the file's
    report, or the sums of all with every named row under its `file`."""

    def operation(path: Path) -> Operation:
        async def start(client: DaemonClient) -> int:
            with path.open("rb") as file:
                return await client.start_import(path.name, file, columns)

        return Operation("import", import_request(path, columns=columns), {"file": path.name}, start)

    async def import_all(run: Callable[[Operation], Awaitable[Completed]]) -> dict[str, Any]:
        if [within] == list(files):
            return (await run(operation(within))).report
        total: dict[str, Any] = {"files": len(files), "rows": 0, "queued": 0, "bad": 0}
        for path in files:
            name = str(path.relative_to(within))
            with bars.prefixed(name):
                _add_report(total, name, (await run(operation(path))).report)
        return {key: value[:MOST_NAMED] if isinstance(value, list) else value for key, value in total.items()}

    return await in_daemon_or_here(
        config,
        lambda client: import_all(lambda one: run_in_daemon(client, one, bars)),
        lambda service: import_all(lambda one: run_here(service, one, bars)),
    )


def _add_report(total: dict[str, Any], name: str, report: Mapping[str, Any]) -> None:
    for key, value in report.items():
        if isinstance(value, list):
            total.setdefault(key, []).extend({"file": name, **row} for row in value)
        else:
            total[key] = total.get(key, 0) + value
