"""Archives as streams: their members one after the other, never unpacked to the disk."""

import bz2
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from soulspot.errors import CatalogueError

_BZ2, _ZSTD, _GZIP = b"BZh", b"\x28\xb5\x2f\xfd", b"\x1f\x8b"


class Archive:
    """A tar archive, packed with bzip2, zstd or not at all, that is read once from its beginning.

    Raises CatalogueError where the file is something else or was cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = io.BufferedReader(path.open("rb", buffering=0), 1 << 20)
            self.size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise CatalogueError(f"{path}: {error.strerror or error}") from None

    @property
    def position(self) -> int:
        """The bytes of the packed file that were read so far."""
        return os.lseek(self._file.fileno(), 0, os.SEEK_CUR)

    @contextmanager
    def opened(self) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
        """Hand out name and content of each file in the archive; read a content before the next.
        What goes wrong in reading, inside the `with`, becomes a CatalogueError."""
        try:
            with self._unpacked() as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
                yield self._members(archive)
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            raise CatalogueError(f"{self.path} is no whole archive: {error}. Download it again") from None
        except Exception as error:
            if type(error).__name__ != "ZstdError":  # of a library that may be absent
                raise
            raise CatalogueError(f"{self.path} is no whole archive: {error}. Download it again") from None

    @staticmethod
    def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, content

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @contextmanager
    def _unpacked(self) -> Iterator[Any]:
        magic = self._file.peek(4)[:4]
        if magic.startswith(_BZ2) and (program := shutil.which("lbzip2")):
            # It uses all cores; Python's own uses one.
            with self._piped([program, "-dc"]) as stream:
                yield stream
        elif magic.startswith(_BZ2):
            with bz2.open(self._file) as stream:
                yield stream
        elif magic.startswith(_ZSTD):
            yield _zstd_stream(self._file, self.path)
        elif magic.startswith(_GZIP):
            raise CatalogueError(f"{self.path} is packed with gzip; the dumps are .tar.bz2 or .tar.zst")
        else:
            yield self._file

    @contextmanager
    def _piped(self, command: list[str]) -> Iterator[Any]:
        self._file.seek(0)
        with subprocess.Popen(
            command, stdin=self._file, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=1 << 20
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                yield process.stdout
                process.stdout.close()
                said = process.stderr.read().decode(errors="replace").strip()
                if process.wait() != 0:
                    raise CatalogueError(f"{self.path} is no whole archive: {said}. Download it again")
            finally:
                process.kill()


def _zstd_stream(file: IO[bytes], path: Path) -> Any:
    try:
        import zstandard
    except ImportError:
        raise CatalogueError(
            f"{path} is packed with zstd: install SoulSpot with its extra, pip install 'soulspot[catalogue]'"
        ) from None
    return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
