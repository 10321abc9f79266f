"""Review over HTTP: the list, the comparison, a person's decisions and their effects."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from soulspot.models import MUSICBRAINZ, SPOTIFY, Entity, ShownCandidate, Status, TrackOutcome, Verdict
from soulspot.operations.refetch import queue_again
from soulspot.store import enriched, tracks
from tests.pipeline.test_intake import song
from tests.support.answering import answer_all, bring_in
from tests.support.factories import NOW, mbid, recording, release, spotify_id, spotify_track, tags
from tests.web.conftest import Running
from tests.web.test_api import accepted as operation
from tests.web.test_guards import is_problem

MB = MUSICBRAINZ
SEVERAL = [recording(n, releases=[], duration_ms=None) for n in (1, 2)]
NAMES = ("Azure", "Birch", "Cedar", "Delta", "Ember")
UNSURE = {(MB, "loose"): SEVERAL}


async def in_review(running: Running, count: int = 1) -> list[int]:
    """Add `count` tracks in review, with two candidates each; return their ids."""
    names = [f"Blue Hour {name}" for name in NAMES[:count]]
    found = await bring_in(running.service, *(tags(name, duration_ms=None, album=None) for name in names))
    replies = [
        recording(10 * m + n, title=name, releases=[], duration_ms=None)
        for m, name in enumerate(names, 1)
        for n in (0, 1)
    ]
    await answer_all(running.service, {(MB, "loose"): replies})
    return found


async def one_in_review(running: Running) -> int:
    [track_id] = await bring_in(running.service, tags(duration_ms=None))
    await answer_all(running.service, UNSURE)
    return track_id


async def get(running: Running, path: str) -> Any:
    async with running.http.get(f"/api/v1/review{path}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def post(running: Running, path: str, **body: Any) -> Any:
    async with running.http.post(f"/api/v1/review/{path}", json=body) as answer:
        assert answer.status in (200, 202), await answer.text()
        return await answer.json()


async def row(running: Running, track_id: int) -> Any:
    return (await running.service.database.read(lambda c: enriched.load(c, [track_id])))[track_id]


# --- what is there --------------------------------------------------------------------------------


async def test_the_list_is_paged_by_cursor_and_every_track_comes_once(running: Running) -> None:
    found = await in_review(running, 5)
    pages, after = [], 0
    while after is not None:
        page = await get(running, f"?limit=2&after={after}")
        assert page["total"] == 5
        pages.append([one["track_id"] for one in page["review"]])
        after = page["next"]
    assert pages == [found[:2], found[2:4], found[4:]]


async def test_the_page_is_given_the_open_question_of_a_track_that_only_spotify_identified(running: Running) -> None:
    track_id = await one_in_review(running)

    def accept_on_spotify(connection: sqlite3.Connection) -> None:
        found = replace(
            enriched.load(connection, [track_id])[track_id], status=Status.ACCEPTED, spotify_track_id=spotify_id(1)
        )
        shown = [ShownCandidate(MB, mbid(n), 0.8, Verdict.REVIEW, ("title equal",)) for n in (1, 2)]
        shown.append(ShownCandidate(SPOTIFY, spotify_id(1), 0.95, Verdict.ACCEPTED, ("title equal",)))
        tracks.save_outcomes(connection, [TrackOutcome(found, tuple(shown))], NOW)

    await running.service.database.write(accept_on_spotify)
    listed = await get(running, "")
    assert [one["track_id"] for one in listed["review"]] == [track_id]
    assert listed["total"] == 1
    case = await get(running, f"/{track_id}")
    assert case["accepted"] == {MB: None, SPOTIFY: spotify_id(1)}
    assert {one["verdict"] for one in case["candidates"] if one["provider"] == MB} == {"review"}


async def test_the_list_names_the_track_its_best_candidate_and_the_reasons(running: Running) -> None:
    track_id = await one_in_review(running)
    [one] = (await get(running, ""))["review"]
    assert (one["track_id"], one["title"], one["artist"]) == (track_id, "Blue Hour", "The Lanterns")
    assert one["candidates"] == 2
    assert one["best"]["entity_id"] in (mbid(1), mbid(2))
    assert one["best"]["reasons"][0].startswith(("another recording is as close", "not sure"))


async def test_the_list_can_be_searched_by_the_words_of_names(running: Running) -> None:
    found = await in_review(running, 3)
    assert [one["track_id"] for one in (await get(running, "?query=HOUR%20birch"))["review"]] == [found[1]]
    assert (await get(running, "?query=nothing"))["review"] == []
    assert (await get(running, "?query=lanterns&limit=1"))["next"] == found[0]


async def test_a_case_has_the_candidates_compared_field_by_field(running: Running) -> None:
    [track_id] = await bring_in(running.service, tags(duration_ms=201_000, track_number=3, date="2001"))
    live = recording(
        1, title="Blue Hour (Live)", duration_ms=215_400, isrcs=["DEAB10000001"],
        releases=[release(2, title="On Stage", date="2004"), release(3, title="Night Shift")],
    )  # fmt: skip
    await answer_all(running.service, {(MB, "text"): [live]})
    case = await get(running, f"/{track_id}")
    assert case["status"] == "review"
    assert case["tags"]["shown"] == {
        "title": "Blue Hour", "version": "studio", "artist": "The Lanterns", "album": "Night Shift",
        "position": "1-03", "length": "3:21", "date": "2001", "isrc": None,
    }  # fmt: skip
    [one] = case["candidates"]
    assert one["shown"] == {
        "title": "Blue Hour (Live)", "version": "live", "artist": "The Lanterns", "album": "Night Shift",
        "position": "1-03", "length": "3:35", "date": "2001-05-04", "isrc": "DEAB10000001",
    }  # fmt: skip
    assert one["same"] == {
        "title": False, "version": False, "artist": True, "album": True,
        "position": True, "length": False, "date": True, "isrc": None,
    }  # fmt: skip
    assert (one["apart_ms"], one["releases"]) == (14_400, 2)
    assert one["url"] == f"https://musicbrainz.org/recording/{mbid(1)}"
    assert any("live" in reason for reason in one["reasons"])


async def test_a_file_is_found_by_its_path_whatever_its_bytes(running: Running) -> None:
    place = running.music / "a ü & b.flac"
    song(place, "One")
    await operation(running, "/api/v1/scan")
    assert await get(running, f"/track?path={quote(bytes(place), safe='')}") == {"track_id": 1}
    for path, status in (("/there/is/none", 404), ("relative", 422), ("", 422)):
        async with running.http.get("/api/v1/review/track", params={"path": path}) as answer:
            await is_problem(answer, status)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "after=-1", "after=99999999999999999999"])
async def test_a_page_that_cannot_be_is_a_problem(running: Running, query: str) -> None:
    async with running.http.get(f"/api/v1/review?{query}") as answer:
        await is_problem(answer, 422)


# --- what a person says ---------------------------------------------------------------------------


async def test_an_accepted_candidate_fills_the_row_and_leaves_the_list(running: Running) -> None:
    track_id = await one_in_review(running)
    case = await post(running, f"{track_id}/accept", provider=MB, entity_id=mbid(2), by="ann", reason="heard it")
    assert (case["status"], case["accepted"]["musicbrainz"], case["confidence"]) == ("accepted", mbid(2), 1.0)
    [said] = case["decisions"]
    assert (said["verdict"], said["by"], said["reason"]) == ("accepted", "ann", "heard it")
    now = await row(running, track_id)
    assert (now.mb_recording_id, now.sources["title"]) == (mbid(2), MB)
    assert (await get(running, ""))["total"] == 0


async def test_an_id_by_hand_is_asked_for_at_once_and_its_facts_fill_the_row(running: Running) -> None:
    track_id = await one_in_review(running)
    address = f"https://musicbrainz.org/recording/{mbid(7).upper()}"
    case = await post(running, f"{track_id}/accept", entity_id=address)
    assert (case["status"], case["accepted"]["musicbrainz"]) == ("accepted", mbid(7))
    assert case["waiting"] > 0
    seventh = recording(7, provider="listenbrainz", title="Blue Hour (Night Mix)")
    asked = await answer_all(running.service, {("listenbrainz", "recording"): [seventh]})
    assert ("mbid", mbid(7)) in asked[0].query.terms
    assert (await row(running, track_id)).title == "Blue Hour (Night Mix)"
    assert (await get(running, f"/{track_id}"))["waiting"] == 0


async def test_an_accepted_id_that_was_merged_is_what_it_was_merged_into(running: Running) -> None:
    track_id = await one_in_review(running)
    await post(running, f"{track_id}/accept", entity_id=mbid(7))
    merged = Entity("listenbrainz", "redirect", mbid(7), {"redirect_to": mbid(8)})
    await answer_all(running.service, {("listenbrainz", "redirect"): [merged], (MB, "recording"): [recording(8)]})
    now = await row(running, track_id)
    assert (now.status, now.mb_recording_id) == ("accepted", mbid(8))


async def test_the_last_word_counts_and_a_track_is_one_recording(running: Running) -> None:
    track_id = await one_in_review(running)
    for number in (1, 2, 1):
        await post(running, f"{track_id}/accept", entity_id=mbid(number))
    case = await get(running, f"/{track_id}")
    assert [one["entity_id"] for one in case["decisions"]] == [mbid(1)]
    case = await post(running, f"{track_id}/reject", entity_id=mbid(1))
    assert case["accepted"]["musicbrainz"] != mbid(1)


async def test_rejecting_one_leaves_the_other_and_rejecting_all_leaves_it_unmatched(running: Running) -> None:
    track_id = await one_in_review(running)
    await post(running, f"{track_id}/reject", provider=MB, entity_id=mbid(1))
    await answer_all(running.service, UNSURE)
    case = await get(running, f"/{track_id}")
    assert [one["entity_id"] for one in case["candidates"]] == [mbid(2)]
    case = await post(running, f"{track_id}/reject", entities=[{"provider": MB, "entity_id": mbid(2)}])
    await answer_all(running.service, UNSURE)
    case = await get(running, f"/{track_id}")
    assert (case["status"], case["candidates"]) == ("unmatched", [])
    assert (await get(running, ""))["total"] == 0


async def test_what_a_person_said_can_be_taken_back(running: Running) -> None:
    track_id = await one_in_review(running)
    await post(running, f"{track_id}/accept", entity_id=mbid(7))
    await post(running, f"{track_id}/reject", entity_id=spotify_id(3))
    case = await post(running, f"{track_id}/undo", provider=SPOTIFY)
    assert (case["taken_back"], case["accepted"]["musicbrainz"]) == (1, mbid(7))
    case = await post(running, f"{track_id}/undo")
    assert (case["taken_back"], case["decisions"], case["accepted"]["musicbrainz"]) == (1, [], None)
    await answer_all(running.service, UNSURE)
    assert (await row(running, track_id)).status == "review"
    assert (await post(running, f"{track_id}/undo"))["taken_back"] == 0


async def test_a_refresh_does_not_undo_what_a_person_said_and_other_fields_follow_it(
    running: Running,
) -> None:
    track_id = await one_in_review(running)
    await post(running, f"{track_id}/accept", entity_id=mbid(2))
    await answer_all(running.service, {})
    assert await queue_again(running.service, ["missing"]) > 0
    await running.service.database.write(
        lambda c: c.execute(
            "UPDATE lookups SET state = 'pending', due_at = '2000-01-01T00:00:00.000Z' WHERE state = 'done'"
        )
    )
    other = [recording(1, duration_ms=201_000), recording(2, title="Blue Hour, Renamed")]
    await answer_all(running.service, {(MB, "loose"): other})
    now = await row(running, track_id)
    assert (now.mb_recording_id, now.title) == (mbid(2), "Blue Hour, Renamed")


async def test_a_search_by_hand_is_queued_like_any_other_and_its_finds_can_be_accepted(
    running: Running,
) -> None:
    track_id = await one_in_review(running)
    asked = await post(running, f"{track_id}/search", words="The Lanterns - Azure")
    assert asked["url"] == f"/api/v1/review/{track_id}/search/{asked['lookup_id']}"
    path = asked["url"].removeprefix("/api/v1/review")
    stands = await get(running, path)
    assert (stands["answered"], stands["results"]) == (False, [])
    found = await answer_all(running.service, {(MB, "text"): [recording(5, title="Azure")]})
    assert dict(found[0].query.terms) == {"title": "Azure", "artist": "The Lanterns", "scope": "wide"}
    stands = await get(running, path)
    assert stands["answered"]
    assert [(one["entity_id"], one["same"]["title"]) for one in stands["results"]] == [(mbid(5), False)]
    again = await post(running, f"{track_id}/search", words="The Lanterns - Azure")
    assert again == asked
    assert (await get(running, path))["answered"]  # it is known: nobody is asked


async def test_a_search_that_found_nothing_is_asked_anew(running: Running) -> None:
    track_id = await one_in_review(running)
    asked = await post(running, f"{track_id}/search", words="azure lanterns")
    path = asked["url"].removeprefix("/api/v1/review")
    [lookup] = await answer_all(running.service, {})
    assert dict(lookup.query.terms) == {
        "title": "azure lanterns",
        "artist": "azure lanterns",
        "scope": "wide",
    }
    assert (await get(running, path))["state"] == "missing"
    await post(running, f"{track_id}/search", words="azure lanterns")
    await answer_all(running.service, {(MB, "text"): [recording(5, title="Azure")]})
    assert len((await get(running, path))["results"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("accept", {}, "entity_id"),
        ("accept", {"entity_id": "nonsense"}, "is no id"),
        ("accept", {"entity_id": 5}, "entity_id"),
        ("accept", {"entity_id": "\ud800"}, "entity_id"),
        ("accept", {"entity_id": mbid(1), "provider": SPOTIFY}, "not of spotify"),
        ("accept", {"entity_id": mbid(1), "provider": "napster"}, "provider"),
        ("accept", {"entity_id": mbid(1), "reason": "\udfff"}, "reason"),
        ("accept", {"entity_id": f"https://musicbrainz.org/release/{mbid(1)}"}, "recording's own page"),
        ("reject", {"entities": []}, "entities"),
        ("reject", {"entities": [5]}, "entities.0"),
        ("reject", {}, "entity_id or entities"),
        ("reject", {"entity_id": mbid(1), "entities": [{"entity_id": mbid(2)}]}, "either entity_id or entities"),
        ("accept", {"entity_id": mbid(1), "entity": mbid(2)}, "entity: extra inputs"),
        ("accept", {"entity_id": mbid(1), "reason": "x" * 501}, "reason"),
        ("reject", {"entities": [{"entity_id": "x"}]}, "is no id"),
        ("search", {}, "words"),
        ("search", {"words": " "}, "words"),
        ("search", {"words": "a", "provider": SPOTIFY}, "spotify is off"),
        ("undo", {"provider": "napster"}, "provider"),
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_a_problem_in_words(
    running: Running, path: str, body: dict[str, Any], words: str
) -> None:
    track_id = await one_in_review(running)
    async with running.http.post(f"/api/v1/review/{track_id}/{path}", json=body) as answer:
        assert words in await is_problem(answer, 422)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("accept", {"entity_id": mbid(1)}),
        ("reject", {"entity_id": mbid(1)}),
        ("undo", {}),
        ("search", {"words": "a"}),
    ],
)
async def test_a_track_that_is_not_there_is_a_problem(running: Running, path: str, body: dict[str, str]) -> None:
    async with running.http.post(f"/api/v1/review/77/{path}", json=body) as answer:
        assert "no track 77" in await is_problem(answer, 404)
    for there in ("/77", "/77/search/1"):
        async with running.http.get(f"/api/v1/review{there}") as answer:
            await is_problem(answer, 404)


async def test_a_spotify_track_named_by_its_uri_is_asked_for_and_fills_the_row(running: Running) -> None:
    track_id = await one_in_review(running)
    case = await post(running, f"{track_id}/accept", entity_id=f"spotify:track:{spotify_id(4)}")
    assert (case["accepted"]["spotify"], case["accepted"]["musicbrainz"]) == (spotify_id(4), None)
    await answer_all(running.service, {(SPOTIFY, "track"): [spotify_track(4)]})
    assert (await row(running, track_id)).spotify_track_id == spotify_id(4)
