"""Folders that a person named are remembered, the outermost of those in each other."""

from __future__ import annotations

import sqlite3

import pytest

from soulspot.store.named_places import add_places, beginnings


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ([b"/a"], {b"/a"}),
        ([b"/a", b"/a"], {b"/a"}),
        ([b"/a", b"/a/b"], {b"/a"}),
        ([b"/a/b", b"/a"], {b"/a"}),
        ([b"/a/b", b"/a/c", b"/ab", b"/a0", b"/a"], {b"/a", b"/ab", b"/a0"}),
        ([b"/a/b", b"/a/bc"], {b"/a/b", b"/a/bc"}),
        ([b"/\xff/b", b"/\xff"], {b"/\xff"}),
        ([b"/a", b"/"], {b"/"}),
        ([b"/", b"/a"], {b"/"}),
    ],
)
def test_of_named_folders_the_outermost_are_remembered(
    connection: sqlite3.Connection, named: list[bytes], kept: set[bytes]
) -> None:
    for folder in named:
        add_places(connection, [folder])
    assert beginnings(connection, [b"/music"]) == {b"/music"} | kept
