"""`soulspot demo`: a sample library, local servers, and the real daemon code between them; then the truth is compared."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from rich.table import Table

from soulspot.assembly import open_service
from soulspot.cli.console import Bars
from soulspot.cli.tables import requests_table
from soulspot.cli.work_here import enrich_as_operation
from soulspot.config import Config, make_config
from soulspot.config.template import write_template
from soulspot.errors import ConfigError
from soulspot.models import EnrichedTrack, Status
from soulspot.operations.reports.results import EnrichReport
from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import SampleFile, write_sample_library
from soulspot.store import enriched, tracks
from soulspot.store.ownership import Ownership
from soulspot.telemetry import configure_logging
from soulspot.version import __version__
from soulspot.web.app import make_application
from soulspot.web.server import serve

HOST, USUAL_PORT = "127.0.0.1", 8753
WAIT = 5.0  # seconds within which something must be due for the demo to go on
SEED = 20
CATALOGUE_TRACKS = 3000
LOG_NAME, CONFIG_NAME = "soulspot.log", "config.toml"
MARKER = ".soulspot-demo"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One sample file beside the row it came to."""

    file: SampleFile
    row: EnrichedTrack

    @property
    def result(self) -> str:
        if self.row.status is not Status.ACCEPTED:
            return str(self.row.status)
        return "right" if self._is_right() else "wrong"

    def _is_right(self) -> bool:
        found, truth = self.row, self.file
        if found.mb_recording_id and found.mb_recording_id != truth.recording_mbid:
            return False
        if found.spotify_track_id and found.spotify_track_id not in truth.spotify_ids:
            return False
        return bool(found.mb_recording_id or found.spotify_track_id)


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What the demo came to, judged by the catalogue that the sample library was made from."""

    judgements: Sequence[Judgement]
    report: EnrichReport
    database: Path
    library: Path

    @property
    def wrong(self) -> list[Judgement]:
        return [one for one in self.judgements if one.result == "wrong"]

    @property
    def right(self) -> bool:
        """Nothing was accepted wrongly, and nothing was left undone."""
        return not self.wrong and self.report.complete

    def by_kind(self) -> Mapping[str, Counter[str]]:
        found: dict[str, Counter[str]] = {}
        for one in self.judgements:
            found.setdefault(one.file.kind, Counter())[one.result] += 1
        return found

    def as_json(self) -> dict[str, Any]:
        return {
            "files": len(self.judgements),
            "by_kind": {kind: dict(counts) for kind, counts in self.by_kind().items()},
            "requests": self.report.requests,
            "requests_one_per_track": self._one_per_track(),
            "right": self.right,
            "database": str(self.database),
            "library": str(self.library),
            "config": str(self.config),
        }

    @property
    def config(self) -> Path:
        """The configuration to look into it with."""
        return self.database.with_name(CONFIG_NAME)

    def _one_per_track(self) -> int:
        """A request a readable track and service: what asking for one track at a time would have cost."""
        readable = sum(1 for one in self.judgements if one.file.kind != "broken")
        return readable * len(self.report.requests)

    def tables(self) -> Iterator[Table | str]:
        """For a person: results by kind of file, requests, and where everything is."""
        results = ("right", "wrong", "review", "unmatched", "failed", "pending")
        kinds = self.by_kind()
        shown = [
            name for name in results if name == "right" or any(counts[name] for counts in kinds.values())
        ]
        table = Table(title="Files of the sample library, compared with the catalogue", title_justify="left")
        table.add_column("kind of file")
        for name in ("files", *shown):
            table.add_column(name, justify="right")
        for kind, counts in sorted(kinds.items()):
            table.add_row(kind, str(counts.total()), *(str(counts[name]) for name in shown))
        total: Counter[str] = sum(kinds.values(), Counter())
        table.add_row("all", str(total.total()), *(str(total[name]) for name in shown), style="bold")
        yield table
        yield requests_table(self.report.requests, self.report.served)
        used = sum(self.report.requests.values())
        yield f"requests used: {used}; one a track and service would have been {self._one_per_track()}"
        for one in self.wrong:
            yield f"wrong: {one.file.path} ({one.file.tag_summary})"
        yield f"library:  {self.library}"
        yield f"database: {self.database}"
        yield f"look into it: soulspot status --config {shlex.quote(os.path.relpath(self.config))}"


async def run_demo(
    folder: Path, count: int, bars: Bars, stay: Callable[[DemoReport], None] | None = None
) -> DemoReport:
    """Write the library below `folder`, serve the catalogue on loopback, and enrich, with the page to watch it.

    With `stay`, which is told the report, the page and the servers stay until this is cancelled (Ctrl-C).
    Raises ValueError when the folder holds anything that no demo has made, DatabaseOwned while another demo runs."""
    folder = _own_folder(Path(os.path.abspath(folder)))
    library, database = folder / "library", folder / "soulspot.db"
    configure_logging("json", "info", folder / LOG_NAME)
    _write_config(folder)
    bars.note(f"writing {count} audio files to {library}")
    catalogue = await asyncio.to_thread(invent_catalogue, SEED, max(CATALOGUE_TRACKS, count * 4))
    files = await asyncio.to_thread(lambda: write_sample_library(catalogue, library, seed=SEED, tracks=count))
    async with Sandbox(catalogue, Behaviour()) as sandbox:
        bars.note(
            "local MusicBrainz, ListenBrainz and Spotify servers are up, with the limits of the real ones"
        )
        config = demo_config(sandbox, library, database)
        async with open_service(config) as service:
            operations = Operations(service)
            try:
                async with _page(service, operations) as address:
                    bars.note(f"the page: {address}/")
                    report = await enrich_as_operation(service, operations, WAIT, bars)
                    rows = await _rows(service, files)
                    made = DemoReport(
                        [Judgement(file, rows[os.fsencode(file.path)]) for file in files],
                        report,
                        database,
                        library,
                    )
                    if stay:
                        bars.finish()
                        stay(made)
                        bars.note(f"the page stays at {address}/ until Ctrl-C")
                        with contextlib.suppress(asyncio.CancelledError):  # that is how it ends
                            await asyncio.Event().wait()
            finally:
                await operations.stop()
    return made


@asynccontextmanager
async def _page(service: EnrichmentService, operations: Operations) -> AsyncIterator[str]:
    """The daemon's page and API on loopback: at the usual port, or at any other where that is taken."""

    def application() -> web.Application:
        return make_application(service, operations, ready=lambda: True, version=__version__)

    async with AsyncExitStack() as stack:
        try:
            address = await stack.enter_async_context(serve(application(), HOST, USUAL_PORT))
        except ConfigError:
            address = await stack.enter_async_context(serve(application(), HOST, 0))
        yield address


def _write_config(folder: Path) -> None:
    """What other commands look into this folder with. The servers end with the demo: nobody is asked."""
    answers: dict[str, Any] = {
        "library.paths": [str(folder / "library")],
        "library.watch": False,
        "database.path": str(folder / "soulspot.db"),
        "log.file": str(folder / LOG_NAME),
    }
    off = {f"providers.{name}.enabled": False for name in ("musicbrainz", "spotify", "listenbrainz")}
    write_template(folder / CONFIG_NAME, answers | off, force=True)


def is_foreign(folder: Path) -> bool:
    """Whether somebody else's files are in this folder, which a demo would have to delete."""
    return folder.exists() and not (folder / MARKER).exists() and any(folder.iterdir())


def _own_folder(folder: Path) -> Path:
    """The folder, made or emptied of what an earlier demo left. Raises ValueError when it is somebody else's."""
    if is_foreign(folder):
        raise ValueError(f"{folder} is not empty and not of an earlier demo: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(
        "made by `soulspot demo`, which empties this folder when it runs again\n", encoding="utf-8"
    )
    with Ownership(folder / "soulspot.db"):
        shutil.rmtree(folder / "library", ignore_errors=True)
        shutil.rmtree(folder / "soulspot.db-uploads", ignore_errors=True)
        for name in ("soulspot.db", "soulspot.db-wal", "soulspot.db-shm", LOG_NAME):
            (folder / name).unlink(missing_ok=True)
    return folder


async def _rows(service: EnrichmentService, files: Sequence[SampleFile]) -> dict[bytes, EnrichedTrack]:
    paths = [os.fsencode(file.path) for file in files]
    ids = await service.database.read(lambda c: tracks.find_ids_by_path(c, paths))
    found = await service.database.read(lambda c: enriched.load(c, ids.values()))
    return {path: found[track_id] for path, track_id in ids.items()}


def demo_config(sandbox: Sandbox, library: Path, database: Path) -> Config:
    """The shipped defaults, pointed at the local servers."""
    return make_config(
        {
            "library": {"paths": [str(library)], "watch": False},
            "database": {"path": str(database)},
            "providers": {
                "musicbrainz": {"base_url": sandbox.musicbrainz_url, "contact": "demo@example.org"},
                "listenbrainz": {"base_url": sandbox.listenbrainz_url, "labs_url": sandbox.labs_url},
                "spotify": {
                    "base_url": sandbox.spotify_url,
                    "token_url": sandbox.token_url,
                    "client_id": "demo",
                    "client_secret": "demo",
                },
            },
            "export": {"covers": {"base_url": sandbox.covers_url, "spotify_url": sandbox.covers_url}},
        }
    )
