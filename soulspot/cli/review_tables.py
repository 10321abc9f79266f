"""Tables of review: the list of tracks, and a track beside its candidates, from 40 columns on."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from soulspot.operations.review import cases

WIDTH_FOR_TWO = 80  # columns of a terminal from which on two candidates stand side by side
WIDTH_FOR_ROWS = 100  # columns from which on a track of the list is one row
WIDTHS = {"field": 8, "ours": 21, "candidate": 21}  # 80 columns with their borders
DIFFERS, ABSENT = "≠ ", "-"
AGREEING = (" equal", " agrees")  # ends of reasons that speak for the candidate

# an id says nothing to a person, and takes the place of what does
_ID_AT_END = re.compile(r": [0-9A-Za-z-]{22,36}$")


def list_table(listed: Sequence[Mapping[str, Any]], width: int) -> Table:
    """Return the tracks in review with best candidates and doubts, one a row if `width` allows."""
    in_rows = width >= WIDTH_FOR_ROWS
    table = Table(box=box.SIMPLE_HEAD if in_rows else None, pad_edge=False, show_edge=False, show_header=in_rows)
    table.add_column("track", justify="right", no_wrap=True)
    for name in ("in the library", "best candidate", "why") if in_rows else ("",):
        table.add_column(name, overflow="fold")
    for one in listed:
        best = one["best"] or {}
        reasons = [_ID_AT_END.sub("", reason) for reason in best.get("reasons") or ["no candidates"]]
        # the first reason is the score; those that speak for the candidate are left to `show`
        doubts = [reasons[0], *(reason for reason in reasons[1:] if not reason.endswith(AGREEING))]
        ours = _song(one) or one["path"] or one["source_key"] or ""
        cells = [Text(ours, style="" if in_rows else "bold"), Text(_song(best)), Text("; ".join(doubts))]
        table.add_row(str(one["track_id"]), *(cells if in_rows else [Group(*(cell for cell in cells if cell.plain))]))
    return table


def list_end(page: Mapping[str, Any], words: str) -> Iterator[str]:
    """Yield the lines below the list: how many tracks are in review, and how to go on."""
    shown = len(page["review"])
    searched = f" that have {words!r}" if words else ""
    yield f"{shown} of {page['total']} in review{searched if shown != page['total'] else ''}"
    if page["next"] is not None:
        yield f"more: soulspot review list --after {page['next']}"
    if shown:
        yield "next: soulspot review show TRACK"


def case_parts(case: Mapping[str, Any], limit: int, width: int) -> Iterator[Table | Text]:
    """Yield a track beside the first `limit` of its candidates, and what persons decided about it.

    `case` is as `operations.review.cases.load_case` has it; `width` is in columns."""
    yield Text(f"track {case['track_id']}: {case['status']}", style="bold")
    if name := case["path"] or case["source_key"]:
        yield Text(name)
    for one in case["decisions"]:
        reason = f": {one['reason']}" if one["reason"] else ""
        entity = f"{one['provider']} {one['entity_id']}"
        yield Text(f"{one['verdict']} by {one['by']}, {one['at'][:10]}: {entity}{reason}")
    if case["waiting"]:
        yield Text(f"waits for {_lookups(case['waiting'])}")
    number, ours = case["track_id"], case["tags"]["shown"]
    candidates = case["candidates"][:limit]
    if not candidates:
        yield _comparison(ours, [], 1)
        yield Text(f'no candidates: search by hand with `soulspot review search {number} "artist - title"`')
    yield from compared_parts(ours, candidates, width)
    if left := len(case["candidates"]) - len(candidates):
        yield Text(f"and {left} more: --limit {len(case['candidates'])}")
    if candidates and case["status"] == "review":
        yield Text(f"next: soulspot review accept {number} [ID], reject {number}, or search {number} WORDS")


def compared_parts(
    ours: Mapping[str, str | None], candidates: Sequence[Mapping[str, Any]], width: int
) -> Iterator[Table | Text]:
    """Yield tables of `ours` beside one or two candidates each, as many as `width` has room for.

    Below each table stand the candidates' ids, web addresses and reasons."""
    side_by_side = 2 if width >= WIDTH_FOR_TWO else 1
    for start in range(0, len(candidates), side_by_side):
        some = candidates[start : start + side_by_side]
        yield _comparison(ours, some, start + 1)
        for number, one in enumerate(some, start + 1):
            yield Text(f"{number}  {one['provider']} {one['entity_id']}", style="bold")
            # whole, to be clicked or copied
            yield Text(f"   {one['url']}", no_wrap=True)
            if one.get("reasons"):
                yield Text(f"   {'; '.join(one['reasons'])}")


def _comparison(ours: Mapping[str, str | None], some: Sequence[Mapping[str, Any]], first: int) -> Table:
    """Compare the library's fields with each candidate's, which are numbered from `first`."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    # a narrow terminal takes from the other columns
    table.add_column("", min_width=WIDTHS["field"], no_wrap=True)
    table.add_column("in the library", width=WIDTHS["ours"], overflow="fold")
    for number, one in enumerate(some, first):
        accepted = one.get("verdict") == "accepted"
        score = ", accepted" if accepted else f", {one['score']:.0%}" if "score" in one else ""
        table.add_column(f"{number}{score}", width=WIDTHS["candidate"], overflow="fold")
    for name in cases.FIELDS:
        if ours[name] or any(one["shown"][name] for one in some):
            table.add_row(name, Text(ours[name] or ABSENT), *(_cell(name, one) for one in some))
    if any(one["disambiguation"] for one in some):
        table.add_row("comment", "", *(Text(one["disambiguation"] or "") for one in some))
    return table


def _cell(name: str, candidate: Mapping[str, Any]) -> Text:
    text, differs = candidate["shown"][name], candidate["same"][name] is False
    if not text:
        return Text(ABSENT, style="dim")
    if name == "length" and candidate["apart_ms"] is not None and differs:
        text = f"{text} ({candidate['apart_ms'] / 1000:+.0f} s)"
    if name == "album" and candidate["releases"] > 1:
        text = f"{text} (+{candidate['releases'] - 1} more)"
    return Text(DIFFERS + text, style="bold yellow") if differs else Text(text)


def outcome_lines(case: Mapping[str, Any], *, in_daemon: bool) -> Iterator[str]:
    """Yield how a track stands after a person's decision, and who asks its lookups."""
    ids = ", ".join(f"{provider} {one}" for provider, one in case["accepted"].items() if one)
    yield f"track {case['track_id']}: {case['status']}" + (f" as {ids}" if ids else "")
    if count := case["waiting"]:
        yield f"{_lookups(count)} queued; {'the daemon' if in_daemon else '`soulspot enrich`'} asks them"
    if case["status"] == "review":
        yield f"left to decide: {len(case['candidates'])} candidates"


def _song(track: Mapping[str, Any]) -> str:
    """Return the known parts of a track or candidate as "artist - title (comment) [3:08]"."""
    names = " - ".join(name for name in (track.get("artist"), track.get("title")) if name)
    comment = f" ({track['disambiguation']})" if track.get("disambiguation") else ""
    length = cases.length_text(track.get("duration_ms"))
    return f"{names}{comment} [{length}]" if names and length else f"{names}{comment}"


def _lookups(count: int) -> str:
    return "1 lookup" if count == 1 else f"{count} lookups"
