"""Opens one file for mutagen such that no file blocks the scan, or makes it read without end."""

from __future__ import annotations

import io
import os
import stat

from soulspot.errors import UnreadableFile

# Generous for real files: the largest single piece mutagen reads is an ID3 tag or a FLAC block with a cover.
MAX_PIECE = 32 << 20
MAX_STEPS = 1 << 20  # a read is one step, and one more for every 256 bytes: 256 MB in all


class BoundedFile(io.BufferedReader):
    """A file whose sizes claimed in headers are checked against its real size before memory is taken.

    `read` never asks for more than the file holds, refuses pieces above `MAX_PIECE` bytes, and gives up after
    `MAX_STEPS`: then the file's own structure leads in circles, or has no end. Both raise UnreadableFile."""

    def __init__(self, raw: io.FileIO, size: int) -> None:
        super().__init__(raw, 1 << 14)
        self._size = size
        self._steps = MAX_STEPS

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self._size if size is None or size < 0 or size > self._size else size
        if wanted > MAX_PIECE:
            if self._size - self.tell() > MAX_PIECE:
                raise UnreadableFile(b"", f"damaged: claims a single tag of {wanted >> 20} MB")
            wanted = MAX_PIECE
        self._steps -= 1 + (wanted >> 8)
        if self._steps < 0:
            raise UnreadableFile(b"", "damaged: its tags have no end")
        return super().read(wanted)


def open_bounded(path: bytes, max_file_size: int | None = None) -> tuple[BoundedFile, os.stat_result]:
    """Open a regular file for reading, with what fstat says of it.

    Never waits: a FIFO, socket or device that took the file's place is refused. `max_file_size` is in bytes.
    Raises UnreadableFile with the reason, or OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableFile(path, "not a regular file")
        if found.st_size == 0:
            raise UnreadableFile(path, "the file is empty")
        if max_file_size is not None and found.st_size > max_file_size:
            raise UnreadableFile(
                path, f"larger than max_file_size ({found.st_size} bytes, allowed are {max_file_size})"
            )
        return BoundedFile(io.FileIO(descriptor, "rb"), found.st_size), found
    except BaseException:
        os.close(descriptor)
        raise
