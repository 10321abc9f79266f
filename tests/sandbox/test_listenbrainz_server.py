"""The local ListenBrainz and labs answer and refuse as the real services are known to."""

from __future__ import annotations

import json

import pytest

from soulspot.sandbox import Behaviour
from tests.sandbox.calls import catalogue, running
from tests.support.shared_data import shared

_RECORDING, _LOOKUP = "/metadata/recording/", "/metadata/lookup/"
_UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_a_thousand_ids_are_one_request_and_unknown_and_merged_ones_are_left_out() -> None:
    made = catalogue(1500)
    merged = [old for r in made.recordings for old in r.merged_mbids][:20]
    plain = [r.mbid for r in made.recordings[:979]]
    async with running(served=made) as calls:
        reply = await calls.lb(_RECORDING, {"recording_mbids": [*plain, *merged, _UNKNOWN]})
        toomany = await calls.lb(_RECORDING, {"recording_mbids": [*plain, *merged, _UNKNOWN, _UNKNOWN]})
    assert (reply.status, toomany.status) == (200, 400)
    assert set(reply.json) == set(plain)
    assert calls.sandbox.requests[0].body_items == 1000


async def test_what_is_included_is_what_was_asked_for() -> None:
    made = catalogue()
    recording = next(r for r in made.recordings if r.isrcs and r.tags and made.places(r.mbid))
    body = {"recording_mbids": [recording.mbid]}
    async with running() as calls:
        bare = (await calls.lb(_RECORDING, body)).json[recording.mbid]
        full = (await calls.lb(_RECORDING, {**body, "inc": "artist tag release"})).json[recording.mbid]
        wrong = await calls.lb(_RECORDING, {**body, "inc": "artist nonsense"})
    assert set(bare) == {"recording"}
    assert bare["recording"]["isrcs"] == list(recording.isrcs)
    assert bare["recording"]["length"] == recording.duration_ms
    assert set(full) == {"recording", "artist", "tag", "release"}
    assert full["artist"]["name"] == recording.artist
    assert full["release"]["mbid"] in {place.release.mbid for place in made.places(recording.mbid)}
    assert {tag["tag"] for tag in full["tag"]["recording"]} == {name for name, _ in recording.tags}
    assert (wrong.status, wrong.json["code"]) == (400, 400)


@pytest.mark.parametrize(
    "body", [{}, {"recording_mbids": []}, {"recording_mbids": "x"}, {"recording_mbids": ["x"]}, [1], "text"]
)
async def test_a_malformed_body_is_400(body: object) -> None:
    async with running() as calls:
        reply = await calls.lb(_RECORDING, body)
    assert (reply.status, reply.json["code"]) == (400, 400)


async def test_the_slash_at_the_end_is_part_of_the_route() -> None:
    async with running() as calls:
        reply = await calls.lb("/metadata/recording", {"recording_mbids": [_UNKNOWN]})
    assert reply.status == 404


async def test_thirty_requests_fit_a_window_of_ten_seconds_and_the_headers_say_so() -> None:
    body = {"recording_mbids": [_UNKNOWN]}
    async with running(limits=True) as calls:
        replies = [await calls.lb(_RECORDING, body) for _ in range(31)]
        calls.clock.time += 9.5
        early = await calls.lb(_RECORDING, body)
        calls.clock.time += 0.5
        fresh = await calls.lb(_RECORDING, body)
    assert [reply.status for reply in replies] == [200] * 30 + [429]
    assert [int(reply.headers["X-RateLimit-Remaining"]) for reply in replies] == [*range(29, -1, -1), 0]
    assert replies[30].headers["X-RateLimit-Limit"] == "30"
    assert replies[30].json["code"] == 429
    assert (early.status, early.headers["X-RateLimit-Reset-In"]) == (429, "1")
    assert (fresh.status, fresh.headers["X-RateLimit-Remaining"]) == (200, "29")


async def test_the_text_lookup_needs_a_token_and_answers_in_order() -> None:
    made = catalogue()
    places = [made.places(r.mbid)[0] for r in made.recordings[:3]]
    asked = [
        {
            "artist_name": made.recording(p.track.recording_mbid).artist.upper(),
            "recording_name": p.track.title,
        }
        for p in places
    ]
    asked.insert(1, {"artist_name": "Nobody", "recording_name": "Nothing"})
    async with running(Behaviour(lb_token="t")) as calls:
        anonymous = await calls.lb(_LOOKUP, {"recordings": asked})
        wrong = await calls.lb(_LOOKUP, {"recordings": asked}, token="guess")
        found = await calls.lb(_LOOKUP, {"recordings": asked}, token="t")
        toomany = await calls.lb(_LOOKUP, {"recordings": asked * 13}, token="t")
        broken = await calls.lb(_LOOKUP, {"recordings": [{"artist_name": "x"}, 3]}, token="t")
    assert (anonymous.status, wrong.status, toomany.status, broken.status) == (401, 401, 400, 400)
    assert [row["index"] for row in found.json] == [0, 1, 2, 3]
    assert "recording_mbid" not in found.json[1]
    titles = [row["recording_name"] for at, row in enumerate(found.json) if at != 1]
    assert titles == [place.track.title for place in places]


async def test_labs_resolves_merged_ids_and_answers_every_input_in_order() -> None:
    made = catalogue()
    recording = made.recording(made.cases["merged"][0])
    inputs = [recording.merged_mbids[0], _UNKNOWN, recording.mbid]
    async with running() as calls:
        reply = await calls.labs("recording-mbid-lookup", [{"recording_mbid": mbid} for mbid in inputs])
    assert [row["recording_mbid"] for row in reply.json] == [recording.mbid, None, recording.mbid]
    assert [row["original_recording_mbid"] for row in reply.json] == inputs


async def test_labs_names_spotify_tracks_mostly_rightly_and_leaves_unknown_recordings_out() -> None:
    made = catalogue(1500)
    known = [r for r in made.recordings if r.spotify_ids and made.places(r.mbid)][:800]
    inputs = [{"recording_mbid": r.mbid} for r in known] + [{"recording_mbid": _UNKNOWN}]
    async with running(Behaviour(labs_wrong_share=0.05), made) as calls:
        rows = (await calls.labs("spotify-id-from-mbid", inputs)).json
        again = (await calls.labs("spotify-id-from-mbid", inputs)).json
    assert rows == again
    assert len(rows) == 800
    links = [(made.recording(row["recording_mbid"]), row["spotify_track_ids"]) for row in rows]
    right = sum(set(found) >= set(r.spotify_ids) for r, found in links)
    none = sum(not found for _, found in links)
    dead = sum(made.spotify_track(each) is None for _, found in links for each in found)
    wrong = sum(bool(set(found) - set(r.spotify_ids) - set(r.dead_ids)) for r, found in links)
    assert right > 600
    assert none > 20
    assert dead > 5
    assert 10 < wrong < 100


async def test_labs_finds_recordings_by_exact_text_and_one_for_inputs_that_fold_alike() -> None:
    made = catalogue()
    place = next(made.places(r.mbid)[0] for r in made.recordings if made.places(r.mbid) and r.title.isascii())
    recording = made.recording(place.track.recording_mbid)
    texts = [
        (recording.artist, recording.title),
        ("Nobody", "x"),
        (recording.artist.upper(), f"{recording.title}!"),
    ]
    inputs = [{"artist_credit_name": artist, "recording_name": title} for artist, title in texts]
    with_release = [{**each, "release_name": place.release.title} for each in inputs]
    async with running(Behaviour(labs_wrong_share=0.0)) as calls:
        plain = (await calls.labs("acr-lookup", inputs)).json
        release = (await calls.labs("acrr-lookup", with_release)).json
        spotify = await calls.labs(
            "spotify-id-from-metadata",
            [{"artist_name": a, "track_name": t, "release_name": ""} for a, t in texts],
        )
    assert [row["index"] for row in plain] == [2]
    assert [(row["index"], row["recording_mbid"]) for row in release] == [(2, recording.mbid)]
    assert release[0]["release_mbid"] == place.release.mbid
    assert [row["artist_name"] for row in spotify.json] == [artist for artist, _ in texts]
    assert spotify.json[1]["spotify_track_ids"] == []


async def test_labs_lists_tags_in_bulk() -> None:
    tagged = [r for r in catalogue().recordings if r.tags][:50]
    async with running() as calls:
        rows = (await calls.labs("bulk-tag-lookup", [{"recording_mbid": r.mbid} for r in tagged])).json
        toomany = await calls.labs("bulk-tag-lookup", [{"recording_mbid": _UNKNOWN}] * 1001)
    assert {(row["recording_mbid"], row["tag"], row["tag_count"]) for row in rows} == {
        (r.mbid, name, count) for r in tagged for name, count in r.tags
    }
    assert toomany.status == 400


@pytest.mark.parametrize("slug", ["mbid-mapping", "explain-mbid-mapping", "nonsense"])
async def test_removed_lookups_are_404(slug: str) -> None:
    async with running() as calls:
        assert (await calls.labs(slug, [])).status == 404


@pytest.mark.parametrize("body", [{}, [1], [{"recording_mbid": "x"}], [{}]])
async def test_labs_refuses_malformed_inputs(body: object) -> None:
    async with running() as calls:
        assert (await calls.labs("recording-mbid-lookup", body)).status == 400


async def test_metadata_has_the_keys_of_a_recorded_answer() -> None:
    path = shared("data", "api", "listenbrainz", "server_testdata", "testdata", "mb_metadata_cache_example.json")
    recorded = next(iter(json.loads(path.read_text()).values()))
    made = catalogue()
    asked = [r.mbid for r in made.recordings[:200]]
    async with running() as calls:
        answer = (await calls.lb(_RECORDING, {"recording_mbids": asked, "inc": "artist tag release"})).json
    whole = next(each for each in answer.values() if "caa_id" in each["release"] and "year" in each["release"])
    assert set(recorded) == set(whole)
    assert set(recorded["release"]) == set(whole["release"])
    assert set(recorded["artist"]) == set(whole["artist"])
    assert set(recorded["tag"]) == set(whole["tag"])
    assert set(recorded["artist"]["artists"][0]) - {"begin_year"} == set(whole["artist"]["artists"][0])
