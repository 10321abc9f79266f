"""Tracks over HTTP: pages that list every track once, and all that is known of a track."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from soulspot.models import MUSICBRAINZ, EnrichedTrack, LookupState, Settlement, Status
from soulspot.store import enriched, queue
from tests.support.factories import NOW, add_lookups, add_tracks, claim, decide, found, recording, tags
from tests.web.conftest import Running
from tests.web.test_guards import is_problem


def row(track_id: int, title: str | None = None, **more: Any) -> EnrichedTrack:
    values: dict[str, Any] = {"path": None, "source_key": None, "status": Status.ACCEPTED, "confidence": 1.0}
    return EnrichedTrack(track_id, **(values | more), title=title)


async def fill(running: Running, *rows: EnrichedTrack) -> None:
    await running.service.database.write(lambda c: enriched.save(c, rows, NOW))


async def listed(running: Running, **query: Any) -> list[int]:
    """Return the ids of all pages, one page after the other."""
    ids: list[int] = []
    after: int | None = 0
    while after is not None:
        parameters = {name: str(value) for name, value in {**query, "after": after}.items()}
        async with running.http.get("/api/v1/tracks", params=parameters) as answer:
            assert answer.status == 200, await answer.text()
            said = await answer.json()
        assert said["next"] is None or said["next"] == said["tracks"][-1]["track_id"]
        ids += [one["track_id"] for one in said["tracks"]]
        after = said["next"]
    return ids


@pytest.mark.parametrize("limit", [1, 3, 7, 200])
async def test_every_track_is_on_one_page(running: Running, limit: int) -> None:
    await fill(running, *(row(i, f"Song {i}") for i in range(1, 8)))
    assert await listed(running, limit=limit) == list(range(1, 8))


async def test_a_status_lists_its_tracks_alone(running: Running) -> None:
    await fill(running, *(row(i, "x", status=Status.FAILED if i % 3 == 0 else Status.PENDING) for i in range(1, 10)))
    assert await listed(running, status="failed", limit=2) == [3, 6, 9]
    assert await listed(running, status="review") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("blue", [1, 2]), ("BLU", [1, 2]), ("hour blue", [1]), ("bjork", [3]), ("Björk", [3]), ("jóga", [3]),
        ("лебедь", [4]), ("夜", [5]), ("track", [6]), ("07", [6]), ("nothing", []), ("!!!", []), ("accepted", []),
        ('"blue" OR x', []), ("title:blue", []), ("blue*", [1, 2]), ("-blue", [1, 2]), ("NEAR(blue)", []), ("'", []),
        ("a b c d e f g h i j k l m n o p q r s t u v w x y z", []), ("\0blue", [1, 2]), ("", [1, 2, 3, 4, 5, 6]),
    ],
)  # fmt: skip
async def test_a_search_finds_beginnings_of_words_in_any_script(
    running: Running, words: str, expected: list[int]
) -> None:
    await fill(
        running,
        row(1, "Blue Hour", artist="The Lanterns"),
        row(2, "This", artist="X", album="Deep Blue"),
        row(3, "Jóga", artist="Björk"),
        row(4, "Лебедь", artist="Хор"),
        row(5, "夜の歌"),
        row(6, None, path=b"/home/blue/07 Track.mp3", status=Status.FAILED),
    )  # fmt: skip
    assert await listed(running, query=words) == expected


async def test_a_search_among_a_status_finds_these_alone(running: Running) -> None:
    await fill(running, row(1, "Blue"), row(2, "Blue", status=Status.FAILED), row(3, "Red", status=Status.FAILED))
    assert await listed(running, query="blue", status="failed") == [2]


async def test_a_search_knows_what_a_row_says_now(running: Running) -> None:
    await fill(running, row(1, "Blue"), row(2, "Blue"))
    await fill(running, row(1, "Red", status=Status.REVIEW))
    assert await listed(running, query="blue") == [2]
    assert await listed(running, query="red", status="review") == [1]
    await running.service.database.write(lambda c: c.execute("DELETE FROM enriched_tracks WHERE track_id = 1"))
    assert await listed(running, query="red") == []


async def test_a_row_has_lists_and_sources_and_a_path_that_is_text(running: Running) -> None:
    await fill(running, row(1, "One", path=b"/m/caf\xe9.mp3", artists=("A", "B"), explicit=False,
                            sources={"title": "musicbrainz"}))  # fmt: skip
    async with running.http.get("/api/v1/tracks") as answer:
        [said] = (await answer.json())["tracks"]
    assert (said["path"], said["artists"], said["explicit"]) == ("/m/caf\\xe9.mp3", ["A", "B"], False)
    assert said["sources"] == {"title": "musicbrainz"}
    assert said["status"] == "accepted"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=", "after=-1", "after=9223372036854775808", "status=done", "status=",
      f"query={'x' * 201}", "page=2", "limit=1&limit=2", "after=1.5"],
)  # fmt: skip
async def test_a_question_that_cannot_be_answered_is_a_problem_that_names_what_is_wrong(
    running: Running, query: str
) -> None:
    async with running.http.get(f"/api/v1/tracks?{query}") as answer:
        assert query.partition("=")[0] in await is_problem(answer, 422)


async def test_one_track_tells_where_everything_came_from(running: Running) -> None:
    def prepare(connection: sqlite3.Connection) -> None:
        decide(connection, add_tracks(connection, tags(isrcs=[1])))
        [lookup] = claim(connection)
        queue.settle(connection, [found(lookup, recording(1, isrcs=["DEAB10000001"]))], NOW)
        decide(connection, [1])

    await running.service.database.write(prepare)
    async with running.http.get("/api/v1/tracks/1") as answer:
        said = await answer.json()
    assert said["track"]["status"] == "accepted"
    assert said["track"]["sources"]["mb_recording_id"] == MUSICBRAINZ
    assert said["library"]["tags"]["title"]
    assert said["library"]["unreadable"] is None
    best = said["candidates"][0]
    assert (best["provider"], best["entity_id"]) == (MUSICBRAINZ, said["track"]["mb_recording_id"])
    assert best["reasons"]
    assert best["fields"]["title"]
    asked = said["lookups"][0]
    assert (asked["provider"], asked["kind"], asked["state"], asked["answers"]) == (
        MUSICBRAINZ,
        "isrc",
        "done",
        1,
    )
    assert asked["query"] == {"isrc": "DEAB10000001"}
    assert said["decisions"] == []


@pytest.mark.parametrize("number", ["1", "0", "999999999999999999", "x", "-1", "9" * 30])
async def test_a_track_that_does_not_exist_is_a_problem(running: Running, number: str) -> None:
    async with running.http.get(f"/api/v1/tracks/{number}") as answer:
        await is_problem(answer, 404)


async def test_a_lookup_that_failed_says_why(running: Running) -> None:
    def prepare(connection: sqlite3.Connection) -> None:
        add_lookups(connection, 1)
        [lookup] = claim(connection)
        queue.settle(connection, [Settlement(lookup, LookupState.FAILED, NOW, error="HTTP 500")], NOW)

    await running.service.database.write(prepare)
    async with running.http.get("/api/v1/tracks/1") as answer:
        said = await answer.json()
    assert (said["lookups"][0]["state"], said["lookups"][0]["last_error"]) == ("failed", "HTTP 500")
