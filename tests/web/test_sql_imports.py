"""An import from another database while a daemon runs: rows and position go through its HTTP
API."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from soulspot.cli.import_sql import import_query
from soulspot.client import workplace
from soulspot.client.daemon_client import DaemonClient
from soulspot.config.loading import Config, make_config
from soulspot.imports.sql.reader import SqlSource
from soulspot.terminal.bars import Bars
from tests.web.conftest import Running


def source(path: Path, count: int) -> SqlSource:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS songs (id INTEGER PRIMARY KEY, title)")
        connection.executemany(
            "INSERT OR IGNORE INTO songs VALUES (?, ?)",
            [(n, f"Song {n}" if n != 3 else None) for n in range(count)],
        )
        connection.commit()
    found = SqlSource(f"sqlite:///{path}", "SELECT * FROM songs", ["id"], 4)
    found.read_columns()
    return found


async def test_with_a_daemon_rows_and_position_go_through_its_api(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"http://{running.http.server.host}:{running.http.server.port}"

    async def daemon(config: Config) -> DaemonClient:
        return DaemonClient(address, None)

    monkeypatch.setattr(workplace, "running_daemon", daemon)
    config, bars = make_config({"providers.musicbrainz.enabled": False}), Bars(quiet=True)
    report = await import_query(config, source(tmp_path / "their.db", 10), bars)
    assert (report.rows, report.queued, report.bad) == (10, 9, 1)
    assert report.notes == ["key 3: neither a title nor an identifier"]
    again = await import_query(config, source(tmp_path / "their.db", 12), bars)
    assert (again.rows, again.queued) == (2, 2)
    keys = await running.service.database.read(
        lambda c: [key for (key,) in c.execute("SELECT source_key FROM tracks ORDER BY track_id")]
    )
    assert keys == [str(n) for n in range(12) if n != 3]


async def test_a_position_that_is_none_is_refused(running: Running) -> None:
    place = "/api/v1/import/position"
    digest = "a" * 64
    async with running.http.get(place, params={"source": digest}) as answer:
        assert await answer.json() == {"name": None, "position": None, "rows": 0}
    for body in ({}, {"source": "x", "name": "", "position": [1], "rows": 1}):
        async with running.http.post(place, json=body) as answer:
            assert answer.status == 422
