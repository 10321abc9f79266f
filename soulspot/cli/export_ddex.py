"""`soulspot export --format ddex`: one release message a file, and what kept releases from being written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import typer

from soulspot.cli.console import Bars, complain, err
from soulspot.cli.running import INCOMPLETE, USAGE, guarded, load, log_quietly, run
from soulspot.config import Config
from soulspot.errors import SchemaError
from soulspot.export.ddex.library import DdexReport, export_releases, grouping_columns
from soulspot.export.ddex.settings import ErnSettings
from soulspot.export.tables import parse_filters
from soulspot.models import Status
from soulspot.store.export_rows import RowFilter

ERRORS = 20  # that are named one by one
LEFT = "every file that was written is whole; run the same command again to write the rest"


def export_ddex(
    out: Path | None,
    config: Path | None,
    *,
    status: Sequence[str],
    since: str | None,
    query: str | None,
    validate: bool,
    schema: Path | None,
    group_by: str | None,
    processes: int | None,
    max_failures: int | None,
    as_json: bool,
) -> None:
    """Write the messages, say what was not written and what to do; exit 1 when there is any."""
    columns = [name.strip() for name in (group_by or "").split(",") if name.strip()]
    try:
        wanted = parse_filters(status, since, query)
        grouping_columns(columns)
    except ValueError as error:
        _refuse(str(error))
    if out is None or out == Path("-"):
        _refuse("ddex is a file for each release: say --out FOLDER")
    if out.exists() and not out.is_dir():
        _refuse(f"{out} is a file; ddex needs a folder")
    if set(status) - {Status.ACCEPTED}:
        _refuse("only accepted tracks go into release messages: leave out --status")
    loaded = load(config, needs_contact=False)
    settings = guarded(lambda: ErnSettings.of(loaded.export.ddex))
    schema = schema or (loaded.export.ddex.schema if validate else None)
    if validate and schema is None:
        _refuse("--validate needs the schema: say --schema PATH, or set export.ddex.schema in config.toml")
    log_quietly(loaded)
    report = DdexReport(str(out))
    try:
        run(
            lambda bars: _export(
                loaded, out, settings, schema, columns, wanted, processes, max_failures, report, bars
            ),
            quiet=as_json, left=LEFT,
        )  # fmt: skip
    except SchemaError as error:
        _refuse(str(error))
    _say(report, max_failures, as_json, chosen=bool(since or query))
    if report.failed:
        raise typer.Exit(INCOMPLETE)


async def _export(
    config: Config,
    out: Path,
    settings: ErnSettings,
    schema: Path | None,
    columns: Sequence[str],
    wanted: RowFilter,
    processes: int | None,
    max_failures: int | None,
    report: DdexReport,
    bars: Bars,
) -> None:
    def progress(done: int, total: int, failed: int) -> None:
        bars.show("export", done, total, f"{failed} not written" if failed else "")

    try:
        await export_releases(
            config.database.path, out, settings, schema=schema, group_by=columns, wanted=wanted,
            processes=processes, max_failures=max_failures, report=report, on_progress=progress,
        )  # fmt: skip
    except asyncio.CancelledError:
        bars.note(f"{report.written} of {report.releases} releases written to {out}")
        raise


def _say(report: DdexReport, max_failures: int | None, as_json: bool, *, chosen: bool) -> None:
    if as_json:
        print(json.dumps(report.as_json()))
        return
    for error in report.errors[:ERRORS]:
        complain(
            f"{error.title or 'no album'} [{error.release_key or 'no release'}]: {error.field}: {error.words}"
        )
    if (rest := report.errors_by_field.total() - ERRORS) > 0:
        complain(f"... and {rest} more; --json names the first {len(report.errors)}")
    for remark in report.remarks[:ERRORS]:
        _tell(remark)
    if report.remarked > ERRORS:
        _tell(f"... and {report.remarked - ERRORS} more remarks")
    if report.stopped:
        complain(
            f"stopped after {report.failed} releases that could not be written (--max-failures {max_failures}); "
            f"{report.releases - report.written - report.failed} were not looked at"
        )
    valid = ", each valid by the schema" if report.validated and report.written else ""
    _tell(
        f"{report.written} releases ({report.tracks} tracks) in {report.out}{valid}; {report.failed} not written"
    )
    for line in report.advice():
        _tell(f"  {line}")
    if not report.releases:
        there = (
            "--since and --query choose no accepted tracks"
            if chosen
            else "there are no accepted tracks to export"
        )
        _tell(f"{there} (`soulspot status` says how the library stands)")


def _tell(line: str) -> None:
    err.print(line, markup=False, soft_wrap=True)


def _refuse(words: str) -> NoReturn:
    complain(words)
    raise typer.Exit(USAGE) from None
