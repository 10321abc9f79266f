"""`soulspot backup`: copy the database soundly, also while the daemon works on it."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from soulspot.cli.options import ConfigOption, JsonOption, parse_path
from soulspot.cli.running import exit_on_error, load_or_exit, refuse
from soulspot.store.copies import write_copy
from soulspot.store.database import Database
from soulspot.store.library_counts import count_tracks_by_status
from soulspot.store.migrations import require_current_schema
from soulspot.terminal.console import print_answer


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", parser=parse_path, help="The copy to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Copy the database to FILE, also beside a running daemon.

    FILE is the database at one moment, complete in one file and checked; only its owner may read
    it. `soulspot restore FILE` brings it back.

    Example: soulspot backup /backup/soulspot.db --force"""
    database = load_or_exit(config, needs_contact=False, reads_database=True).database.path
    if not database.exists():
        refuse(f"there is no database at {database} yet")
    if file.is_dir():
        refuse(f"{file} is a folder; name a file in it")
    if file.exists() and (file.samefile(database) or not force):
        refuse(f"{file} is the database itself" if file.samefile(database) else f"{file} exists; --force replaces it")

    def copy() -> tuple[int, int]:
        with closing(Database.open_read_only(database, long_running=True)) as connection:
            require_current_schema(connection, database)
            return count_tracks_by_status(connection)["total"], write_copy(connection, file)

    tracks, size = exit_on_error(copy, database)
    words = f"{file}: {tracks:,} tracks, {size / 1e6:,.1f} MB, checked"
    print_answer({"file": str(file), "tracks": tracks, "bytes": size}, json_, words)
