"""What `export --covers` does: the front covers of the exported tracks as files, one a release."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soulspot.assembly import open_service
from soulspot.cli.console import Bars
from soulspot.cli.daemon_client import running_daemon
from soulspot.config import Config
from soulspot.errors import ProviderError
from soulspot.export import table_rows
from soulspot.export.target import replacing

AT_ONCE = 4  # covers that are waited for; their gates say how fast they come
NAMED_BY = ("mb_release_id", "spotify_album_id")
Fetch = Callable[[str], Awaitable[tuple[bytes, str] | None]]
"""fetch(url) -> bytes and media type, None where there is no cover. Raises ProviderError when that cannot be said now."""


@dataclass(slots=True)
class CoversReport:
    """Files written, files that were there already, releases without a cover, and covers that cannot be had now,
    `why` being what the last of them met."""

    written: int = 0
    unchanged: int = 0
    without: int = 0
    postponed: int = 0
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"written": self.written, "unchanged": self.unchanged, "without": self.without,
                "postponed": self.postponed, "why": self.why}  # fmt: skip

    def words(self, folder: Path) -> str:
        said = f"{self.written} covers written to {folder}, {self.unchanged} there already"
        said += f", {self.without} releases without one" if self.without else ""
        return said + (f", {self.postponed} cannot be had now: {self.why}" if self.postponed else "")


async def save_covers(config: Config, folder: Path, chosen: Mapping[str, Any], bars: Bars) -> CoversReport:
    """Fetch the covers of the `chosen` tracks (the filters of an export), through the daemon where one runs."""
    wanted = await asyncio.to_thread(_wanted, config.database.path, chosen)
    folder.mkdir(parents=True, exist_ok=True)
    if remote := running_daemon(config):
        async with remote:
            return await _save(remote.cover, wanted, folder, bars)
    async with open_service(config, work=False) as service:
        covers = service.parts.covers
        assert covers is not None  # the command has seen that they are enabled

        async def fetch(url: str) -> tuple[bytes, str] | None:
            cover = await covers.get(url)
            return None if cover is None else (await asyncio.to_thread(cover.path.read_bytes), cover.kind)

        return await _save(fetch, wanted, folder, bars)


def _wanted(database: Path, chosen: Mapping[str, Any]) -> dict[str, str]:
    """Addresses by the name of the file, one a release; a track of none has one of its own."""
    found: dict[str, str] = {}
    for row in table_rows(database, columns=["track_id", *NAMED_BY, "cover_url"], **chosen):
        if row["cover_url"]:
            name = next((row[one] for one in NAMED_BY if row[one]), f"track-{row['track_id']}")
            found.setdefault(name, row["cover_url"])
    return found


async def _save(fetch: Fetch, wanted: Mapping[str, str], folder: Path, bars: Bars) -> CoversReport:
    report, left = CoversReport(), iter(wanted.items())

    async def work() -> None:
        for name, url in left:
            try:
                image = await fetch(url)
            except ProviderError as error:
                report.postponed, report.why = report.postponed + 1, str(error)
            else:
                if image is None:
                    report.without += 1
                elif await asyncio.to_thread(_put, folder, name, *image):
                    report.written += 1
                else:
                    report.unchanged += 1
            done = report.written + report.unchanged + report.without + report.postponed
            bars.show("covers", done, len(wanted))

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return report


def _put(folder: Path, name: str, image: bytes, kind: str) -> bool:
    """Whether the file was not there already, just like this."""
    path = folder / f"{name}{mimetypes.guess_extension(kind) or '.img'}"
    if path.is_file() and path.read_bytes() == image:
        return False
    with replacing(path) as sink:
        sink.file.write(image)
    return True
