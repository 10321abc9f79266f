"""What the commands do once their arguments are known: in the daemon if one runs, else here, under the same lock."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soulspot.config import Config
from soulspot.console import Bars
from soulspot.enrich import EnrichmentService, Postponed
from soulspot.intake import ImportReport, ScanReport
from soulspot.remote import Remote, running_daemon
from soulspot.store import operations
from soulspot.store.database import Database
from soulspot.wiring import opened


@dataclass(slots=True)
class EnrichReport:
    """What an enrichment came to. `lost` are lookups that failed for good."""

    tracks: dict[str, int]
    requests: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    postponed: list[Postponed] = field(default_factory=list)
    lost: int = 0
    bad_places: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.postponed and not self.lost


def absolute(paths: Sequence[Path]) -> list[bytes]:
    """Paths as the file system has them, made absolute without following links."""
    return [os.path.abspath(os.fsencode(path)) for path in paths]


async def scan(config: Config, places: Sequence[bytes], bars: Bars) -> dict[str, Any]:
    """Queue what changed; where: in the daemon if one runs."""
    if remote := running_daemon(config):
        async with remote:
            return await _watched(remote, await remote.scan(places), bars, "scan")
    async with opened(config, kind=EnrichmentService, work=False) as service:
        report = await service.scan(places, _scan_progress(bars))
        for problem in report.problems:
            bars.note(
                f"skipped {os.fsdecode(problem.path)}: {problem.reason}".encode(
                    "utf-8", "backslashreplace"
                ).decode()
            )
        return {"found": report.found, "unchanged": report.unchanged, "read": report.read,
                "unreadable": report.unreadable, "vanished": report.vanished,
                "problems": len(report.problems)}  # fmt: skip


async def import_file(config: Config, path: Path, bars: Bars) -> dict[str, Any]:
    """Queue the rows of a file."""
    if remote := running_daemon(config):
        async with remote:
            return await _watched(remote, await remote.import_file(path), bars, "import")
    async with opened(config, kind=EnrichmentService, work=False) as service:

        def progress(report: ImportReport) -> None:
            bars.show("import", report.rows, None)

        report = await service.import_file(path, progress)
        for line, reason in report.bad[:20]:
            bars.note(f"line {line}: {reason}")
        if len(report.bad) > 20:
            bars.note(f"... and {len(report.bad) - 20} more rows that cannot be used")
        if report.unknown_columns:
            bars.note(f"columns that are not used: {', '.join(report.unknown_columns)}")
        return {"rows": report.rows, "queued": report.queued, "bad": len(report.bad)}


async def retry(config: Config, states: Sequence[str], provider: str | None, bars: Bars) -> dict[str, Any]:
    """Queue given-up lookups again."""
    if remote := running_daemon(config):
        async with remote:
            return await _watched(remote, await remote.retry(states, provider), bars, "retry")
    async with opened(config, kind=EnrichmentService, work=False) as service:
        return {"queued": await service.retry(states, provider)}


async def enrich(config: Config, places: Sequence[bytes], wait: float, bars: Bars) -> EnrichReport:
    """Scan what there is to scan, then work until nothing can be asked within `wait` seconds."""
    if remote := running_daemon(config):
        async with remote:
            await _watched(remote, await remote.enrich(places), bars, "enrich")
            status = await remote.status()
            return EnrichReport(status["tracks"], lost=_lost(status["lookups"]))
    async with opened(config, kind=EnrichmentService) as service:
        return await enrich_with(service, places, wait, bars)


async def enrich_with(
    service: EnrichmentService, places: Sequence[bytes], wait: float, bars: Bars
) -> EnrichReport:
    """`enrich` over a service that is open."""
    bad_places: list[str] = []
    if places or service.has_library:
        report = await service.scan(places, _scan_progress(bars))
        for problem in report.problems:
            words = f"{os.fsdecode(problem.path)}: {problem.reason}".encode(
                "utf-8", "backslashreplace"
            ).decode()
            bars.note(f"skipped {words}")
            if problem.path in places:
                bad_places.append(words)
    ticker = asyncio.create_task(_show_progress(service, bars))
    try:
        postponed = await service.settled(wait)
    finally:
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)
    await _show_once(service, bars)
    telemetry = service.telemetry
    answered: dict[str, int] = {}
    for (provider, outcome), count in telemetry.answers.items():
        if outcome in ("ok", "missing"):
            answered[provider] = answered.get(provider, 0) + count
    lookups = await service.database.read(operations.lookup_counts)
    counts = await service.database.read(operations.track_counts)
    return EnrichReport(counts, dict(telemetry.requests), answered, postponed, _lost(lookups), bad_places)


async def status(config: Config) -> dict[str, Any] | None:
    """The daemon's status, or that of the database when no daemon runs; None when there is no database yet."""
    if remote := running_daemon(config):
        async with remote:
            return {"daemon": remote.address, **await remote.status()}
    if not config.database.path.exists():
        return None
    return await asyncio.to_thread(_status_of_file, config.database.path)


def _status_of_file(path: Path) -> dict[str, Any]:
    connection = Database.open_to_read(path)
    try:
        states = operations.provider_states(connection)
        return {
            "daemon": None,
            "tracks": operations.track_counts(connection),
            "lookups": operations.lookup_counts(connection),
            "oldest_waiting": operations.oldest_waiting(connection),
            "gates": [
                {"provider": one["provider"], "host": one["key"], "limited_until": one["blocked_until"],
                 "why": one["value"].get("pause", {}).get("why", "")}
                for one in states if one["key"].startswith("gate:")
            ],
            "operations": operations.latest(connection, 10),
        }  # fmt: skip
    finally:
        connection.close()


async def _watched(remote: Remote, operation_id: int, bars: Bars, name: str) -> dict[str, Any]:
    """Follow an operation in the daemon to its end. Raises RuntimeError with its error when it failed."""

    def progress(operation: dict[str, Any]) -> None:
        bars.show(name, operation["processed_items"], operation["total_items"] or None, "in the daemon")

    return await remote.finished(operation_id, progress)


def _scan_progress(bars: Bars) -> Callable[[ScanReport], None]:
    def progress(report: ScanReport) -> None:
        bars.show("scan", report.found, None, f"{report.read} new or changed")

    return progress


async def _show_progress(service: EnrichmentService, bars: Bars) -> None:
    while True:
        await _show_once(service, bars)
        await asyncio.sleep(0.5)


async def _show_once(service: EnrichmentService, bars: Bars) -> None:
    counts = await service.database.read(operations.track_counts)
    done = counts["total"] - counts.get("pending", 0)
    bars.show("tracks", done, counts["total"], f"{sum(service.telemetry.requests.values())} requests")
    for provider, states in sorted((await service.database.read(operations.lookup_counts)).items()):
        total = sum(states.values())
        open_ = states.get("pending", 0) + states.get("leased", 0)
        bars.show(provider, total - open_, total, f"{service.telemetry.requests[provider]} requests")


def _lost(lookups: dict[str, dict[str, int]]) -> int:
    return sum(states.get("failed", 0) + states.get("buried", 0) for states in lookups.values())
