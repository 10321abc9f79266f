"""Uploaded import files: safe on the disk before they are accepted, kept until they are done."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterable, Collection
from pathlib import Path

from soulspot.tagging.file_copies import sync_folder


class Uploads:
    """A folder of import files that are not read to their end yet; it outlives a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def receive(self, chunks: AsyncIterable[bytes], suffix: str) -> Path:
        """Write the chunks into a new file, so that not even a power cut loses it. Return its path.
        Whatever `chunks` or the disk raises leaves no file behind."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=suffix, prefix="import-", dir=self.folder)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                async for chunk in chunks:
                    await asyncio.to_thread(_write, file.fileno(), chunk)
                await asyncio.to_thread(os.fsync, file.fileno())
            # The folder itself may be new, too. Some file systems cannot sync folders.
            for folder in (self.folder, self.folder.parent):
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(sync_folder, os.fsencode(folder))
        except BaseException:
            remove(path)
            raise
        return path

    async def sweep(self, wanted: Collection[bytes]) -> None:
        """Remove all files but the `wanted` ones: a crash leaves uploads behind that were never
        accepted."""
        await asyncio.to_thread(self._sweep, wanted)

    def _sweep(self, wanted: Collection[bytes]) -> None:
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if os.fsencode(path.absolute()) not in wanted:
                    remove(path)


def _write(descriptor: int, data: bytes) -> None:
    # A disk that is nearly full takes a part, and refuses the next.
    while data:
        data = data[os.write(descriptor, data) :]


def remove(path: Path) -> None:
    """Remove a file; where that fails, the next start removes it."""
    with contextlib.suppress(OSError):
        path.unlink()
