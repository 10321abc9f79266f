"""A real daemon to be attacked over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.store.ownership import read_owner
from tests.support.daemons import Daemon, daemon
from tests.support.flow import settings, write_config


@asynccontextmanager
async def attacked(tmp_path: Path, **more: Any) -> AsyncIterator[tuple[Daemon, aiohttp.ClientSession]]:
    """Run a daemon over an empty library; yield it and a client of it."""
    (tmp_path / "music").mkdir()
    async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
        values = settings(
            sandbox, tmp_path / "db", library__paths=[str(tmp_path / "music")], library__watch=False, **more
        )
        async with daemon(write_config(tmp_path / "config.toml", values)) as running:
            await running.says("daemon_ready")
            owner = read_owner(tmp_path / "db")
            assert owner is not None
            async with aiohttp.ClientSession(owner.address, timeout=aiohttp.ClientTimeout(60)) as client:
                yield running, client
