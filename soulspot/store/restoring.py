"""Put a copy in the place of the database, and keep what was there."""

import os
import shutil
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from soulspot.store.commit_mark import CommitMark
from soulspot.store.copies import sync_path, write_copy
from soulspot.store.migrations import schema_version
from soulspot.store.opening import check, connect_read_only, explained, was_closed_in_order
from soulspot.store.sql import fetch_value


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restoration."""

    tracks: int
    kept: Path | None  # the database that was there before; None when there was none


def restore(source: Path, database: Path, stamp: str) -> Restored:
    """Put a copy of `source` in the place of `database`, which its caller owns. The database that
    was there is kept beside it, with `stamp` in its name. Raises DatabaseDamaged, DatabaseTooNew or
    another DatabaseError, or OSError; the database is as it was then."""
    real = Path(os.path.realpath(database))
    mode = "ro&immutable=1" if was_closed_in_order(source) else "ro"
    with closing(connect_read_only(source, mode)) as connection:
        check(connection, source)
        with explained(source):
            schema_version(connection, source)
            tracks = fetch_value(connection, "SELECT count(*) FROM tracks")
        # beside the database, so that the last step is a rename
        new = real.with_name(f"{real.name}.restored-{stamp}")
        write_copy(connection, new)
        _give_to_owner(new, real)
    kept = _set_aside(real, real.with_name(f"{real.name}.replaced-{stamp}"))
    # The log of the old database would be taken for the new one's.
    for suffix in ("-wal", "-shm"):
        real.with_name(real.name + suffix).unlink(missing_ok=True)
    CommitMark(real).path.unlink(missing_ok=True)
    os.replace(new, real)
    sync_path(real.parent)
    return Restored(tracks, kept)


def _give_to_owner(new: Path, database: Path) -> None:
    """Let those open the new file who open the old one: root restores what a daemon's user owns."""
    owner = (database if database.exists() else database.parent).stat()
    if owner.st_uid != os.geteuid():
        with suppress(OSError):
            os.chown(new, owner.st_uid, owner.st_gid)


def _set_aside(database: Path, kept: Path) -> Path | None:
    """Give the database and its log a second name; return it, or None where there is nothing to
    keep."""
    # An empty file is one that its owner made in order to lock it.
    if not database.exists() or not database.stat().st_size:
        return None
    for suffix in ("", "-wal"):
        name = database.with_name(database.name + suffix)
        if name.exists():
            # Not a rename: at no moment is there no database, which a start would make anew.
            other = kept.with_name(kept.name + suffix)
            try:
                os.link(name, other)
            except OSError:
                # a file system without links
                shutil.copyfile(name, other)
    return kept
