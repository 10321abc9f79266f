"""The tables of `soulspot review list` and `show`, in terminals of any usual width."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from soulspot.cli.review_tables import case_parts, list_table
from soulspot.operations.review.cases import FIELDS

TITLE = "A Rather Long Title of a Song That Goes On"
WHY = "not sure: 70% of 90%; title equal; live, file says studio; length 25.0 s apart"


def listed(number: int) -> dict[str, Any]:
    song = {"artist": "Thea Rosewood", "title": TITLE, "duration_ms": 188_000}
    best = {**song, "duration_ms": 213_000, "disambiguation": "live", "reasons": WHY.split("; ")}
    return {**song, "track_id": number, "path": None, "source_key": None, "best": best}


def candidate(number: int) -> dict[str, Any]:
    said = dict.fromkeys(FIELDS) | {"title": TITLE, "length": f"3:{number:02}"}
    return {
        "provider": "musicbrainz", "entity_id": f"0000000{number}-0000-4000-8000-000000000000",
        "url": f"https://musicbrainz.org/recording/0000000{number}-0000-4000-8000-000000000000",
        "shown": said, "same": dict.fromkeys(FIELDS, True) | {"length": False}, "apart_ms": 15_000 + number,
        "score": 0.7, "releases": 1, "disambiguation": None, "reasons": ["not sure: 70% of 90%"],
    }  # fmt: skip


CASE: Mapping[str, Any] = {
    "track_id": 22, "status": "review", "path": "/music/a.mp3", "source_key": None, "decisions": [], "waiting": 0,
    "tags": {"shown": dict.fromkeys(FIELDS) | {"title": TITLE, "length": "3:00"}},
    "candidates": [candidate(1), candidate(2)],
}  # fmt: skip


def printed(width: int, *parts: Any) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return captured.get()


def words(text: str) -> list[str]:
    return re.findall(r"\S+", text)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_in_a_narrow_terminal_a_track_of_the_list_stands_in_lines_below_each_other(width: int) -> None:
    said = printed(width, list_table([listed(4), listed(6)], width))
    assert max(map(len, said.splitlines())) <= width
    ours, best = f"Thea Rosewood - {TITLE} [3:08]", f"Thea Rosewood - {TITLE} (live) [3:33]"
    why = WHY.replace("title equal; ", "")
    assert words(said) == words(f"4 {ours} {best} {why} 6 {ours} {best} {why}")


def test_in_a_pipe_a_track_of_the_list_is_one_line() -> None:
    [_, _, first, second] = printed(10_000, list_table([listed(4), listed(6)], 10_000)).splitlines()
    assert words(first)[0] == "4"
    assert words(second)[0] == "6"
    assert first.rstrip().endswith("live, file says studio; length 25.0 s apart")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_candidate_is_cut_off_at_the_edge(width: int) -> None:
    said = printed(width, *case_parts(CASE, 4, width))
    for number in (1, 2):
        assert f"≠ 3:{number:02} (+15 s)" in said
    assert "next: soulspot review accept 22 [ID]" in said
    beside = "1, 70%" in said.splitlines()[2] and "2, 70%" in said.splitlines()[2]
    assert beside == (width >= 80)
