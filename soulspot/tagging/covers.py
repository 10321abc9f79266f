"""Front covers: fetched once from the Cover Art Archive or Spotify, kept on disk by what they are, within a limit."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from soulspot.errors import BadAnswer
from soulspot.limits import Gates
from soulspot.providers.http import Http
from soulspot.store import cover_index as rows
from soulspot.store.database import Database
from soulspot.tagging.formats.base import Picture

MOST = 10_000_000  # bytes of an image
ARCHIVE = "https://coverartarchive.org"
SPOTIFY = "https://i.scdn.co"
_HOSTS = ("coverartarchive.org", "archive.org", "scdn.co", "spotifycdn.com")  # and those below them
_SIZES = ("-250.", "-500.", "-1200.")
_USE = 3600.0  # seconds; what is used again and again is noted once in so long
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
)
IN_TAGS = ("image/jpeg", "image/png")  # what every format and player takes


@dataclass(frozen=True, slots=True)
class Cover:
    """An image on disk."""

    path: Path
    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class CoverSources:
    """Where covers lie. `size` is the edge in pixels, where the host offers a choice."""

    size: int = 500
    archive: str = ARCHIVE
    spotify: str = SPOTIFY

    @property
    def hosts(self) -> dict[str, str]:
        """What stands at the beginning of an address -> what it is asked at."""
        return {ARCHIVE: self.archive.rstrip("/"), SPOTIFY: self.spotify.rstrip("/")}

    def address(self, url: str) -> str:
        """The address in the wished size, at the configured hosts."""
        if url.startswith(f"{ARCHIVE}/"):
            for size in _SIZES:
                url = url.replace(size, f"-{self.size}.")
        for usual, host in self.hosts.items():
            if url.startswith(f"{usual}/"):
                return host + url.removeprefix(usual)
        return url

    def allowed(self, address: str) -> bool:
        """Whether covers lie at this address: an answer of a service must not send us anywhere else."""
        parts = urlsplit(address)
        if parts[:2] in [urlsplit(host)[:2] for host in self.hosts.values()]:
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and any(host == one or host.endswith(f".{one}") for one in _HOSTS)


class CoverCache:
    """Over one folder."""

    def __init__(
        self, database: Database, gates: Gates, folder: Path, *, sources: CoverSources = CoverSources(),
        cache_bytes: int = 500_000_000, rate: float = 4.0, timeout: float = 30.0,
        missing_after: float = 604_800.0, now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._database = database
        self._folder = folder
        self._sources = sources
        self._room = cache_bytes
        self._missing_after = missing_after
        self._now = now
        self._http = Http(gates, "covers", timeout=timeout)
        self._coming: dict[str, asyncio.Task[Cover | None]] = {}
        for host in sources.hosts.values():
            gates.open("covers", host, rate=rate)

    async def get(self, url: str) -> Cover | None:
        """The cover at this address; None when there is none. Equal addresses are fetched once, whoever asks.

        Raises ProviderError (Limited, Unavailable, Refused, BadAnswer) when that cannot be found out now."""
        address = self._sources.address(url)
        if not self._sources.allowed(address):
            raise BadAnswer("covers come from the Cover Art Archive and Spotify alone")
        known = await self._database.read(lambda c: rows.find(c, address, self._now()))
        if known is not None and known.digest is None:
            return None
        if known is not None and known.digest and known.kind:
            cover = Cover(self._place(known.digest), known.kind, known.digest)
            if (
                await asyncio.to_thread(_size_of, cover.path) == known.size
            ):  # else deleted, or torn by a crash
                await self._database.write(lambda c: rows.mark_used(c, address, self._now(), _USE))
                return cover
        task = self._coming.get(address)
        if task is None:
            task = self._coming[address] = asyncio.create_task(self._fetch(address))
            task.add_done_callback(lambda done: self._came(address, done))
        return await asyncio.shield(task)

    async def for_track(self, track_id: int) -> Cover | None:
        """The cover of a track; None when it has none."""
        url = await self._database.read(lambda c: rows.track_cover_url(c, track_id))
        return await self.get(url) if url else None

    async def picture(self, url: str) -> Picture | None:
        """The cover as tags hold it; None when there is none that tags take. Raises what `get` raises, and OSError."""
        cover = await self.get(url)
        if cover is None or cover.kind not in IN_TAGS:
            return None
        return Picture(await asyncio.to_thread(cover.path.read_bytes), cover.kind)

    async def known(self, url: str) -> rows.CoverRecord | None:
        """What is known of the cover at this address without asking for it."""
        return await self._database.read(lambda c: rows.find(c, self._sources.address(url), self._now()))

    async def close(self) -> None:
        for task in list(self._coming.values()):
            task.cancel()
        await asyncio.gather(*self._coming.values(), return_exceptions=True)
        await self._http.close()

    def _came(self, address: str, done: asyncio.Task[Cover | None]) -> None:
        self._coming.pop(address, None)
        if not done.cancelled():
            done.exception()  # whoever waits for it hears of it; it may be that nobody does

    async def _fetch(self, address: str) -> Cover | None:
        try:
            data = await self._http.fetch_bytes(
                address,
                base_url=self._sources.hosts[ARCHIVE],
                accept="image/*",
                most=MOST,
                allowed=self._sources.allowed,
            )
        except BadAnswer as error:
            if error.status not in (404, 410):
                raise
            until = self._now() + self._missing_after
            await self._database.write(lambda c: rows.save_missing(c, address, until, self._now()))
            return None
        if (kind := kind_of(data)) is None:
            raise BadAnswer(f"{urlsplit(address).netloc}: what lies there is no image")
        digest = hashlib.sha256(data).hexdigest()
        cover = Cover(self._place(digest), kind, digest)
        await asyncio.to_thread(_put, cover.path, data)
        gone = await self._database.write(lambda c: self._keep(c, address, cover, len(data)))
        for one in gone:
            with contextlib.suppress(OSError):
                self._place(one).unlink()
        return cover

    def _keep(self, connection: sqlite3.Connection, address: str, cover: Cover, size: int) -> list[str]:
        rows.save(connection, address, cover.digest, cover.kind, size, self._now())
        return [one for one in rows.evict(connection, self._room) if one != cover.digest]

    def _place(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def kind_of(data: bytes) -> str | None:
    """The media type of an image by its first bytes; None when it is none that a page or a player shows."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
