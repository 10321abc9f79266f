"""`soulspot restore`: put a backup in the place of the database, and keep what was there."""

import time
from pathlib import Path
from typing import Annotated

import typer

from soulspot.cli.options import ConfigOption, JsonOption, parse_path
from soulspot.cli.running import exit_on_error, load_or_exit, refuse
from soulspot.store import restoring
from soulspot.store.ownership import Ownership
from soulspot.terminal.console import print_answer


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", parser=parse_path, help="The copy to restore.")],
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Put a copy of FILE in the place of the database.

    FILE is one that `soulspot backup` or `soulspot recover` wrote; it is checked first, and kept.
    The database that was there is kept beside it under a dated name. Not while a daemon works on
    it: stop it before.

    Example: soulspot restore /backup/soulspot.db"""
    database = load_or_exit(config, needs_contact=False).database.path
    if not file.is_file():
        refuse(f"{file}: there is no such file")
    if database.exists() and file.samefile(database):
        refuse(f"{file} is the database itself")

    def put_in_place() -> restoring.Restored:
        with Ownership(database):
            return restoring.restore(file, database, time.strftime("%Y%m%d-%H%M%S"))

    done = exit_on_error(put_in_place, database)
    words = f"{database}: {done.tracks:,} tracks from {file}"
    words += f"; what was there is kept as {done.kept}" if done.kept else ""
    answer = {"file": str(file), "database": str(database), "tracks": done.tracks}
    print_answer(answer | {"kept": str(done.kept) if done.kept else None}, json_, words)
