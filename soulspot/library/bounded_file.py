"""Opening one file for mutagen, so that none blocks the scan or makes mutagen read forever."""

import io
import os
import stat

from soulspot.errors import UnreadableFile
from soulspot.models import FileStamp

# The largest single piece that mutagen reads is an ID3 tag or a FLAC block with a cover.
MAX_PIECE = 128 << 20
# A read costs one step, and one more for every 256 bytes: 256 MB in all.
MAX_STEPS = 1 << 20


class BoundedFile(io.BufferedReader):
    """A file that checks sizes claimed in headers against its own before memory is taken.

    `read` never asks for more than the file holds and refuses pieces above `MAX_PIECE` bytes. After
    `MAX_STEPS` steps it gives up: a loop, or no end. Both raise UnreadableFile."""

    def __init__(self, raw: io.FileIO, size: int) -> None:
        super().__init__(raw, 1 << 14)
        self._size = size
        self._steps = MAX_STEPS

    @property
    def size(self) -> int:
        """The size of the file in bytes, when it was opened."""
        return self._size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most `size` bytes (all that remain for None or a negative size)."""
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
    """Open a regular file for reading; return it with its status (`os.fstat`). `max_file_size` is
    in bytes. Raises UnreadableFile with a reason for people when the file is empty, too large or no
    regular file, and OSError when it cannot be opened."""
    # A FIFO that took the file's place would block the open until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile(path, "not a regular file")
        if status.st_size == 0:
            raise UnreadableFile(path, "the file is empty")
        if max_file_size is not None and status.st_size > max_file_size:
            sizes = f"{status.st_size} bytes, allowed are {max_file_size}"
            raise UnreadableFile(path, f"larger than max_file_size ({sizes})")
        return BoundedFile(io.FileIO(descriptor, "rb"), status.st_size), status
    except BaseException:
        os.close(descriptor)
        raise


def stamp_of(status: os.stat_result) -> FileStamp:
    """Return the size, modification time and inode by which a later scan knows a file unchanged."""
    return FileStamp(status.st_size, status.st_mtime_ns, status.st_ino)
