"""Review for people: the list, and one track beside its candidates, in 80 columns or fewer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from soulspot.operations.review import cases

ROOM_FOR_TWO = 80  # columns from which on two candidates stand in one table
DIFFERS, UNSAID = "≠ ", "-"
WIDTHS = {"field": 8, "ours": 21, "candidate": 21}  # 80 columns with their borders

ROOM_FOR_ROWS = 100  # columns from which on a track of the list stands in one row

AGREES = (" equal", " agrees")  # reasons that speak for the candidate

_ID_AT_END = re.compile(r": [0-9A-Za-z-]{22,36}$")


def list_table(listed: Sequence[Mapping[str, Any]], width: int) -> Table:
    """Tracks in review, each with its best candidate and what stands in the way of accepting it.

    In a row where `width` columns have room for that, else below each other."""
    beside = width >= ROOM_FOR_ROWS
    table = Table(
        box=box.SIMPLE_HEAD if beside else None, pad_edge=False, show_edge=False, show_header=beside
    )
    table.add_column("track", justify="right", no_wrap=True)
    for name in ("in the library", "best candidate", "why") if beside else ("",):
        table.add_column(name, overflow="fold")
    for one in listed:
        best = one["best"] or {}
        reasons = [_ID_AT_END.sub("", reason) for reason in best.get("reasons") or ["no candidates"]]
        doubts = [reasons[0], *(reason for reason in reasons[1:] if not reason.endswith(AGREES))]
        ours = _song(one) or one["path"] or one["source_key"] or ""
        cells = [Text(ours, style="" if beside else "bold"), Text(_song(best)), Text("; ".join(doubts))]
        number = str(one["track_id"])
        if beside:
            table.add_row(number, *cells)
        else:
            table.add_row(number, Text("\n").join(cell for cell in cells if cell.plain))
    return table


def list_end(page: Mapping[str, Any], words: str) -> Iterator[str]:
    """How many there are, and how to go on."""
    shown = len(page["review"])
    searched = f" that have {words!r}" if words else ""
    yield f"{shown} of {page['total']} in review{searched if shown != page['total'] else ''}"
    if page["next"] is not None:
        yield f"more: soulspot review list --after {page['next']}"
    if shown:
        yield "next: soulspot review show TRACK"


def beside_each_other(width: int) -> int:
    """How many candidates one table can take."""
    return 2 if width >= ROOM_FOR_TWO else 1


def case_parts(case: Mapping[str, Any], most: int, width: int) -> Iterator[Table | Text]:
    """One track beside at most `most` of its candidates in `width` columns, and what persons said of it."""
    at_once = beside_each_other(width)
    yield Text(f"track {case['track_id']}: {case['status']}", style="bold")
    if name := case["path"] or case["source_key"]:
        yield Text(name)
    for one in case["decisions"]:
        reason = f": {one['reason']}" if one["reason"] else ""
        yield Text(
            f"{one['verdict']} by {one['by']}, {one['at'][:10]}: {one['provider']} {one['entity_id']}{reason}"
        )
    if case["waiting"]:
        yield Text(f"waits for {_lookups(case['waiting'])}")
    candidates = case["candidates"][:most]
    if not candidates:
        yield compared(case["tags"]["shown"], [], 1)
        yield Text(
            f'no candidates: search by hand with `soulspot review search {case["track_id"]} "artist - title"`'
        )
    for start in range(0, len(candidates), at_once):
        beside = candidates[start : start + at_once]
        yield compared(case["tags"]["shown"], beside, start + 1)
        yield from named(beside, start + 1)
    if left := len(case["candidates"]) - len(candidates):
        yield Text(f"and {left} more: --limit {len(case['candidates'])}")
    if candidates and case["status"] == "review":
        number = case["track_id"]
        yield Text(f"next: soulspot review accept {number} [ID], reject {number}, or search {number} WORDS")


def compared(ours: Mapping[str, str | None], beside: Sequence[Mapping[str, Any]], first: int) -> Table:
    """Field by field: what the library says and what each candidate says; what differs is marked."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", min_width=WIDTHS["field"], no_wrap=True)  # a narrow terminal takes from the others
    table.add_column("in the library", width=WIDTHS["ours"], overflow="fold")
    for number, one in enumerate(beside, first):
        accepted = one.get("verdict") == "accepted"
        score = ", accepted" if accepted else f", {one['score']:.0%}" if "score" in one else ""
        table.add_column(f"{number}{score}", width=WIDTHS["candidate"], overflow="fold")
    for name in cases.FIELDS:
        if ours[name] or any(one["shown"][name] for one in beside):
            table.add_row(name, Text(ours[name] or UNSAID), *(_cell(name, one) for one in beside))
    if any(one["disambiguation"] for one in beside):
        table.add_row("comment", "", *(Text(one["disambiguation"] or "") for one in beside))
    return table


def named(beside: Sequence[Mapping[str, Any]], first: int) -> Iterator[Text]:
    """What each candidate is called by its service, where to look at it, and the reasons."""
    for number, one in enumerate(beside, first):
        yield Text(f"{number}  {one['provider']} {one['entity_id']}", style="bold")
        yield Text(f"   {one['url']}", no_wrap=True)  # to be clicked or copied as a whole
        if one.get("reasons"):
            yield Text(f"   {'; '.join(one['reasons'])}")


def _cell(name: str, one: Mapping[str, Any]) -> Text:
    said = one["shown"][name]
    if not said:
        return Text(UNSAID, style="dim")
    if name == "length" and one["apart_ms"] is not None and one["same"][name] is False:
        said = f"{said} ({one['apart_ms'] / 1000:+.0f} s)"
    if name == "album" and one["releases"] > 1:
        said = f"{said} (+{one['releases'] - 1} more)"
    return Text(DIFFERS + said, style="bold yellow") if one["same"][name] is False else Text(said)


def outcome_lines(case: Mapping[str, Any], *, in_daemon: bool) -> Iterator[str]:
    """How a track stands after a person's word."""
    ids = ", ".join(f"{provider} {one}" for provider, one in case["accepted"].items() if one)
    yield f"track {case['track_id']}: {case['status']}" + (f" as {ids}" if ids else "")
    if count := case["waiting"]:
        yield f"{_lookups(count)} queued; " + (
            "the daemon asks them" if in_daemon else "`soulspot enrich` asks them"
        )
    if case["status"] == "review":
        yield f"left to decide: {len(case['candidates'])} candidates"


def _song(one: Mapping[str, Any]) -> str:
    names = " - ".join(name for name in (one.get("artist"), one.get("title")) if name)
    comment = f" ({one['disambiguation']})" if one.get("disambiguation") else ""
    long = cases.length_text(one.get("duration_ms"))
    return f"{names}{comment} [{long}]" if names and long else f"{names}{comment}"


def _lookups(count: int) -> str:
    return "1 lookup" if count == 1 else f"{count} lookups"
