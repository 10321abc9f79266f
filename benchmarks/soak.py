"""A daemon under load for minutes, watched: `python -m benchmarks.soak`.

    python -m benchmarks.soak [--minutes 20] [--seed 1] [--json]

A real daemon works on a library whose files appear, change, move and vanish, over the sandbox
servers with random faults: 429, 500, 502 and 503, cut connections, malformed and slow answers.
Meanwhile files are imported and exported, tracks reviewed, pages read, event streams opened and
left, and the configuration read again. Memory, handles, threads and files are sampled every ten
seconds. Then the faults end, the work is drained, and the books are balanced: every file and row
has its track, every lookup is answered, every event was heard once, every operation has ended.

Prints one row a minute and a verdict. Ends with 1 when something grows or is not accounted for."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import aiohttp

from benchmarks.soaking.books import unbalanced
from benchmarks.soaking.load import Load
from benchmarks.soaking.samples import MB, Growth, Sample, by_minute, growth, held_by
from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from tests.support.flow import rows, settings, write_config
from tests.support.lives import Life

EVERY = 10.0  # seconds between two samples
WARM_UP = 0.3  # of the samples: caches fill
FLAT = 20.0  # MB an hour, beyond twice the error of the line
MORE_HANDLES = 8  # at rest after the load than before it: connections to the services stay open
DRAINED_WITHIN = 600.0  # seconds
RECORDINGS = 12_000


@dataclass(frozen=True, slots=True)
class Soaked:
    """The samples of one run, what was done meanwhile, and what is not as it should be."""

    samples: list[Sample]
    done: dict[str, int]
    rss: Growth
    handles: tuple[int, int]
    faults: list[str]


class Watch:
    """Looks at a daemon every ten seconds."""

    def __init__(self, life: Life, database: Path, sandbox: Sandbox) -> None:
        self.samples: list[Sample] = []
        self._life, self._database, self._sandbox = life, database, sandbox
        self._began = time.monotonic()

    async def run(self) -> None:
        """Sample until this is cancelled."""
        async with aiohttp.ClientSession(await self._life.address) as client:
            while True:
                await asyncio.sleep(EVERY)
                async with client.get("/api/v1/status") as answer:
                    status = await answer.json()
                self.samples.append(await asyncio.to_thread(self._sample, status))

    def _sample(self, status: dict[str, Any]) -> Sample:
        held = held_by(self._life.process.pid)
        sizes = [
            path.stat().st_size / MB if (path := Path(f"{self._database}{end}")).exists() else 0.0
            for end in ("", "-wal")
        ]
        lookups = status["lookups"].values()
        return Sample(
            time.monotonic() - self._began, held.rss, held.children_rss, held.children, held.threads, held.handles,
            *sizes, status["tracks"]["total"],
            sum(found.get(state, 0) for found in lookups for state in ("pending", "leased")), len(self._sandbox.requests),
        )  # fmt: skip


async def soak(folder: Path, minutes: float, seed: int) -> Soaked:
    """Run a daemon in `folder` under load for some minutes, drain it, and look at its books."""
    catalogue = await asyncio.to_thread(invent_catalogue, seed, RECORDINGS)
    music, database = folder / "music", folder / "soulspot.db"
    music.mkdir()
    async with Sandbox(catalogue, Behaviour(limits=False, lb_limit=1_000_000, seed=seed)) as sandbox:
        await asyncio.to_thread(sandbox.warm)
        config = settings(
            sandbox, database, library__paths=[str(music)], library__rescan_interval=60, export__covers__enabled=True,
            retry__base=2, retry__cap=20,
            **{f"providers__{name}__timeout": 4 for name in ("musicbrainz", "spotify", "listenbrainz")},
        )  # fmt: skip
        life = Life(await _daemon(write_config(folder / "config.toml", config), folder))
        load = Load(folder, catalogue, sandbox, life, config, seed)
        load.appear()
        watch = Watch(life, database, sandbox)
        watching = asyncio.create_task(watch.run())
        try:
            await life.rest(database, DRAINED_WITHIN)
            before = held_by(life.process.pid).handles
            with suppress(TimeoutError):
                async with asyncio.timeout(minutes * 60):
                    await load.run()
            load.calm()
            loaded = len(watch.samples)
            faults = await _drain(life, load, database)
            samples = watch.samples[:]
            after = held_by(life.process.pid).handles
        finally:
            watching.cancel()
            code = await life.end(signal.SIGTERM)
        faults += [f"the daemon ended with {code}: {life.last[-1]}"] if code else []
    faults += unbalanced(database, load.files, load.keys, load.heard)
    return _judged(samples, loaded, load, (before, after), faults)


async def _daemon(config: Path, folder: Path) -> asyncio.subprocess.Process:
    """Start a daemon from scratch: a fork would share pages with this process and count them."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SOULSPOT_")}
    environment["SOULSPOT_DAEMON__ALLOW_ROOT"] = "true"  # a benchmark may run as root
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "soulspot", "daemon", "--config", str(config), env=environment, cwd=folder, stdout=pipe,
        stderr=pipe,
    )  # fmt: skip


async def _drain(life: Life, load: Load, database: Path) -> list[str]:
    """Let the daemon see the last changes and answer everything, then hear its last events."""
    faults = []
    async with aiohttp.ClientSession(await life.address) as client:
        async with client.post("/api/v1/scan", json={"paths": []}) as answer:
            answer.raise_for_status()
        if not await life.rest(database, DRAINED_WITHIN):
            faults.append(f"the work was not drained within {DRAINED_WITHIN:g} seconds")
        (newest,) = await asyncio.to_thread(rows, database, "SELECT max(event_id) AS number FROM events")
        with suppress(TimeoutError):
            async with asyncio.timeout(30):
                await load.hear_until(client, newest["number"])
    # streams that were left are noticed by their next write
    await asyncio.sleep(EVERY)
    return faults


def _judged(samples: list[Sample], loaded: int, load: Load, handles: tuple[int, int], faults: list[str]) -> Soaked:
    # the drain is other work than the load, and says nothing of its growth
    warm = by_minute(samples[int(WARM_UP * loaded) : loaded])
    rss = Growth(0.0, 0.0)
    if len(warm) > 2:
        rss = growth([fmean(one.at for one in m) for m in warm], [fmean(one.rss for one in m) for m in warm])
    if rss.exceeds(FLAT):
        faults.append(f"memory grows by {rss.per_hour:.0f} ± {rss.error:.0f} MB an hour")
    if handles[1] > handles[0] + MORE_HANDLES:
        faults.append(f"{handles[1]} handles are open at rest, {handles[0]} were before the load")
    return Soaked(samples, dict(load.done), rss, handles, faults)


COLUMNS: dict[str, Callable[[list[Sample]], str]] = {
    "minute": lambda m: f"{int(m[0].at // 60) + 1}",
    "RSS (MB)": lambda m: f"{fmean(one.rss for one in m):.1f}",
    "of children": lambda m: f"{fmean(one.children_rss for one in m):.1f}",
    "threads": lambda m: f"{max(one.threads for one in m)}",
    "handles": lambda m: f"{max(one.handles for one in m)}",
    "database (MB)": lambda m: f"{m[-1].database:.1f}",
    "highest WAL": lambda m: f"{max(one.wal for one in m):.1f}",
    "tracks": lambda m: f"{m[-1].tracks:,}",
    "waiting lookups": lambda m: f"{m[-1].waiting:,}",
    "requests": lambda m: f"{m[-1].requests:,}",
}


def report(soaked: Soaked) -> str:
    """Return one row a minute, what was done, and the verdict, in Markdown."""
    lines = [list(COLUMNS), ["---:"] * len(COLUMNS)]
    lines += [[show(minute) for show in COLUMNS.values()] for minute in by_minute(soaked.samples)]
    done = ", ".join(f"{name} {count:,}" for name, count in sorted(soaked.done.items()))
    verdict = (
        f"Memory after the warm-up: {soaked.rss.per_hour:+.1f} ± {soaked.rss.error:.1f} MB an hour. Handles at rest: "
        f"{soaked.handles[0]} before the load, {soaked.handles[1]} after it."
    )
    faults = [f"- {fault}" for fault in soaked.faults] or ["The books are balanced; nothing grows."]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", f"Done: {done}.", "", verdict, "", *faults])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak, print its table, and return 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soulspot-soak-") as folder:
        soaked = asyncio.run(soak(Path(folder), options.minutes, options.seed))
    print(json.dumps(asdict(soaked), indent=1) if options.json else report(soaked))
    return 1 if soaked.faults else 0


if __name__ == "__main__":
    sys.exit(main())
