"""Release messages of a large library: `python -m benchmarks.ddex`.

    python -m benchmarks.ddex [--releases 10000] [--tracks 12] [--processes 2]
                              [--schema PATH] [--json]

Prints releases a second and peak memory. An invented library goes through `export_releases`, which
`soulspot export --format ddex` calls too. Each message is checked with the official schema, and
each run is a process of its own, whose memory the kernel reports. One release in a thousand lacks
an ISRC. The schema is that of --schema, or of the shared data (SOULSPOT_SHARED); without it nothing
is validated, and the table says so."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random

from soulspot.export.ddex.library import export_releases
from soulspot.export.ddex.settings import ErnSettings
from soulspot.models import EnrichedTrack, Status
from soulspot.store import enriched
from soulspot.store.database import Database

SETTINGS = ErnSettings(
    sender="PADPIDA2013042401U", sender_name="Sender", recipient="PADPIDA2009101501Y", recipient_name="Recipient",
    deals=({},),
)  # fmt: skip
LACKING = 1_000  # one release in so many lacks an ISRC
_CHUNK = 10_000  # rows written at a time


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of one run. `rss_mb` is the memory of the process that assigns the work,
    `worker_rss_mb` that of the largest worker. `cpu_ms` is the processor time of a release in all
    processes together, which does not depend on other work on the machine."""

    releases: int
    processes: int
    written: int
    failed: int
    validated: bool
    seconds: float
    rate: float
    cpu_ms: float
    rss_mb: float
    worker_rss_mb: float


def library(releases: int, tracks: int, seed: int = 1) -> Iterator[EnrichedTrack]:
    """Yield the rows of an invented library, with the tracks of a release far apart."""
    rng = Random(seed)
    for number in range(tracks):
        for release in range(releases):
            name = f"Artist {release % 997}"
            lacks = release % LACKING == 0 and number == 0
            yield EnrichedTrack(
                number * releases + release + 1, None, None, Status.ACCEPTED, 1.0,
                title=f"Song {number} of {release}", artist=f"{name} feat. Guest {number}",
                artists=(name, f"Guest {number}"), album=f"Album {release}", album_artist=name,
                track_number=number % 10 + 1, disc_number=number // 10 + 1,
                duration_ms=rng.randrange(120_000, 360_000),
                isrc=None if lacks else f"QZ{release % 1000:03d}{number:02d}{release:05d}",
                release_date=f"{1970 + release % 50}-05-01", genres=("pop", "rock"), label=f"Label {release % 101}",
                mb_release_id=f"00000000-0000-4000-8000-{release:012d}",
            )  # fmt: skip


def fill(path: Path, rows: Iterator[EnrichedTrack]) -> None:
    """Write the rows of an invented library into a new database."""
    with Database(path) as database:
        while chunk := list(islice(rows, _CHUNK)):
            database.write_now(lambda c, chunk=chunk: enriched.save(c, chunk, 1_700_000_000.0))


def run_once(database: Path, out: Path, schema: Path | None, processes: int) -> Measured:
    """Export a library within this process and its workers, and measure it."""
    report = asyncio.run(export_releases(database, out, SETTINGS, schema=schema, processes=processes))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own, theirs = (round(one.ru_maxrss * 1024 / 1e6, 1) for one in used)
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    rate, cpu_ms = round(report.releases / report.seconds, 1), round(cpu / report.releases * 1000, 2)
    return Measured(
        report.releases, processes, report.written, report.failed, report.validated, report.seconds,
        rate, cpu_ms, own, theirs,
    )  # fmt: skip


def measure(releases: int, tracks: int, processes: int, schema: Path | None) -> Measured:
    """Fill a new database and export it in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="soulspot-ddex-") as folder:
        database = Path(folder) / "soulspot.db"
        fill(database, library(releases, tracks))
        arguments = [str(database), str(Path(folder) / "out"), str(schema or ""), str(processes)]
        ended = subprocess.run(
            [sys.executable, "-m", "benchmarks.ddex", "--run", *arguments],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return Measured(**json.loads(ended.stdout))


def table(measured: Sequence[Measured]) -> str:
    """Return the runs as a Markdown table."""
    base = {one.releases: one.rate for one in measured if one.processes == 1}
    names = ("releases", "processes", "releases/s", "beside one process", "CPU a release", "not written", "peak RSS",
             "largest worker")  # fmt: skip
    lines = [f"| {' | '.join(names)} |",
             "|---:|---:|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for one in measured:
        beside = f"{one.rate / base[one.releases]:.2f}" if one.releases in base else ""
        worker = f"{one.worker_rss_mb:.0f} MB" if one.processes > 1 else ""
        lines.append(
            f"| {one.releases:,} | {one.processes} | {one.rate:,.0f} | {beside} | {one.cpu_ms:.1f} ms | {one.failed} |"
            f" {one.rss_mb:.0f} MB | {worker} |"
        )
    valid = all(one.validated for one in measured)
    lines.append("" if valid else "\nNot validated: there is no schema (--schema PATH).")
    return "\n".join(lines)


def _schema() -> Path | None:
    shared = Path(os.environ.get("SOULSPOT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    place = shared / "data" / "ddex"
    return place if place.is_dir() else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ddex", description=__doc__.partition("\n")[0])
    parser.add_argument("--releases", type=int, default=10_000)
    parser.add_argument("--tracks", type=int, default=12, help="of a release")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--schema", type=Path, default=_schema())
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        database, out, schema, processes = asked.run
        made = run_once(Path(database), Path(out), Path(schema) if schema else None, int(processes))
        print(json.dumps(asdict(made)))
        return
    plan = [(max(1, asked.releases // 10), 1), (asked.releases, 1), (asked.releases, asked.processes)]
    measured = [measure(releases, asked.tracks, processes, asked.schema) for releases, processes in plan]
    print(json.dumps([asdict(one) for one in measured]) if asked.json else table(measured))


if __name__ == "__main__":
    main()
