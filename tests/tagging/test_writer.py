"""Tags are written to accepted tracks only, journaled before a file changes, and undone to the
bit."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soulspot.library.scan import Walk
from soulspot.library.tags import read_file
from soulspot.models import EnrichedTrack, Status
from soulspot.sandbox.audio.files import SILENCE
from soulspot.store import enriched, operations, queue, tag_journal, tracks
from soulspot.store.database import Database
from soulspot.tagging import file_copies
from soulspot.tagging import writer as tagging
from soulspot.tagging.file_copies import FilePolicy
from soulspot.tagging.request import TagReport, TagRequest, request_from_json, request_to_json, tag_request
from soulspot.tagging.rules import TagRules
from soulspot.tagging.writer import TagWriter
from soulspot.telemetry import Telemetry
from tests.library.audio import tags_of
from tests.support.factories import NOW, isrc_query, mbid
from tests.support.reading import READER

ALL = TagRules()


@pytest.fixture(autouse=True)
def _disks_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn fsync off: in these tests a process may die, but not the machine."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


class Library:
    """Songs on the disk, and a database with their accepted values."""

    def __init__(self, folder: Path) -> None:
        self.music = folder / "music"
        self.music.mkdir()
        self.path = folder / "soulspot.db"
        self.database = Database(self.path)
        self.clock = NOW

    def song(self, name: str, *, status: Status = Status.ACCEPTED, **known: Any) -> Path:
        """Add a song that was scanned, with a row of these known values."""
        path = self.music / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(SILENCE[path.suffix](1000, 1000))
        self.scan()
        track_id = self.id_of(path)
        row = EnrichedTrack(track_id, os.fsencode(path), None, status, 0.9, title=f"Title of {name}",
                            artist="The Lanterns", mb_recording_id=mbid(track_id), **known)  # fmt: skip
        self.database.write_now(lambda c: enriched.save(c, [row], self.clock))
        self.database.write_now(lambda c: c.execute("UPDATE tracks SET undecided = 0"))
        return path

    def scan(self) -> int:
        """Read new and changed files, as the intake does; return how many there were."""

        def look(connection: sqlite3.Connection) -> int:
            found = list(Walk([os.fsencode(self.music)]))
            known = tracks.known_stamps(connection, (one.path for one in found))
            changed = [read_file(one.path, one.stamp) for one in found if known.get(one.path) != one.stamp]
            tracks.save_scanned(
                connection, changed, tracks.next_scan_id(connection), self.clock, exists=os.path.lexists
            )
            return len(changed)

        return self.database.write_now(look)

    def id_of(self, path: Path) -> int:
        return self.ask("SELECT track_id FROM tracks WHERE path = ?", os.fsencode(path))

    def ask(self, sql: str, *values: Any) -> Any:
        return self.database.write_now(lambda c: c.execute(sql, values).fetchone()[0])

    def writer(self, rules: TagRules = ALL, **more: Any) -> TagWriter:
        return TagWriter(self.database, Telemetry(), rules, reader=READER, now=lambda: self.clock, **more)

    async def write(self, operation_id: int = 1, rules: TagRules = ALL, **request: Any) -> TagReport:
        return await self.writer(rules).write(tag_request(rules, **({"apply": True} | request)), operation_id)

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of every file by its path."""
        return {
            str(path.relative_to(self.music)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.music.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


async def test_accepted_tracks_are_written_and_no_others(library: Library) -> None:
    one, other = library.song("a.mp3"), library.song("b.flac", status=Status.REVIEW)
    before = other.read_bytes()
    report = await library.write()
    assert (report.looked, report.written, report.failed) == (1, 1, 0)
    assert tags_of(one).title == "Title of a.mp3"
    assert other.read_bytes() == before


async def test_without_apply_nothing_is_touched_and_the_differences_are_told(library: Library) -> None:
    path = library.song("a.mp3")
    before = (path.read_bytes(), path.stat())
    report = await library.write(apply=False, fields=["title"])
    assert report.files == [{"path": str(path), "changes": {"title": {"old": [], "new": ["Title of a.mp3"]}}}]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before[0], before[1].st_mtime_ns)
    assert library.ask("SELECT count(*) FROM tag_writes") == 0


async def test_our_own_writing_is_no_change_to_the_next_scan(library: Library) -> None:
    library.song("a.mp3")
    library.song("b.flac")
    await library.write()
    assert library.scan() == 0
    await library.writer().undo(1)
    assert library.scan() == 0
    assert library.ask("SELECT count(*) FROM enriched_tracks WHERE status = 'accepted'") == 2


async def test_a_second_run_finds_nothing_to_write_and_opens_no_file_for_writing(library: Library) -> None:
    path = library.song("a.ogg")
    await library.write()
    inode = path.stat().st_ino
    report = await library.write(operation_id=2)
    assert (report.written, report.unchanged) == (0, 1)
    assert path.stat().st_ino == inode


async def test_undo_gives_every_file_of_the_operation_its_very_bytes_back(library: Library) -> None:
    for name in ("a.mp3", "b.flac", "c.ogg", "d.opus", "e.m4a"):
        library.song(name)
    before = library.digests()
    await library.write(operation_id=7)
    assert not set(before.values()) & set(library.digests().values())
    report = await library.writer().undo(7)
    assert (report.looked, report.written, report.problems) == (5, 5, [])
    assert library.digests() == before
    assert await library.database.read(lambda c: tag_journal.count_writes(c, 7, "undone")) == 5


async def test_undo_leaves_alone_what_has_changed_since_unless_it_is_forced(library: Library) -> None:
    path = library.song("a.mp3")
    before = path.read_bytes()
    await library.write()
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
    report = await library.writer().undo(1)
    assert (report.written, report.skipped) == (0, 1)
    assert "--force" in report.problems[0]["reason"]
    assert (await library.writer().undo(1, force=True)).written == 1
    assert path.read_bytes() == before


async def test_undo_goes_back_in_order_and_says_which_operation_comes_first(library: Library) -> None:
    path = library.song("a.flac")
    before = path.read_bytes()
    await library.write(operation_id=1, fields=["title"])
    await library.write(operation_id=2, fields=["artist"])
    refused = await library.writer().undo(1)
    assert "was written again by operation 2" in refused.problems[0]["reason"]
    assert (await library.writer().undo(2)).written == 1
    assert (await library.writer().undo(1)).written == 1
    assert path.read_bytes() == before


async def test_undo_finds_a_file_that_was_moved(library: Library) -> None:
    path = library.song("a.flac")
    before = path.read_bytes()
    await library.write()
    moved = path.with_name("moved.flac")
    path.rename(moved)
    library.scan()
    assert (await library.writer().undo(1)).written == 1
    assert moved.read_bytes() == before


async def test_one_file_that_cannot_be_written_is_told_and_the_others_go_on(library: Library) -> None:
    locked, changed, gone, good = (library.song(name) for name in ("a.mp3", "b.mp3", "c.mp3", "d.mp3"))
    locked.chmod(0o444)
    os.utime(changed, ns=(5, 5))
    gone.unlink()
    report = await library.write()
    assert (report.written, report.skipped, report.looked) == (1, 3, 4)
    assert {Path(one["path"]).name: one["reason"] for one in report.problems} == {
        "a.mp3": "is read-only",
        "b.mp3": "was changed since it was scanned: `soulspot scan` reads it again",
        "c.mp3": "it is not there any more",
    }
    assert tags_of(good).title == "Title of d.mp3"


async def test_places_and_single_tracks_can_be_chosen(library: Library) -> None:
    one, other = library.song("x/a.mp3"), library.song("y/b.mp3")
    assert (await library.write(paths=(os.fsencode(library.music / "x"),))).looked == 1
    assert tags_of(one).title
    assert tags_of(other).title is None
    assert (await library.write(operation_id=2, track_ids=(library.id_of(other),))).written == 1


async def test_a_field_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"there is no titel; there are title, artist"):
        tag_request(ALL, fields=["titel"])


def test_a_request_survives_a_restart() -> None:
    request = TagRequest(("title",), "overwrite", True, True, (b"/m\xff",), (1, 2), 5.0)
    assert request_from_json(request_to_json(request)) == request


# --- killed ---

STEPS = ("created", "copied", "tagged", "synced", "journaled", "renamed", "folder synced", "settled")


@pytest.mark.parametrize("undoing", [False, True])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_the_journal_and_the_files_agree_after_the_next_run(
    tmp_path: Path, step: str, undoing: bool
) -> None:
    if undoing and step in ("copied", "tagged"):
        return  # these are steps of writing
    library = Library(tmp_path)
    for name in ("a.mp3", "b.flac"):
        library.song(name)
    before = library.digests()
    if undoing:
        await library.write()
    written = library.digests()
    library.database.close()
    assert _killed(library, step, undoing) == 9
    library.database = Database(library.path)
    left = library.digests()
    for name in before:
        assert left[name] in (before[name], written[name]) or not undoing
    if undoing:
        await library.writer().undo(1)
        assert library.digests() == before
    else:
        await library.write()
        assert (await library.write(operation_id=2)).unchanged == 2
        assert library.scan() == 0
        assert await library.database.read(lambda c: tag_journal.count_writes(c, 1)) == 2
        await library.writer().undo(1)
        assert library.digests() == before
    assert library.scan() == 0
    assert library.ask("SELECT count(*) FROM tag_pending") == 0
    assert library.ask("SELECT count(*) FROM tag_folders") == 0
    library.database.close()


def _killed(library: Library, step: str, undoing: bool) -> int:
    """Do the work in a process that ends at this step; return its exit code."""
    child = os.fork()
    if child == 0:
        try:
            file_copies.report_step = lambda name: os._exit(9) if name == step else None  # type: ignore[assignment]
            library.database = Database(library.path)
            work = library.writer().undo(1) if undoing else library.write()
            asyncio.new_event_loop().run_until_complete(work)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


async def test_a_cancelled_run_finishes_the_files_that_it_has_begun(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        library.song(f"{number}.mp3")
    monkeypatch.setattr(tagging, "FILES_AT_ONCE", 2)
    seen: list[str] = []
    loop = asyncio.get_running_loop()

    def step(name: str) -> None:
        seen.append(name)
        if seen.count("synced") == 3 and name == "synced":
            loop.call_soon_threadsafe(running.cancel)

    monkeypatch.setattr(file_copies, "report_step", step)
    running = asyncio.ensure_future(library.write())
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await library.database.read(lambda c: tag_journal.count_writes(c, 1)) == 4
    assert library.ask("SELECT count(*) FROM tag_pending") == 0
    assert [path for path in library.music.iterdir() if path.name.startswith(".")] == []


async def test_without_a_journal_no_file_changes(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.song("a.mp3")
    before = library.digests()

    def full(*_: Any) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(tag_journal, "prepare_writes", full)
    with pytest.raises(sqlite3.OperationalError):
        await library.write()
    assert library.digests() == before


# --- by itself ---


async def test_an_album_is_due_only_when_nothing_of_it_is_asked_for_any_more(library: Library) -> None:
    one, other = library.song("a.mp3"), library.song("b.mp3")
    single = library.song("c.mp3")

    def wait(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE tracks SET album_key = 'k' WHERE track_id IN (?, ?)", (ids[0], ids[1]))
        queue.enqueue(connection, {ids[1]: [isrc_query(1)]}, NOW)

    ids = [library.id_of(path) for path in (one, other, single)]
    await library.database.write(wait)
    writer = library.writer()
    assert await writer.due() == [ids[2]]
    await library.database.write(lambda c: c.execute("UPDATE lookups SET state = 'missing', answered_at = 'x'"))
    assert await writer.due() == ids
    await writer.write(tag_request(ALL, apply=True, track_ids=tuple(ids)), 1)
    assert await writer.due() == []


async def test_what_was_found_out_anew_is_due_again_and_a_failure_after_an_hour(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = library.song("a.mp3")
    writer = library.writer()

    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("soulspot.tagging.tagged_copies.copy_content", full)
        report = await writer.write(tag_request(ALL, apply=True), 1)
    assert (report.failed, report.problems[0]["reason"]) == (1, "the disk is full")
    assert await writer.due() == []
    library.clock += tagging.RETRY_AFTER
    assert await writer.due() == [library.id_of(path)]
    await writer.write(tag_request(ALL, apply=True), 2)
    assert await writer.due() == []
    row = (await library.database.read(lambda c: enriched.load(c, [library.id_of(path)])))[library.id_of(path)]
    await library.database.write(lambda c: enriched.save(c, [replace(row, album="News")], library.clock + 1))
    assert await writer.due() == [library.id_of(path)]


async def test_a_file_that_somebody_is_still_writing_waits(library: Library) -> None:
    path = library.song("a.mp3")
    library.clock = path.stat().st_mtime + 5
    report = await library.write(quiet=60.0)
    assert (report.waiting, report.written) == (1, 0)
    assert await library.writer().due() == [library.id_of(path)]
    library.clock += 60
    assert (await library.write(quiet=60.0)).written == 1


async def test_old_entries_are_forgotten_when_they_cannot_be_taken_back_any_more(library: Library) -> None:
    library.song("a.mp3")
    await library.write()
    writer = library.writer(TagRules(keep_undo=3600.0))
    await writer.prune()
    assert await library.database.read(lambda c: tag_journal.count_writes(c, 1)) == 1
    library.clock += 3601
    await writer.prune()
    assert await library.database.read(lambda c: tag_journal.list_operations(c, 10)) == []


async def test_the_list_has_the_latest_operation_first(library: Library) -> None:
    library.song("a.mp3")
    await library.write(operation_id=3, fields=["title"])
    await library.write(operation_id=5, fields=["artist"])
    await library.writer().undo(5)
    found = await library.database.read(lambda c: tag_journal.list_operations(c, 10))
    assert [(one["operation"], one["written"], one["undone"]) for one in found] == [(5, 0, 1), (3, 1, 0)]


async def test_a_library_of_hard_links_can_be_written_when_that_is_configured(library: Library) -> None:
    path = library.song("a.mp3")
    os.link(path, library.music / "b.bin")
    before = path.read_bytes()
    assert "hard links" in (await library.write()).problems[0]["reason"]
    parting = TagRules(file_policy=FilePolicy(hard_links="part"))
    assert (await library.write(operation_id=2, rules=parting)).written == 1
    assert (library.music / "b.bin").read_bytes() == before


async def test_an_operation_has_the_counts_of_its_files(library: Library) -> None:
    library.song("a.mp3")
    told: list[tuple[int, int]] = []
    await library.writer().write(
        tag_request(ALL, apply=True), 1, lambda report, total: told.append((report.looked, total))
    )
    assert told == [(1, 1)]
    assert library.database.write_now(operations.list_unfinished) == []
