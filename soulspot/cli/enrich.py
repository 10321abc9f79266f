"""`soulspot enrich`: scan, then ask the services until nothing more can be asked for now."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from soulspot.cli import plan
from soulspot.cli.console import Bars, print_result
from soulspot.cli.daemon_client import DaemonClient, paths_for_api
from soulspot.cli.enrichment_progress import daemon_progress, service_progress
from soulspot.cli.json_documents import Commands
from soulspot.cli.options import ConfigOption, JsonOption, PathsArgument, absolute_paths, refuse_missing
from soulspot.cli.report import print_reports
from soulspot.cli.running import (
    INCOMPLETE,
    exit_without_music,
    load_or_exit,
    log_beside_progress,
    refuse,
    run_with_progress,
)
from soulspot.cli.tables import postponed_lines, requests_table, results_table
from soulspot.cli.unreadable_files import print_unreadable_files
from soulspot.cli.workplace import follow, in_daemon_or_here, report_of_other_version
from soulspot.config import LIBRARY_EMPTY, Config
from soulspot.operations.kinds import advance_by_track_counts, enrich_request, readable_paths
from soulspot.operations.local import record_operation
from soulspot.operations.refetch import RefetchCost, refetch, refetch_cost
from soulspot.operations.reports.results import EnrichmentRun, EnrichReport
from soulspot.pipeline import EnrichmentService, ScanReport, wait_until_settled

app = Commands()


@app.command()
def enrich(
    paths: PathsArgument = None,
    config: ConfigOption = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait", min=0, metavar="SECONDS", help="End when nothing is due within this many seconds."
        ),
    ] = 60.0,
    force: Annotated[
        bool,
        typer.Option("--force", help="Ask again for what is known or missing, before it is due; its cost is shown."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only estimate how many requests it would take, and how long.")
    ] = False,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Find out about the music in PATH, or in the library.

    Scans, then asks the services until nothing is due within --wait seconds. Lookups that are postponed
    (a daily quota, a pause) stay queued, are listed with their time, and make the exit code 1.

    Example: soulspot enrich ~/Music"""
    loaded = load_or_exit(config, check_library=not paths, warn_about=() if paths else (LIBRARY_EMPTY,))
    if dry_run:
        if force:
            refuse(
                "--dry-run estimates what was never asked, --force asks for the rest again: give one of them"
            )
        plan.print_plan(loaded, paths, as_json=json_)
        return
    refuse_missing(paths or [])
    places = absolute_paths(paths)
    log_beside_progress(loaded)
    report = run_with_progress(
        lambda bars: enrich_places(loaded, places, wait, bars, force=force),
        quiet=json_,
        database=loaded.database.path,
    )
    if json_:
        print(json.dumps(report.as_json() | {"database": str(loaded.database.path)}))
    else:
        _print_report(report, loaded)
    if report.found == 0:
        exit_without_music(paths, loaded)
    if not report.complete or report.bad_places:
        raise typer.Exit(INCOMPLETE)


def _print_report(report: EnrichReport, config: Config) -> None:
    print_result(results_table(report.tracks))
    if report.requests:
        print_result(requests_table(report.requests, report.served))
    print_unreadable_files(config)
    print_result(*postponed_lines(report.postponed, report.answered))
    print_reports(report.performance, {"lookups": report.errors.get("lookups", ())})
    if count := report.tracks.get("review"):
        print_result(f"{count} wait for your decision: soulspot review list")
    if report.lost:
        print_result(f"{report.lost} lookups failed; `soulspot retry` queues them again")
    print_result(f"database: {config.database.path}")


async def enrich_places(
    config: Config, places: Sequence[bytes], wait: float, bars: Bars, *, force: bool = False
) -> EnrichReport:
    """Scan these absolute paths (or the library), then enrich until nothing is due within `wait` seconds.

    With `force`, what is known of their tracks is asked for again, after a note of what that costs."""
    return await in_daemon_or_here(
        config,
        lambda client: _enrich_in_daemon(client, places, wait, bars, force=force),
        lambda service: _enrich_here(service, places, wait, bars, force=force),
        asks_services=True,
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
    # the daemon keeps these two beside the report, as it does for operations of every kind
    beside = {name: ended.metadata[name] for name in ("performance", "errors") if name in ended.metadata}
    try:
        return EnrichReport.from_json(ended.report | beside)
    except (KeyError, TypeError):
        raise report_of_other_version() from None


async def _enrich_here(
    service: EnrichmentService, places: Sequence[bytes], wait: float, bars: Bars, *, force: bool
) -> EnrichReport:
    notes: list[str] = []

    def note(line: str) -> None:
        notes.append(line)
        bars.note(line)

    def show_scan(report: ScanReport) -> None:
        bars.show("scan", report.found, None, f"{report.read} new or changed")

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
            postponed = await wait_until_settled(service, wait)
        report = await enrichment.report(postponed)
        advance_by_track_counts(work.progress, report.tracks)
        work.set_result(report.as_json(), notes)
    return report
