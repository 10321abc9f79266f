"""`soulspot export --format ddex`: write one message a release, or say what kept it back."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import typer

from soulspot.cli.running import INCOMPLETE, exit_on_error, load_or_exit, refuse, run_command
from soulspot.errors import SchemaError
from soulspot.export.ddex.library import DdexReport, export_releases, grouping_columns
from soulspot.export.ddex.settings import ErnSettings
from soulspot.export.tables import parse_filters
from soulspot.models import Status
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import complain, print_note

NAMED_ERRORS = 20
FILES_WHOLE = "every file that was written is whole; run the same command again to write the rest"


def export_ddex(
    out: Path | None, config: Path | None, *, status: Sequence[str], since: str | None, query: str | None,
    validate: bool, schema: Path | None, group_by: str | None, processes: int | None, max_failures: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Write the messages, then print which releases were not written, why, and what to do.

    The options are those of the command, as given. Exits with code 2 for impossible ones, and with
    code 1 when a release could not be written."""
    columns = [name.strip() for name in (group_by or "").split(",") if name.strip()]
    try:
        wanted = parse_filters(status, since, query)
        grouping_columns(columns)
    except ValueError as error:
        refuse(error)
    if out is None or out == Path("-"):
        refuse("ddex is a file for each release: say --out FOLDER")
    if out.exists() and not out.is_dir():
        refuse(f"{out} is a file; ddex needs a folder")
    if set(status) - {Status.ACCEPTED}:
        refuse("only accepted tracks go into release messages: leave out --status")
    loaded = load_or_exit(config, needs_contact=False, reads_database=True)
    settings = exit_on_error(lambda: ErnSettings.of(loaded.export.ddex))
    schema = schema or (loaded.export.ddex.schema if validate else None)
    if validate and schema is None:
        refuse("--validate needs the schema: say --schema PATH, or set export.ddex.schema in config.toml")
    # made here and filled by the export: an interrupted one still says how far it came
    report = DdexReport(str(out))

    async def write(bars: Bars) -> None:
        def show(done: int, total: int, failed: int) -> None:
            bars.show("export", done, total, f"{failed} not written" if failed else "")

        try:
            await export_releases(
                loaded.database.path, out, settings, schema=schema, group_by=columns, wanted=wanted,
                processes=processes, max_failures=max_failures, report=report, on_progress=show,
            )  # fmt: skip
        except asyncio.CancelledError:
            bars.note(f"{report.written} of {report.releases} releases written to {out}")
            raise

    try:
        run_command(loaded, write, quiet=as_json, if_stopped=FILES_WHOLE)
    except SchemaError as error:
        refuse(error)
    if as_json:
        print(json.dumps(report.as_json()))
    else:
        _print_report(report, max_failures, is_filtered=bool(since or query))
    if report.failed:
        raise typer.Exit(INCOMPLETE)


def _print_report(report: DdexReport, max_failures: int | None, *, is_filtered: bool) -> None:
    for error in report.errors[:NAMED_ERRORS]:
        release = f"{error.title or 'no album'} [{error.release_key or 'no release'}]"
        complain(f"{release}: {error.field}: {error.words}")
    if (rest := report.errors_by_field.total() - NAMED_ERRORS) > 0:
        complain(f"... and {rest} more; --json names the first {len(report.errors)}")
    for remark in report.remarks[:NAMED_ERRORS]:
        print_note(remark)
    if report.remarked > NAMED_ERRORS:
        print_note(f"... and {report.remarked - NAMED_ERRORS} more remarks")
    if report.stopped:
        unseen = report.releases - report.written - report.failed
        complain(f"stopped after {report.failed} releases that could not be written (--max-failures {max_failures});"
                 f" {unseen} were not looked at")  # fmt: skip
    valid = ", each valid by the schema" if report.validated and report.written else ""
    print_note(
        f"{report.written} releases ({report.tracks} tracks) in {report.out}{valid}; {report.failed} not written"
    )
    for line in report.advice():
        print_note(f"  {line}")
    if not report.releases:
        chosen = "--since and --query choose no accepted tracks"
        none = chosen if is_filtered else "there are no accepted tracks to export"
        print_note(f"{none} (`soulspot status` says how the library stands)")
