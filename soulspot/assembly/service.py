"""The `EnrichmentService` of Python programs: the flow, with the ways in that need a configuration."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from soulspot.assembly.wiring import opened
from soulspot.config import Config
from soulspot.models import EnrichedTrack
from soulspot.pipeline import enrich_files, service


class EnrichmentService(service.EnrichmentService):
    """The whole job over one database, opened from a configuration: `soulspot.EnrichmentService`."""

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Config | Path | str | None = None) -> AsyncIterator[Self]:
        """Open the service of this configuration (or configuration file, or the one found) and let it work until the
        end of the `async with`. Raises ConfigError, or DatabaseOwned while a daemon works on the same database."""
        async with opened(config, kind=cls) as working:
            yield working

    async def enrich_files_batch(
        self, paths: Iterable[str | bytes | os.PathLike[Any]], batch_size: int = 10, *, wait: float = 60.0
    ) -> dict[Any, EnrichedTrack | Exception]:
        """Enrich these files; one entry a path as it was given, an exception where a file failed.

        Files are read `batch_size` at a time; their lookups share requests across batches. A track whose answers
        are postponed for longer than `wait` seconds comes back as it stands, `pending`. ValueError when batch_size < 1."""
        return await enrich_files(self, paths, batch_size, wait)
