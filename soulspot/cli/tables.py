"""Tables of tracks by result and of requests by service, and lines about lookups that are postponed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from soulspot.operations.reports.waits import OFFLINE, UNREACHABLE, clock_text

if TYPE_CHECKING:
    from soulspot.pipeline import Postponed

STATUSES = ("accepted", "review", "unmatched", "failed", "pending")


def counts_table(title: str, name: str, *counts: str) -> Table:
    """Return an empty table whose first column is called `name`; the others hold numbers, flushed right."""
    table = Table(title=title, title_justify="left")
    table.add_column(name)
    for count in counts:
        table.add_column(count, justify="right")
    return table


def results_table(counts: Mapping[str, int]) -> Table:
    """Return a table of tracks by result; of the failed, the unreadable files are counted separately.

    `counts` are those of `store.library_counts.count_tracks_by_status`."""
    table = counts_table("Tracks", "result", "tracks")
    for status in STATUSES:
        if counts.get(status) or status == "accepted":
            table.add_row(status, str(counts.get(status, 0)))
        if status == "failed" and counts.get(status) and (unreadable := counts.get("unreadable")):
            table.add_row("  of these unreadable", str(unreadable))
    table.add_row("all", str(counts.get("total", 0)), style="bold")
    return table


def requests_table(requests: Mapping[str, int], served: Mapping[str, int]) -> Table:
    """Return a table of the requests used and the tracks served, by provider.

    Requests are saved against one request a track and provider."""
    table = counts_table("Requests", "service", "tracks served", "requests used", "saved")
    for provider in sorted({*requests, *served}):
        used, tracks = requests.get(provider, 0), served.get(provider, 0)
        table.add_row(provider, str(tracks), str(used), str(max(0, tracks - used)))
    used, tracks = sum(requests.values()), sum(served.values())
    table.add_row("all", str(tracks), str(used), str(max(0, tracks - used)), style="bold")
    return table


def postponed_lines(postponed: Sequence[Postponed], answered: Mapping[str, int]) -> Iterator[str]:
    """Yield a line for each provider with postponed lookups: how many, until when, and why.

    A last line says that the network may be down, when no service was reached at all.
    `answered` are lookups by provider."""
    for one in postponed:
        until = clock_text(one.until, full=True)
        yield f"postponed: {one.lookups} lookups at {one.provider} until {until}: {one.why}"
    if postponed and not any(answered.values()) and all(p.why.startswith(UNREACHABLE) for p in postponed):
        yield OFFLINE
