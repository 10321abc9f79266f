"""What the gates and providers remember across restarts: `provider_state`, as the port they are given."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Any

from soulspot.store.database import Database
from soulspot.store.times import iso


class ProviderState:
    """Dictionaries by key; a key is "topic:provider:rest". Durable when `save` returns."""

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def load(self, key: str) -> dict[str, Any] | None:
        """What was last saved under `key`, or None."""

        def find(connection: sqlite3.Connection) -> dict[str, Any] | None:
            row = connection.execute("SELECT value FROM provider_state WHERE key = ?", (key,)).fetchone()
            return dict(json.loads(row[0])) if row else None

        return await self._database.read(find)

    async def save(self, key: str, value: dict[str, Any]) -> None:
        """Replace what stands under `key`. A gate's pause (epoch seconds) also gets a column of its own."""
        until = value.get("pause", {}).get("blocked_until")
        provider = key.removeprefix("gate:").partition(":")[0]
        row = (key, provider, json.dumps(value), iso(until) if until else None, iso(self._now()))
        await self._database.write(
            lambda c: c.execute(
                "INSERT INTO provider_state (key, provider, value, blocked_until, updated_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET value = excluded.value, blocked_until = excluded.blocked_until,"
                " updated_at = excluded.updated_at",
                row,
            )
        )


State = tuple[str, str, str, str | None, str]  # a row of provider_state


def load_service_states(connection: sqlite3.Connection) -> list[State]:
    """What is remembered of the services: gates and capabilities, and nothing that belongs to this database alone."""
    return connection.execute(
        "SELECT key, provider, value, blocked_until, updated_at FROM provider_state"
        " WHERE key != 'rules' AND key NOT LIKE 'webhook:%'"
    ).fetchall()


def adopt_newer(connection: sqlite3.Connection, states: Iterable[State]) -> None:
    """Remember what another database knows of the services, where it is newer."""
    connection.executemany(
        "INSERT INTO provider_state (key, provider, value, blocked_until, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET value = excluded.value, blocked_until = excluded.blocked_until,"
        " updated_at = excluded.updated_at WHERE excluded.updated_at >= provider_state.updated_at",
        states,
    )


def list_all(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """What is remembered of the providers: pauses, budgets, capabilities."""
    cursor = connection.execute("SELECT key, provider, value, blocked_until FROM provider_state ORDER BY key")
    return [
        {"key": key, "provider": provider, "value": json.loads(value), "blocked_until": until}
        for key, provider, value, until in cursor
    ]
