"""Scans and imports: what comes in, what is left alone, and what a missing folder does not mean."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import mutagen
import pytest

from soulspot.library.scan import FoundFile
from soulspot.models import ScannedFile
from soulspot.pipeline import intake as module
from soulspot.pipeline.intake import ImportReport, Intake, LibraryRules, ScanReport
from soulspot.store import library_counts, tracks
from soulspot.store.database import Database
from soulspot.telemetry import MemoryLimit, Telemetry
from tests.library.audio import flac, mp3
from tests.support.factories import NOW, decide
from tests.support.reading import READER


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "soulspot.db") as opened:
        yield opened


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


class Decided:
    """Stands for the service: decides what has come in, and remembers which tracks those were, call
    by call."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.calls: list[list[int]] = []

    async def __call__(self) -> None:
        def work(connection: sqlite3.Connection) -> list[int]:
            new = tracks.list_undecided(connection, 10_000)
            decide(connection, new)
            return new

        self.calls.append(await self._database.write(work))

    @property
    def ids(self) -> list[int]:
        found = [track_id for call in self.calls for track_id in call]
        self.calls.clear()
        return found


@pytest.fixture
def decided(database: Database) -> Decided:
    return Decided(database)


@pytest.fixture
def take(database: Database, music: Path, decided: Decided) -> Intake:
    return Intake(
        database,
        LibraryRules((os.fsencode(music),)),
        decided,
        reader=READER,
        memory=MemoryLimit(Telemetry()),
        now=lambda: NOW,
    )


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The files that were read."""
    seen: list[bytes] = []
    real = READER.read

    def read(files: Sequence[FoundFile], max_file_size: int | None = None) -> list[ScannedFile]:
        seen.extend(file.path for file in files)
        return real(files, max_file_size)

    monkeypatch.setattr(READER, "read", read)
    return seen


def song(path: Path, title: str = "Blue Hour", **more: str) -> Path:
    """A tagged file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = mutagen.File(flac(path))
    file.update({"title": title, "artist": "The Lanterns", **more})
    file.save()
    return path


def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    return database._connection.execute(sql).fetchall()


def counts(report: ScanReport) -> dict[str, int]:
    names = ("found", "unchanged", "read", "unreadable", "vanished")
    return {name: count for name in names if (count := getattr(report, name))}


# --- scans ----------------------------------------------------------------------------------------


async def test_a_scan_brings_in_every_file_and_decides_each(
    database: Database, music: Path, take: Intake, decided: Decided
) -> None:
    song(music / "a/1.flac", "One")
    song(music / "a/2.flac", "Two")
    mp3(music / "untagged.mp3")
    report = await take.scan()
    assert counts(report) == {"found": 3, "read": 3}
    assert sorted(decided.ids) == [1, 2, 3]
    assert rows(database, "SELECT count(*) FROM enriched_tracks") == [(3,)]


async def test_a_second_scan_of_an_unchanged_folder_opens_no_file(
    music: Path, take: Intake, decided: Decided, opened: list[bytes]
) -> None:
    song(music / "a.flac")
    (music / "broken.mp3").write_bytes(b"no sound at all" * 100)
    await take.scan()
    assert len(opened) == 2
    opened.clear()
    assert decided.ids == [1, 2]
    assert counts(await take.scan()) == {"found": 2, "unchanged": 2}
    assert opened == []
    assert decided.ids == []


async def test_only_the_file_whose_tags_changed_is_read_and_decided_again(
    database: Database, music: Path, take: Intake, decided: Decided, opened: list[bytes]
) -> None:
    first, second = song(music / "1.flac", "One"), song(music / "2.flac", "Two")
    await take.scan()
    opened.clear()
    [_, changed] = decided.ids
    song(second, "Two, rather different")
    assert counts(await take.scan()) == {"found": 2, "unchanged": 1, "read": 1}
    assert opened == [os.fsencode(second)]
    assert decided.ids == [changed]
    assert rows(database, "SELECT title FROM enriched_tracks ORDER BY 1") == [
        ("One",),
        ("Two, rather different",),
    ]
    assert first.exists()


async def test_an_unreadable_file_is_a_track_with_the_reason_and_stops_nothing(
    database: Database, music: Path, take: Intake
) -> None:
    (music / "1.mp3").write_bytes(b"no sound at all" * 100)
    song(music / "2.flac")
    assert counts(await take.scan()) == {"found": 2, "read": 2, "unreadable": 1}
    assert rows(database, "SELECT status FROM enriched_tracks ORDER BY track_id") == [
        ("failed",),
        ("pending",),
    ]
    [(reason,)] = rows(database, "SELECT unreadable FROM tracks WHERE unreadable IS NOT NULL")
    assert "not really a .mp3" in str(reason)


async def test_names_that_are_not_utf8_are_kept_byte_for_byte(database: Database, music: Path, take: Intake) -> None:
    path = os.fsencode(music) + b"/caf\xe9 \xff.flac"
    shutil.move(song(music / "plain.flac"), path)
    await take.scan()
    assert rows(database, "SELECT path FROM enriched_tracks") == [(path,)]


async def test_a_moved_file_keeps_its_track_and_is_not_asked_about_again(
    database: Database, music: Path, take: Intake
) -> None:
    song(music / "old/a.flac")
    await take.scan()
    before = rows(database, "SELECT lookup_id FROM track_lookups")
    (music / "new").mkdir()
    (music / "old/a.flac").rename(music / "new/b.flac")
    assert counts(await take.scan()) == {"found": 1, "read": 1}
    assert rows(database, "SELECT track_id, path FROM tracks") == [(1, os.fsencode(music / "new/b.flac"))]
    assert rows(database, "SELECT lookup_id FROM track_lookups") == before


async def test_a_file_copied_to_another_disk_and_then_deleted_here_keeps_its_track(
    database: Database, music: Path, take: Intake
) -> None:
    old = song(music / "old/a.flac")
    await take.scan()
    (music / "new").mkdir()
    shutil.copy2(old, music / "new/a.flac")  # with its times, into another inode
    old.unlink()
    await take.scan()
    assert rows(database, "SELECT track_id, path FROM tracks") == [(1, os.fsencode(music / "new/a.flac"))]


async def test_a_renamed_folder_keeps_all_its_tracks(database: Database, music: Path, take: Intake) -> None:
    for n in range(5):
        song(music / f"old/{n}.flac", f"Song {n}")
    await take.scan()
    (music / "old").rename(music / "new")
    report = await take.scan()
    assert report.vanished == 0
    assert rows(database, "SELECT count(*), count(vanished_at) FROM tracks") == [(5, 0)]


async def test_a_vanished_file_is_marked_kept_and_comes_back(database: Database, music: Path, take: Intake) -> None:
    song(music / "stays.flac", "Stays")
    path = song(music / "goes.flac", "Goes")
    aside = path.with_name("aside")
    await take.scan()
    path.rename(aside)
    assert counts(await take.scan()) == {"found": 1, "unchanged": 1, "vanished": 1}
    assert counts(await take.scan()) == {"found": 1, "unchanged": 1}
    assert library_counts.count_tracks_by_status(database._connection)["total"] == 2
    aside.rename(path)
    await take.scan()
    assert rows(database, "SELECT count(*), count(vanished_at) FROM tracks") == [(2, 0)]


@pytest.mark.parametrize("state", ["absent", "empty"])
async def test_an_empty_or_absent_folder_does_not_mean_that_everything_was_deleted(
    database: Database, music: Path, take: Intake, state: str
) -> None:
    song(music / "a.flac")
    await take.scan()
    music.rename(music.with_name("unmounted"))
    if state == "empty":
        music.mkdir()
    report = await take.scan()
    assert (report.vanished, len(report.problems)) == (0, 1)
    assert rows(database, "SELECT count(vanished_at) FROM tracks") == [(0,)]


async def test_a_folder_that_cannot_be_read_is_a_problem_and_its_files_have_not_vanished(
    database: Database, music: Path, take: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    song(music / "locked/a.flac", "Locked")
    song(music / "open/b.flac", "Open")
    await take.scan()
    real = os.scandir

    def scandir(path: bytes) -> Iterator[os.DirEntry[bytes]]:
        if path.endswith(b"/locked"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    # Walked in this process, where the folder cannot be listed.
    monkeypatch.setattr(READER, "walk", iter)
    report = await take.scan()
    assert [problem.reason for problem in report.problems] == ["permission denied"]
    assert (report.found, report.vanished) == (1, 0)


async def test_a_place_inside_the_library_is_scanned_alone(database: Database, music: Path, take: Intake) -> None:
    song(music / "a/1.flac", "One")
    song(music / "b/2.flac", "Two")
    assert (await take.scan([os.fsencode(music / "a")])).found == 1
    await take.scan()
    (music / "a/1.flac").unlink()
    (music / "b/2.flac").unlink()
    song(music / "b/3.flac", "Three")
    report = await take.scan([os.fsencode(music / "b")])
    assert report.vanished == 1
    [(path,)] = rows(database, "SELECT path FROM tracks WHERE vanished_at IS NOT NULL")
    assert path == os.fsencode(music / "b/2.flac")


async def test_a_place_outside_the_library_is_scanned_too(
    database: Database, music: Path, tmp_path: Path, take: Intake
) -> None:
    inside_, outside = song(music / "a.flac", "A"), song(tmp_path / "elsewhere/b.flac", "B")
    report = await take.scan([os.fsencode(inside_), os.fsencode(outside.parent)])
    assert report.found == 2
    assert (await take.scan()).vanished == 0


async def test_patterns_of_the_library_hold_for_places_in_it(database: Database, music: Path, decided: Decided) -> None:
    rules = LibraryRules((os.fsencode(music),), exclude=("podcasts",))
    take = Intake(database, rules, decided, reader=READER, memory=MemoryLimit(Telemetry()), now=lambda: NOW)
    song(music / "podcasts/1.flac")
    song(music / "2.flac")
    assert (await take.scan()).found == 1
    assert (await take.scan([os.fsencode(music / "podcasts")])).found == 0


async def test_a_file_larger_than_allowed_is_recorded_and_not_read(
    database: Database, music: Path, decided: Decided
) -> None:
    rules = LibraryRules((os.fsencode(music),), max_file_size=100)
    song(music / "a.flac")
    report = await Intake(
        database, rules, decided, reader=READER, memory=MemoryLimit(Telemetry()), now=lambda: NOW
    ).scan()
    assert (report.read, report.unreadable) == (1, 1)


async def test_a_scan_tells_how_far_it_is_and_commits_in_chunks(
    database: Database, music: Path, take: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    for n in range(5):
        song(music / f"{n}.flac", f"Song {n}")
    seen: list[tuple[int, object]] = []

    def progress(report: ScanReport) -> None:
        [(committed,)] = rows(database, "SELECT count(*) FROM tracks")
        seen.append((report.found, committed))

    await take.scan(progress=progress)
    assert seen == [(2, 2), (4, 4), (5, 5), (5, 5)]
    assert library_counts.count_tracks_by_status(database._connection)["total"] == 5


async def test_tracks_are_decided_once_all_are_there_so_that_their_albums_are_whole(
    music: Path, take: Intake, decided: Decided, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    for n in range(5):
        song(music / f"album/{n}.flac", f"Song {n}")
    await take.scan()
    assert [sorted(call) for call in decided.calls] == [[1, 2, 3, 4, 5]]


async def test_a_large_library_is_asked_about_before_all_of_it_is_read(
    music: Path, take: Intake, decided: Decided, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    monkeypatch.setattr(module, "DECIDE_EVERY", 4)
    for n in range(7):
        song(music / f"{n}.flac", f"Song {n}")
    await take.scan()
    assert [len(call) for call in decided.calls] == [4, 3]


async def test_files_that_were_read_and_not_decided_are_decided_by_the_next_scan(
    music: Path, database: Database, take: Intake, decided: Decided, opened: list[bytes]
) -> None:
    song(music / "a.flac")
    song(music / "b.flac", "Another")

    def interrupted(report: ScanReport) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await take.scan(progress=interrupted)
    assert decided.calls == []
    opened.clear()
    assert counts(await take.scan()) == {"found": 2, "unchanged": 2}
    assert opened == []
    assert sorted(decided.ids) == [1, 2]
    assert rows(database, "SELECT count(*) FROM enriched_tracks") == [(2,)]


# --- single files ---------------------------------------------------------------------------------


async def test_single_files_come_in_and_what_is_no_audio_file_is_told_by_path(
    music: Path, take: Intake, opened: list[bytes]
) -> None:
    good = os.fsencode(song(music / "a.flac"))
    text = os.fsencode(music / "notes.txt")
    Path(os.fsdecode(text)).write_text("notes", encoding="utf-8")
    found = await take.add_files([good, text, good + b".mp3", os.fsencode(music)])
    assert found[good] == 1
    assert list(found) == [text, good + b".mp3", os.fsencode(music), good]
    for path in (text, good + b".mp3", os.fsencode(music)):
        assert isinstance(found[path], Exception)
        assert os.fsdecode(path) in str(found[path])
    opened.clear()
    assert await take.add_files([good]) == {good: 1}
    assert opened == []


# --- imports --------------------------------------------------------------------------------------


async def test_an_import_keeps_the_files_order_and_its_keys_and_names_bad_rows(
    database: Database, tmp_path: Path, take: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    file = tmp_path / "rows.csv"
    file.write_text("key,title,artist,isrc\nz,One,A,\na,Two,A,\n,,A,\nm,Three,A,DE-AB1-00-00001\n")
    told: list[int] = []

    def progress(report: ImportReport) -> None:
        told.append(report.rows)

    report = await take.import_file(file, progress)
    assert (report.rows, report.queued, told) == (4, 3, [2, 4])
    assert report.bad == 1
    [(line, reason)] = report.bad_rows
    assert line == 4
    assert "neither a title nor an identifier" in reason
    found = rows(database, "SELECT track_id, source_key, title FROM enriched_tracks ORDER BY track_id")
    assert found == [(1, "z", "One"), (2, "a", "Two"), (3, "m", "Three")]


async def test_the_same_import_again_changes_nothing(tmp_path: Path, take: Intake, decided: Decided) -> None:
    file = tmp_path / "rows.ndjson"
    file.write_text('{"key": "a", "title": "One", "artist": "A"}\n{"title": "Two", "artist": "B"}\n')
    assert (await take.import_file(file)).queued == 2
    assert decided.ids == [1, 2]
    again = await take.import_file(file)
    assert (again.rows, again.queued, decided.ids) == (2, 0, [])


async def test_a_changed_row_updates_its_track_alone(
    database: Database, tmp_path: Path, take: Intake, decided: Decided
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("key,title,artist\na,One,A\nb,Two,B\n")
    await take.import_file(file)
    assert decided.ids == [1, 2]
    file.write_text("key,title,artist\na,One,A\nb,Two (Live),B\n")
    await take.import_file(file)
    assert decided.ids == [2]
    [_, second] = tracks.load_states(database._connection, [1, 2])
    assert (second.tags.title, second.source_key) == ("Two (Live)", "b")


async def test_a_file_that_cannot_be_imported_is_refused_before_anything_is_queued(
    database: Database, tmp_path: Path, take: Intake
) -> None:
    with pytest.raises(ValueError, match="an import file ends in"):
        await take.import_file(tmp_path / "rows.xlsx")
    with pytest.raises(OSError, match="No such file"):
        await take.import_file(tmp_path / "absent.csv")
    assert rows(database, "SELECT count(*) FROM tracks") == [(0,)]
