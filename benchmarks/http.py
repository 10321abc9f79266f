"""Time of a page of the track list, and the cost of event streams for the work they report.

    python -m benchmarks.http [--tracks 100000] [--requests 200] [--clients 50] [--decided 6000]

The server, its database and the work run in this process, the clients in another one."""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from soulspot.assembly import open_service
from soulspot.config.loading import make_config
from soulspot.models import EnrichedTrack, Status, TrackTags
from soulspot.operations.runner import Operations
from soulspot.pipeline.service import EnrichmentService
from soulspot.store import enriched, tracks
from soulspot.telemetry import configure_logging
from soulspot.web.app import make_application
from soulspot.web.server import serve

NOBODY = "http://127.0.0.1:9"  # the services; none is asked
STATUSES = [Status.ACCEPTED] * 90 + [Status.REVIEW] * 5 + [Status.UNMATCHED] * 4 + [Status.FAILED]
AT_ONCE = 500

_CLIENTS = """
import asyncio, sys, aiohttp
async def one(client, url):
    async with client.get(url) as answer:
        async for _ in answer.content.iter_any():
            pass
async def main(url, count):
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as client:
        await asyncio.gather(*(one(client, url) for _ in range(count)))
asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http")
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200, help="of each kind of page")
    parser.add_argument("--clients", type=int, default=50, help="event streams at once")
    parser.add_argument("--decided", type=int, default=6_000, help="tracks decided with and without them")
    options = parser.parse_args(arguments)
    configure_logging("console", "error")
    with tempfile.TemporaryDirectory(prefix="soulspot-http-") as folder:
        print(asyncio.run(measure(Path(folder), options.tracks, options.requests, options.clients, options.decided)))


async def measure(folder: Path, count: int, requests: int, clients: int, decided: int) -> str:
    """Run both parts and return their tables."""
    async with serving(folder) as (service, address):
        words = await fill(service, count)
        lines = [f"{count:,} tracks, {requests} pages of each kind", "", "| page | p50 ms | p95 ms | worst ms |",
                 "|---|---:|---:|---:|"]  # fmt: skip
        for name, times in (await pages(address, count, requests, words)).items():
            ranks = statistics.quantiles(times, n=20)
            lines.append(f"| {name} | {ranks[9]:.1f} | {ranks[18]:.1f} | {max(times):.1f} |")
        lines += ["", f"| {decided:,} tracks decided | tracks/s | beside none |", "|---|---:|---:|"]
        rates: dict[int, list[float]] = {0: [], clients: []}
        for turn in range(3):
            for listeners, found in rates.items():
                found.append(await deciding(service, address, decided, listeners, f"{turn}-{listeners}"))
        alone = max(rates[0])  # the best of the rounds: what disturbs only slows down
        for listeners, found in rates.items():
            rate = max(found)
            lines.append(f"| {listeners} clients listen | {rate:,.0f} | {rate / alone:.2f} |")
    return "\n".join(lines)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[EnrichmentService, str]]:
    config = make_config({
        "database.path": str(folder / "soulspot.db"), "providers.musicbrainz.contact": "benchmarks@example.org",
        "providers.musicbrainz.base_url": NOBODY, "providers.listenbrainz.base_url": NOBODY,
        "providers.listenbrainz.labs_url": NOBODY,
    })  # fmt: skip
    async with open_service(config, work=False) as service:
        operations = Operations(service)
        application = make_application(service, operations, ready=lambda: True, version="benchmark")
        async with serve(application, "127.0.0.1", 0) as address:
            yield service, address
        await operations.stop()


async def fill(service: EnrichmentService, count: int) -> list[str]:
    """Write invented rows into the database; return words that occur in them."""
    rng = random.Random(7)
    letters = "aeioubcdfghklmnprstvw"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(8_000)]

    def name(length: int) -> str:
        return " ".join(words[int(len(words) * rng.random() ** 2)] for _ in range(length))

    for start in range(1, count + 1, AT_ONCE):
        rows = [
            EnrichedTrack(
                number, f"/music/{number}.flac".encode(), None, rng.choice(STATUSES), 0.97, title=name(3),
                artist=(artist := name(2)), artists=(artist,), album=name(2), album_artist=artist, genres=("rock",),
                sources={"title": "musicbrainz", "artist": "musicbrainz"},
            )
            for number in range(start, min(start + AT_ONCE, count + 1))
        ]  # fmt: skip
        await service.database.write(lambda c: enriched.save(c, rows, 0.0))  # noqa: B023 - awaited here
    return words


async def pages(address: str, count: int, requests: int, words: Sequence[str]) -> dict[str, list[float]]:
    """Return the milliseconds of each request by kind of page, at random places of the list."""
    rng = random.Random(8)

    def after() -> str:
        return str(rng.randrange(count))

    kinds = {
        "any": lambda: {"after": after()},
        "largest": lambda: {"after": after(), "limit": "200"},
        "of a common status": lambda: {"after": after(), "status": "accepted"},
        "of a rare status": lambda: {"after": after(), "status": "failed"},
        "one letter": lambda: {"after": after(), "query": rng.choice("abcdefghiklmnoprstuvw")},
        "a word": lambda: {"after": after(), "query": rng.choice(words)},
        "two words": lambda: {"after": after(), "query": f"{rng.choice(words)[:2]} {rng.choice(words)[:3]}"},
        "a letter among failed": lambda: {"after": after(), "query": rng.choice("abcde"), "status": "failed"},
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    async with aiohttp.ClientSession(address) as client:
        for _ in range(requests):
            for name, query in kinds.items():
                began = time.perf_counter()
                async with client.get("/api/v1/tracks", params=query()) as answer:
                    await answer.read()
                found[name].append((time.perf_counter() - began) * 1000)
                if answer.status != 200:
                    sys.exit(f"{name}: HTTP status {answer.status}")
    return found


async def deciding(service: EnrichmentService, address: str, count: int, clients: int, round_: str) -> float:
    """Return the tracks decided a second, an event each, while so many clients listen."""
    rows = [
        tracks.ImportedTrack(f"{round_}-{number}", TrackTags(album=f"{round_} {number}")) for number in range(count)
    ]
    await service.database.write(lambda c: tracks.save_imported(c, rows, time.time()))
    process = None
    if clients:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _CLIENTS, f"{address}/api/v1/events", str(clients)
        )
        await asyncio.sleep(2.0)  # until they are there
    began = time.perf_counter()
    await service.decide_new()
    taken = time.perf_counter() - began
    if process:
        process.kill()
        await process.wait()
    return count / taken


if __name__ == "__main__":
    main()
