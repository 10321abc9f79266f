"""Folders outside the library that a person had scanned: the beginnings of their files' paths."""

import os
import sqlite3
from collections.abc import Collection, Iterable

from soulspot.store.sql import fetch_column, path_bounds


def add_places(connection: sqlite3.Connection, folders: Iterable[bytes]) -> None:
    """Remember these folders, unless one is remembered that they lie in."""
    for folder in folders:
        known = frozenset(fetch_column(connection, "SELECT path FROM named_places"))
        if not known.isdisjoint(_at_and_above(folder)):
            continue
        _, first, last = path_bounds(folder)
        connection.execute("DELETE FROM named_places WHERE path >= ? AND path < ?", (first, last))
        connection.execute("INSERT INTO named_places VALUES (?)", (folder,))


def beginnings(connection: sqlite3.Connection, roots: Collection[bytes]) -> frozenset[bytes]:
    """Return the folders below which names are of music: the library's `roots`, and others that
    were scanned."""
    return frozenset((*roots, *fetch_column(connection, "SELECT path FROM named_places")))


def _at_and_above(folder: bytes) -> Iterable[bytes]:
    yield folder
    while (above := os.path.dirname(folder)) != folder:
        folder = above
        yield folder
