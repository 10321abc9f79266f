"""A million rows to Parquet and CSV: `python -m benchmarks.export` prints a Markdown table.

The rows are invented. Each export is a process of its own, and so is its highest RSS. For
comparison a process does the minimum: `SELECT *` into `csv.writer`. The ways run in turns,
`--repeat` times; the table shows medians of wall time, and the highest RSS of all runs."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from soulspot.models import EnrichedTrack, Status
from soulspot.store import enriched
from soulspot.store.database import Database

WAYS = {"`SELECT *` into `csv.writer`": "naive", "csv": "csv", "parquet": "parquet", "ndjson": "ndjson"}
AT_ONCE = 20_000  # rows a transaction

MEASURED = """
import json, sys, time
began = time.perf_counter()
way, database, out = sys.argv[1:]
if way == "naive":
    import csv, sqlite3
    with open(out, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        csv.writer(file).writerows(sqlite3.connect(database).execute("SELECT * FROM enriched_tracks"))
else:
    from soulspot.export import export_table
    export_table(database, out, format=way)
seconds = time.perf_counter() - began
# not getrusage: that remembers the process that we were forked from
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps([seconds, int(peak) / 1000]))
"""


def tracks(first: int, last: int) -> Iterator[EnrichedTrack]:
    """Yield accepted tracks, ten an album and ten albums an artist, with the usual fields
    filled."""
    for i in range(first, last):
        album, artist = i // 10, i // 100
        yield EnrichedTrack(
            i, path=f"/music/Artist {artist}/Album {album}/{i % 10 + 1:02d} Title {i}.flac".encode(), source_key=None,
            status=Status.ACCEPTED if i % 7 else Status.REVIEW, confidence=round(0.9 + i % 100 / 1000, 3),
            title=f"Title {i}", artist=f"Artist {artist}", artists=(f"Artist {artist}",), album=f"Album {album}",
            album_artist=f"Artist {artist}", track_number=i % 10 + 1, disc_number=1,
            duration_ms=120_000 + i * 7919 % 240_000, isrc=f"DEAB1{i:07d}", release_date=f"{1960 + album % 60}-05-13",
            original_date=f"{1960 + album % 60}", genres=("rock", "art pop", f"genre {artist % 50}"),
            label=f"Label {artist % 200}", catalog_number=f"LB {album:06d}", barcode=f"40{album:011d}",
            explicit=bool(i % 2), popularity=i % 100,
            cover_url=f"https://coverartarchive.org/release/{mbid(1, album)}/front",
            mb_recording_id=mbid(0, i), mb_release_id=mbid(1, album), mb_release_group_id=mbid(2, album),
            mb_artist_ids=(mbid(3, artist),), spotify_track_id=f"{i * 6364136223846793005 % 62**12:022d}",
            spotify_album_id=f"{album:022d}", spotify_artist_ids=(f"{artist:022d}",), sources=SOURCES,
        )  # fmt: skip


SOURCES = dict.fromkeys(
    ("title", "artist", "artists", "album", "album_artist", "track_number", "disc_number", "duration_ms", "isrc",
     "release_date", "original_date", "genres", "label", "catalog_number", "barcode"), "musicbrainz",
) | {"explicit": "spotify", "popularity": "spotify", "cover_url": "musicbrainz"}  # fmt: skip


def mbid(kind: int, number: int) -> str:
    """Return an id without a pattern, so that it compresses no better than a real one."""
    mixed = (number * 4 + kind + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)
    text = f"{mixed:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


def fill(path: Path, rows: int) -> None:
    with Database(path) as database:
        for first in range(1, rows + 1, AT_ONCE):
            last = min(first + AT_ONCE, rows + 1)
            database.write_now(lambda c: enriched.save(c, tracks(first, last), 1.7e9))  # noqa: B023
            print(f"{last - 1:,} of {rows:,} rows made", end="\r", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def measure(way: str, database: Path, out: Path) -> tuple[float, float, int]:
    """Run a child process; return its seconds, highest RSS in MB, and bytes written."""
    command = [sys.executable, "-c", MEASURED, way, str(database), str(out)]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    seconds, rss = json.loads(ended.stdout)
    size = out.stat().st_size
    out.unlink()
    return seconds, rss, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soulspot-bench-") as folder:
        database = Path(folder) / "soulspot.db"
        fill(database, asked.rows)
        found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in WAYS}
        for _ in range(asked.repeat):
            for name, way in WAYS.items():
                found[name].append(measure(way, database, Path(folder) / f"out.{way}"))
    medians = {name: statistics.median(seconds for seconds, _, _ in runs) for name, runs in found.items()}
    naive = next(iter(medians.values()))
    print("| way | rows/s | beside the least | highest RSS (MB) | file (MB) |\n|---|---:|---:|---:|---:|")
    for name, runs in found.items():
        rss, size = max(rss for _, rss, _ in runs), runs[0][2]
        print(
            f"| {name} | {asked.rows / medians[name]:,.0f} | {naive / medians[name]:.2f} | {rss:.0f} | {size / 1e6:,.0f} |"
        )


if __name__ == "__main__":
    main()
