"""State that gates, providers and webhooks keep across restarts, in the table `provider_state`."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Any

from soulspot.store.database import Database
from soulspot.store.sql import fetch_value, upsert_clause
from soulspot.store.times import iso

State = tuple[str, str, str, str | None, str]  # a row of provider_state
_INSERT = (
    "INSERT INTO provider_state (key, provider, value, blocked_until, updated_at) VALUES (?, ?, ?, ?, ?) "
    + upsert_clause(["value", "blocked_until", "updated_at"])
)


class ProviderState:
    """Dictionaries by key, each kept in one row. A key is "topic:provider:rest"."""

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def load(self, key: str) -> dict[str, Any] | None:
        """Return the dictionary saved under `key`; None when there is none."""
        value = await self._database.read(
            lambda c: fetch_value(c, "SELECT value FROM provider_state WHERE key = ?", key)
        )
        return dict(json.loads(value)) if value else None

    async def save(self, key: str, value: dict[str, Any]) -> None:
        """Replace the dictionary under `key`; it is committed when this returns. The end of a
        gate's pause (epoch seconds) is also written to the column `blocked_until`."""
        until = value.get("pause", {}).get("blocked_until")
        provider = key.removeprefix("gate:").partition(":")[0]
        row = (key, provider, json.dumps(value), iso(until) if until else None, iso(self._now()))
        await self._database.write(lambda c: c.execute(_INSERT, row))


def load_service_states(connection: sqlite3.Connection) -> list[State]:
    """Return the rows about services (gates, capabilities), not those about this database."""
    return connection.execute(
        "SELECT key, provider, value, blocked_until, updated_at FROM provider_state"
        " WHERE key NOT IN ('rules', 'catalogue') AND key NOT LIKE 'webhook:%'"
    ).fetchall()


def adopt_newer(connection: sqlite3.Connection, states: Iterable[State]) -> None:
    """Save rows of another database, except those that this database has in a newer version."""
    connection.executemany(f"{_INSERT} WHERE excluded.updated_at >= provider_state.updated_at", states)


def list_all(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return all rows by key as {"key", "provider", "value", "blocked_until" (ISO 8601)}."""
    cursor = connection.execute("SELECT key, provider, value, blocked_until FROM provider_state ORDER BY key")
    return [
        {"key": key, "provider": provider, "value": json.loads(value), "blocked_until": until}
        for key, provider, value, until in cursor
    ]
