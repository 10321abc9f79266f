"""A folder of thousands of tracks with one album name: `python -m benchmarks.folder`.

    python -m benchmarks.folder [--tracks 6666] [--catalogue 14000] [--seed 1]
                                [--mode extended|development|none] [--json]

Prints peak memory and time. A folder "Music" with everything ever downloaded is the largest album
that SoulSpot can meet. The files are header-only audio of an invented catalogue's recordings.
`soulspot enrich` works on them as a process of its own, over the sandbox without the public limits.
The kernel reports its peak memory."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from random import Random
from typing import Any

from benchmarks.libraries.making import Maker
from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import PlannedFile, write_library

ALBUM = "Music"
_UNHURRIED = 1000.0  # requests a second
PEAK = "peak"  # a file: the most memory that the process had, in KiB
AND_ITS_PEAK = f"""
import atexit, pathlib, re
status = pathlib.Path("/proc/self/status")
write = pathlib.Path({PEAK!r}).absolute().write_text
atexit.register(lambda: write(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]))
from soulspot.cli.main import main
main()
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of one run: `tracks` by status, the `right` ones of those accepted, and the
    highest RSS of the process in `rss_mb` (10^6 bytes)."""

    code: int
    tracks: dict[str, int]
    right: int
    requests: dict[str, int]
    seconds: float
    rss_mb: float


def one_folder(catalogue: Catalogue, count: int, seed: int, *, album: str = ALBUM) -> list[PlannedFile]:
    """Return `count` loose recordings as files of one folder and one album name."""
    labelled = Maker(catalogue, Random(f"folder {seed}")).loose(count)
    folder = PurePosixPath(album)
    return [
        replace(
            one.file,
            path=folder / f"{number:05} {one.file.path.name}",
            tags=replace(one.file.tags, album=album, album_artist=None),
        )
        for number, one in enumerate(labelled)
    ]


def settings(sandbox: Sandbox, database: Path, mode: str) -> dict[str, str]:
    """Return the environment of a process that uses the sandbox without any rate limit."""
    values: dict[str, Any] = {
        "database__path": database,
        "providers__musicbrainz__base_url": sandbox.musicbrainz_url,
        "providers__musicbrainz__contact": "bench@example.org",
        "providers__musicbrainz__rate": _UNHURRIED,
        "providers__listenbrainz__base_url": sandbox.listenbrainz_url,
        "providers__listenbrainz__labs_url": sandbox.labs_url,
        "providers__listenbrainz__rate": _UNHURRIED,
        "providers__spotify__enabled": str(mode != "none").lower(),
        "providers__spotify__base_url": sandbox.spotify_url,
        "providers__spotify__token_url": sandbox.token_url,
        "providers__spotify__client_id": "bench",
        "providers__spotify__client_secret": "bench",
        "providers__spotify__rate": _UNHURRIED,
        "providers__spotify__daily_budget": 1_000_000,
    }
    mine = {f"SOULSPOT_{name.upper()}": str(value) for name, value in values.items()}
    return {key: value for key, value in os.environ.items() if not key.startswith("SOULSPOT_")} | mine


async def measure(catalogue: Catalogue, files: Sequence[PlannedFile], folder: Path, mode: str) -> Measured:
    """Write the files below `folder` and enrich them in a child process.

    The peak is polled from the child: its `ru_maxrss` would be at least the memory of this
    process."""
    music = folder / "music"
    written = await asyncio.to_thread(write_library, files, music, header_only=True)
    truth = {os.fsencode(one.path): one.recording_mbid for one in written}
    behaviour = Behaviour(limits=False, spotify_mode="development" if mode == "development" else "extended")
    async with Sandbox(catalogue, behaviour) as sandbox:
        await asyncio.to_thread(sandbox.warm)
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", AND_ITS_PEAK, "enrich", str(music), "--wait", "5", "--json",
            env=settings(sandbox, folder / "soulspot.db", mode), cwd=folder, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        seconds = time.perf_counter() - began
        requests = Counter(request.service for request in sandbox.requests)
    rows = await asyncio.to_thread(_rows, folder / "soulspot.db")
    return Measured(
        process.returncode or 0,
        json.loads(out)["tracks"],
        sum(mbid is not None and truth[path] == mbid for path, mbid in rows),
        dict(requests),
        round(seconds, 1),
        round(int((folder / PEAK).read_text()) * 1024 / 1e6, 1),
    )


def _rows(database: Path) -> list[tuple[bytes, str | None]]:
    from soulspot.store.database import Database

    connection = Database.open_read_only(database)
    try:
        return connection.execute("SELECT path, mb_recording_id FROM enriched_tracks").fetchall()
    finally:
        connection.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folder", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--tracks", type=int, default=6666)
    parser.add_argument("--catalogue", type=int, default=14_000, help="ordinary recordings in the catalogue")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", choices=("extended", "development", "none"), default="extended")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    catalogue = invent_catalogue(options.seed, options.catalogue)
    files = one_folder(catalogue, options.tracks, options.seed)
    with tempfile.TemporaryDirectory(prefix="soulspot-folder-") as folder:
        measured = asyncio.run(measure(catalogue, files, Path(folder), options.mode))
    if options.json:
        print(json.dumps(asdict(measured), indent=1))
        return
    print("| tracks | Spotify | accepted | right | requests | seconds | highest RSS (MB) |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    cells = [
        options.tracks, options.mode, measured.tracks.get("accepted", 0), measured.right, sum(measured.requests.values()),
        measured.seconds, measured.rss_mb,
    ]  # fmt: skip
    print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
