"""`soulspot report`: what an operation cost, what failed, and what to do about it."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from soulspot.cli.options import ConfigOption, JsonOption
from soulspot.cli.running import INCOMPLETE, exit_on_error, exit_with, load_or_exit, refuse
from soulspot.operations.reports.errors import error_lines, error_report
from soulspot.operations.reports.performance import performance_lines
from soulspot.store import operations
from soulspot.store.database import Database
from soulspot.terminal.console import print_answer

SEARCHED = 100  # newest operations among which the last one that has ended is looked for


def report(
    operation: Annotated[int | None, typer.Argument(
        metavar="OPERATION", help="Its number (default: the last one that has ended).")] = None,
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Show what an operation cost, what failed, and what to do.

    Lookups and files that failed are shown as they were at its end and as they stand now.

    Example: soulspot report 12"""
    loaded = load_or_exit(config, needs_contact=False, reads_database=True)
    found = exit_on_error(lambda: _read_report(loaded.database.path, operation))
    if found is None:
        if operation is not None:
            refuse(f"there is no operation {operation}")
        exit_with(INCOMPLETE, "no operation has ended yet; `soulspot enrich` is one, and what the daemon does")
    counts = f"{found['processed_items']} of {found['total_items']}, {found['failed_items']} failed"
    about = " (what SoulSpot did by itself)" if found["own"] else ""
    lines = [f"{found['kind']} {found['id']}{about}: {found['status']}, {counts}"]
    lines += [found["error_message"]] if found["error_message"] else []
    print_answer(found, json_, *lines, *report_lines(found["performance"], found["errors_now"]))


def report_lines(performance: dict[str, Any], errors: dict[str, Any]) -> list[str]:
    """Return lines on what requests came to (unless `performance` is empty), and what failed."""
    return [*(performance_lines(performance) if performance else ()), *error_lines(errors)]


def _read_report(path: Path, operation_id: int | None) -> dict[str, Any] | None:
    """Return an operation (None: the last that has ended) with its reports; None without one.

    `errors` are those at its end, `errors_now` those that stand."""
    if not path.exists():
        return None
    with closing(Database.open_read_only(path)) as connection:
        if operation_id is not None:
            found = operations.find(connection, operation_id)
        else:
            ended = (one for one in operations.list_latest(connection, SEARCHED) if one["is_complete"])
            found = next(ended, None)
        if found is None:
            return None
        metadata = found.pop("metadata")
        kept = {name: metadata.get(name, {}) for name in ("report", "performance", "errors")}
        return found | kept | {"own": bool(metadata.get("own")), "errors_now": error_report(connection)}
