"""A database with rows to export."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from soulspot.models import EnrichedTrack, Status
from soulspot.store import enriched
from soulspot.store.database import Database
from tests.support.factories import NOW

Fill = Callable[..., Path]


def track(track_id: int, **more: Any) -> EnrichedTrack:
    """Return a row with `more` and nothing else."""
    values: dict[str, Any] = {"path": None, "source_key": None, "status": Status.ACCEPTED, "confidence": 1.0}
    return EnrichedTrack(track_id, **(values | more))


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Return a function that writes rows, `fill(track(1), track(2), now=...)`.

    It returns the path of the database, which is closed again."""

    def write(*rows: EnrichedTrack, now: float = NOW, more: Iterable[EnrichedTrack] = ()) -> Path:
        path = tmp_path / "soulspot.db"
        with Database(path) as database:
            database.write_now(lambda c: enriched.save(c, (*rows, *more), now))
        return path

    return write
