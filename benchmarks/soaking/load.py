"""The load of a soak: a library that changes, people and programs at the API, services that fail.

Each part is an endless coroutine; `Load.run` runs all of them until it is cancelled."""

from __future__ import annotations

import asyncio
import csv
import io
import random
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from itertools import chain, count, cycle, islice
from pathlib import Path, PurePosixPath
from typing import Any, get_args

import aiohttp

from soulspot.sandbox import Catalogue, Faults, Sandbox
from soulspot.sandbox.library.sample import PlannedFile, Style, plan_every_recording, plan_sample_library, write_library
from soulspot.sandbox.servers.behaviour import SERVICES, Malformed
from tests.support.flow import write_config
from tests.support.lives import Life

STYLES = (
    (Style.IDS, ".mp3"),
    (Style.ISRC, ".flac"),
    (Style.TEXT, ".mp3"),
    (Style.SPOTIFY, ".ogg"),
    (Style.LONE, ".m4a"),
)
AT_ONCE = 40  # files that appear together
ROWS = 200  # of an import
EXPORTS = ("csv", "json", "ndjson", "sqlite", "parquet")


class Load:
    """Loads one daemon. `files` and `keys` are what its database must account for at the end."""

    def __init__(
        self, folder: Path, catalogue: Catalogue, sandbox: Sandbox, life: Life, config: Mapping[str, Any], seed: int
    ) -> None:
        self.files: dict[Path, PlannedFile] = {}
        self.keys: set[str] = set()
        self.done = Counter[str]()  # actions by name
        self.heard: list[int] = []  # ids of events, by the client that always returns
        self._music, self._config_file = folder / "music", folder / "config.toml"
        self._catalogue, self._sandbox, self._life, self._config = catalogue, sandbox, life, config
        self._rng = random.Random(f"soak {seed}")
        self._planned = _planned(catalogue, seed)

    async def run(self) -> None:
        """Load the daemon until this is cancelled. An action that fails ends it with the error."""
        async with aiohttp.ClientSession(await self._life.address) as client, asyncio.TaskGroup() as group:
            for part in (self._change_files, self._reload, self._fail):
                group.create_task(part())
            for with_client in (
                self._import, self._export, self._review, self._read, self._watch_events, self._return_to_events,
            ):  # fmt: skip
                group.create_task(with_client(client))

    # --- the library ------------------------------------------------------------------------------

    async def _change_files(self) -> None:
        while True:
            await asyncio.to_thread(self.appear)
            await self._pause(1, 3)
            change = self._rng.choice((self._retag, self._vanish, self._move))
            await asyncio.to_thread(change)
            await self._pause(0.5, 2)

    def appear(self) -> None:
        """Write the next files into the library."""
        self._write(list(islice(self._planned, AT_ONCE)))
        self.done["files appeared"] += AT_ONCE

    def _retag(self) -> None:
        for path in self._some(8):
            old = self.files[path]
            if old.content is None:
                self._write(
                    [replace(old, tags=replace(old.tags, title=f"{old.tags.title} ({self._rng.random():.3f})"))]
                )
                self.done["files changed"] += 1

    def _vanish(self) -> None:
        for path in self._some(8):
            path.unlink()
            del self.files[path]
            self.done["files vanished"] += 1

    def _move(self) -> None:
        for path in self._some(8):
            old = self.files.pop(path)
            new = path.with_name(f"{self._rng.randrange(10**9):09} {path.name[-20:]}")
            path.rename(new)
            self.files[new] = replace(old, path=PurePosixPath(new.relative_to(self._music)))
            self.done["files moved"] += 1

    def _write(self, planned: list[PlannedFile]) -> None:
        write_library(planned, self._music, header_only=True)
        self.files |= {self._music / one.path: one for one in planned}

    def _some(self, most: int) -> list[Path]:
        return self._rng.sample(sorted(self.files), min(most, len(self.files)))

    # --- people and programs ----------------------------------------------------------------------

    async def _import(self, client: aiohttp.ClientSession) -> None:
        recordings = cycle(one for one in self._catalogue.recordings if one.title)
        for batch in count():
            text = io.StringIO()
            rows = csv.writer(text)
            rows.writerow(("key", "title", "artist", "mb_recording_id"))
            # a quarter are rows of before, with another title
            for number in range(batch * ROWS - ROWS // 4, batch * ROWS + ROWS * 3 // 4):
                one = next(recordings)
                rows.writerow((f"row {max(number, 0)}", one.title, one.artist, one.mbid if number % 3 else ""))
                self.keys.add(f"row {max(number, 0)}")
            await self._post(client, "import?name=rows.csv", data=text.getvalue().encode())
            await self._pause(5, 20)

    async def _export(self, client: aiohttp.ClientSession) -> None:
        while True:
            started = await self._post(client, "export", json={"format": self._rng.choice(EXPORTS)})
            await self._ended(client, started["url"])
            async with client.get(f"{started['url']}/file") as answer:
                async for _ in answer.content.iter_chunked(1 << 16):
                    pass
            await self._pause(10, 40)

    async def _review(self, client: aiohttp.ClientSession) -> None:
        while True:
            page = await self._get(client, "/api/v1/review?limit=20")
            for track in self._rng.sample(page["review"], min(3, len(page["review"]))):
                number = track["track_id"]
                async with client.get(f"/api/v1/review/{number}") as answer:
                    candidates = (await answer.json()).get("candidates", []) if answer.ok else []
                if not candidates:
                    continue
                body = {name: candidates[0][name] for name in ("provider", "entity_id")}
                verb = self._rng.choice(("accept", "accept", "reject"))
                await self._post(client, f"review/{number}/{verb}", may_be_late=True, json=body)
                if self._rng.random() < 0.5:
                    await self._post(client, f"review/{number}/undo", may_be_late=True, json={})
            await self._pause(1, 4)

    async def _read(self, client: aiohttp.ClientSession) -> None:
        paths = ("/", "/metrics", "/api/v1/status", "/api/v1/activity", "/api/v1/tracks?query=a&limit=200",
                 "/api/v1/tracks?status=accepted", "/api/v1/operations", "/readyz")  # fmt: skip
        while True:
            path = self._rng.choice(paths)
            async with client.get(path) as answer:
                await answer.read()
            self.done["pages read" if answer.ok else f"{answer.status} for {path}"] += 1
            await self._pause(0.1, 0.6)

    async def _watch_events(self, client: aiohttp.ClientSession) -> None:
        """Open streams of events and leave them at any moment, some without reading."""
        while True:
            async with AsyncExitStack() as streams:
                for _ in range(self._rng.randint(1, 5)):
                    await streams.enter_async_context(client.get("/api/v1/events"))
                    self.done["event streams"] += 1
                await self._pause(1, 8)

    async def _return_to_events(self, client: aiohttp.ClientSession) -> None:
        """Read every event, over streams that end now and then and begin where they ended."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rng.uniform(10, 40)):
                    await self.hear(client)
            self.done["returns to the events"] += 1

    async def hear(self, client: aiohttp.ClientSession) -> None:
        """Read events from the last one that was heard on, until the stream ends."""
        last = str(self.heard[-1] if self.heard else 0)
        async with client.get("/api/v1/events", params={"last_event_id": last}) as stream:
            async for line in stream.content:
                if line.startswith(b"id:"):
                    self.heard.append(int(line[3:]))

    async def _reload(self) -> None:
        while True:
            await self._pause(20, 40)
            changed = {"providers.musicbrainz.batch_size": self._rng.randint(20, 100),
                       "providers.listenbrainz.batch_size": self._rng.randint(100, 1000),
                       "matching.accept": self._rng.choice((0.85, 0.9))}  # fmt: skip
            # the accept limit decides every track again, which is for every fourth reload
            if self._rng.random() < 0.75:
                del changed["matching.accept"]
            write_config(self._config_file, {**self._config, **changed})
            self._life.process.send_signal(signal.SIGHUP)
            self.done["reloads"] += 1

    # --- the services -----------------------------------------------------------------------------

    async def _fail(self) -> None:
        """Let half of the services fail in their own ways for some seconds, then none."""
        while True:
            for name in self._rng.sample(SERVICES, len(SERVICES) // 2):
                setattr(self._sandbox.behaviour, name, self._faults())
            self.done["storms"] += 1
            await self._pause(5, 15)
            self.calm()
            await self._pause(5, 15)

    def _faults(self) -> Faults:
        kind = self._rng.choice(("none", "error", "drop", "malformed", "slow", "everything"))
        share = self._rng.choice((0.05, 0.1, 0.3))

        def share_of(fault: str) -> float:
            return share if kind == fault else share / 4 if kind == "everything" else 0.0

        return Faults(
            latency=self._rng.choice((0.0, 0.05)), slow_share=share_of("slow"), slow_seconds=8.0,
            drop_share=share_of("drop"), error_share=share_of("error"), error_status=self._rng.choice((429, 500, 502, 503)),
            malformed_share=share_of("malformed"), malformed=self._rng.choice(get_args(Malformed)),
            retry_after=self._rng.choice((None, "1", "2", "", "soon", "-5")),
        )  # fmt: skip

    def calm(self) -> None:
        """End every fault."""
        for name in SERVICES:
            setattr(self._sandbox.behaviour, name, Faults())

    async def hear_until(self, client: aiohttp.ClientSession, newest: int) -> None:
        """Hear events until this one, over as many streams as that takes."""
        while not self.heard or self.heard[-1] < newest:
            with suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await self.hear(client)

    # --- helpers ----------------------------------------------------------------------------------

    async def _pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self._rng.uniform(least, most))

    async def _post(
        self, client: aiohttp.ClientSession, path: str, *, may_be_late: bool = False, **how: Any
    ) -> dict[str, Any]:
        async with client.post(f"/api/v1/{path}", **how) as answer:
            if not answer.ok and not (may_be_late and answer.status in (404, 409, 422)):
                raise RuntimeError(f"POST {path}: {answer.status} {await answer.text()}")
            self.done[path.partition("?")[0].rpartition("/")[2]] += 1
            found: dict[str, Any] = await answer.json(content_type=None)
            return found

    async def _ended(self, client: aiohttp.ClientSession, url: str) -> None:
        while not (await self._get(client, url))["is_complete"]:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.5)

    @staticmethod
    async def _get(client: aiohttp.ClientSession, path: str) -> dict[str, Any]:
        async with client.get(path) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return found


def _planned(catalogue: Catalogue, seed: int) -> Iterator[PlannedFile]:
    """Yield every recording in several formats and ways of tagging, and some broken files."""
    broken = [one for one in plan_sample_library(catalogue, seed=seed, tracks=150) if one.content is not None]
    ways = (_tagged(catalogue, style, suffix) for style, suffix in STYLES)
    for number, one in enumerate(chain.from_iterable(zip(*ways, strict=False))):
        yield one
        if number % 50 == 0:
            spoilt = broken[number // 50 % len(broken)]
            yield replace(spoilt, path=PurePosixPath("broken", f"{number}{spoilt.path.suffix}"))
    raise RuntimeError("the catalogue is used up: take a larger one")


def _tagged(catalogue: Catalogue, style: Style, suffix: str) -> Iterator[PlannedFile]:
    for one in plan_every_recording(catalogue, style, suffix=suffix):
        yield replace(one, path=PurePosixPath(style.name) / one.path)
