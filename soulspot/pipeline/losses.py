"""Files that a scan did not find: deleted, or out of sight? A person is asked when in doubt."""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from soulspot.library.scan import Walk, is_inside
from soulspot.store import library_counts, missing_files, tracks
from soulspot.store.missing_files import Question

_UNMOUNTED = "it was a disk of its own and is none now"
_EMPTIED = "the folder is there, and no music is left in it"
_MANY = "they are many to be deleted at once"


@dataclass(frozen=True, slots=True)
class LossLimits:
    """A loss of more than `tracks` files is doubted when it is more than `share` (0 to 1) of those
    in its root, or all that a folder held which is still there."""

    share: float = 0.2
    tracks: int = 50


@dataclass(slots=True)
class Losses:
    """The end of the files that a walk did not find: `vanished` were marked so, `kept` were not.
    `asked` are the questions about those, `news` the ones that were not asked before."""

    vanished: int = 0
    kept: int = 0
    asked: list[Question] = field(default_factory=list)
    news: list[Question] = field(default_factory=list)


def settle_losses(
    connection: sqlite3.Connection, walk: Walk, scan_id: int, limits: LossLimits, now: float, *, confirmed: bool = False
) -> Losses:  # fmt: skip
    """Mark the files as vanished that a walk should have found and did not; ask a person where that
    is in doubt. With `confirmed`, the files that were asked about before have been deleted."""
    before = missing_files.list_questions(connection)
    missing = {
        path: seen for place in walk.places for path, seen in missing_files.list_unseen(connection, place, scan_id)
    }
    # The answer holds for what was asked: not for files that went missing afterwards.
    gone = {
        path
        for path, seen in missing.items()
        if confirmed and any(is_inside(path, one.place) and seen < one.scan_id for one in before)
    }
    vanished = tracks.mark_vanished(connection, walk.places, scan_id, now, gone=gone.__contains__)
    doubts = _Doubts(connection, walk, scan_id, limits, missing.keys() - gone)
    asked = [
        Question(place, len(paths), library_counts.count_files(connection, [place]), reason, scan_id)
        for place, (reason, paths) in doubts.found.items()
    ]
    vanished += tracks.mark_vanished(connection, walk.places, scan_id, now, gone=doubts.left.__contains__)
    missing_files.save_mounts(connection, walk.mounts, doubts.forgotten)
    settled = [one.place for one in before if any(is_inside(one.place, place) for place in walk.places)]
    news = missing_files.replace_questions(connection, settled, asked, now)
    return Losses(vanished, sum(one.tracks for one in asked), asked, news)


class _Doubts:
    """The doubtful ones among missing files: `found` has the reason and the files of each place,
    `left` the files that were surely deleted, `forgotten` the disks that hold nothing any more."""

    def __init__(
        self, connection: sqlite3.Connection, walk: Walk, scan_id: int, limits: LossLimits, missing: Iterable[bytes]
    ) -> None:
        self._connection, self._walk, self._scan_id, self._limits = connection, walk, scan_id, limits
        self.found: dict[bytes, tuple[str, set[bytes]]] = {}
        self.left = set(missing)
        self.forgotten: set[bytes] = set()
        for problem in walk.problems:
            if problem.path in walk.roots:
                self._doubt(problem.path, problem.reason)
        # What else could not be read is a problem of the scan, and says nothing about deletions.
        self.left = {path for path in self.left if walk.confirms_deletion(path)}
        self._doubt_unmounted()
        self._doubt_emptied()
        self._doubt_many()

    def _doubt(self, place: bytes, reason: str, covers: Callable[[bytes], bool] | None = None) -> bool:
        paths = {path for path in self.left if (covers(path) if covers else is_inside(path, place))}
        self.left -= paths
        if paths:
            self.found[place] = (reason, paths)
        return bool(paths)

    def _doubt_unmounted(self) -> None:
        """Doubt what was on disks that are not mounted: their folders are now on the disk above."""
        walk = self._walk
        for mount in sorted(missing_files.list_mounts(self._connection) - walk.mounts):
            if mount in walk.folders or os.path.dirname(mount) in walk.folders:
                places = {mount}
            else:
                places = {place for place, real in walk.real_places.items() if is_inside(real, mount)}
            if places and not sum(self._doubt(place, _UNMOUNTED) for place in places):
                self.forgotten.add(mount)

    def _doubt_emptied(self) -> None:
        """Doubt the loss of all that a folder held: a disk, or a branch of one, may be missing."""
        counts: Counter[bytes] = Counter()
        for path in self.left:
            root = self._root_of(path)
            folder = os.path.dirname(path)
            while len(folder) > len(root):
                counts[folder] += 1
                folder = os.path.dirname(folder)
        for folder in sorted(counts, key=len):
            if (
                counts[folder] > self._limits.tracks
                and folder in self._walk.folders
                and not any(is_inside(folder, place) for place in self.found)
                and not missing_files.has_seen_any(self._connection, folder, self._scan_id)
            ):
                self._doubt(folder, _EMPTIED)

    def _doubt_many(self) -> None:
        counts = Counter(map(self._root_of, self.left))
        for root, count in counts.items():
            known = library_counts.count_files(self._connection, [root])
            if count > self._limits.tracks and count > self._limits.share * known:
                self._doubt(root, _MANY, lambda path: self._root_of(path) == root)  # noqa: B023 - called at once

    def _root_of(self, path: bytes) -> bytes:
        return max((root for root in self._walk.roots if is_inside(path, root)), key=len, default=path)
