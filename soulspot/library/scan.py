"""A walk over the library's roots that finds the audio files, without opening any of them."""

# Paths are bytes here, because a file name need not be UTF-8; pathlib does not hold bytes.
import contextlib
import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from soulspot.library.bounded_file import stamp_of
from soulspot.library.patterns import Patterns
from soulspot.library.suffixes import is_audio
from soulspot.models import FileStamp

# File managers, NAS systems and sync tools keep deleted files and thumbnails here.
_JUNK_FOLDERS = frozenset(
    b".AppleDouble|.Trash|.Trashes|.stversions|@eaDir|#recycle|$RECYCLE.BIN|System Volume Information|lost+found".split(
        b"|"
    )
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file with the name of an audio file, not yet opened."""

    path: bytes
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class Problem:
    """A root, folder or file that the walk could not read; `reason` is in words for people."""

    path: bytes
    reason: str


@dataclass(slots=True)
class PassedLinks:
    """Symbolic links that were passed over for one reason: how many, and the first of them."""

    count: int = 0
    first: bytes = b""

    def add(self, path: bytes) -> None:
        self.first = self.first if self.count else path
        self.count += 1


NOT_FOLLOWED = (
    "not followed: name what they lead to in library.paths, or set library.follow_symlinks for links inside the library"
)
LEADING_OUT = "leading out of library.paths: name there what they lead to"
LEADING_NOWHERE = "leading nowhere"


@dataclass(frozen=True, slots=True)
class _Folder:
    path: bytes
    relative: bytes  # path below the root whose patterns apply; b"" for the root itself
    included: bool  # `include` names this folder or one above it
    real: bytes  # path without symbolic links
    device: int | None = None  # of the folder above it; None for one that a walk begins with


class Walk:
    """The audio files below `roots` (folders or single files); iterating does the work.

    Files come in a fixed order (a folder's files by name, then its folders), each file once.
    `include` and `exclude` are glob patterns (see `Patterns`); a root that is a single file is
    taken whatever they say. `within` limits a walk to these files and folders inside the roots, for
    a partial rescan; the patterns stay relative to the roots. Iterating never raises: what cannot
    be read becomes a problem. Iterating again walks again.

    `places` are what it looks through: the `roots`, or the places within them. Filled while
    iterating, complete at the end: `problems`, what could not be read; `finished_roots`, those of
    `places` that held audio and were walked to their end; `folders`, what was listed; `mounts`,
    those of `folders`, and of the folders above `places`, that are on another disk than the folder
    above them; `real_places`, `places` that are there -> without symbolic links; `links`, by the
    reason for people, those symbolic links to folders and audio files that were passed over."""

    def __init__(
        self, roots: Sequence[bytes], *, include: Sequence[str] = (), exclude: Sequence[str] = (),
        follow_symlinks: bool = False, within: Sequence[bytes] = (),
    ) -> None:  # fmt: skip
        self.roots = tuple(dict.fromkeys(os.path.abspath(root) for root in roots))
        self._within = tuple(dict.fromkeys(os.path.abspath(path) for path in within))
        self.places = self._within or self.roots
        self._include = Patterns(include)
        self._exclude = Patterns(exclude)
        self._follow = follow_symlinks
        self._reset()

    def _reset(self) -> None:
        self.problems: list[Problem] = []
        self.finished_roots: list[bytes] = []
        self.links = {reason: PassedLinks() for reason in (NOT_FOLLOWED, LEADING_OUT, LEADING_NOWHERE)}
        self.folders: set[bytes] = set()
        self.mounts: set[bytes] = set()
        self.real_places: dict[bytes, bytes] = {}
        # Real paths of folders, and of files that are roots. Not inodes: some file systems give all
        # folders the same one (mergerfs, exFAT, Android's).
        self._walked: set[bytes] = set()
        self._single_files: set[bytes] = set()
        self._listings: set[tuple[object, ...]] = set()
        self._links: deque[tuple[bytes, bytes, bool]] = deque()  # path, relative, included
        self._real_roots = [os.path.realpath(root) for root in self.roots]

    def confirms_deletion(self, path: bytes) -> bool:
        """Whether a file known at `path` that this walk did not yield is really deleted. True only
        inside a finished root and outside everything that could not be read: an unmounted disk or
        an unreadable folder says nothing about the files that used to be there."""
        return any(is_inside(path, root) for root in self.finished_roots) and not any(
            is_inside(path, problem.path) for problem in self.problems
        )

    def take_over(self, other: Self) -> None:
        """Know what another walk over the same roots found out."""
        self.__dict__.update(other.__dict__)

    def __iter__(self) -> Iterator[FoundFile]:
        self._reset()
        folders: list[_Folder] = []
        for path, relative in self._starts():
            try:
                status = os.stat(path)
            except OSError as error:
                self._problem(path, "does not exist" if isinstance(error, FileNotFoundError) else error)
                continue
            if stat.S_ISDIR(status.st_mode):
                real = self.real_places[path] = os.path.realpath(path)
                folders.append(_Folder(path, relative, self._included(relative), real))
                self.mounts |= _mounts_above(path, real)
            elif not stat.S_ISREG(status.st_mode) or not is_audio(path):
                self._problem(path, "is neither a folder nor an audio file")
            elif (not relative or self._included(relative)) and self._is_new_single_file(path):
                self.finished_roots.append(path)
                yield FoundFile(path, stamp_of(status))
        # The innermost root goes first and owns what it holds: an empty inner root is noticed.
        for folder in sorted(folders, key=lambda folder: -len(folder.path)):
            yield from self._root(folder)
        yield from self._follow_links()

    def _starts(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield each path to walk, with its path relative to the root whose patterns apply."""
        if not self._within:
            yield from ((root, b"") for root in self.roots)
        for path in self._within:
            root = max((r for r in self.roots if is_inside(path, r)), key=len, default=None)
            if root is None:
                self._problem(path, "is not inside the library")
                continue
            relative = path[len(root) :].lstrip(b"/")
            if not self._is_in_library(os.path.realpath(path)):
                self.links[LEADING_OUT].add(path)
            elif not (
                self._exclude.match(relative)
                or self._exclude.match_parents(relative)
                or any(_is_junk(part) for part in relative.split(b"/"))
            ):
                yield path, relative

    def _included(self, relative: bytes) -> bool:
        return not self._include or self._include.match(relative) or self._include.match_parents(relative)

    def _is_new_single_file(self, path: bytes) -> bool:
        real = os.path.realpath(path)
        known = real in self._single_files
        self._single_files.add(real)
        return not known

    def _root(self, folder: _Folder) -> Iterator[FoundFile]:
        if folder.real in self._walked:
            # The same folder was a root under another name.
            return
        before = len(self.problems)
        empty = True
        for file in self._below(folder):
            empty = False
            yield file
        if any(problem.path == folder.path for problem in self.problems[before:]):
            return
        if empty and not any(is_inside(root, folder.path) for root in self.finished_roots):
            self._problem(folder.path, "has no audio file in it: empty, or a disk that is not mounted")
        else:
            self.finished_roots.append(folder.path)

    def _below(self, top: _Folder) -> Iterator[FoundFile]:
        stack = [top]
        while stack:
            folder = stack.pop()
            if folder.real in self._walked or (status := self._status(folder)) is None:
                continue
            self._walked.add(folder.real)
            entries = self._entries(folder.path)
            if self._was_listed(status, entries):
                continue
            self.folders.add(folder.path)
            if folder.device not in (None, status.st_dev):
                self.mounts.add(folder.path)
            folders: list[_Folder] = []
            for entry in entries:
                relative = folder.relative + b"/" + entry.name if folder.relative else entry.name
                try:
                    if entry.is_dir(follow_symlinks=False):
                        if not _is_junk(entry.name) and not self._exclude.match(relative):
                            included = folder.included or self._include.match(relative)
                            real = os.path.join(folder.real, entry.name)
                            folders.append(_Folder(entry.path, relative, included, real, status.st_dev))
                    elif entry.is_symlink():
                        if self._follow:
                            self._links.append((entry.path, relative, folder.included))
                        else:
                            self._pass_link(entry.path, relative, NOT_FOLLOWED)
                    elif (
                        is_audio(entry.name)
                        and entry.is_file(follow_symlinks=False)
                        and self._is_wanted(relative, folder.included)
                        and os.path.join(folder.real, entry.name) not in self._single_files
                    ):
                        yield FoundFile(entry.path, stamp_of(entry.stat(follow_symlinks=False)))
                except FileNotFoundError:
                    # Deleted since the folder was listed.
                    continue
                except OSError as error:
                    self._problem(entry.path, error)
            stack.extend(reversed(folders))

    def _status(self, folder: _Folder) -> os.stat_result | None:
        try:
            return os.stat(folder.path)
        except OSError as error:
            # A folder deleted since it was listed is no problem; a missing root is one.
            if not isinstance(error, FileNotFoundError):
                self._problem(folder.path, error)
            elif not folder.relative:
                self._problem(folder.path, "does not exist")
            return None

    def _was_listed(self, status: os.stat_result, entries: Sequence[os.DirEntry[bytes]]) -> bool:
        """Whether this is a folder that was listed under another path already, by a bind mount. Its
        inode alone does not tell."""
        names = tuple(entry.name for entry in entries)
        known = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, hash(names))
        is_known = known in self._listings
        self._listings.add(known)
        return is_known and bool(names)

    def _entries(self, path: bytes) -> list[os.DirEntry[bytes]]:
        try:
            with os.scandir(path) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:  # also in the middle of the listing, by a failing disk
            if not isinstance(error, FileNotFoundError):
                self._problem(path, error)
            return []

    def _is_wanted(self, relative: bytes, included: bool) -> bool:
        return (included or self._include.match(relative)) and not self._exclude.match(relative)

    def _follow_links(self) -> Iterator[FoundFile]:
        """Yield the files that symbolic links lead to. Links come after everything else, so that a
        file inside the roots has its real path."""
        while self._links:
            path, relative, included = self._links.popleft()
            target = os.path.realpath(path)
            if not self._is_in_library(target):
                self._pass_link(path, relative, LEADING_OUT)
                continue
            try:
                status = os.stat(target)
            except OSError:
                # A dangling link, or a loop.
                self._pass_link(path, relative, LEADING_NOWHERE)
                continue
            if stat.S_ISDIR(status.st_mode):
                if not self._exclude.match(relative):
                    included = included or self._include.match(relative)
                    yield from self._below(_Folder(path, relative, included, target))
            elif (
                stat.S_ISREG(status.st_mode)
                and is_audio(path)
                and self._is_wanted(relative, included)
                and os.path.dirname(target) not in self._walked
            ):
                yield FoundFile(path, stamp_of(status))

    def _pass_link(self, path: bytes, relative: bytes, reason: str) -> None:
        # links to covers and lyrics are nobody's loss
        if (is_audio(path) or os.path.isdir(path)) and not self._exclude.match(relative):
            self.links[reason].add(path)

    def _is_in_library(self, real: bytes) -> bool:
        return any(is_inside(real, root) for root in self._real_roots)

    def _problem(self, path: bytes, reason: str | OSError) -> None:
        text = reason if isinstance(reason, str) else (reason.strerror or str(reason)).lower()
        self.problems.append(Problem(path, text))


def _is_junk(folder_name: bytes) -> bool:
    return folder_name in _JUNK_FOLDERS or folder_name.startswith(b".Trash-")


def _mounts_above(path: bytes, real: bytes) -> set[bytes]:
    """Return those of a folder and the folders above it (by their real paths, but itself by `path`)
    that are on another disk than the next above."""
    found = set()
    with contextlib.suppress(OSError):
        device = os.stat(real).st_dev
        folder = real
        while (above := os.path.dirname(folder)) != folder:
            if (upper := os.stat(above).st_dev) != device:
                found.add(path if folder == real else folder)
            folder, device = above, upper
    return found


def is_inside(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")
