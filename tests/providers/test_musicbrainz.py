"""MusicBrainz: the requests of lookups, and the answers made of the responses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from soulspot.errors import BadAnswer, BatchRejected, Limited, Refused, TooLong, Unavailable
from soulspot.models import Failed, Found, Missing, Postponed, Query
from soulspot.providers.musicbrainz.provider import MusicBrainz
from tests.providers.payloads import mb_hit, mb_search, mbid, spotify_id
from tests.providers.upstream import FAST, Upstream, Watched, always, upstream


@asynccontextmanager
async def musicbrainz(
    answer: Any, watched: Watched | None = None, **settings: Any
) -> AsyncIterator[tuple[MusicBrainz, Upstream]]:
    async with upstream(answer) as up:
        settings = {"contact": "me@example.org", "rate": FAST, "base_url": f"{up.url}/ws/2", **settings}
        provider = MusicBrainz((watched or Watched()).gates, **settings)
        try:
            yield provider, up
        finally:
            await provider.close()


def recording(number: int) -> Query:
    return Query.of("musicbrainz", "recording", mbid=mbid(number))


def isrc(code: str) -> Query:
    return Query.of("musicbrainz", "isrc", isrc=code)


def text(title: str, artist: str, **more: str) -> Query:
    return Query.of("musicbrainz", "text", title=title, artist=artist, **more)


def url(number: int) -> Query:
    return Query.of("musicbrainz", "url", spotify_id=spotify_id(number))


def redirect(number: int) -> Query:
    return Query.of("musicbrainz", "redirect", mbid=mbid(number))


def index(*hits: dict[str, Any], page: int = 100) -> Any:
    """Return a search that knows `hits` by id and ISRC, and shows `page` of its matches."""

    async def answer(request: web.Request) -> web.StreamResponse:
        query = request.query["query"]
        found = [hit for hit in hits if hit["id"] in query or any(code in query for code in hit["isrcs"])]
        return web.json_response(mb_search(*found[:page], count=len(found)))

    return answer


def found_ids(answer: Any) -> list[str]:
    assert isinstance(answer, Found)
    return [entity.id for entity in answer.entities]


def refusing(*words: str) -> Any:
    """Return a search that refuses queries with any of these in them, and finds nothing else."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if any(word in request.query["query"] for word in words):
            return web.json_response({"error": "Unable to parse search query"}, status=400)
        return web.json_response(mb_search())

    return answer


LOOSE = Query.of("musicbrainz", "loose", title="Midnight Cathedral", artist="The Hungry Evenings")


async def test_words_with_slips_are_left_out_for_good_only_where_they_are_what_is_refused() -> None:
    async with musicbrainz(refusing("~")) as (provider, up):
        for _ in range(2):
            assert isinstance((await provider.lookup([LOOSE]))[0], Missing)
        assert ["~" in request.query["query"] for request in up.requests] == [True, False, False]
    async with musicbrainz(refusing("Ruins")) as (provider, up):
        spoils = Query.of("musicbrainz", "loose", title="Ruins", artist="The Hungry Evenings")
        with pytest.raises(BatchRejected):
            await provider.lookup([spoils, LOOSE])
        assert isinstance((await provider.lookup([LOOSE]))[0], Missing)
        assert ["~" in request.query["query"] for request in up.requests] == [True, False, True]


@pytest.mark.parametrize("status", [413, 414, 431])
async def test_a_loose_search_that_is_too_long_does_not_cost_the_slips(status: int) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        is_long = len(request.query["query"]) > 150
        return web.Response(status=status, text="too long") if is_long else web.json_response(mb_search())

    other = Query.of("musicbrainz", "loose", title="Another Quiet Cathedral", artist="The Hungry Evenings")
    async with musicbrainz(answer) as (provider, up):
        with pytest.raises(TooLong):
            await provider.lookup([LOOSE, other])
        assert len(up.requests) == 1, "it is not tried without the slips, which would make it short enough"
        assert isinstance((await provider.lookup([LOOSE]))[0], Missing)
        assert ["~" in request.query["query"] for request in up.requests] == [True, True]


async def test_a_hundred_recordings_are_one_request_answered_in_the_order_asked() -> None:
    queries = [recording(number) for number in reversed(range(100))]
    async with musicbrainz(index(*(mb_hit(number) for number in range(100)))) as (provider, up):
        answers = await provider.lookup(queries)
        assert len(up.requests) == 1
        assert up.requests[0].query["limit"] == "100"
        assert up.requests[0].query["fmt"] == "json"
        assert len(str(up.requests[0].rel_url)) < 6000
    assert [found_ids(answer) for answer in answers] == [[query["mbid"]] for query in queries]


async def test_equal_lookups_in_one_batch_are_asked_once_and_all_answered() -> None:
    async with musicbrainz(index(mb_hit(1))) as (provider, up):
        answers = await provider.lookup([recording(1), recording(2), recording(1)])
        assert up.requests[0].query["query"].count(mbid(1)) == 1
    assert answers[0] == answers[2]
    assert isinstance(answers[0], Found)
    assert answers[1] == Missing()


async def test_a_malformed_id_fails_alone_and_is_never_sent() -> None:
    bad = Query.of("musicbrainz", "recording", mbid="not-an-id")
    async with musicbrainz(index(mb_hit(1))) as (provider, up):
        answers = await provider.lookup([bad, recording(1), isrc("XX")])
        assert len(up.requests) == 1
        assert "not-an-id" not in up.requests[0].query["query"]
    assert [type(answer) for answer in answers] == [Failed, Found, Failed]
    assert not answers[0].retryable
    assert not answers[2].retryable


async def test_a_kind_that_nobody_knows_fails_alone() -> None:
    odd = Query.of("musicbrainz", "horoscope", sign="leo")
    async with musicbrainz(index(mb_hit(1))) as (provider, _):
        answers = await provider.lookup([odd, recording(1)])
    assert [type(answer) for answer in answers] == [Failed, Found]


async def test_one_isrc_may_have_several_recordings_however_it_was_spelled() -> None:
    hits = [mb_hit(1, isrcs=("GBSMU4566095",)), mb_hit(2, isrcs=("GBSMU4566095", "USABC2600001"))]
    async with musicbrainz(index(*hits)) as (provider, up):
        answers = await provider.lookup([isrc("gb-smu-45-66095"), isrc("USABC2600001"), isrc("USABC2600002")])
        assert len(up.requests) == 1
    assert found_ids(answers[0]) == [mbid(1), mbid(2)]
    assert found_ids(answers[1]) == [mbid(2)]
    assert answers[2] == Missing()


async def test_a_search_that_shows_only_a_part_is_split_until_nothing_is_hidden() -> None:
    codes = [f"USABC26{number:05d}" for number in range(8)]
    hits = [mb_hit(10 * k + copy, isrcs=(code,)) for k, code in enumerate(codes) for copy in range(3)]
    async with musicbrainz(index(*hits, page=6)) as (provider, up):
        answers = await provider.lookup([isrc(code) for code in codes])
        assert all("offset" not in request.query for request in up.requests)  # never paged
        assert len(up.requests) == 7
    assert all(len(found_ids(answer)) == 3 for answer in answers)


async def test_hits_go_to_the_texts_they_answer() -> None:
    hits = [
        mb_hit(1, "Café del Mar", "Energy 52", 420_000),
        mb_hit(2, "夜に駆ける", "YOASOBI", 261_000),
        mb_hit(3, "Café del Mar (live)", "Energy 52", 424_000),
    ]
    queries = [
        text("Cafe Del Mar", "ENERGY 52", duration_ms="421000"),
        text("夜に駆ける", "YOASOBI", duration_ms="260500"),
        text("Nobody's Song", "Nobody", duration_ms="100000"),
    ]
    async with musicbrainz(always(mb_search(*hits))) as (provider, up):
        answers = await provider.lookup(queries)
        assert len(up.requests) == 1
    assert found_ids(answers[0]) == [mbid(1), mbid(3)]
    assert found_ids(answers[1]) == [mbid(2)]
    assert answers[2] == Missing()


async def test_a_wide_text_is_asked_by_itself_and_the_artist_may_be_spelled_otherwise() -> None:
    hits = [mb_hit(1, "Hello (world)", "Somebody else"), mb_hit(2, "Farewell", "A AND B")]
    wide = text("Hello (World)", "A AND B", scope="wide")
    async with musicbrainz(always(mb_search(*hits, count=5000))) as (provider, up):
        answers = await provider.lookup([wide, text("Hello", "One", scope="wide"), text("Hello", "One")])
        assert len(up.requests) == 3
        queries = [request.query["query"] for request in up.requests]
    assert sum("recording:(hello OR world)" in query for query in queries) == 1
    assert [found_ids(answer) for answer in answers[:2]] == [[mbid(1)], [mbid(1)]]


async def test_texts_are_grouped_smaller_when_they_match_much() -> None:
    async with musicbrainz(always(mb_search(*(mb_hit(n) for n in range(90)), count=90))) as (provider, up):
        for round_ in range(8):
            await provider.lookup([text(f"Song {n}", f"Band {round_}") for n in range(10)])
        sizes = [request.query["query"].count("recording:") for request in up.requests]
    assert sizes[0] == 10
    assert max(sizes[-3:]) < 10


async def test_long_texts_stay_within_the_servers_url_limit() -> None:
    queries = [text(f"{n} " + "長い題名" * 12, "とても長い名前の人" * 4) for n in range(20)]
    async with musicbrainz(always(mb_search())) as (provider, up):
        answers = await provider.lookup(queries)
        assert 2 <= len(up.requests) <= 20
        assert max(len(request.raw_path) for request in up.requests) < 6200
    assert answers == [Missing()] * 20


async def test_a_whole_batch_refused_as_malformed_is_to_be_halved_and_a_lone_one_fails() -> None:
    async with musicbrainz(always({"error": "Unable to parse search query"}, 400)) as (provider, _):
        with pytest.raises(BatchRejected):
            await provider.lookup([recording(1), recording(2)])
        (answer,) = await provider.lookup([recording(1)])
    assert isinstance(answer, Failed)
    assert not answer.retryable
    assert "Unable to parse" in answer.reason


async def test_a_limit_in_the_middle_keeps_what_was_answered_and_postpones_the_rest() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if len(up.requests) == 1:
            return web.json_response(mb_search(mb_hit(1)))
        return web.json_response({"error": "busy"}, status=503, headers={"Retry-After": "0"})

    async with musicbrainz(answer) as (provider, up):
        answers = await provider.lookup([recording(1), redirect(2), redirect(3)])
        assert len(up.requests) == 2
        assert provider.opens_at("recording") is not None
        with pytest.raises(Limited):
            await provider.lookup([recording(4)])
        assert len(up.requests) == 2
    assert [type(answer) for answer in answers] == [Found, Postponed, Postponed]


async def test_an_outage_in_the_middle_charges_only_the_question_that_was_asked(no_backoff: None) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if len(up.requests) == 1:
            return web.json_response(mb_search(mb_hit(1)))
        return web.Response(status=500)

    async with musicbrainz(answer) as (provider, up):
        answers = await provider.lookup([recording(1), redirect(2), redirect(3)])
    assert [type(answer) for answer in answers] == [Found, Failed, Postponed]
    assert answers[1].retryable  # type: ignore[union-attr]


async def test_a_batch_that_could_not_be_asked_at_all_says_whether_the_service_answered(
    no_backoff: None,
) -> None:
    async with musicbrainz(always("<html>", 500)) as (provider, up):
        with pytest.raises(Unavailable) as failure:
            await provider.lookup([recording(1), redirect(2)])
        assert len(up.requests) == 3
    assert failure.value.answered


async def test_no_contact_is_refused_with_the_services_words() -> None:
    async with musicbrainz(always({"error": "no user agent"}, 403)) as (provider, up):
        with pytest.raises(Refused, match="no user agent"):
            await provider.lookup([recording(1)])
        assert "me@example.org" in up.requests[0].headers["User-Agent"]


@pytest.mark.parametrize("document", [[], {}, {"recordings": None, "count": 1}, {"recordings": []}, "hm", None])
async def test_an_answer_of_another_shape_is_a_bad_answer(document: Any) -> None:
    async with musicbrainz(always(document if document is not None else "null")) as (provider, _):
        with pytest.raises(BadAnswer):
            await provider.lookup([recording(1)])


async def test_a_merged_id_is_followed_to_the_recording_it_has_become() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if mbid(1) in request.path:
            return web.Response(status=301, headers={"Location": f"/ws/2/recording/{mbid(2)}"})
        assert request.query["fmt"] == "json"
        return web.json_response(mb_hit(2, "Merged into this"))

    watched = Watched()
    async with musicbrainz(answer, watched) as (provider, _):
        (reply,) = await provider.lookup([redirect(1)])
    assert isinstance(reply, Found)
    moved, entity = reply.entities
    assert (moved.kind, moved.id, moved.fields) == ("redirect", mbid(1), {"redirect_to": mbid(2)})
    assert (entity.kind, entity.id, entity.fields["title"]) == ("recording", mbid(2), "Merged into this")
    assert watched.statuses == [301, 200]
    assert watched.gates.snapshot()[0].requests == 2


async def test_an_id_that_was_not_merged_answers_with_its_own_recording() -> None:
    async with musicbrainz(always(mb_hit(1))) as (provider, up):
        (reply,) = await provider.lookup([redirect(1)])
        assert "isrcs" in up.requests[0].query["inc"].split()
    assert isinstance(reply, Found)
    assert [entity.kind for entity in reply.entities] == ["recording"]


async def test_a_deleted_id_is_missing() -> None:
    async with musicbrainz(always({"error": "Not Found"}, 404)) as (provider, _):
        assert await provider.lookup([redirect(1)]) == [Missing()]


def resource(number: int, *recordings: dict[str, Any], ended: bool = False) -> dict[str, Any]:
    relations = [{"target-type": "recording", "ended": ended, "recording": r} for r in recordings]
    name = f"https://open.spotify.com/track/{spotify_id(number)}"
    return {"id": mbid(5000 + number), "resource": name, "relations": relations}


async def test_seventy_spotify_links_are_one_request() -> None:
    document = {"urls": [resource(n, mb_hit(n)) for n in range(0, 70, 2)] + [resource(1, mb_hit(1), ended=True)]}
    async with musicbrainz(always(document)) as (provider, up):
        answers = await provider.lookup([url(n) for n in range(70)])
        assert len(up.requests) == 1
        assert len(up.requests[0].query.getall("resource")) == 70
        assert len(up.requests[0].raw_path) < 6200
    assert [isinstance(answer, Found) for answer in answers] == [n % 2 == 0 for n in range(70)]
    assert isinstance(answers[0], Found)
    assert answers[0].entities[0].fields["spotify_track_ids"] == [spotify_id(0)]


async def test_a_lone_spotify_link_is_answered_by_a_bare_object_or_by_not_found() -> None:
    async with musicbrainz(always(resource(3, mb_hit(3)))) as (provider, up):
        (found,) = await provider.lookup([url(3)])
        up.answer = always({"error": "Not Found"}, 404)
        (absent,) = await provider.lookup([url(3)])
    assert found_ids(found) == [mbid(3)]
    assert absent == Missing()


async def test_a_mirror_below_another_path_is_asked_there() -> None:
    async with upstream(index(mb_hit(1))) as up:
        provider = MusicBrainz(Watched().gates, base_url=f"{up.url}/mirror/ws/2/", contact="c", rate=FAST)
        await provider.lookup([recording(1)])
        await provider.close()
        assert up.paths == ["/mirror/ws/2/recording"]


async def test_a_call_that_hangs_holds_up_no_other() -> None:
    arrived, never = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await never.wait()
        return web.Response()

    async with musicbrainz(hang) as (hanging, _), musicbrainz(index(mb_hit(1))) as (working, _):
        task = asyncio.ensure_future(hanging.lookup([recording(1)]))
        await arrived.wait()
        assert isinstance((await working.lookup([recording(1)]))[0], Found)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_new_settings_hold_from_the_next_lookup_on() -> None:
    async with musicbrainz(index(*(mb_hit(n) for n in range(4)))) as (provider, up):
        provider.retune(rate=FAST / 2, batch_size=2, timeout=5.0)
        assert provider.capacity["recording"] == 2
        await provider.lookup([recording(n) for n in range(4)])
        assert len(up.requests) == 2


def artist(name: str) -> Query:
    return Query.of("musicbrainz", "artist", name=name)


async def test_one_broad_name_does_not_make_all_others_be_asked_alone() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        query = request.query["query"]
        hits = [{"id": mbid(n), "name": f"Band {n}x"} for n in range(200) if f"{n}x" in query]
        count = len(hits) + (3000 if "earth" in query else 0)
        return web.json_response({"count": count, "artists": hits[:100]})

    names = [f"Band {n}x" for n in range(200)]
    names[77] = "Earth"
    async with musicbrainz(answer) as (provider, up):
        for start in range(0, 200, 40):
            await provider.lookup([artist(name) for name in names[start : start + 40]])
        assert len(up.requests) < 30


async def test_a_server_without_an_artist_search_knows_no_artists() -> None:
    async with musicbrainz(always({"error": "Not Found"}, 404)) as (provider, _):
        assert await provider.lookup([artist("Band"), artist("Other")]) == [Missing(), Missing()]
