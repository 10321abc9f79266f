"""`soulspot enrich`: scan, then ask the services until nothing more can be asked for now."""

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any

import typer

from soulspot.cli.options import ConfigOption, JsonOption, PathsArgument, absolute_paths, refuse_missing
from soulspot.cli.report import report_lines
from soulspot.cli.results import postponed_lines, print_unreadable_files, requests_table, results_table
from soulspot.cli.running import INCOMPLETE, exit_without_music, load_or_exit, refuse, run_command
from soulspot.client.daemon_client import DaemonClient, paths_for_api
from soulspot.client.workplace import follow, in_daemon_or_here, repeated, report_of_other_version
from soulspot.config import LIBRARY_EMPTY, Config
from soulspot.errors import SoulSpotError
from soulspot.operations.kinds import advance_by_track_counts, enrich_request, readable_paths
from soulspot.operations.local import record_operation
from soulspot.operations.progress import Progress
from soulspot.operations.refetch import RefetchCost, refetch, refetch_cost
from soulspot.operations.reports.results import EnrichmentRun, EnrichReport
from soulspot.operations.reports.waits import Announcer, WaitWatch, current_waits
from soulspot.pipeline import EnrichmentService, ScanReport, wait_until_settled
from soulspot.store import library_counts
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import print_result

LOOK_SECONDS, DAEMON_LOOK_SECONDS = 0.5, 2.0  # between two looks at the counts


def enrich(
    paths: PathsArgument = None, config: ConfigOption = None,
    wait: Annotated[float, typer.Option("--wait", min=0, metavar="SECONDS",
        help="End when nothing is due within this many seconds.")] = 60.0,
    force: Annotated[bool, typer.Option("--force",
        help="Ask again for what is known or missing, before it is due; its cost is shown.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run",
        help="Only estimate how many requests it would take, and how long.")] = False,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Identify and enrich the music in PATH, or in the library.

    Scans, then asks the services until nothing is due within --wait seconds. Lookups that are
    postponed (a daily quota, a pause) stay queued, are listed with their time, and make the exit
    code 1. With PATH, report and exit code are those of its tracks alone.

    Example: soulspot enrich ~/Music"""
    loaded = load_or_exit(config, warn_about=() if paths else (LIBRARY_EMPTY,))
    if dry_run:
        if force:
            refuse("--dry-run estimates what was never asked, --force asks for the rest again: give one of them")
        # builds providers, which an enrichment beside a daemon does without
        from soulspot.cli.plan import print_plan

        print_plan(loaded, paths, as_json=json_)
        return
    refuse_missing(paths or [])
    places = absolute_paths(paths)
    report = run_command(loaded, lambda bars: enrich_places(loaded, places, wait, bars, force=force), quiet=json_)
    if json_:
        print(json.dumps(report.as_json() | {"database": str(loaded.database.path)}))
    else:
        _print_report(report, loaded, places)
    # None is no scan at all: without a library, enrich works off the rows that were imported
    if report.found == 0:
        exit_without_music(paths, loaded)
    if not report.complete or report.bad_places:
        raise typer.Exit(INCOMPLETE)


def _print_report(report: EnrichReport, config: Config, places: Sequence[bytes]) -> None:
    print_result(results_table(report.tracks))
    if report.requests:
        print_result(requests_table(report.requests, report.served))
    # With PATH, the files that could not be read are among the errors below.
    if not places:
        print_unreadable_files(config)
    print_result(*postponed_lines(report.postponed, report.answered))
    shown = {name: report.errors.get(name, ()) for name in ("lookups", *(("files",) if places else ()), "tracks")}
    print_result(*report_lines(report.performance, shown))
    if count := report.tracks.get("review"):
        print_result(f"{count} wait for your decision: soulspot review list")
    if report.lost:
        print_result(f"{report.lost} lookups failed; `soulspot retry` queues them again")
    print_result(f"database: {config.database.path}")


async def enrich_places(
    config: Config, places: Sequence[bytes], wait: float, bars: Bars, *, force: bool = False
) -> EnrichReport:
    """Scan these absolute paths (or the library), then enrich until nothing is due for now.

    With `force`, what is known is asked for again, after a note of what that costs."""
    return await in_daemon_or_here(
        config,
        lambda client: _enrich_in_daemon(client, places, wait, bars, force=force),
        lambda service: _enrich_here(service, places, wait, bars, force=force),
        asks_services=True,
        needs_library=not places,
    )


async def _enrich_in_daemon(
    client: DaemonClient, places: Sequence[bytes], wait: float, bars: Bars, *, force: bool
) -> EnrichReport:
    body = {"paths": paths_for_api(places)}
    if force:
        estimated = await client.request("POST", "/api/v1/enrich/cost", "lookups", json=body)
        try:
            bars.note(str(RefetchCost.from_json(estimated)))
        except TypeError:
            raise report_of_other_version() from None
    options = {"wait": wait} | ({"force": True} if force else {})
    started = await client.start("/api/v1/enrich", json=body | options)
    async with daemon_progress(client, bars):
        ended = await follow(client, started, bars)
    try:
        return report_from_metadata(ended.metadata)
    except (KeyError, TypeError):
        raise report_of_other_version() from None


def report_from_metadata(metadata: Mapping[str, Any]) -> EnrichReport:
    """Return the report of a completed enrichment; KeyError or TypeError if it has another form."""
    # kept beside the report, because operations of every kind have these two
    beside = {name: metadata[name] for name in ("performance", "errors") if name in metadata}
    return EnrichReport.from_json(metadata["report"] | beside)


async def _enrich_here(
    service: EnrichmentService, places: Sequence[bytes], wait: float, bars: Bars, *, force: bool
) -> EnrichReport:
    notes: list[str] = []

    def note(line: str) -> None:
        notes.append(line)
        bars.note(line)

    def show_scan(report: ScanReport) -> None:
        bars.show("scan", report.found, None, f"{report.read} new or changed")

    # before anything is queued: a person can still press Ctrl-C
    if force:
        bars.note(str(await refetch_cost(service, places)))
    request = enrich_request(places, wait, force_before=time.time() if force else None)
    shown = {"places": readable_paths(places), "wait": wait, "force": force}
    async with record_operation(service, "enrich", request, shown) as work:
        enrichment = EnrichmentRun(service)
        await enrichment.scan(places, show_scan, note)
        if force:
            await refetch(service, places)
        async with service_progress(service, enrichment.watch, bars, work.progress):
            postponed = await wait_until_settled(service, wait, enrichment.track_ids)
        report = await enrichment.report(postponed)
        advance_by_track_counts(work.progress, report.tracks)
        work.set_result(report.as_json(), notes)
    return report


@asynccontextmanager
async def service_progress(
    service: EnrichmentService, watch: WaitWatch, bars: Bars, progress: Progress | None = None
) -> AsyncIterator[None]:
    """Show how far this process' service is while the `async with` lasts, and its state at the end.

    Announces every service that begins or ends to wait, as `watch` sees it. `progress` is the
    operation whose counts are to follow."""
    announcer, providers = Announcer(), [pump.name for pump in service.pumps]

    async def show_counts() -> dict[str, int]:
        tracks = await service.database.read(library_counts.count_tracks_by_status)
        lookups = await service.database.read(library_counts.count_lookups_by_state)
        _show(tracks, lookups, service.telemetry.requests, bars)
        return tracks

    async def show() -> None:
        tracks = await show_counts()
        if progress is not None:
            advance_by_track_counts(progress, tracks)
        for line in announcer.new_lines(watch.current(), providers):
            bars.note(line)

    async with repeated(show, LOOK_SECONDS):
        yield
    # the last look may be half a second older than the last answer
    await show_counts()


def daemon_progress(client: DaemonClient, bars: Bars) -> AbstractAsyncContextManager[None]:
    """Show how far the daemon is, by its status, while the `async with` lasts."""
    announcer = Announcer()

    async def show() -> None:
        # the operation itself tells when the daemon is gone or answers nonsense; bars just pause
        try:
            status = await client.status()
            requests: Counter[str] = Counter()
            for gate in status["gates"]:
                requests[gate["provider"]] += gate["requests"]
            _show(status["tracks"], status["lookups"], requests, bars)
            pumps = status.get("pumps") or {}
            for line in announcer.new_lines(current_waits(status["gates"], pumps, {}), list(pumps)):
                bars.note(line)
        except (SoulSpotError, KeyError, TypeError, ValueError):
            pass

    return repeated(show, DAEMON_LOOK_SECONDS)


def _show(
    tracks: Mapping[str, int], lookups: Mapping[str, Mapping[str, int]], requests: Mapping[str, int], bars: Bars
) -> None:
    decided = tracks["total"] - tracks.get("pending", 0)
    bars.show("tracks", decided, tracks["total"], f"{sum(requests.values())} requests")
    for provider, states in sorted(lookups.items()):
        total = sum(states.values())
        waiting = states.get("pending", 0) + states.get("leased", 0)
        bars.show(provider, total - waiting, total, f"{requests.get(provider, 0)} requests")
