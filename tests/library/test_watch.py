"""Watching real folders: changes on disk come out as paths to scan again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import watchfiles
from watchfiles import Change

from soulspot.library import watch as watching_module
from soulspot.library.scan import Walk
from soulspot.library.watch import Blindness, _present_roots, outermost, paths_to_scan, watch
from soulspot.library.watches import folders_to_watch
from tests.support.until import until

PATIENCE = 30  # seconds to wait for a change that should come out


class Watched:
    """A running watch whose findings can be waited for."""

    def __init__(self, *roots: Path, on_blind: Callable[[Blindness], None] = lambda _: None) -> None:
        self.stop = asyncio.Event()
        self.seen: set[bytes] = set()
        self.batches = 0
        self._news = asyncio.Condition()
        paths = [os.fsencode(root) for root in roots]
        self.task = asyncio.create_task(
            self._collect(
                watch(
                    paths,
                    debounce_ms=50,
                    stop=self.stop,
                    check_ms=50,
                    rescan_every=0.05,
                    on_blind=on_blind,
                )
            )
        )

    async def _collect(self, found: AsyncIterator[set[bytes]]) -> None:
        async for paths in found:
            async with self._news:
                self.seen |= paths
                self.batches += 1
                self._news.notify_all()

    async def until(self, path: Path | bytes, act: Callable[[], object] = lambda: None) -> None:
        """Call `act` repeatedly, because nobody knows when the watch began, until `path` comes
        out."""
        wanted = os.fsencode(path)
        async with asyncio.timeout(PATIENCE), self._news:
            while wanted not in self.seen:
                act()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.3)

    def forget(self) -> None:
        self.seen.clear()


@asynccontextmanager
async def watching(*roots: Path, on_blind: Callable[[Blindness], None] = lambda _: None) -> AsyncIterator[Watched]:
    watched = Watched(*roots, on_blind=on_blind)
    try:
        yield watched
    finally:
        watched.stop.set()
        await asyncio.wait_for(watched.task, PATIENCE)


async def test_a_new_or_changed_audio_file_comes_out_and_a_picture_does_not(tmp_path: Path) -> None:
    async with watching(tmp_path) as watched:
        (tmp_path / "cover.jpg").write_text("x")
        await watched.until(tmp_path / "a.mp3", lambda: (tmp_path / "a.mp3").write_text("x"))
        assert watched.seen == {os.fsencode(tmp_path / "a.mp3")}


async def test_a_folder_moved_in_comes_out_as_a_folder(tmp_path: Path) -> None:
    music, album = tmp_path / "music", tmp_path / "album"
    music.mkdir()
    async with watching(music) as watched:
        await watched.until(music / "a.mp3", lambda: (music / "a.mp3").write_text("x"))
        album.mkdir()
        (album / "1.mp3").write_text("x")
        album.rename(music / "album")
        await watched.until(music / "album")


async def test_a_deleted_file_makes_its_folder_worth_scanning(tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    path = tmp_path / "album" / "1.mp3"
    async with watching(tmp_path) as watched:
        await watched.until(path, lambda: path.write_text("x"))
        path.unlink()
        await watched.until(tmp_path / "album")
        shutil.rmtree(tmp_path / "album")
        await watched.until(tmp_path)


async def test_a_root_that_vanishes_is_waited_for_and_scanned_when_it_is_back(tmp_path: Path) -> None:
    disk, other = tmp_path / "disk", tmp_path / "other"
    disk.mkdir()
    other.mkdir()
    async with watching(disk, other) as watched:
        await watched.until(disk / "a.mp3", lambda: (disk / "a.mp3").write_text("x"))
        shutil.rmtree(disk)
        await watched.until(other / "b.mp3", lambda: (other / "b.mp3").write_text("x"))
        watched.forget()
        disk.mkdir()
        await watched.until(disk)
        await watched.until(disk / "c.mp3", lambda: (disk / "c.mp3").write_text("x"))
        assert not watched.task.done()


async def test_a_root_that_is_not_there_yet_is_scanned_when_it_comes(tmp_path: Path) -> None:
    late = tmp_path / "late"
    async with watching(late) as watched:
        await watched.until(late, lambda: late.rmdir() if late.exists() else late.mkdir())


async def test_a_name_that_is_not_utf8_makes_the_whole_root_worth_scanning(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff.mp3"

    def write() -> None:
        with open(odd, "ab") as file:
            file.write(b"x")

    async with watching(tmp_path) as watched:
        await watched.until(tmp_path, write)
        watched.forget()
        await watched.until(tmp_path / "a.mp3", lambda: (tmp_path / "a.mp3").write_text("x"))


async def test_beside_a_folder_that_is_not_utf8_everything_is_looked_through_until_it_is_renamed(
    tmp_path: Path,
) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(odd)
    blind: list[Blindness] = []
    async with watching(tmp_path, on_blind=blind.append) as watched:
        await watched.until(tmp_path)
        watched.forget()
        await watched.until(tmp_path)
        assert [one.looked_through_every_seconds for one in blind] == [0.05]
        assert "\\xFF" in blind[0].error
        os.rename(odd, tmp_path / "even")
        await watched.until(tmp_path / "a.mp3", lambda: (tmp_path / "a.mp3").write_text("x"))


async def test_folders_without_a_watch_are_said_once_and_once_more_after_all_were_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind: list[Blindness] = []
    watches, counted = 0, list[int]()

    def count() -> int:
        counted.append(watches)
        return watches

    monkeypatch.setattr(watching_module, "count_watches", count)
    (tmp_path / "album").mkdir()
    async with watching(tmp_path, on_blind=blind.append) as watched:
        await watched.until(tmp_path)
        watched.forget()
        await watched.until(tmp_path)
        assert [one.error for one in blind] == ["the kernel watches 0 of 2 folders"]
        assert blind[0].hint.startswith("sysctl ")
        watches = 99
        await until(lambda: 99 in counted)
        watched.forget()
        await watched.until(tmp_path / "a.mp3", lambda: (tmp_path / "a.mp3").write_text("x"))
        watches = 0
        watched.forget()
        await watched.until(tmp_path, lambda: (tmp_path / str(watched.batches)).mkdir(exist_ok=True))
        assert len(blind) == 2


def test_folders_to_watch_are_counted_once_also_through_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "file.mp3").write_text("x")
    root = os.fsencode(tmp_path)
    assert len(list(folders_to_watch([root, root + b"/a"]))) == 3


async def test_setting_stop_ends_the_watch(tmp_path: Path) -> None:
    async with watching(tmp_path) as watched:
        watched.stop.set()
        await asyncio.wait_for(watched.task, PATIENCE)
        assert watched.seen == set()


async def test_cancelling_the_watcher_leaves_the_stop_event_to_its_owner(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    await watched.until(tmp_path / "a.mp3", lambda: (tmp_path / "a.mp3").write_text("x"))
    watched.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watched.task
    assert not watched.stop.is_set()


async def test_a_system_that_refuses_to_watch_is_an_os_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> AsyncIterator[object]:
        raise RuntimeError("Error creating recommended watcher: Too many open files")
        yield

    monkeypatch.setattr(watchfiles, "watch", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        await anext(aiter(watch([os.fsencode(tmp_path)], stop=asyncio.Event(), check_ms=10)))


def test_only_what_exists_and_may_hold_audio_is_worth_scanning(tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "a.mp3").write_text("x")
    (tmp_path / "note.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "link.mp3").symlink_to("a.mp3")
    changes = {
        (Change.added, str(tmp_path / "a.mp3")),
        (Change.added, str(tmp_path / "note.txt")),
        (Change.added, str(tmp_path / "pipe.mp3")),
        (Change.added, str(tmp_path / "link.mp3")),
        (Change.deleted, str(tmp_path / "cover.jpg")),
        (Change.deleted, str(tmp_path / "album" / "gone" / "deep" / "1.mp3")),
        (Change.deleted, "/elsewhere/1.mp3"),
    }
    found = paths_to_scan(changes, [os.fsencode(tmp_path)])
    assert found == {os.fsencode(tmp_path / "a.mp3"), os.fsencode(tmp_path / "album")}


def test_what_lies_inside_another_change_is_not_named_twice() -> None:
    assert outermost({b"/m/a", b"/m/a/1.mp3", b"/m/ab/2.mp3", b"/m/b/c/3.mp3", b"/m/b"}) == {
        b"/m/a",
        b"/m/ab/2.mp3",
        b"/m/b",
    }
    assert outermost({b"/", b"/m/a.mp3"}) == {b"/"}
    assert outermost(set()) == set()


async def test_what_comes_out_can_be_given_to_the_walk(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    async with watching(tmp_path) as watched:
        await watched.until(path, lambda: path.write_text("x"))
        looked_at = Walk([os.fsencode(tmp_path)], within=sorted(watched.seen))
        assert [one.path for one in looked_at] == [os.fsencode(path)]


def test_a_root_that_is_not_utf8_is_left_to_the_rescan(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(odd)
    assert _present_roots([odd, os.fsencode(tmp_path)]).keys() == {os.fsencode(tmp_path)}
