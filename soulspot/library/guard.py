"""Opens one file for mutagen such that no file, however hostile, blocks the scan or eats the memory."""

from __future__ import annotations

import io
import os
import stat
import threading
import zlib
from types import SimpleNamespace

import mutagen.id3._frames

from soulspot.errors import UnreadableFile

# Generous for real files: the largest single piece mutagen reads is an ID3 tag or a FLAC block with a cover.
MAX_PIECE = 32 << 20
MAX_INFLATED = 32 << 20  # bytes all compressed ID3 frames of one file may unpack to
_SPARE = 64 << 20
_READ_COST = 256  # a read costs at least this many bytes of the budget, so that endless tiny reads end too


class BoundedFile(io.BufferedReader):
    """A file whose sizes claimed in headers are checked against its real size before memory is taken.

    `read` never asks for more than the file holds, refuses pieces above `MAX_PIECE`, and gives up when far
    more has been read than the file is long (a loop in the file's own structure)."""

    def __init__(self, raw: io.FileIO, size: int) -> None:
        super().__init__(raw, 1 << 14)
        self.size = size
        self._budget = 4 * size + _SPARE
        _inflation.left = MAX_INFLATED

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self.size if size is None or size < 0 or size > self.size else size
        if wanted > MAX_PIECE:
            if self.size - self.tell() > MAX_PIECE:
                raise UnreadableFile(b"", f"damaged: claims a single tag of {wanted >> 20} MB")
            wanted = MAX_PIECE
        self._budget -= wanted if wanted > _READ_COST else _READ_COST
        if self._budget < 0:
            raise UnreadableFile(b"", "damaged: its structure leads in circles")
        return super().read(wanted)


def open_bounded(path: bytes, max_file_size: int | None = None) -> tuple[BoundedFile, os.stat_result]:
    """Open a regular file for reading, with what fstat says of it.

    Never waits: a FIFO, socket or device that took the file's place is refused. `max_file_size` is in bytes.
    Raises UnreadableFile with the reason, or OSError."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags)
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


class _Inflation(threading.local):
    left = MAX_INFLATED


_inflation = _Inflation()


def _decompress(data: bytes) -> bytes:
    """zlib.decompress within this file's allowance."""
    worker = zlib.decompressobj()
    plain = worker.decompress(data, max(_inflation.left, 1))
    _inflation.left -= len(plain)
    if worker.unconsumed_tail or not worker.eof:
        raise zlib.error("incomplete, or unpacks to more than a tag may hold")
    return plain


# mutagen unpacks ID3 frames with zlib.decompress, which makes 30 MB of 30 kB as often as a file asks.
# It handles zlib.error: such a frame is left out, or the file refused. There is no setting for it, hence this.
_zlib = SimpleNamespace(decompress=_decompress, error=zlib.error)
setattr(mutagen.id3._frames, "zlib", _zlib)  # noqa: B010 - mypy knows the name as a module
