"""Whether the database can lie where it is configured: tried for real, told as a sentence."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def database_problem(path: Path) -> str | None:
    """Why no database can be kept at `path`, with the key to change; None when one can. Leaves nothing behind."""
    where = f"database.path: {path}"
    if path.is_dir():
        return f"{where} is a folder; name a file in it"
    place = path.parent
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        return f"{where} cannot be made: {place} is not a folder"
    try:
        # SQLite keeps files beside its own, so a file that may be written in a folder that may not is of no use
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return f"{where} cannot be written: {place}: {error.strerror}"
    if path.exists():
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            return f"{where} cannot be written: {error.strerror}"
    return None
