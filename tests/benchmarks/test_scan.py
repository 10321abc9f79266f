"""The benchmark of the scan counts the files that it reports."""

from __future__ import annotations

from pathlib import Path

from benchmarks.scan import measure
from tests.library.audio import flac, mp3


def test_the_benchmark_reads_every_file_every_way(tmp_path: Path) -> None:
    mp3(tmp_path / "a.mp3")
    flac(tmp_path / "b.flac")
    (tmp_path / "c.mp3").write_text("broken")
    table = measure(tmp_path, rounds=1)
    assert table.startswith("3 files")
    assert table.count("\n| ") == 4
