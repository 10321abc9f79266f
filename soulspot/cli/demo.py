"""`soulspot demo`: enrich a sample library against local servers, and compare with the truth."""

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
from typing import Annotated, Any

import typer
from rich.table import Table

from soulspot.assembly import open_service
from soulspot.cli.enrich import report_from_metadata, service_progress
from soulspot.cli.options import JsonOption, parse_path
from soulspot.cli.results import counts_table, requests_table
from soulspot.cli.running import INCOMPLETE, exit_on_error, refuse, run_with_bars
from soulspot.client.daemon_client import OperationFailed
from soulspot.config import Config, make_config
from soulspot.config.template import write_template
from soulspot.errors import ConfigError
from soulspot.models import EnrichedTrack, Status
from soulspot.operations.reports.results import EnrichReport
from soulspot.operations.reports.waits import WaitWatch
from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import SampleFile, write_sample_library
from soulspot.store import enriched, operations, tracks
from soulspot.store.ownership import Ownership
from soulspot.telemetry import configure_logging
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import print_answer
from soulspot.version import __version__
from soulspot.web.app import make_application
from soulspot.web.server import serve

# the default of http.listen, so that the address looks as it will for the daemon
HOST, USUAL_PORT = "127.0.0.1", 8753
WAIT = 5.0  # seconds within which something must be due for the demo to go on
# always the same library, so that two demos can be compared
SEED = 20
# at least so many, so that most files have rivals of the same name to be told from
CATALOGUE_TRACKS = 3000
DATABASE_NAME, LOG_NAME, CONFIG_NAME = "soulspot.db", "soulspot.log", "config.toml"
# a file that only a demo makes: a folder without it is never emptied
MARKER = ".soulspot-demo"


def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", parser=parse_path,
        help="Where to work; made if it is not there.")] = Path("soulspot-demo"),
    tracks: Annotated[int, typer.Option(min=20, max=5000, help="Files in the sample library.", metavar="N")] = 150,
    stay: Annotated[bool, typer.Option("--stay", help="Keep the page and the servers up until Ctrl-C.")] = False,
    # every command takes --config, so that scripts can pass it everywhere; the demo ignores it
    config: Annotated[Path | None, typer.Option("--config", "-c", hidden=True, parser=parse_path)] = None,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Do the whole job on a sample library against local servers.

    A page shows it in a browser. It needs no account, no network and no configuration. What an
    earlier demo left in FOLDER is deleted first; a folder with other files is refused.

    Example: soulspot demo --stay"""
    if folder.exists() and not folder.is_dir():
        refuse(f"{folder} is a file; name a folder for the demo to work in")
    if exit_on_error(lambda: is_foreign(folder)):
        refuse(_foreign(folder))

    def show(report: DemoReport) -> None:
        print_answer(report.as_json(), json_, *report.parts())

    async def run(bars: Bars) -> DemoReport:
        return await run_demo(folder, tracks, bars, show if stay else None)

    report = exit_on_error(lambda: run_with_bars(run, quiet=json_), folder / DATABASE_NAME)
    if not stay:
        show(report)
    if not report.is_right:
        raise typer.Exit(INCOMPLETE)


def judge(file: SampleFile, row: EnrichedTrack) -> str:
    """Return "right" or "wrong" for an accepted row, by its file's true ids; else its status."""
    if row.status is not Status.ACCEPTED:
        return str(row.status)
    truths = ((row.mb_recording_id, (file.recording_mbid,)), (row.spotify_track_id, file.spotify_ids))
    verdicts = [entity_id in truth for entity_id, truth in truths if entity_id]
    return "right" if verdicts and all(verdicts) else "wrong"


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The result of a demo, judged by the catalogue that the sample library was made from."""

    results: Mapping[str, Counter[str]]  # numbers of files by kind of file, then by verdict
    wrong: Sequence[SampleFile]  # accepted with an id of something else
    report: EnrichReport
    folder: Path

    @property
    def is_right(self) -> bool:
        """Whether nothing was accepted wrongly and nothing was left undone."""
        return not self.wrong and self.report.complete

    @property
    def config(self) -> Path:
        """The configuration with which other commands look at the demo's database."""
        return self.folder / CONFIG_NAME

    def as_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints."""
        return {
            "files": sum(counts.total() for counts in self.results.values()),
            "by_kind": {kind: dict(counts) for kind, counts in self.results.items()},
            "requests": self.report.requests,
            "requests_one_per_track": self._requests_one_per_track(),
            "right": self.is_right,
            "database": str(self.folder / DATABASE_NAME),
            "library": str(self.folder / "library"),
            "config": str(self.config),
        }

    def _requests_one_per_track(self) -> int:
        readable = sum(counts.total() for kind, counts in self.results.items() if kind != "broken")
        return readable * len(self.report.requests)

    def parts(self) -> Iterator[Table | str]:
        """Yield tables and lines for people: results by kind of file, requests, and the places."""
        total: Counter[str] = sum(self.results.values(), Counter())
        shown = ["right", *(name for name in ("wrong", "review", "unmatched", "failed", "pending") if total[name])]
        title = "Files of the sample library, compared with the catalogue"
        table = counts_table(title, "kind of file", "files", *shown)
        for kind, counts in sorted(self.results.items()):
            table.add_row(kind, str(counts.total()), *(str(counts[name]) for name in shown))
        table.add_row("all", str(total.total()), *(str(total[name]) for name in shown), style="bold")
        yield table
        yield requests_table(self.report.requests, self.report.served)
        used, without_batches = sum(self.report.requests.values()), self._requests_one_per_track()
        yield f"requests used: {used}; one a track and service would have been {without_batches}"
        for file in self.wrong:
            yield f"wrong: {file.path} ({file.tag_summary})"
        yield f"library:  {self.folder / 'library'}"
        yield f"database: {self.folder / DATABASE_NAME}"
        yield f"look into it: soulspot status --config {shlex.quote(os.path.relpath(self.config))}"


async def run_demo(
    folder: Path, count: int, bars: Bars, stay: Callable[[DemoReport], None] | None = None
) -> DemoReport:
    """Write `count` sample files below `folder`, serve the catalogue on loopback, and enrich them.

    With `stay`, the report is passed to it at the end, and the page and the servers stay up until
    this is cancelled (Ctrl-C). Raises ValueError when the folder holds anything that no demo has
    made, and DatabaseOwned while another demo runs in it."""
    folder = Path(os.path.abspath(folder))
    _clear(folder)
    library = folder / "library"
    configure_logging("json", "info", folder / LOG_NAME)
    _write_config(folder)
    bars.note(f"writing {count} audio files to {library}")
    catalogue = await asyncio.to_thread(invent_catalogue, SEED, max(CATALOGUE_TRACKS, count * 4))
    files = await asyncio.to_thread(lambda: write_sample_library(catalogue, library, seed=SEED, tracks=count))
    async with Sandbox(catalogue, Behaviour()) as sandbox:
        bars.note("local MusicBrainz, ListenBrainz and Spotify servers are up, with the limits of the real ones")
        config = demo_config(sandbox, library, folder / DATABASE_NAME)
        async with open_service(config) as service:
            operations = Operations(service)
            try:
                async with _page(service, operations) as address:
                    bars.note(f"the page: {address}/")
                    enriched_report = await _enrich(service, operations, bars)
                    report = await _compare(service, files, enriched_report, folder)
                    if stay:
                        bars.finish()
                        stay(report)
                        bars.note(f"the page stays at {address}/ until Ctrl-C")
                        # Ctrl-C is how a demo that stays is meant to end
                        with contextlib.suppress(asyncio.CancelledError):
                            await asyncio.Event().wait()
            finally:
                await operations.stop()
    return report


async def _compare(
    service: EnrichmentService, files: Sequence[SampleFile], report: EnrichReport, folder: Path
) -> DemoReport:
    paths = [os.fsencode(file.path) for file in files]
    ids = await service.database.read(lambda c: tracks.find_ids_by_path(c, paths))
    rows = await service.database.read(lambda c: enriched.load(c, ids.values()))
    results: dict[str, Counter[str]] = {}
    wrong = []
    for file, path in zip(files, paths, strict=True):
        verdict = judge(file, rows[ids[path]])
        results.setdefault(file.kind, Counter())[verdict] += 1
        wrong += [file] if verdict == "wrong" else []
    return DemoReport(results, wrong, report, folder)


async def _enrich(service: EnrichmentService, operations_: Operations, bars: Bars) -> EnrichReport:
    """Enrich the library as an operation that the page can show and cancel.

    Raises OperationFailed when the operation does not complete."""
    operation_id = await operations_.enrich(wait=WAIT)
    async with service_progress(service, WaitWatch(service), bars):
        await operations_.idle()
    found = await service.database.read(lambda c: operations.find(c, operation_id))
    assert found is not None
    if found["status"] != "completed":
        raise OperationFailed(f"the enrichment has not come to its end: {found['error_message']}")
    return report_from_metadata(found["metadata"])


@asynccontextmanager
async def _page(service: EnrichmentService, operations: Operations) -> AsyncIterator[str]:
    async with AsyncExitStack() as stack:
        for port in (USUAL_PORT, 0):
            try:
                # made for each attempt: an application can be started only once
                page = make_application(service, operations, ready=lambda: True, version=__version__, is_daemon=False)
                address = await stack.enter_async_context(serve(page, HOST, port))
                break
            except ConfigError:
                if not port:
                    raise
        yield address


def _write_config(folder: Path) -> None:
    """Write the configuration with which other commands look at this folder."""
    # its services are off: the local servers end with the demo
    answers: dict[str, Any] = {
        "library.paths": [str(folder / "library")],
        "library.watch": False,
        "database.path": str(folder / DATABASE_NAME),
        "log.file": str(folder / LOG_NAME),
        # any free port: at the usual one there may be a daemon, which works on another database
        "http.listen": f"{HOST}:0",
    }
    off = {f"providers.{name}.enabled": False for name in ("musicbrainz", "spotify", "listenbrainz")}
    write_template(folder / CONFIG_NAME, answers | off, force=True)


def is_foreign(folder: Path) -> bool:
    """Whether the folder holds files that no demo has made, and that a demo would delete."""
    return folder.exists() and not (folder / MARKER).exists() and any(folder.iterdir())


def _foreign(folder: Path) -> str:
    return f"{folder} is not empty and not of an earlier demo: name another folder"


def _clear(folder: Path) -> None:
    """Make the folder, or empty it of an earlier demo. Raises ValueError when it is foreign."""
    if is_foreign(folder):
        raise ValueError(_foreign(folder))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("made by `soulspot demo`, which empties this folder when it runs again\n", "utf-8")
    # raises DatabaseOwned while another demo works in the folder
    with Ownership(folder / DATABASE_NAME):
        for name in ("library", f"{DATABASE_NAME}-uploads"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm", LOG_NAME):
            (folder / name).unlink(missing_ok=True)


def demo_config(sandbox: Sandbox, library: Path, database: Path) -> Config:
    """Return the default configuration, pointed at the local servers."""
    spotify = {"base_url": sandbox.spotify_url, "token_url": sandbox.token_url,
               "client_id": "demo", "client_secret": "demo"}  # fmt: skip
    return make_config(
        {
            "library": {"paths": [str(library)], "watch": False},
            "database": {"path": str(database)},
            "providers": {
                "musicbrainz": {"base_url": sandbox.musicbrainz_url, "contact": "demo@example.org"},
                "listenbrainz": {"base_url": sandbox.listenbrainz_url, "labs_url": sandbox.labs_url},
                "spotify": spotify,
            },
            "export": {"covers": {"base_url": sandbox.covers_url, "spotify_url": sandbox.covers_url}},
        }
    )
