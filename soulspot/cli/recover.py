"""`soulspot recover`: save every readable row of a damaged database into a new one."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from soulspot.cli.options import ConfigOption, JsonOption, parse_path
from soulspot.cli.running import INCOMPLETE, exit_on_error, load_or_exit, refuse
from soulspot.store import recovery
from soulspot.store.ownership import Ownership
from soulspot.store.recovery import Recovered, Saved
from soulspot.terminal.console import print_answer


def recover(
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", parser=parse_path,
        help="The new database (default: beside the damaged one, with the time in its name).")] = None,
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Save every readable row of a damaged database into a new one.

    The damaged file and its log are only read. Shows for each table how many rows were saved and
    how many are known to be lost. `soulspot restore` puts the new database in place; what follows
    from lost rows is then worked out again. Exit code 1 when anything is lost. Not while a daemon
    works on the database: stop it before.

    Example: soulspot recover --out /backup/saved.db"""
    database = load_or_exit(config, needs_contact=False).database.path
    real = Path(os.path.realpath(database))
    if not real.is_file() or not real.stat().st_size:
        refuse(f"there is nothing to read at {database}")
    target = out or real.with_name(f"{real.name}.recovered-{time.strftime('%Y%m%d-%H%M%S')}")
    if target.exists():
        refuse(f"{target} exists; name another file")

    def save() -> Recovered:
        with Ownership(database):
            return recovery.recover(real, target)

    done = exit_on_error(save, database)
    counts = {name: {"saved": saved.rows, "lost": _lost(saved)} for name, saved in sorted(done.tables.items())}
    print_answer(
        {"file": str(target), "tables": counts, "bad_pages": done.bad_pages, "is_complete": done.is_complete},
        json_, _as_table(done), f"saved as {target}; next: soulspot restore {target}",
    )  # fmt: skip
    if not done.is_complete:
        raise typer.Exit(INCOMPLETE)


def _lost(saved: Saved) -> int | None:
    """Return how many rows are lost; None where more may be than are known."""
    return saved.lost if saved.is_counted else None


def _as_table(done: Recovered) -> Table:
    table = Table("table", "saved", "lost", box=None, pad_edge=False)
    for name, saved in sorted(done.tables.items()):
        if saved.rows or not saved.is_complete:
            more = "" if saved.is_counted else f"at least {saved.lost}; nothing tells how many there were"
            table.add_row(name, f"{saved.rows:,}", more or f"{saved.lost:,}")
    return table
