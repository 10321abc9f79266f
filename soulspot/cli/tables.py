"""Results for people: tables of what came to what, and below them lines about what waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from soulspot.operations.reports.waits import OFFLINE, UNREACHABLE, clock_text, current_waits

if TYPE_CHECKING:
    from soulspot.pipeline import Postponed

STATUSES = ("accepted", "review", "unmatched", "failed", "pending")
UNREADABLE_SHOWN = 10


def results_table(counts: Mapping[str, int]) -> Table:
    """How many tracks came to which result; of the failed ones, how many are files that cannot be read."""
    table = Table(title="Tracks", title_justify="left")
    table.add_column("result")
    table.add_column("tracks", justify="right")
    for status in STATUSES:
        if counts.get(status) or status == "accepted":
            table.add_row(status, str(counts.get(status, 0)))
        if status == "failed" and counts.get(status) and (unreadable := counts.get("unreadable")):
            table.add_row("  of these unreadable", str(unreadable))
    table.add_row("all", str(counts.get("total", 0)), style="bold")
    return table


def requests_table(requests: Mapping[str, int], served: Mapping[str, int]) -> Table:
    """Requests used beside the tracks that were served by them: one request for each is what they are saved against."""
    table = Table(title="Requests", title_justify="left")
    for name, justify in (
        ("service", "left"),
        ("tracks served", "right"),
        ("requests used", "right"),
        ("saved", "right"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for provider in sorted({*requests, *served}):
        used, tracks = requests.get(provider, 0), served.get(provider, 0)
        table.add_row(provider, str(tracks), str(used), str(max(0, tracks - used)))
    used, tracks = sum(requests.values()), sum(served.values())
    table.add_row("all", str(tracks), str(used), str(max(0, tracks - used)), style="bold")
    return table


def postponed_lines(postponed: Sequence[Postponed], answered: Mapping[str, int]) -> Iterator[str]:
    """What stays queued, until when and why; and that the network may be down, when nobody was reached at all."""
    for one in postponed:
        when = clock_text(one.until, full=True)
        yield f"postponed: {one.lookups} lookups at {one.provider} until {when}: {one.why}"
    if postponed and not any(answered.values()) and all(p.why.startswith(UNREACHABLE) for p in postponed):
        yield OFFLINE


def unreadable_lines(files: Sequence[tuple[str, str]], count: int) -> Iterator[str]:
    """The first files that could not be read, of `count`, and how to see the others."""
    if not count:
        return
    yield f"{count} file{'' if count == 1 else 's'} could not be read:"
    for path, reason in files[:UNREADABLE_SHOWN]:
        yield f"  {path}: {reason}"
    if count > UNREADABLE_SHOWN:
        yield f"  ... and {count - UNREADABLE_SHOWN} more: soulspot status --unreadable"


def status_lines(status: Mapping[str, Any]) -> Iterator[Table | str]:
    """`soulspot status` for people."""
    yield results_table(status["tracks"])
    if words := pace(status):
        yield words
    table = Table(title="Services", title_justify="left")
    table.add_column("service")
    lately = status.get("services") or {}
    live = ("last minute", "batch fill") if status.get("pumps") else ()  # only a process has these
    for name in ("waiting", "answered", "missing", "failed", *live):
        table.add_column(name, justify="right")
    for provider in sorted({*status["lookups"], *(gate["provider"] for gate in status["gates"])}):
        states = status["lookups"].get(provider, {})
        table.add_row(
            provider,
            str(states.get("pending", 0) + states.get("leased", 0)),
            str(states.get("done", 0)),
            str(states.get("missing", 0)),
            str(states.get("failed", 0) + states.get("buried", 0)),
            *(_lately(lately.get(provider) or {}) if live else ()),
        )
    yield table
    for alarm in status.get("alarms") or ():
        yield f"alarm, {alarm['alarm']}: {alarm['why']}"
    for wait in current_waits(status["gates"], status.get("pumps") or {}, {}):
        yield str(wait)
    for name in ("unreadable", "vanished"):
        if count := status["tracks"].get(name):
            more = ": soulspot status --unreadable lists them" if name == "unreadable" else ""
            yield f"{name} files: {count}{more}"


def pace(seen: Mapping[str, Any]) -> str:
    """How fast it goes, and how long the rest takes at that; "" where that is not known."""
    rate, left = seen.get("tracks_per_second"), seen.get("eta_seconds")
    return ", ".join(
        [*([f"{rate:.1f} tracks/s"] if rate else []), *([f"{minutes(left)} left"] if left else [])]
    )


def minutes(seconds: float) -> str:
    """A length of time as 2:05."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole}:{rest:02d}"


def _lately(one: Mapping[str, Any]) -> tuple[str, str]:
    """Requests of the last minute, and how full batches were since the start."""
    fill = one.get("batch_fill")
    return str(one.get("requests_last_minute", 0)), "-" if fill is None else f"{fill:.0%}"
