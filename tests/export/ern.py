"""Factories for records of releases, and readers of messages that use none of our code."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from typing import Any

from soulspot import build_ern_batch
from soulspot.export.ddex.ern import ErnBatch

SENDER, RECIPIENT = "PADPIDA2013042401U", "PADPIDA2009101501Y"
PARTIES = {"sender": SENDER, "recipient": RECIPIENT}
CREATED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def song(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return a complete record; `more` replaces cells."""
    return {
        "title": f"Song {number}", "artist": "The Lanterns", "album": "Night Shift",
        "album_artist": "The Lanterns", "isrc": f"GBAYE65{number:05d}", "duration_ms": 200_000 + number,
        "track_number": number, "disc_number": 1, "label": "Harbour Records", "genres": ["rock"],
        "barcode": "094631432057", "release_date": "2001-02-03",
    } | more  # fmt: skip


def album(count: int = 3, **more: Any) -> list[dict[str, Any]]:
    return [song(number, **more) for number in range(1, count + 1)]


def built(records: Any, **more: Any) -> ErnBatch:
    return build_ern_batch(records, **({"created_at": CREATED} | PARTIES | more))


def message(records: Any, **more: Any) -> ElementTree.Element:
    """Return the one message that these records make."""
    batch = built(records, **more)
    assert not batch.errors, batch.errors
    (success,) = batch.successes
    return ElementTree.fromstring(success.message)


def faults(records: Any, **more: Any) -> dict[str, str]:
    """Return the errors of records that make no message: {field: words}."""
    batch = built(records, **more)
    assert not batch.successes
    return {error.field: error.words for error in batch.errors}


def texts(element: ElementTree.Element, path: str) -> list[str]:
    return [found.text or "" for found in element.findall(path)]


class Deadly:
    """A cell that kills a worker process that unpickles it: always, or once per `once` file."""

    def __init__(self, once: str | None = None) -> None:
        self._once = once

    def __reduce__(self) -> tuple[Any, ...]:
        return (die, (self._once,))


def die(once: str | None) -> str:
    if once is not None:
        try:
            os.close(os.open(once, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return "rock"
    os._exit(9)
