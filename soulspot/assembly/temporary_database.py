"""A database for one run, thrown away after it.

What it knows of the services' limits is copied from the configured database and back, so that
nobody is asked more often than allowed."""

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
from soulspot.store.provider_state import adopt_newer, load_service_states


@asynccontextmanager
async def with_temporary_database(config: Config) -> AsyncIterator[Config]:
    """Yield this configuration over an empty database of its own, without webhooks.

    Raises DatabaseOwned when another process works on the configured database."""
    configured = config.database.path
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soulspot-")))
        path = folder / "soulspot.db"
        exists = await asyncio.to_thread(configured.exists)
        if exists:
            # owned meanwhile: two processes would not know of each other's requests
            stack.enter_context(Ownership(configured))
            await asyncio.to_thread(_copy_limits, configured, path)
        try:
            yield _with_database(config, path)
        finally:
            if exists:
                await asyncio.to_thread(_copy_limits, path, configured)


def _copy_limits(source: Path, target: Path) -> None:
    """Copy what one database remembers of the services to another; nobody else has either of them
    open."""
    if not source.exists():  # the service was never opened
        return
    with contextlib.closing(Database(source)) as database:
        states = database.write_now(load_service_states)
    with contextlib.closing(Database(target)) as database:
        database.write_now(lambda connection: adopt_newer(connection, states))


def _with_database(config: Config, path: Path) -> Config:
    changes: dict[str, Any] = {
        "database": config.database.model_copy(update={"path": path}),
        "webhooks": config.webhooks.model_copy(update={"url": None}),
    }
    return config.model_copy(update=changes)
