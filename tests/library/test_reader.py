"""Files are read by other processes: whatever a file does to one, the rest of them are read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from mutagen.id3 import COMM, ID3, TIT2

from soulspot.library import reader as module
from soulspot.library.reader import FileReader, Lost, ReaderClosed
from soulspot.library.scan import FoundFile, Walk
from soulspot.library.tags import NEVER_READ
from tests.library.audio import flac, many_genres, mp3
from tests.support.reading import READER


@pytest.fixture
def make() -> Iterator[Callable[..., FileReader]]:
    """Make readers that the test does not share with others."""
    made: list[FileReader] = []

    def reader(**limits: float) -> FileReader:
        made.append(FileReader(**limits))  # type: ignore[arg-type]
        return made[-1]

    yield reader
    for one in made:
        one.close()


def found(folder: Path) -> list[FoundFile]:
    return list(Walk([os.fsencode(folder)]))


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    return False


# What other processes do here; they import this module.


def double(number: int) -> int:
    return 2 * number


def spin(note: str) -> None:
    Path(note).write_text(str(os.getpid()))
    while True:
        pass


def never_answer(number: int) -> int:
    if number == 1:
        signal.pause()
    return number


def die_once(note: str) -> str:
    if note and not Path(note).exists():
        Path(note).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def die(number: int) -> int:
    if number == 30:
        os.kill(os.getpid(), signal.SIGSEGV)
    return number


def shake_off(number: signal.Signals) -> bool:
    os.kill(os.getpid(), number)
    return True


def variable(name: str) -> str | None:
    return os.environ.get(name)


def reason(item: object, error: Lost) -> str:
    return f"{type(error).__name__}: {error}"


def test_results_stand_in_the_order_of_the_items_however_many_processes_worked(
    make: Callable[..., FileReader],
) -> None:
    numbers = list(range(1000))
    assert make(processes=3).each(double, numbers, reason) == [2 * number for number in numbers]


def test_a_file_that_costs_too_much_time_is_unreadable_and_the_files_behind_it_are_read(
    tmp_path: Path, make: Callable[..., FileReader]
) -> None:
    many_genres(tmp_path / "a.mp3", 800_000)
    flac(tmp_path / "b.flac")
    files = found(tmp_path)
    bad, good = make(seconds=0.5).read(files)
    assert bad.unreadable == "damaged: reading it took longer than 0.5 s"
    assert bad.stamp == files[0].stamp, "it is not tried again until it changes"
    assert good.tags is not None


def test_a_file_that_needs_too_much_memory_is_unreadable_and_the_files_behind_it_are_read(
    tmp_path: Path, make: Callable[..., FileReader]
) -> None:
    tags = ID3()
    tags.add(TIT2(encoding=3, text=["Large"]))
    tags.add(COMM(encoding=3, lang="eng", desc="", text=["x" * (30 << 20)]))
    tags.save(mp3(tmp_path / "a.mp3"))
    flac(tmp_path / "b.flac")
    bad, good = make(memory=110 << 20).read(found(tmp_path))
    assert bad.unreadable == "damaged: reading it would take more memory than any sound file needs"
    assert good.tags is not None
    assert READER.read(found(tmp_path))[0].tags is not None, "with the usual limit it is read"


def test_a_file_that_its_disk_does_not_give_is_read_again_by_the_next_scan(
    tmp_path: Path, make: Callable[..., FileReader]
) -> None:
    assert make(silence=4).each(never_answer, [0, 1, 2], lambda item, error: -1) == [0, -1, 2]
    [file] = found(flac(tmp_path / "a.flac"))
    lost = module._unreadable(file, OSError("the disk did not answer for 60 s"))
    assert (lost.unreadable, lost.stamp.mtime_ns) == ("the disk did not answer for 60 s", NEVER_READ)


def test_a_file_that_crashes_its_process_is_named_and_costs_no_other(make: Callable[..., FileReader]) -> None:
    results = make().each(die, list(range(100)), lambda item, error: str(error))
    assert results[30] == ": damaged: the process that read it died (SIGSEGV)"
    assert [one for one in results if one != results[30]] == [number for number in range(100) if number != 30]


def test_a_file_whose_process_somebody_else_killed_is_read_after_all(
    tmp_path: Path, make: Callable[..., FileReader]
) -> None:
    assert make().each(die_once, ["", str(tmp_path / "note"), ""], reason) == ["alive"] * 3


def test_ctrl_c_and_a_stop_of_the_whole_service_reach_no_reading_process(make: Callable[..., FileReader]) -> None:
    assert make().each(shake_off, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], reason) == [True] * 3


def test_reading_processes_know_no_secret_of_the_environment(
    make: Callable[..., FileReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOULSPOT_HTTP__TOKEN", "canary")
    assert make().each(variable, ["SOULSPOT_HTTP__TOKEN", "PATH"], reason) == [None, os.environ["PATH"]]


def test_closing_wakes_whoever_waits_for_a_file_and_leaves_no_process(
    tmp_path: Path, make: Callable[..., FileReader]
) -> None:
    reader, note = make(), tmp_path / "pid"
    raised: list[type[Exception]] = []

    def wait() -> None:
        try:
            reader.each(spin, [str(note)], reason)
        except Exception as error:
            raised.append(type(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    until(lambda: note.exists() and note.read_text() != "")
    reader.close()
    waiting.join(60)
    assert raised == [ReaderClosed]
    until(lambda: not is_alive(int(note.read_text())))
    with pytest.raises(ReaderClosed):
        reader.read(found(flac(tmp_path / "a.flac")))


def test_after_kill_9_of_the_reader_its_processes_end_in_the_middle_of_a_file(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = (
        "import sys; from soulspot.library.reader import FileReader; from tests.library.test_reader import spin;"
        "FileReader(seconds=1000).each(spin, [sys.argv[1]], str)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(note)], cwd=Path(__file__).parents[2])
    until(lambda: note.exists() and note.read_text() != "")
    worker = int(note.read_text())
    assert is_alive(worker)
    process.kill()
    process.wait()
    until(lambda: not is_alive(worker))


def test_processes_without_work_end(make: Callable[..., FileReader], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE", 0.01)
    reader = make()
    for _ in range(2):
        assert reader.each(double, [1], reason) == [2]
        until(lambda: not reader._alive)


def test_a_walk_by_another_process_finds_and_knows_the_same(tmp_path: Path) -> None:
    for name in ("a", "b", "empty"):
        (tmp_path / name).mkdir()
    for number in range(module.PIECE + 1):
        (tmp_path / "a" / f"{number}.mp3").touch()
    (tmp_path / "b" / "x.mp3").symlink_to("/dev/null")
    here, there = (Walk([os.fsencode(tmp_path), b"/nowhere"]) for _ in range(2))
    assert list(READER.walk(there)) == list(here)
    for name in ("problems", "finished_roots", "folders", "mounts", "links"):
        assert getattr(there, name) == getattr(here, name)
    assert there.confirms_deletion(os.fsencode(tmp_path / "a" / "gone.mp3"))


def test_a_walk_that_nobody_wants_any_more_stops(tmp_path: Path, make: Callable[..., FileReader]) -> None:
    for number in range(3 * module.PIECE):
        (tmp_path / f"{number}.mp3").touch()
    reader = make()
    files = reader.walk(Walk([os.fsencode(tmp_path)]))
    next(files)
    assert len(reader._alive) == 1
    del files
    assert not reader._alive
