"""What the commands do once their arguments are known: in the daemon if one runs, else here, under the same lock."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from soulspot.assembly import open_service
from soulspot.cli.console import Bars
from soulspot.cli.daemon_client import DaemonUnreachable, Remote, running_daemon
from soulspot.cli.work_here import done_here, enrich_with, show_counts, told
from soulspot.config import Config
from soulspot.errors import SoulSpotError
from soulspot.operations.kinds import import_request, readable_paths, retry_request, scan_request
from soulspot.operations.refetch import RefetchCost
from soulspot.operations.reports.results import EnrichReport as EnrichReport
from soulspot.operations.reports.results import retry_refusal
from soulspot.operations.reports.waits import Announcer, current_waits
from soulspot.pipeline import MOST_NAMED


def absolute(paths: Sequence[Path]) -> list[bytes]:
    """Paths as the file system has them, made absolute without following links."""
    return [os.path.abspath(os.fsencode(path)) for path in paths]


async def scan(config: Config, places: Sequence[bytes], bars: Bars) -> dict[str, Any]:
    """Queue what changed; where: in the daemon if one runs."""
    if remote := running_daemon(config):
        async with remote:
            return await _watched(remote, await remote.scan(places), bars, "scan")
    async with open_service(config, work=False) as service:
        return await done_here(
            service, "scan", scan_request(places), {"places": readable_paths(places)}, bars
        )


async def import_files(config: Config, files: Sequence[Path], within: Path, bars: Bars) -> dict[str, Any]:
    """Queue the rows of these files, one after the other; `within` is the folder they were found in, or the file."""
    if remote := running_daemon(config):
        async with remote:

            async def there(path: Path) -> dict[str, Any]:
                return await _watched(remote, await remote.import_file(path), bars, "import")

            return await _imported(files, within, there, bars)
    async with open_service(config, work=False) as service:

        async def here(path: Path) -> dict[str, Any]:
            return await done_here(service, "import", import_request(path), {"file": path.name}, bars)

        return await _imported(files, within, here, bars)


async def _imported(
    files: Sequence[Path], within: Path, take: Callable[[Path], Awaitable[dict[str, Any]]], bars: Bars
) -> dict[str, Any]:
    """The report of a file, or of several together: then its rows are named with their file."""
    if [within] == list(files):
        return await take(within)
    total: dict[str, Any] = {"files": len(files), "rows": 0, "queued": 0, "bad": 0}
    for path in files:
        name = str(path.relative_to(within))
        with bars.about(name):
            report = await take(path)
        for key, value in report.items():
            if isinstance(value, list):
                total.setdefault(key, []).extend({"file": name, **row} for row in value)
            else:
                total[key] = total.get(key, 0) + value
    return {key: value[:MOST_NAMED] if isinstance(value, list) else value for key, value in total.items()}


async def retry(config: Config, states: Sequence[str], provider: str | None, bars: Bars) -> dict[str, Any]:
    """Queue given-up lookups again."""
    if remote := running_daemon(config):
        async with remote:
            return await _watched(remote, await remote.retry(states, provider), bars, "retry")
    async with open_service(config, work=False) as service:
        if why := retry_refusal(service, provider):
            raise ValueError(why)
        request = retry_request(states, provider)
        return await done_here(service, "retry", request, request, bars)


async def enrich(
    config: Config, places: Sequence[bytes], wait: float, bars: Bars, *, force: bool = False
) -> EnrichReport:
    """Scan what there is to scan, then work until nothing can be asked within `wait` seconds; with `force` ask again
    for what is known of it, having said what that costs."""
    if remote := running_daemon(config):
        async with remote:
            if force:
                bars.note(str(_cost(await remote.enrich_cost(places))))
            started = await remote.enrich(places, wait, force=force)
            watching = asyncio.create_task(_show_daemon(remote, bars))
            try:
                metadata = await _followed(remote, started, bars, "enrich")
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            try:
                more = {name: metadata[name] for name in ("performance", "errors") if name in metadata}
                return EnrichReport.from_json(metadata["report"] | more)
            except (KeyError, TypeError):
                raise _no_report() from None
    async with open_service(config) as service:
        return await enrich_with(service, places, wait, bars, force=force)


def _cost(said: Mapping[str, Any]) -> RefetchCost:
    try:
        return RefetchCost.from_json(said)
    except TypeError:
        raise _no_report() from None


async def _watched(remote: Remote, operation_id: int, bars: Bars, name: str) -> dict[str, Any]:
    """Follow an operation in the daemon to its end. Returns its report, what `remote.finished` raises otherwise."""
    found: dict[str, Any] = (await _followed(remote, operation_id, bars, name))["report"]
    return found


async def _followed(remote: Remote, operation_id: int, bars: Bars, name: str) -> dict[str, Any]:
    """The same, with all that goes along with the report."""

    def progress(operation: dict[str, Any]) -> None:
        bars.show(name, operation["processed_items"], operation["total_items"] or None, "in the daemon")

    metadata = (await remote.finished(operation_id, progress)).get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("report"), dict):
        raise _no_report()
    told(metadata["report"], metadata.get("notes", []), bars)
    return metadata


def _no_report() -> DaemonUnreachable:
    return DaemonUnreachable(
        "the daemon did it, but its report is another version's; restart it after an upgrade"
    )


async def _show_daemon(remote: Remote, bars: Bars) -> None:
    """The same for a daemon, as far as its status tells; the operation itself says when the daemon is gone."""
    announcer = Announcer()
    while True:
        try:
            status = await remote.status()
            requests: Counter[str] = Counter()
            for gate in status["gates"]:
                requests[gate["provider"]] += gate["requests"]
            show_counts(status["tracks"], status["lookups"], requests, bars)
            pumps = status.get("pumps") or {}
            for line in announcer.new_lines(current_waits(status["gates"], pumps, {}), list(pumps)):
                bars.note(line)
        except (SoulSpotError, KeyError, TypeError, ValueError):
            pass
        await asyncio.sleep(2.0)
