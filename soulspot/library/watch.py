"""Watches the library's roots and says which files and folders are worth scanning again."""

# Paths are bytes here, which pathlib does not hold.
from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic

import watchfiles
from watchfiles import Change

from soulspot.library.suffixes import is_audio, suffix

LOOK_EVERY = 60.0  # seconds between two looks through everything where watching is not possible
LOOKS_COST = 20  # and at least so many times what a look takes

# A deleted name cannot be asked whether it was a folder; these surely were none, and concern nobody.
_OTHER = frozenset(
    b"jpg jpeg png gif webp bmp tif tiff pdf txt nfo cue log m3u m3u8 pls xspf sfv md5 json xml lrc ini db"
    b" html url zip rar 7z tmp temp part crdownload swp bak".split()
)

Identity = tuple[int, int]
Changes = Iterable[tuple[Change, str]]


async def watch(
    roots: Sequence[bytes],
    *,
    debounce_ms: int = 1600,
    stop: asyncio.Event,
    check_ms: int = 2000,
    look_every: float = LOOK_EVERY,
    on_unwatchable: Callable[[str, float], None] = lambda why, seconds: None,
) -> AsyncIterator[set[bytes]]:
    """Yield sets of absolute paths to scan again (`within` of `scan.walk`), until `stop` is set.

    A path is an audio file that appeared or was written, a folder that appeared, or the nearest remaining
    folder above something deleted or moved away. Changes are gathered for at most `debounce_ms` milliseconds.
    A root that vanishes is waited for; `stop` and the roots are looked at every `check_ms` milliseconds.
    Whenever something may have been missed (a root came or went, a name that is not UTF-8), every root that
    is there is yielded. While there are folders whose names are not UTF-8, watchfiles watches nothing at all: then
    every root is yielded every `look_every` seconds, seldomer where the caller takes long over it, and `on_unwatchable` is
    told once, why and every how many seconds. Raises OSError when the system refuses to watch (no inotify watches left,
    say)."""
    places = tuple(dict.fromkeys(map(os.path.abspath, roots)))
    began = blind = False
    # All in a thread of its own, which may take its time on a slow disk. Not awatch: it sets up its watches, one a
    # folder, in the event loop.
    thread = ThreadPoolExecutor(1, "soulspot-watch")
    in_thread = partial(asyncio.get_running_loop().run_in_executor, thread)
    try:
        while not stop.is_set():
            present = await in_thread(_present, places)
            missed = set(present) if began else set()
            began = True
            changes = _Stream(thread, present, debounce_ms, check_ms, stop)
            steps, unnamed = 0, ""
            try:
                while (found := await changes.next()) is not None:
                    steps, blind = steps + 1, False
                    paths = missed | await in_thread(worth_scanning, found, places)
                    missed = set()
                    if paths:
                        yield outermost(paths)
                    now = await in_thread(_present, places)
                    # A new folder in a root's place may even have its inode; the watch is on the old one.
                    if now != present or any(c == Change.deleted and p.encode() in now for c, p in found):
                        break
            except FileNotFoundError:  # gone while its watches were set up
                await _pause(stop, check_ms)
            except RuntimeError as error:
                # watchfiles cannot say a name that is not UTF-8; the changes it came with are lost with it.
                if "decode" not in str(error):
                    raise OSError(str(error)) from error
                unnamed = "" if steps else str(error)
            finally:
                await changes.close()
            if unnamed:  # it came across the name as soon as it began, and will again
                if not blind:
                    on_unwatchable(unnamed, look_every)
                blind, looked = True, monotonic()
                yield set(present)
                await _pause(stop, round(1000 * max(look_every, LOOKS_COST * (monotonic() - looked))))
    finally:
        thread.shutdown(wait=False)


class _Stream:
    """One watchfiles generator, stepped in a thread. Without any root it only waits."""

    def __init__(
        self,
        thread: ThreadPoolExecutor,
        present: Mapping[bytes, Identity],
        debounce_ms: int,
        check_ms: int,
        stop: asyncio.Event,
    ) -> None:
        self._thread = thread
        self._halt = threading.Event()
        self._stop = stop
        self._step: asyncio.Future[Changes | None] | None = None
        self._check_ms = check_ms
        self._changes = (
            watchfiles.watch(
                *(place.decode() for place in present),
                watch_filter=None,
                debounce=debounce_ms,
                stop_event=self,
                rust_timeout=check_ms,
                yield_on_timeout=True,
                ignore_permission_denied=True,
            )
            if present
            else None
        )

    def is_set(self) -> bool:
        """What watchfiles asks of its stop event, from its thread."""
        return self._halt.is_set() or self._stop.is_set()

    async def next(self) -> Changes | None:
        """The next changes, an empty set after `check_ms` without any, None after the stop."""
        if self._changes is None:
            await _pause(self._stop, self._check_ms)
            return None if self._stop.is_set() else ()
        loop = asyncio.get_running_loop()
        self._step = loop.run_in_executor(self._thread, next, self._changes, None)
        return await asyncio.shield(self._step)

    async def close(self) -> None:
        """End the thread's step and give the watches back; waits a second at most."""
        self._halt.set()
        if self._step is not None:
            await asyncio.wait([self._step], timeout=1)
        if self._changes is not None and (self._step is None or self._step.done()):
            self._changes.close()


async def _pause(stop: asyncio.Event, milliseconds: int) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), milliseconds / 1000)


def worth_scanning(changes: Changes, places: Sequence[bytes]) -> set[bytes]:
    """The files and folders below `places` that a set of changes is about; all of them exist."""
    found = set()
    for change, name in changes:
        path = name.encode()
        mode = _mode(path)
        if mode is None:
            if suffix(path) not in _OTHER and (folder := _remaining(path, places)):
                found.add(folder)
        elif stat.S_ISDIR(mode) or (stat.S_ISREG(mode) and is_audio(path) and change != Change.deleted):
            found.add(path)
    return found


def outermost(paths: set[bytes]) -> set[bytes]:
    """`paths` without those that lie inside another of them."""
    kept: set[bytes] = set()
    for path in sorted(paths, key=len):
        folder = path
        while (above := os.path.dirname(folder)) != folder and above not in kept:
            folder = above
        if above == folder:
            kept.add(path)
    return kept


def _remaining(path: bytes, places: Sequence[bytes]) -> bytes | None:
    while any(path.startswith(place.rstrip(b"/") + b"/") for place in places):
        path = os.path.dirname(path)
        mode = _mode(path)
        if mode is not None and stat.S_ISDIR(mode):
            return path
    return None


def _mode(path: bytes) -> int | None:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return None


def _present(places: Sequence[bytes]) -> dict[bytes, Identity]:
    """The roots that are there, and what tells a root from another one mounted or moved in its place."""
    found = {}
    for place in places:
        try:
            place.decode()
            status = os.stat(place)
        except (
            OSError,
            UnicodeDecodeError,
        ):  # watchfiles takes no root that is not UTF-8: left to the rescan
            continue
        found[place] = (status.st_dev, status.st_ino)
    return found
