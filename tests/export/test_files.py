"""An exported file is the old one or the new one, whole, whatever happens on the way."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from soulspot.errors import ExportError
from soulspot.export import export_table, tables
from soulspot.export.formats import FORMATS
from tests.export.conftest import Fill, track

OLD = b"what stood here before"


@pytest.fixture
def library(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fill a database with tracks for several pages."""
    monkeypatch.setattr(tables, "PAGE", 100)
    return fill(*(track(number, title=f"Song {number} " + "x" * 1000) for number in range(1, 400)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Stop(Exception):
    """An exception of a caller's own."""


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("format_", [*FORMATS, "csv.gz"])
def test_an_export_that_is_stopped_leaves_the_old_file_and_nothing_else(
    library: Path, folder: Path, format_: str, error: type[BaseException]
) -> None:
    out = folder / f"tracks.{format_}"
    out.write_bytes(OLD)

    def stop(done: int, total: int) -> None:
        assert names(folder) == [f".tracks.{format_}.part", f"tracks.{format_}"]
        if done > 100:
            raise error

    with pytest.raises(error):
        export_table(library, out, on_progress=stop)
    assert (out.read_bytes(), names(folder)) == (OLD, [out.name])


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """Limit the size of files, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("format_", ["csv", "json", "ndjson", "sqlite"])
def test_without_room_the_old_file_stays(library: Path, folder: Path, format_: str) -> None:
    out = folder / f"tracks.{format_}"
    out.write_bytes(OLD)
    with little_room(150_000), pytest.raises((OSError, ExportError)):
        export_table(library, out)
    assert (out.read_bytes(), names(folder)) == (OLD, [out.name])


def test_killed_in_the_middle_it_leaves_the_old_file_and_the_next_one_tidies_up(library: Path, folder: Path) -> None:
    out = folder / "tracks.csv"
    out.write_bytes(OLD)
    script = """
import sys
from soulspot.export import export_table, tables
tables.PAGE = 100
def wait(done, total):
    print(done, flush=True)
    sys.stdin.readline()
export_table(sys.argv[1], sys.argv[2], on_progress=wait)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(library), str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"100\n"
        with pytest.raises(ExportError, match="another export is writing it"):
            export_table(library, out)
        process.send_signal(signal.SIGKILL)
    assert (out.read_bytes(), names(folder)) == (OLD, [".tracks.csv.part", "tracks.csv"])
    export_table(library, out)
    assert names(folder) == ["tracks.csv"]
    assert len(out.read_bytes().splitlines()) == 400


def test_a_file_keeps_its_permissions_and_a_new_one_has_the_usual_ones(library: Path, folder: Path) -> None:
    old, new = folder / "old.csv", folder / "new.csv"
    old.write_bytes(OLD)
    old.chmod(0o640)
    before = os.umask(0o022)
    try:
        for out in (old, new):
            export_table(library, out)
    finally:
        os.umask(before)
    assert [stat.S_IMODE(out.stat().st_mode) for out in (old, new)] == [0o640, 0o644]


def test_a_link_goes_on_pointing_to_its_file(library: Path, folder: Path) -> None:
    (folder / "real").mkdir()
    link, real = folder / "link.csv", folder / "real" / "tracks.csv"
    link.symlink_to(real)
    export_table(library, link)
    assert link.is_symlink()
    assert real.read_bytes().startswith(b"track_id,")


def test_a_pipe_is_written_to(library: Path, folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    report = export_table(library, pipe, format="ndjson")
    reader.join()
    assert (report.rows, report.bytes, len(read[0].splitlines())) == (399, None, 399)
    assert names(folder) == ["pipe"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "is a folder"), ("none/tracks.csv", "there is no folder"), ("x" * 300 + ".csv", "too long")],
)
def test_a_place_that_cannot_be_written_is_named(library: Path, folder: Path, name: str, words: str) -> None:
    with pytest.raises((ExportError, OSError), match=words):
        export_table(library, folder / name, format="csv")
    assert names(folder) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tracks", "'tracks' says no format: say --format"),
        ("tracks.txt", "end in one of .csv .json"),
        ("tracks.gz", "says no format"),
        ("tracks.parquet.gz", "not packed with gzip"),
        ("tracks.sqlite.gz", "not packed with gzip"),
    ],
)
def test_a_name_that_says_no_format_is_refused(library: Path, folder: Path, name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        export_table(library, folder / name)
    assert names(folder) == []


def test_a_file_that_was_finished_while_we_waited_for_it_is_not_written_over(
    library: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, aside = folder / "tracks.csv", folder / ".tracks.csv.part"
    aside.write_bytes(OLD)
    lock, first = fcntl.flock, [True]

    def flock(handle: int, how: Any) -> None:
        if first:
            first.clear()
            aside.replace(out)  # by another process, between our opening and our locking
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    kept = folder / "kept.csv"
    os.link(aside, kept)
    export_table(library, out)
    assert kept.read_bytes() == OLD
    assert out.read_bytes().startswith(b"track_id,")
