"""Files that a scan does not find any more: marked as vanished, or asked about."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from soulspot.library import scan
from soulspot.models import FileStamp, ScannedFile, TrackTags
from soulspot.pipeline.intake import Intake, LibraryRules, ScanReport
from soulspot.pipeline.losses import LossLimits
from soulspot.store import missing_files, tracks
from soulspot.store.database import Database
from soulspot.telemetry import MemoryLimit, Telemetry
from tests.library.audio import flac
from tests.support.factories import NOW
from tests.support.reading import READER

SHARE, FEW = 0.2, 3


class Library:
    """A database, and folders with files."""

    def __init__(self, database: Database, *roots: Path) -> None:
        self.database, self.roots = database, roots
        for root in roots:
            root.mkdir()

    def add(self, folder: str, count: int, root: int = 0) -> Path:
        path = self.roots[root] / folder
        path.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            flac(path / f"{number}.flac", seconds=number + 1)
        return path

    async def scan(self, *paths: Path, confirm: bool = False) -> ScanReport:
        async def decide() -> None:
            return

        rules = LibraryRules(tuple(map(os.fsencode, self.roots)), losses=LossLimits(SHARE, FEW))
        intake = Intake(self.database, rules, decide, reader=READER, memory=MemoryLimit(Telemetry()), now=lambda: NOW)
        return await intake.scan([os.fsencode(path) for path in paths], confirm_vanished=confirm)

    @property
    def vanished(self) -> int:
        return int(self.read("SELECT count(vanished_at) FROM tracks")[0][0])

    @property
    def questions(self) -> dict[str, tuple[int, int]]:
        found = missing_files.list_questions(self.database._connection)
        return {os.fsdecode(os.path.basename(one.place)): (one.tracks, one.known) for one in found}

    def read(self, sql: str) -> list[Any]:
        return self.database._connection.execute(sql).fetchall()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Database(tmp_path / "s.db") as database:
        yield Library(database, tmp_path / "music")


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let folders be disks of their own, as far as a walk in this process can tell."""
    monkeypatch.setattr(READER, "walk", iter)
    real = os.stat
    mounted: tuple[Path, ...] = ()

    def imitated(path: bytes, **options: Any) -> Any:
        status = real(path, **options)
        fields = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
        inside = [one for one in mounted if scan.is_inside(os.path.abspath(os.fsencode(path)), os.fsencode(one))]
        return SimpleNamespace(**(fields | {"st_dev": status.st_dev + 1000 * len(inside)}))

    def mount(*folders: Path) -> None:
        nonlocal mounted
        mounted = folders
        monkeypatch.setattr(os, "stat", imitated)

    return mount


async def test_a_root_with_one_stray_file_asks_instead_of_losing_everything(library: Library) -> None:
    library.add("a", 10)
    await library.scan()
    shutil.rmtree(library.roots[0] / "a")
    flac(library.roots[0] / "stray.flac", 99)
    report = await library.scan()
    assert (report.vanished, report.unconfirmed, library.vanished) == (0, 10, 0)
    assert library.questions == {"music": (10, 11)}


async def test_a_few_files_or_a_small_share_vanish_without_a_question(library: Library) -> None:
    library.add("large", 40)
    small = library.add("small", FEW)
    half = library.add("half", 8)
    await library.scan()
    shutil.rmtree(small)
    assert (await library.scan()).vanished == FEW
    for path in list(half.iterdir())[:6]:
        path.unlink()
    assert (await library.scan()).vanished == 6, "more than a few, and less than a fifth"
    assert library.questions == {}


async def test_a_folder_that_became_empty_is_asked_about_however_large_the_library_is(library: Library) -> None:
    library.add("large", 60)
    disk = library.add("disk/album", FEW + 1).parent
    single = library.add("single", 1)
    await library.scan()
    shutil.rmtree(disk / "album")
    shutil.rmtree(single)
    report = await library.scan()
    assert (report.vanished, report.unconfirmed) == (1, FEW + 1)
    assert library.questions == {"disk": (FEW + 1, FEW + 1)}
    disk.rmdir()
    assert (await library.scan()).vanished == FEW + 1, "who removes the folder too has meant it"
    assert library.questions == {}


async def test_the_answer_to_a_question_holds_for_what_was_asked(library: Library) -> None:
    library.add("a", 10)
    later = library.add("b", 10)
    await library.scan()
    shutil.rmtree(library.roots[0] / "a")
    assert (await library.scan()).unconfirmed == 10
    shutil.rmtree(later)
    flac(library.roots[0] / "stray.flac", 99)
    report = await library.scan(confirm=True)
    assert (report.vanished, report.unconfirmed) == (10, 10)
    assert library.questions == {"music": (10, 11)}
    assert (await library.scan(confirm=True)).vanished == 10
    assert library.questions == {}
    assert (library.vanished, (await library.scan()).unconfirmed) == (20, 0)


async def test_a_confirmation_that_nobody_asked_for_confirms_nothing(library: Library) -> None:
    library.add("a", 10)
    library.add("b", 10)
    await library.scan()
    shutil.rmtree(library.roots[0] / "a")
    assert (await library.scan(confirm=True)).vanished == 0
    assert library.questions == {"music": (10, 20)}


async def test_files_that_come_back_end_the_question(library: Library) -> None:
    folder = library.add("a", 10)
    library.add("b", 10)
    await library.scan()
    folder.rename(library.roots[0].with_name("aside"))
    await library.scan()
    assert library.questions
    library.roots[0].with_name("aside").rename(folder)
    report = await library.scan()
    assert (report.unchanged, library.questions, library.vanished) == (20, {}, 0)


@pytest.mark.parametrize("state", ["absent", "empty"])
async def test_a_root_that_is_not_there_is_asked_about_and_can_be_given_up(library: Library, state: str) -> None:
    library.add("a", 2)
    await library.scan()
    shutil.rmtree(library.roots[0])
    if state == "empty":
        library.roots[0].mkdir()
    assert (await library.scan()).vanished == 0
    assert library.questions == {"music": (2, 2)}
    assert (await library.scan(confirm=True)).vanished == 2
    assert library.questions == {}


async def test_a_disk_that_is_not_mounted_is_asked_about_although_a_file_lies_in_its_folder(
    library: Library, disks: Callable[..., None]
) -> None:
    library.add("large", 60)
    disk = library.add("disk", 2)
    disks(disk)
    await library.scan()
    assert library.read("SELECT path FROM library_mounts") == [(os.fsencode(disk),)]
    shutil.rmtree(disk)
    library.add("disk", 1)
    disks()
    report = await library.scan()
    assert (report.vanished, report.unconfirmed) == (0, 1)
    assert library.questions == {"disk": (1, 2)}
    assert (await library.scan(confirm=True)).vanished == 1
    await library.scan()
    assert library.read("SELECT path FROM library_mounts") == [], "it has become a folder like others"


async def test_a_disk_that_is_mounted_again_under_another_number_changes_nothing(
    library: Library, disks: Callable[..., None]
) -> None:
    library.add("large", 60)
    disk = library.add("disk", 3)
    disks(disk)
    await library.scan()
    disks(disk, disk)
    (disk / "0.flac").unlink()
    assert (await library.scan()).vanished == 1
    assert library.questions == {}


async def test_a_root_on_a_disk_that_is_not_mounted_is_asked_about(tmp_path: Path, disks: Callable[..., None]) -> None:
    with Database(tmp_path / "s.db") as database:
        (tmp_path / "disk").mkdir()
        library = Library(database, tmp_path / "disk" / "music")
        library.add("a", 10)
        disks(tmp_path / "disk")
        await library.scan()
        (library.roots[0] / "a" / "0.flac").unlink()
        disks()
        assert (await library.scan()).vanished == 0
        assert library.questions == {"music": (1, 10)}


async def test_a_scan_of_one_place_answers_no_question_about_another(library: Library) -> None:
    library.add("large", 60)
    one, other = library.add("one/x", 5).parent, library.add("other/x", 5).parent
    await library.scan()
    shutil.rmtree(one / "x")
    shutil.rmtree(other / "x")
    await library.scan()
    assert library.questions == {"one": (5, 5), "other": (5, 5)}
    flac(one / "new.flac", 99)
    report = await library.scan(one, confirm=True)
    assert (report.vanished, library.questions) == (5, {"other": (5, 5)})


async def test_folders_with_one_inode_number_are_all_walked_and_none_of_their_files_is_missed(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("d1", "d2", "d3"):
        library.add(name, 5)
    await library.scan()
    monkeypatch.setattr(READER, "walk", iter)
    real = os.stat

    def imitated(path: bytes, **options: Any) -> Any:
        status = real(path, **options)
        fields = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
        return SimpleNamespace(**(fields | ({"st_ino": 1} if stat.S_ISDIR(status.st_mode) else {})))

    monkeypatch.setattr(os, "stat", imitated)
    report = await library.scan()
    assert (report.found, report.vanished, report.unconfirmed) == (15, 0, 0)


def test_a_file_is_not_taken_for_a_moved_one_because_their_inode_numbers_are_one(tmp_path: Path) -> None:
    def file(path: bytes, title: str) -> ScannedFile:
        return ScannedFile(path, FileStamp(1000, 5, 1), TrackTags(title=title))

    def save(connection: sqlite3.Connection, one: ScannedFile, number: int) -> list[int]:
        return tracks.save_scanned(connection, [one], number, NOW, exists=lambda path: False)

    with Database(tmp_path / "s.db") as database:
        [first] = database.write_now(lambda c: save(c, file(b"/m/a.mp3", "Blue"), 1))
        database.write_now(lambda c: c.execute("INSERT INTO tracks (path, inode, tags, added_at, changed_at)"
                                               " VALUES (x'00', 1, '{}', '', '')"))  # fmt: skip
        [other] = database.write_now(lambda c: save(c, file(b"/m/b.mp3", "Red"), 2))
        [moved] = database.write_now(lambda c: save(c, file(b"/n/a.mp3", "Blue"), 3))
    assert (other != first, moved) == (True, first)
