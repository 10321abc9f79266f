"""Watching the library's roots for files and folders that are worth scanning again."""

# Paths are bytes here, because a file name need not be UTF-8; pathlib does not hold bytes.
import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from time import monotonic

import watchfiles
from watchfiles import Change

from soulspot.library.scan import is_inside
from soulspot.library.suffixes import is_audio, suffix
from soulspot.library.watches import command_to_allow, count_watches, folders_to_watch

# Where watching is impossible, the roots are scanned every so many seconds ...
RESCAN_EVERY = 60.0
# ... and at most one part in so many of the time is spent on it.
RESCAN_SHARE = 20
# A deleted name cannot be asked whether it was a folder; these surely were none, and no audio.
_OTHER_SUFFIXES = frozenset(
    b"jpg jpeg png gif webp bmp tif tiff pdf txt nfo cue log m3u m3u8 pls xspf sfv md5 json xml lrc ini db"
    b" html url zip rar 7z tmp temp part crdownload swp bak".split()
)
Identity = tuple[int, int]
"""Device and inode: they tell a root from another one mounted or moved in its place."""
Changes = Iterable[tuple[Change, str]]


@dataclass(frozen=True, slots=True)
class Blindness:
    """Why changes in some folders stay unseen, and what a person can do about it."""

    error: str
    hint: str
    looked_through_every_seconds: float


async def watch(
    roots: Sequence[bytes], *, debounce_ms: int = 1600, stop: asyncio.Event, check_ms: int = 2000,
    rescan_every: float = RESCAN_EVERY, on_blind: Callable[[Blindness], None] = lambda blindness: None,
) -> AsyncIterator[set[bytes]]:  # fmt: skip
    """Yield sets of absolute paths to scan again (`within` of `scan.Walk`), until `stop` is set.

    A path is an audio file that appeared or was written, a folder that appeared, or the nearest
    remaining folder above something deleted or moved away. Changes are gathered for at most
    `debounce_ms` milliseconds. `stop` and the roots are checked every `check_ms` milliseconds; a
    root that vanishes is waited for. When changes may have been missed (a root came or went, a name
    is not UTF-8), every present root is yielded.

    While a folder's name is not UTF-8, watchfiles watches nothing at all; while the kernel allows
    too few watches, it leaves out folders without a word. Then every root is yielded and the watch
    set up anew every `rescan_every` seconds, less often where the caller takes long over it, and
    `on_blind` is called once. Raises OSError when the system refuses to watch at all."""
    paths = tuple(dict.fromkeys(map(os.path.abspath, roots)))
    has_begun = is_told = False
    pause = rescan_every

    def tell(error: str, hint: str) -> None:
        nonlocal is_told
        if error and not is_told:
            on_blind(Blindness(error, hint, rescan_every))
        is_told = bool(error)

    # watchfiles.awatch sets up its watches in the event loop, and blocks it on a slow disk.
    thread = ThreadPoolExecutor(1, "soulspot-watch")
    in_thread = partial(asyncio.get_running_loop().run_in_executor, thread)
    try:
        while not stop.is_set():
            present = await in_thread(_present_roots, paths)
            missed = set(present) if has_begun else set()
            has_begun = True
            changes = _ChangeStream(thread, present, debounce_ms, check_ms, stop)
            coverage, opened_at, steps, undecodable = _Coverage(present, stop), monotonic(), 0, ""
            try:
                while (found := await changes.next()) is not None:
                    steps += 1
                    to_scan = missed | await in_thread(paths_to_scan, found, paths)
                    if to_scan:
                        yielded_at = monotonic()
                        yield outermost(to_scan)
                        if missed:
                            pause = max(rescan_every, RESCAN_SHARE * (monotonic() - yielded_at))
                    missed = set()
                    now = await in_thread(_present_roots, paths)
                    # A new folder in a root's place may have its inode; the old one is watched.
                    if now != present or any(c == Change.deleted and p.encode() in now for c, p in found):
                        break
                    if await in_thread(coverage.is_known, found):
                        tell(coverage.shortage, coverage.hint)
                        if coverage.shortage and monotonic() - opened_at >= pause:
                            break
            except FileNotFoundError:
                # A root vanished while its watches were set up.
                await _pause(stop, check_ms)
            except RuntimeError as error:
                # watchfiles cannot express a name that is not UTF-8, and loses other changes.
                if "decode" not in str(error):
                    raise OSError(str(error)) from error
                undecodable = "" if steps else str(error)
            finally:
                await changes.close()
            # The name was met before any change, so that watching again would meet it again.
            if undecodable:
                tell(undecodable, "rename it, then changes are seen at once again")
                yielded_at = monotonic()
                yield set(present)
                await _pause(stop, round(1000 * max(rescan_every, RESCAN_SHARE * (monotonic() - yielded_at))))
    finally:
        thread.shutdown(wait=False)


class _Coverage:
    """Whether the kernel watches every folder of an open watch; counted again when folders come.

    Of a limit that is too low, watchfiles says nothing."""

    def __init__(self, roots: Iterable[bytes], stop: asyncio.Event) -> None:
        self._roots = roots
        self._stop = stop
        self._is_due, self._due_at = True, 0.0
        self._was_short = False
        self.shortage = self.hint = ""

    def is_known(self, changes: Changes) -> bool:
        """Count if these changes make it necessary. Return whether `shortage` says how it is."""
        self._is_due = self._is_due or any(one == Change.added and _is_folder(path.encode()) for one, path in changes)
        if self._is_due and (began := monotonic()) >= self._due_at:
            folders = sum(1 for _ in takewhile(lambda _: not self._stop.is_set(), folders_to_watch(self._roots)))
            watched = count_watches()
            is_short = watched is not None and watched < folders
            # Folders that come or go while they are counted look like a shortage: count twice.
            self._is_due = is_short and not self._was_short
            self._was_short = is_short
            if not self._is_due:
                self._due_at = monotonic() + RESCAN_SHARE * (monotonic() - began)
                self.shortage = f"the kernel watches {watched} of {folders} folders" if is_short else ""
                self.hint = command_to_allow(folders)
        return not (self._is_due and self._was_short)


class _ChangeStream:
    """One watchfiles generator, stepped in a thread. Without any root to watch it only waits."""

    def __init__(
        self, thread: ThreadPoolExecutor, present: Mapping[bytes, Identity], debounce_ms: int, check_ms: int,
        stop: asyncio.Event,
    ) -> None:  # fmt: skip
        self._thread = thread
        self._halt = threading.Event()
        self._stop = stop
        self._step: asyncio.Future[Changes | None] | None = None
        self._check_ms = check_ms
        self._changes: Generator[Changes, None, None] | None = None
        if present:
            self._changes = watchfiles.watch(
                *(path.decode() for path in present), watch_filter=None, debounce=debounce_ms, stop_event=self,
                rust_timeout=check_ms, yield_on_timeout=True, ignore_permission_denied=True,
            )  # fmt: skip

    def is_set(self) -> bool:
        """Whether watching is to end; called by watchfiles, as of a stop event, in its thread."""
        return self._halt.is_set() or self._stop.is_set()

    async def next(self) -> Changes | None:
        """Return the next changes: () after `check_ms` without a change, None after the stop."""
        if self._changes is None:
            await _pause(self._stop, self._check_ms)
            return None if self._stop.is_set() else ()
        loop = asyncio.get_running_loop()
        self._step = loop.run_in_executor(self._thread, next, self._changes, None)
        return await asyncio.shield(self._step)

    async def close(self) -> None:
        """End the thread's step and give the watches back; wait for at most a second."""
        self._halt.set()
        if self._step is not None:
            await asyncio.wait([self._step], timeout=1)
        if self._changes is not None and (self._step is None or self._step.done()):
            self._changes.close()


async def _pause(stop: asyncio.Event, milliseconds: int) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), milliseconds / 1000)


def paths_to_scan(changes: Changes, roots: Sequence[bytes]) -> set[bytes]:
    """Return the files and folders below `roots` that are worth scanning after these changes. All
    of them exist: something deleted is represented by the nearest remaining folder above it."""
    found = set()
    for change, name in changes:
        path = name.encode()
        if not os.path.lexists(path):
            if suffix(path) not in _OTHER_SUFFIXES and (folder := _remaining_folder(path, roots)):
                found.add(folder)
        elif _is_folder(path) or (
            is_audio(path) and change != Change.deleted and os.path.isfile(path) and not os.path.islink(path)
        ):
            found.add(path)
    return found


def outermost(paths: set[bytes]) -> set[bytes]:
    """Return `paths` without those that lie inside another one of them."""
    kept: set[bytes] = set()
    for path in sorted(paths, key=len):
        folder = path
        while (above := os.path.dirname(folder)) != folder and above not in kept:
            folder = above
        if above == folder:
            kept.add(path)
    return kept


def _remaining_folder(path: bytes, roots: Sequence[bytes]) -> bytes | None:
    while any(is_inside(path, root) and path != root for root in roots):
        path = os.path.dirname(path)
        if _is_folder(path):
            return path
    return None


def _is_folder(path: bytes) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _present_roots(roots: Sequence[bytes]) -> dict[bytes, Identity]:
    found = {}
    for root in roots:
        # watchfiles takes no root whose name is not UTF-8: the periodic rescan covers it.
        try:
            root.decode()
            status = os.stat(root)
        except (OSError, UnicodeDecodeError):
            continue
        found[root] = (status.st_dev, status.st_ino)
    return found
