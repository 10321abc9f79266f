"""`soulspot export --covers`: save the covers of the exported tracks as files, one a release."""

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from soulspot.client.workplace import in_daemon_or_here
from soulspot.config import Config
from soulspot.errors import ProviderError
from soulspot.export import table_rows
from soulspot.export.target import replacing
from soulspot.pipeline import EnrichmentService
from soulspot.terminal.bars import Bars

# covers waited for at one time; the gates decide how fast requests go
WORKERS = 4
NAMED_BY = ("mb_release_id", "spotify_album_id")
Fetch = Callable[[str], Awaitable[tuple[bytes, str] | None]]
"""fetch(url) -> (image, media type), or None where there is no cover. Raises ProviderError for one
that cannot be fetched now."""


@dataclass(slots=True)
class CoversReport:
    """Numbers of covers, by what became of each."""

    folder: Path
    written: int = 0
    unchanged: int = 0  # the same file was there already
    without: int = 0  # releases without a cover
    postponed: int = 0  # cannot be fetched now
    why: str | None = None  # the last of the postponed was not fetched

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as `--json` shows them."""
        return {name: value for name, value in asdict(self).items() if name != "folder"}

    def summary(self) -> str:
        """Return the numbers as a sentence for people."""
        words = f"{self.written} covers written to {self.folder}, {self.unchanged} there already"
        words += f", {self.without} releases without one" if self.without else ""
        return words + (f", {self.postponed} cannot be had now: {self.why}" if self.postponed else "")


async def save_covers(config: Config, folder: Path, filters: Mapping[str, Any], bars: Bars) -> CoversReport:
    """Save the covers of the tracks that these filters choose, through the daemon if one runs."""
    urls = await asyncio.to_thread(_urls_by_name, config.database.path, filters)
    folder.mkdir(parents=True, exist_ok=True)

    async def here(service: EnrichmentService) -> CoversReport:
        covers = service.parts.covers
        # the command has seen that covers are enabled
        assert covers is not None

        async def fetch(url: str) -> tuple[bytes, str] | None:
            cover = await covers.get(url)
            return None if cover is None else (await asyncio.to_thread(cover.path.read_bytes), cover.kind)

        return await _save_all(fetch, urls, folder, bars)

    return await in_daemon_or_here(config, lambda client: _save_all(client.cover, urls, folder, bars), here)


def _urls_by_name(database: Path, filters: Mapping[str, Any]) -> dict[str, str]:
    """Return the addresses of covers by file name: one a release, or a track that has none."""
    urls: dict[str, str] = {}
    for row in table_rows(database, columns=["track_id", *NAMED_BY, "cover_url"], **filters):
        if row["cover_url"]:
            name = next((row[column] for column in NAMED_BY if row[column]), f"track-{row['track_id']}")
            urls.setdefault(name, row["cover_url"])
    return urls


async def _save_all(fetch: Fetch, urls: Mapping[str, str], folder: Path, bars: Bars) -> CoversReport:
    report, rest = CoversReport(folder), iter(urls.items())

    async def work() -> None:
        # every worker takes the next address from the same iterator
        for name, url in rest:
            try:
                image = await fetch(url)
            except ProviderError as error:
                report.postponed, report.why = report.postponed + 1, str(error)
            else:
                if image is None:
                    report.without += 1
                elif await asyncio.to_thread(_write_if_new, folder, name, *image):
                    report.written += 1
                else:
                    report.unchanged += 1
            bars.show("covers", report.written + report.unchanged + report.without + report.postponed, len(urls))

    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(work())
    return report


def _write_if_new(folder: Path, name: str, image: bytes, kind: str) -> bool:
    path = folder / f"{name}{mimetypes.guess_extension(kind) or '.img'}"
    if path.is_file() and path.read_bytes() == image:
        return False
    with replacing(path) as sink:
        sink.file.write(image)
    return True
