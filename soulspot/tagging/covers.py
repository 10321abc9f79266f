"""Front covers: fetched once from the Cover Art Archive or Spotify, and cached by content."""

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
from soulspot.store import cover_index
from soulspot.store.database import Database
from soulspot.tagging.formats.base import Picture

MAX_BYTES = 10_000_000  # of an image
ARCHIVE = "https://coverartarchive.org"
SPOTIFY = "https://i.scdn.co"
_INTERNET_ARCHIVE = "https://archive.org"  # its hosts have the images that the Cover Art Archive redirects to
_HOSTS = ("coverartarchive.org", "archive.org", "scdn.co", "spotifycdn.com")  # and the hosts below them
_SIZES = ("-250.", "-500.", "-1200.")  # in the archive's addresses
_USE_NOTED_EVERY = 3600.0  # seconds between two notes that a cover was used
_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))
IN_TAGS = ("image/jpeg", "image/png")
"""Media types of images that every tag format and player takes."""


@dataclass(frozen=True, slots=True)
class Cover:
    """An image in the cache."""

    path: Path
    kind: str  # its media type
    digest: str  # SHA-256


@dataclass(frozen=True, slots=True)
class CoverSources:
    """The hosts that covers are fetched from, and how."""

    size: int = 500  # the edge in pixels, where the host offers a choice
    archive: str = ARCHIVE  # the host, or a mirror of it
    spotify: str = SPOTIFY
    rate: float = 4.0  # requests a second
    timeout: float = 30.0  # seconds

    @property
    def hosts(self) -> dict[str, str]:
        """The usual beginning of an address -> the configured host to fetch it from."""
        return {ARCHIVE: self.archive.rstrip("/"), SPOTIFY: self.spotify.rstrip("/")}

    def address(self, url: str) -> str:
        """Return the address of a cover in the configured size, at the configured host."""
        if url.startswith(f"{ARCHIVE}/"):
            for size in _SIZES:
                url = url.replace(size, f"-{self.size}.")
        for usual, host in self.hosts.items():
            if url.startswith(f"{usual}/"):
                return host + url.removeprefix(usual)
        return url

    def allowed(self, address: str) -> bool:
        """Whether covers may be fetched from this address. An answer of a service, or a redirect,
        must not send us to any other host."""
        parts = urlsplit(address)
        if parts[:2] in [urlsplit(host)[:2] for host in self.hosts.values()]:
            return True
        return parts.scheme == "https" and any(f".{parts.netloc.lower()}".endswith(f".{own}") for own in _HOSTS)


class CoverCache:
    """Covers in one folder of at most `cache_bytes`; those unused for longest are dropped first. A
    cover that does not exist is asked for again after `missing_after` seconds."""

    def __init__(
        self, database: Database, gates: Gates, folder: Path, *, sources: CoverSources = CoverSources(),
        cache_bytes: int = 500_000_000, missing_after: float = 604_800.0, now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._database = database
        self._folder = folder
        self._sources = sources
        self._cache_bytes = cache_bytes
        self._missing_after = missing_after
        self._now = now
        self._http = Http(gates, "covers", timeout=sources.timeout)
        self._fetching: dict[str, asyncio.Task[Cover | None]] = {}
        for host in (*sources.hosts.values(), _INTERNET_ARCHIVE):
            gates.open("covers", host, rate=sources.rate)

    async def get(self, url: str) -> Cover | None:
        """Return the cover at this address; None when it does not exist.

        Callers that ask for the same address at the same time share one request. Raises
        ProviderError (Limited, Unavailable, Refused, BadAnswer) when it cannot be fetched now."""
        address = self._sources.address(url)
        if not self._sources.allowed(address):
            raise BadAnswer("covers come from the Cover Art Archive and Spotify alone")
        record = await self.cached_record(url)
        if record is not None and record.digest is None:
            return None
        if record is not None and record.digest and record.kind:
            cover = Cover(self._path(record.digest), record.kind, record.digest)
            # A file of another size was deleted by somebody, or torn by a crash.
            if await asyncio.to_thread(_size_of, cover.path) == record.size:
                await self._database.write(lambda c: cover_index.mark_used(c, address, self._now(), _USE_NOTED_EVERY))
                return cover
        task = self._fetching.get(address)
        if task is None:
            task = self._fetching[address] = asyncio.create_task(self._fetch(address))
            task.add_done_callback(lambda done: self._forget_task(address, done))
        # A caller that is cancelled must not end the request for the other callers.
        return await asyncio.shield(task)

    async def for_track(self, track_id: int) -> Cover | None:
        """Return the cover of a track; None when it has none. Raises what `get` raises."""
        url = await self._database.read(lambda c: cover_index.track_cover_url(c, track_id))
        return await self.get(url) if url else None

    async def picture(self, url: str) -> Picture | None:
        """Return the cover as tags hold it; None when there is none, or none that tags can hold.
        Raises ProviderError as `get` does, and OSError when the cached file cannot be read."""
        cover = await self.get(url)
        if cover is None or cover.kind not in IN_TAGS:
            return None
        return Picture(await asyncio.to_thread(cover.path.read_bytes), cover.kind)

    async def cached_record(self, url: str) -> cover_index.CoverRecord | None:
        """Return what the index has on the cover at this address, without any request."""
        address = self._sources.address(url)
        return await self._database.read(lambda c: cover_index.find(c, address, self._now()))

    async def close(self) -> None:
        for task in list(self._fetching.values()):
            task.cancel()
        await asyncio.gather(*self._fetching.values(), return_exceptions=True)
        await self._http.close()

    def _forget_task(self, address: str, done: asyncio.Task[Cover | None]) -> None:
        self._fetching.pop(address, None)
        # Every waiting caller gets the exception; when all have left, asyncio must not complain.
        if not done.cancelled():
            done.exception()

    async def _fetch(self, address: str) -> Cover | None:
        try:
            data = await self._http.fetch_bytes(
                address, base_url=self._sources.hosts[ARCHIVE], accept="image/*", most=MAX_BYTES,
                allowed=self._sources.allowed,
            )  # fmt: skip
        except BadAnswer as error:
            if error.status not in (404, 410):
                raise
            until = self._now() + self._missing_after
            await self._database.write(lambda c: cover_index.save_missing(c, address, until, self._now()))
            return None
        if (kind := image_type(data)) is None:
            raise BadAnswer(f"{urlsplit(address).netloc}: what lies there is no image")
        digest = hashlib.sha256(data).hexdigest()
        cover = Cover(self._path(digest), kind, digest)
        await asyncio.to_thread(_write_atomically, cover.path, data)
        for dropped in await self._database.write(lambda c: self._index(c, address, cover, len(data))):
            with contextlib.suppress(OSError):
                self._path(dropped).unlink()
        return cover

    def _index(self, connection: sqlite3.Connection, address: str, cover: Cover, size: int) -> list[str]:
        cover_index.save(connection, address, cover.digest, cover.kind, size, self._now())
        dropped = cover_index.evict(connection, self._cache_bytes)
        return [digest for digest in dropped if digest != cover.digest]

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def image_type(data: bytes) -> str | None:
    """Return the media type of an image by its first bytes; None for what no player shows."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _write_atomically(path: Path, data: bytes) -> None:
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
