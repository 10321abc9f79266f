"""A database for one run, thrown away after it: what the services said of limits is taken from and given back to the
configured one, so that nobody is asked more than they allow."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from soulspot.config import Config
from soulspot.store.database import Database
from soulspot.store.ownership import Ownership
from soulspot.store.state import of_services, take_over


@asynccontextmanager
async def temporary(config: Config) -> AsyncIterator[Config]:
    """The same configuration over an empty database of its own, without webhooks.

    Where the configured database exists, it is ours meanwhile: two processes would not know of each other's requests.
    DatabaseOwned when another process works on it."""
    configured = config.database.path
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soulspot-")))
        path = folder / "soulspot.db"
        known = await asyncio.to_thread(configured.exists)
        if known:
            stack.enter_context(Ownership(configured))
            await asyncio.to_thread(_copy, configured, path)
        try:
            yield _over(config, path)
        finally:
            if known:
                await asyncio.to_thread(_copy, path, configured)


def _copy(source: Path, target: Path) -> None:
    """Hand on what one database knows of the services; nobody else has either of them open."""
    if not source.exists():  # it was never opened
        return
    with contextlib.closing(Database(source)) as database:
        states = database.write_now(of_services)
    with contextlib.closing(Database(target)) as database:
        database.write_now(lambda connection: take_over(connection, states))


def _over(config: Config, path: Path) -> Config:
    changes: dict[str, Any] = {
        "database": config.database.model_copy(update={"path": path}),
        "webhooks": config.webhooks.model_copy(update={"url": None}),
    }
    return config.model_copy(update=changes)
