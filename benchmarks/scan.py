"""Files a second of the scan beside bare mutagen, over the same files.

    python -m benchmarks.scan [FOLDER] [--files 3000] [--rounds 3]

Without FOLDER, audio files of the shared data (SOULSPOT_SHARED) in the usual formats are copied
into a temporary folder until there are enough. Prints a Markdown table with the best of the
rounds."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import mutagen

from soulspot.library.reader import FileReader
from soulspot.library.scan import FoundFile, Walk
from soulspot.models import FileStamp

CHUNK = 500  # files, as the intake reads them together
USUAL = (".mp3", ".flac", ".ogg", ".opus", ".m4a")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scan")
    parser.add_argument("folder", nargs="?", type=Path, help="a library to read instead of copies")
    parser.add_argument("--files", type=int, default=3000, help="how many copies to make")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    if options.folder:
        print(measure(options.folder, options.rounds))
        return
    with tempfile.TemporaryDirectory(prefix="soulspot-scan-") as folder:
        copy_samples(Path(folder), options.files)
        print(measure(Path(folder), options.rounds))


def copy_samples(folder: Path, files: int) -> None:
    """Fill `folder` with `files` copies of the shared files, a hundred to a subfolder."""
    shared = Path(os.environ.get("SOULSPOT_SHARED", Path(__file__).parents[2] / "shared")) / "data" / "audio"
    samples = sorted(path for path in shared.rglob("*") if path.suffix in USUAL)
    if not samples:
        sys.exit(f"no audio files at {shared}: name a FOLDER or set SOULSPOT_SHARED")
    for number in range(files):
        sample = samples[number % len(samples)]
        album = folder / f"{number // 100:04d}"
        album.mkdir(exist_ok=True)
        shutil.copyfile(sample, album / f"{number:06d}{sample.suffix}")


def measure(folder: Path, rounds: int) -> str:
    """Time each way over `folder`, the ways taking turns, and return the table."""
    root = os.fsencode(folder)
    candidates = list(Walk([root]))
    known = {one.path: one.stamp for one in candidates}
    reader = FileReader()
    ways: dict[str, Callable[[], int]] = {
        "`mutagen.File` alone, paths given": lambda: bare(candidates),
        "SoulSpot, first scan: walk, tags, identifiers": lambda: first_scan(root, reader),
        "SoulSpot, second scan: nothing changed": lambda: second_scan(root, known),
    }
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            count = way()
            taken = time.perf_counter() - began
            if count != len(candidates):
                sys.exit(f"{name}: {count} files instead of {len(candidates)}")
            best[name] = min(taken, best.get(name, taken))
    baseline = next(iter(best.values()))
    lines = [
        f"{len(candidates)} files, best of {rounds}",
        "",
        "| way | files/s | beside bare mutagen |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {len(known) / s:,.0f} | {baseline / s:.2f} x |" for name, s in best.items()]
    return "\n".join(lines)


def bare(candidates: Sequence[FoundFile]) -> int:
    """Open every file with mutagen and look at nothing."""
    for one in candidates:
        with suppress(Exception):
            mutagen.File(one.path)
    return len(candidates)


def first_scan(root: bytes, reader: FileReader) -> int:
    """Walk and read every file, in other processes as the daemon does."""
    files, count = reader.walk(Walk([root])), 0
    while chunk := list(islice(files, CHUNK)):
        count += sum(one.tags is not None or one.unreadable is not None for one in reader.read(chunk))
    return count


def second_scan(root: bytes, known: Mapping[bytes, FileStamp]) -> int:
    """Find every file and recognise it as unchanged."""
    return sum(known.get(one.path) == one.stamp for one in Walk([root]))


if __name__ == "__main__":
    main()
