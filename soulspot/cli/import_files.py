"""`soulspot import FILE`: the rows of a table, of JSON, of a release message, or of a folder of these."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from soulspot.cli import work as commands
from soulspot.cli.console import complain, out
from soulspot.cli.running import INCOMPLETE, USAGE, guarded, log_quietly, refuse_absent, run, say_next
from soulspot.config import Config
from soulspot.imports.files import UnusableFile, check_readable, list_import_files


def import_from_files(config: Config, place: Path, *, as_json: bool) -> None:
    """Queue the rows, name those that cannot be used, and exit 1 when there are any.

    A file that is of no use is wrong usage; among those of a folder it is a bad row, and the others are taken."""
    refuse_absent([place])
    try:
        files = list_import_files(place)
        if files == [place]:
            guarded(lambda: check_readable(place))
    except UnusableFile as error:
        complain(str(error))
        raise typer.Exit(USAGE) from None
    log_quietly(config)
    report = run(
        lambda bars: commands.import_files(config, files, place, bars),
        quiet=as_json, database=config.database.path,
    )  # fmt: skip
    if as_json:
        print(json.dumps(report))
    else:
        known = report["rows"] - report["queued"] - report["bad"]
        counts = [f"{count} {name}" for name, count in report.items() if not isinstance(count, list)]
        out.print(", ".join([*counts, *([f"{known} already known"] if known > 0 else [])]), markup=False)
        if report["queued"]:
            say_next(config.database.path)
    if report["bad"]:
        raise typer.Exit(INCOMPLETE)
