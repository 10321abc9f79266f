"""The walk: finds the audio files below the library's roots, without opening any of them."""

# Paths are bytes here, which pathlib does not hold.
from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from soulspot.library.patterns import Patterns
from soulspot.library.suffixes import is_audio
from soulspot.models import FileStamp

# Where file managers, NAS systems and sync tools keep what their users deleted, or thumbnails.
_JUNK_FOLDERS = frozenset(
    {
        b".AppleDouble",
        b".Trash",
        b".Trashes",
        b".stversions",
        b"@eaDir",
        b"#recycle",
        b"$RECYCLE.BIN",
        b"System Volume Information",
        b"lost+found",
    }
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file with the name of an audio file; nobody has looked into it yet."""

    path: bytes
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class Problem:
    """A root, folder or file that could not be looked at; `reason` is for a person."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class _Folder:
    path: bytes
    relative: bytes  # to the root whose patterns apply; b"" is the root itself
    included: bool  # a folder above, or this one, is named by `include`


def walk(
    roots: Sequence[bytes],
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    follow_symlinks: bool = False,
    within: Sequence[bytes] = (),
) -> Walk:
    """Prepare a walk over `roots` (folders or single files); iterating it does the work.

    `include` and `exclude` are described at `Patterns`; a root that is a single file is taken whatever they
    say. `within` limits the walk to these files and folders inside the roots, for a partial rescan; what
    the patterns match stays relative to the roots. Never raises for what it meets: see `Walk.problems`."""
    return Walk(roots, Patterns(include), Patterns(exclude), follow_symlinks, within)


class Walk:
    """The candidates in a fixed order (a folder's files by name, then its folders), each file once.

    Filled while iterating, complete at the end:
    `problems` what could not be looked at; `finished_roots` the roots (with `within`: those places) that were
    walked to their end and held audio; `links_skipped` symbolic links not followed; `links_refused` those
    that lead out of the roots. Iterating again walks again."""

    def __init__(
        self,
        roots: Sequence[bytes],
        include: Patterns,
        exclude: Patterns,
        follow_symlinks: bool = False,
        within: Sequence[bytes] = (),
    ) -> None:
        self._roots = tuple(dict.fromkeys(os.path.abspath(root) for root in roots))
        self._within = tuple(dict.fromkeys(os.path.abspath(place) for place in within))
        self._include = include
        self._exclude = exclude
        self._follow = follow_symlinks
        self._reset()

    def _reset(self) -> None:
        self.problems: list[Problem] = []
        self.finished_roots: list[bytes] = []
        self.links_skipped = 0
        self.links_refused = 0
        self._seen: set[tuple[int, int]] = set()  # folders, by device and inode
        self._singles: set[tuple[int, int, bytes]] = set()  # files that are roots: folder and name
        self._links: deque[tuple[bytes, bytes, bool]] = deque()  # path, relative, included
        self._real_roots = [os.path.realpath(root) for root in self._roots]

    def confirms_deletion(self, path: bytes) -> bool:
        """Whether a file known at `path` that this walk did not yield is really gone.

        Only inside a finished root, and not inside anything that could not be looked at: an unmounted disk or
        an unreadable folder says nothing about the files that used to be there."""
        return any(_inside(path, root) for root in self.finished_roots) and not any(
            _inside(path, problem.path) for problem in self.problems
        )

    def __iter__(self) -> Iterator[FoundFile]:
        self._reset()
        folders: list[tuple[bytes, _Folder]] = []
        for place, relative in self._places():
            try:
                found = os.stat(place)
            except OSError as error:
                self._problem(place, "does not exist" if isinstance(error, FileNotFoundError) else error)
                continue
            if stat.S_ISDIR(found.st_mode):
                folders.append((place, _Folder(place, relative, self._included(relative))))
            elif not stat.S_ISREG(found.st_mode) or not is_audio(place):
                self._problem(place, "is neither a folder nor an audio file")
            elif (not relative or self._included(relative)) and self._single(place):
                self.finished_roots.append(place)
                yield FoundFile(place, _stamp(found))
        # The innermost root first: what it holds is its own, so that an empty one inside a full one shows.
        for place, folder in sorted(folders, key=lambda found: -len(found[0])):
            yield from self._root(place, folder)
        yield from self._followed()

    def _places(self) -> Iterator[tuple[bytes, bytes]]:
        """What to walk, with its path relative to the root whose patterns apply."""
        if not self._within:
            yield from ((root, b"") for root in self._roots)
        for place in self._within:
            root = max((r for r in self._roots if _inside(place, r)), key=len, default=None)
            if root is None:
                self._problem(place, "is not inside the library")
                continue
            relative = place[len(root) :].lstrip(b"/")
            if not self._allowed(os.path.realpath(place)):
                self.links_refused += 1
            elif not (
                self._exclude.match(relative)
                or self._exclude.match_parents(relative)
                or any(_is_junk(part) for part in relative.split(b"/"))
            ):
                yield place, relative

    def _included(self, relative: bytes) -> bool:
        return not self._include or self._include.match(relative) or self._include.match_parents(relative)

    def _single(self, path: bytes) -> bool:
        folder, name = os.path.split(path)
        try:
            parent = os.stat(folder)
        except OSError as error:
            self._problem(path, error)
            return False
        key = (parent.st_dev, parent.st_ino, name)
        known = key in self._singles
        self._singles.add(key)
        return not known

    def _root(self, place: bytes, folder: _Folder) -> Iterator[FoundFile]:
        if self._identity(folder) in self._seen:
            return  # the same folder under another name
        before = len(self.problems)
        empty = True
        for candidate in self._below(folder):
            empty = False
            yield candidate
        if any(problem.path == place for problem in self.problems[before:]):
            return
        if empty and not any(_inside(root, place) for root in self.finished_roots):
            self._problem(place, "has no audio file in it: empty, or a disk that is not mounted")
        else:
            self.finished_roots.append(place)

    def _below(self, top: _Folder) -> Iterator[FoundFile]:
        stack = [top]
        while stack:
            folder = stack.pop()
            identity = self._identity(folder)
            if identity is None or identity in self._seen:
                continue
            self._seen.add(identity)
            folders: list[_Folder] = []
            for entry in self._entries(folder.path):
                relative = folder.relative + b"/" + entry.name if folder.relative else entry.name
                try:
                    if entry.is_dir(follow_symlinks=False):
                        if not _is_junk(entry.name) and not self._exclude.match(relative):
                            included = folder.included or self._include.match(relative)
                            folders.append(_Folder(entry.path, relative, included))
                    elif entry.is_symlink():
                        self._link(entry, relative, folder.included)
                    elif (
                        is_audio(entry.name)
                        and entry.is_file(follow_symlinks=False)  # a FIFO or device is never a candidate
                        and self._wanted(relative, folder.included)
                        and (*identity, entry.name) not in self._singles
                    ):
                        yield FoundFile(entry.path, _stamp(entry.stat(follow_symlinks=False)))
                except FileNotFoundError:
                    continue  # gone between listing and looking: as good as never there
                except OSError as error:
                    self._problem(entry.path, error)
            stack.extend(reversed(folders))

    def _identity(self, folder: _Folder) -> tuple[int, int] | None:
        try:
            found = os.stat(folder.path)
        except FileNotFoundError:
            if not folder.relative:
                self._problem(folder.path, "does not exist")
            return None
        except OSError as error:
            self._problem(folder.path, error)
            return None
        return found.st_dev, found.st_ino

    def _entries(self, path: bytes) -> list[os.DirEntry[bytes]]:
        try:
            with os.scandir(path) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            return []
        except OSError as error:  # also a disk that fails in the middle of the listing
            self._problem(path, error)
            return []

    def _wanted(self, relative: bytes, included: bool) -> bool:
        return (included or self._include.match(relative)) and not self._exclude.match(relative)

    def _link(self, entry: os.DirEntry[bytes], relative: bytes, included: bool) -> None:
        if self._follow:
            self._links.append((entry.path, relative, included))
        else:
            self.links_skipped += 1

    def _followed(self) -> Iterator[FoundFile]:
        """What links lead to, after everything else: what was met under its real name is not met again."""
        while self._links:
            path, relative, included = self._links.popleft()
            target = os.path.realpath(path)
            if not self._allowed(target):
                self.links_refused += 1
                continue
            try:
                found = os.stat(target)
                parent = os.stat(os.path.dirname(target))
            except OSError:
                continue  # dangling, or a loop
            if stat.S_ISDIR(found.st_mode):
                if not self._exclude.match(relative):
                    yield from self._below(_Folder(path, relative, included or self._include.match(relative)))
            elif (
                stat.S_ISREG(found.st_mode)
                and is_audio(path)
                and self._wanted(relative, included)
                and (parent.st_dev, parent.st_ino) not in self._seen
            ):
                yield FoundFile(path, _stamp(found))

    def _allowed(self, real: bytes) -> bool:
        return any(_inside(real, root) for root in self._real_roots)

    def _problem(self, path: bytes, reason: str | OSError) -> None:
        text = reason if isinstance(reason, str) else (reason.strerror or str(reason)).lower()
        self.problems.append(Problem(path, text))


def _is_junk(folder_name: bytes) -> bool:
    return folder_name in _JUNK_FOLDERS or folder_name.startswith(b".Trash-")


def _stamp(found: os.stat_result) -> FileStamp:
    return FileStamp(found.st_size, found.st_mtime_ns, found.st_ino)


def _inside(path: bytes, folder: bytes) -> bool:
    """Whether `path` is `folder` or below it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")
