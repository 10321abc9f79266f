"""`soulspot report`: what an operation cost, what failed, and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from soulspot.cli.console import complain, out
from soulspot.cli.running import INCOMPLETE, USAGE, guarded, load
from soulspot.operations.reports.errors import error_lines, error_report
from soulspot.operations.reports.performance import performance_lines
from soulspot.store import operations
from soulspot.store.database import Database


def report(
    operation: Annotated[
        int | None,
        typer.Argument(help="Its number (default: the last one that has ended).", metavar="OPERATION"),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="config.toml to use.", metavar="PATH")
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")
    ] = False,
) -> None:
    """Show what an operation cost, what failed, and what to do.

    What has failed is shown as it was then and as it stands now."""
    loaded = load(config, needs_contact=False)
    found = guarded(lambda: _find(loaded.database.path, operation))
    if found is None:
        if operation is not None:
            complain(f"there is no operation {operation}")
            raise typer.Exit(USAGE)
        complain("no operation has ended yet; `soulspot enrich` is one, and what the daemon does")
        raise typer.Exit(INCOMPLETE)
    if json_:
        print(json.dumps(found))
        return
    out.print(f"{found['kind']} {found['id']}: {found['status']}, {found['processed_items']} of "
              f"{found['total_items']}, {found['failed_items']} failed", markup=False)  # fmt: skip
    if found["error_message"]:
        out.print(found["error_message"], markup=False, soft_wrap=True)
    show(found["performance"], found["errors_now"])


def show(performance: dict[str, Any], found: dict[str, Any]) -> None:
    """Both reports for people."""
    for line in [*(performance_lines(performance) if performance else ()), *error_lines(found)]:
        out.print(line, markup=False, soft_wrap=True)


def _find(path: Path, wanted: int | None) -> dict[str, Any] | None:
    if not path.exists():
        return None
    connection = Database.open_read_only(path)
    try:
        if wanted is not None:
            found = operations.find(connection, wanted)
        else:
            ended = (one for one in operations.list_latest(connection, 100) if one["is_complete"])
            found = next(ended, None)
        if found is None:
            return None
        metadata = found.pop("metadata")
        then = {name: metadata.get(name, {}) for name in ("report", "performance", "errors")}
        return found | then | {"errors_now": error_report(connection)}
    finally:
        connection.close()
