"""Spotify: the batch route where it is served, and the fewest requests where it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from soulspot.errors import BadAnswer, BatchRejected, Limited, Refused
from soulspot.models import Answer, Failed, Found, Missing, Postponed, Query
from soulspot.providers.recent_values import RecentValues
from soulspot.providers.spotify.capability import PROBE_AGAIN, Capability
from soulspot.providers.spotify.client import SpotifyApp
from soulspot.providers.spotify.provider import Spotify
from soulspot.providers.spotify.single import MAX_QUERY, join_filters
from tests.providers.payloads import sp_album, sp_search, sp_track, spotify_id
from tests.providers.upstream import FAST, Upstream, Watched, upstream

Route = Callable[[web.Request], Awaitable[Any] | Any]


def error(status: int, message: str, headers: dict[str, str] | None = None, **more: str) -> web.Response:
    body = {"error": {"status": status, "message": message, **more}}
    return web.json_response(body, status=status, headers=headers)


class Api:
    """A small Spotify with routes by name; a route returns a response, or values sent as JSON."""

    def __init__(self, **routes: Any) -> None:
        self.routes = {"token": lambda request: TOKEN, **routes}

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part and part != "v1"]
        name = parts[0].removesuffix("s") if len(parts) > 1 else parts[0]
        route = self.routes.get(name)
        made = route(request) if callable(route) else route
        if made is None:
            return error(404, "Resource not found")
        return made if isinstance(made, web.Response) else web.json_response(made)


SECRET = "canary-4711"
TOKEN = {"access_token": "first", "token_type": "Bearer", "expires_in": 3600}


def known(*numbers: int) -> Callable[[web.Request], Any]:
    """Return a batch route that knows these tracks."""
    tracks = {spotify_id(n): sp_track(n) for n in numbers}
    return lambda request: {"tracks": [tracks.get(i) for i in request.query["ids"].split(",")]}


def single(*numbers: int, album: int = 1) -> Callable[[web.Request], Any]:
    tracks = {spotify_id(n): sp_track(n, album) for n in numbers}
    return lambda request: tracks.get(request.path.rpartition("/")[2])


def withheld(request: web.Request) -> web.Response:
    return error(403, "Forbidden")


@asynccontextmanager
async def spotify(
    api: Api, watched: Watched | None = None, client_id: str = "id", market: str | None = None, **settings: Any
) -> AsyncIterator[tuple[Spotify, Upstream]]:
    watched = watched or Watched()
    async with upstream(api) as up:
        provider = Spotify(
            watched.gates,
            watched.port,
            SpotifyApp(f"{up.url}/v1", f"{up.url}/token", client_id, SECRET, market),
            **{"rate": FAST, "timeout": 5.0, **settings},
        )
        try:
            yield provider, up
        finally:
            await provider.close()


def track(number: int, album: str | None = None, artist: str | None = "Band") -> Query:
    return Query.of("spotify", "track", {"album": album, "artist": artist}, id=spotify_id(number))


def entities(answer: Answer) -> list[str]:
    assert isinstance(answer, Found)
    return [entity.id for entity in answer.entities]


def sent(up: Upstream) -> list[str]:
    """Return the requests, without token requests: "tracks", or "tracks/1" for one track."""
    paths = [request.path.removeprefix("/v1/").strip("/") for request in up.requests if request.path != "/token"]
    return [f"{p.split('/')[0]}/{int(p.split('/')[1])}" if "/" in p else p for p in paths]


# -- the batch route


async def test_fifty_tracks_are_one_request_answered_by_position() -> None:
    async with spotify(Api(tracks=known(*range(1, 51)))) as (provider, up):
        answers = await provider.lookup([track(n) for n in range(50, 0, -1)])
        assert sent(up) == ["tracks"]
    assert [entities(answer) for answer in answers] == [[spotify_id(n)] for n in range(50, 0, -1)]


async def test_a_null_in_a_batch_is_missing_not_failed() -> None:
    async with spotify(Api(tracks=known(1, 3))) as (provider, _):
        answers = await provider.lookup([track(1), track(2), track(3), track(1)])
    assert [type(answer) for answer in answers] == [Found, Missing, Found, Found]


async def test_one_malformed_id_fails_alone_and_is_never_sent() -> None:
    bad = [Query.of("spotify", "track", id=text) for text in ("short", "spotify:local:a:b:c:1", "ä" * 22)]
    async with spotify(Api(tracks=known(1))) as (provider, up):
        answers = await provider.lookup([*bad, track(1)])
        assert up.requests[-1].query["ids"] == spotify_id(1)
    assert [type(answer) for answer in answers] == [Failed, Failed, Failed, Found]


async def test_a_batch_refused_as_malformed_is_to_be_halved_and_a_lone_track_fails() -> None:
    def refuse(request: web.Request) -> Any:
        bad = spotify_id(2) in request.query["ids"]
        return error(400, "Invalid base62 id") if bad else known(1)(request)

    async with spotify(Api(tracks=refuse)) as (provider, _):
        with pytest.raises(BatchRejected, match="Invalid base62 id"):
            await provider.lookup([track(1), track(2)])
        alone = await provider.lookup([track(2)])
        other = await provider.lookup([track(1)])
    assert isinstance(alone[0], Failed)
    assert not alone[0].retryable
    assert entities(other[0]) == [spotify_id(1)]


async def test_a_relinked_track_keeps_the_id_that_was_asked_for() -> None:
    def relinked(request: web.Request) -> Any:
        assert request.query["market"] == "DE"
        return {"tracks": [{**sp_track(7), "linked_from": {"id": spotify_id(1)}}]}

    async with spotify(Api(tracks=relinked), market="DE") as (provider, _):
        (answer,) = await provider.lookup([track(1)])
    assert isinstance(answer, Found)
    assert answer.entities[0].id == spotify_id(1)
    assert answer.entities[0].fields["spotify_track_id"] == spotify_id(7)


@pytest.mark.parametrize("document", [{"tracks": [None]}, {"tracks": None}, {"tracks": [1, 2]}, [], "null"], ids=str)
async def test_a_batch_answer_of_another_shape_is_a_bad_answer(document: Any) -> None:
    async with spotify(Api(tracks=document)) as (provider, _):
        with pytest.raises(BadAnswer):
            await provider.lookup([track(1), track(2)])


# -- tokens and refusals


async def test_an_expired_token_is_renewed_once_and_the_request_repeated() -> None:
    tokens = iter(["old", "new"])

    def token(request: web.Request) -> Any:
        return {**TOKEN, "access_token": next(tokens)}

    def tracks(request: web.Request) -> Any:
        if request.headers["Authorization"] != "Bearer new":
            return error(401, "The access token expired")
        return known(1)(request)

    watched = Watched()
    async with spotify(Api(token=token, tracks=tracks), watched) as (provider, up):
        answers = await provider.lookup([track(1)])
        assert up.paths == ["/token", "/v1/tracks", "/token", "/v1/tracks"]
    assert entities(answers[0]) == [spotify_id(1)]
    assert watched.gates.snapshot()[0].requests == 4  # token requests pass the gate, too


async def test_a_token_is_fetched_once_for_many_lookups() -> None:
    async with spotify(Api(tracks=known(1))) as (provider, up):
        for _ in range(3):
            await provider.lookup([track(1)])
        assert up.paths.count("/token") == 1


async def test_lookups_at_the_same_time_share_one_token() -> None:
    async with spotify(Api(tracks=known(1, 2))) as (provider, up):
        await asyncio.gather(provider.lookup([track(1)]), provider.lookup([track(2)]))
        assert up.paths.count("/token") == 1


async def test_wrong_credentials_are_refused_with_the_keys_to_check() -> None:
    def token(request: web.Request) -> Any:
        return web.json_response({"error": "invalid_client", "error_description": "Invalid client"}, status=400)

    async with spotify(Api(token=token)) as (provider, _):
        with pytest.raises(Refused, match=r"invalid_client.*client_secret") as refused:
            await provider.lookup([track(1)])
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_token_address_that_does_not_exist_is_refused_and_no_track_is_missing(status: int) -> None:
    async with spotify(Api(token=lambda request: web.Response(status=status))) as (provider, up):
        with pytest.raises(Refused, match="client_secret"):
            await provider.lookup([track(1)])
        assert sent(up) == []


async def test_a_refusal_in_html_says_what_to_do() -> None:
    def page(request: web.Request) -> web.Response:
        return web.Response(status=401, text="<html>no</html>", content_type="text/html")

    async with spotify(Api(tracks=page)) as (provider, _):
        with pytest.raises(Refused, match="developer dashboard"):
            await provider.lookup([track(1)])


async def test_a_gateways_403_is_not_taken_for_a_withheld_route() -> None:
    watched = Watched()
    gateway = lambda request: web.json_response({"error": "Forbidden"}, status=403)  # noqa: E731
    async with spotify(Api(tracks=gateway), watched) as (provider, _):
        with pytest.raises(Refused):
            await provider.lookup([track(1)])
    assert not any(key.startswith("spotify:capability") for key in watched.port.values)


async def test_a_token_that_never_works_is_refused_after_one_renewal() -> None:
    async with spotify(Api(tracks=lambda request: error(401, "Invalid access token"))) as (provider, up):
        with pytest.raises(Refused, match="Invalid access token"):
            await provider.lookup([track(1)])
        assert up.paths.count("/token") == 2


async def test_an_owner_without_premium_is_refused_and_not_taken_for_a_withheld_route() -> None:
    words = "Active premium subscription required for the owner of the app. See the blog."

    watched = Watched()
    async with spotify(Api(tracks=lambda request: web.Response(status=403, text=words)), watched) as (
        provider,
        up,
    ):
        with pytest.raises(Refused, match="Premium"):
            await provider.lookup([track(1)])
        assert sent(up) == ["tracks"]
    assert not any(key.startswith("spotify:capability") for key in watched.port.values)


@pytest.mark.parametrize("document", [{"access_token": "x"}, [], {"error": "?"}, "null"], ids=str)
async def test_a_token_answer_of_another_shape_is_a_bad_answer(document: Any) -> None:
    async with spotify(Api(token=lambda request: web.json_response(document))) as (provider, _):
        with pytest.raises(BadAnswer):
            await provider.lookup([track(1)])


# -- limits


async def test_a_spent_quota_is_waited_out_across_a_restart() -> None:
    def spent(request: web.Request) -> Any:
        return error(429, "Too many requests", {"Retry-After": "52531"}, reason="QUOTA_EXCEEDED")

    watched = Watched()
    async with spotify(Api(tracks=spent), watched) as (provider, up):
        with pytest.raises(Limited, match="quota"):
            await provider.lookup([track(1)])
        later = Watched(port=watched.port)
        again = Spotify(
            later.gates,
            later.port,
            SpotifyApp(f"{up.url}/v1", f"{up.url}/token", "id", SECRET),
            rate=FAST,
            timeout=5.0,
        )
        await later.gates.restore()
        opens = again.opens_at("track")
        with pytest.raises(Limited):
            await again.lookup([track(1)])
        assert sent(up) == ["tracks"]
        assert opens == pytest.approx(provider.opens_at("track"), abs=2)
        await again.close()


async def test_a_spent_quota_without_retry_after_waits_an_hour() -> None:
    watched = Watched()
    spent = error(429, "Too many requests", reason="QUOTA_EXCEEDED")
    async with spotify(Api(tracks=lambda request: spent), watched) as (provider, _):
        with pytest.raises(Limited):
            await provider.lookup([track(1)])
    (event,) = watched.events
    assert event.kind == "limited"
    assert "quota" in event.why


async def test_a_burst_limit_in_plain_text_is_a_limit() -> None:
    plain = lambda request: web.Response(status=429, text="Too many requests", headers={"Retry-After": "2"})  # noqa: E731
    async with spotify(Api(tracks=plain)) as (provider, _):
        with pytest.raises(Limited) as limited:
            await provider.lookup([track(1)])
    assert limited.value.status == 429


# -- without the batch route


async def test_the_batch_route_is_probed_once_and_the_refusal_remembered() -> None:
    watched = Watched()
    async with spotify(Api(tracks=withheld, track=single(1, 2)), watched) as (provider, up):
        assert provider.capacity["track"] == 50
        answers = await provider.lookup([track(1), track(2), track(9)])
        await provider.lookup([track(1)])
        assert sent(up) == ["tracks", "tracks/1", "tracks/2", "tracks/9", "tracks/1"]
        assert provider.capacity["track"] == 20
    assert [type(answer) for answer in answers] == [Found, Found, Missing]
    async with spotify(Api(tracks=withheld, track=single(1)), Watched(port=watched.port)) as (restarted, up):
        await restarted.lookup([track(1)])
        assert sent(up) == ["tracks/1"]
    async with spotify(Api(tracks=known(1)), Watched(port=watched.port), client_id="other") as (other, up):
        await other.lookup([track(1)])
        assert sent(up) == ["tracks"]


async def test_a_route_that_is_withdrawn_later_is_noticed() -> None:
    api = Api(tracks=known(1), track=single(1))
    async with spotify(api) as (provider, up):
        await provider.lookup([track(1)])
        api.routes["tracks"] = withheld
        assert isinstance((await provider.lookup([track(1)]))[0], Found)
        assert sent(up) == ["tracks", "tracks", "tracks/1"]


async def test_the_batch_route_is_tried_again_after_thirty_days() -> None:
    port, clock = Watched().port, [1_000_000.0]
    capability = Capability(port, "id", now=lambda: clock[0])
    assert await capability.are_batches_served() is None
    await capability.record(False)
    assert await capability.are_batches_served() is False
    clock[0] += PROBE_AGAIN - 1
    assert await Capability(port, "id", now=lambda: clock[0]).are_batches_served() is False
    clock[0] += 1
    assert await capability.are_batches_served() is None
    await capability.record(True)
    clock[0] += 10 * PROBE_AGAIN
    assert await capability.are_batches_served() is True


async def test_tracks_of_one_album_are_found_by_one_search_with_their_isrcs() -> None:
    def search(request: web.Request) -> Any:
        assert request.query["q"] == 'album:"Album 1" artist:"Band"'
        assert request.query["limit"] == "10"
        return sp_search(None, *(sp_track(n) for n in range(1, 11)))

    queries = [track(n, "Album 1") for n in range(1, 9)]
    async with spotify(Api(tracks=withheld, search=search)) as (provider, up):
        answers = await provider.lookup(queries)
        assert sent(up) == ["tracks", "search"]
    assert [entities(answer) for answer in answers] == [[query["id"]] for query in queries]
    assert all(answer.entities[0].fields["isrcs"] for answer in answers)  # type: ignore[union-attr]


async def test_the_rest_of_a_long_album_comes_from_the_album_itself() -> None:
    api = Api(
        tracks=withheld,
        search=lambda request: sp_search(*(sp_track(n) for n in range(1, 11))),
        album=lambda request: sp_album(1, *range(1, 17)),
    )
    async with spotify(api) as (provider, up):
        answers = await provider.lookup([track(n, "Album 1") for n in range(1, 16)])
        assert sent(up) == ["tracks", "search", "albums/10001"]
    fields = answers[14].entities[0].fields  # type: ignore[union-attr]
    assert fields["album"] == "Album 1"
    assert fields["barcode"] == "012345678905"
    assert fields["cover_url"] == "https://i/640"
    assert "isrcs" not in fields


async def test_an_album_that_the_search_does_not_find_is_not_searched_again() -> None:
    api = Api(
        tracks=withheld,
        search=lambda request: sp_search(sp_track(77, album=5)),
        track=single(1, 2, 3, 4),
        album=lambda request: sp_album(1, 1, 2, 3, 4),
    )
    async with spotify(api) as (provider, up):
        answers = await provider.lookup([track(n, "Album 1 (Deluxe)") for n in (1, 2, 3, 4)])
        assert sent(up) == ["tracks", "search", "tracks/1", "albums/10001"]
        await provider.lookup([track(n, "Album 1 (Deluxe)") for n in (1, 2)])
        assert sent(up)[4:] == ["tracks/1", "tracks/2"]
    assert all(isinstance(answer, Found) for answer in answers)


async def test_an_album_search_that_is_too_long_says_nothing_of_the_album() -> None:
    lengths = [414, 200]
    api = Api(
        tracks=withheld,
        search=lambda request: sp_search(sp_track(1)) if lengths.pop(0) == 200 else web.Response(status=414),
        track=single(1, 2, 3, 4),
        album=lambda request: sp_album(1, 1, 2, 3, 4),
    )
    async with spotify(api) as (provider, up):
        answers = await provider.lookup([track(n, "Album 1 (Deluxe)") for n in (1, 2, 3, 4)])
        assert sent(up) == ["tracks", "search", "tracks/1", "albums/10001"], "the ids are asked for all the same"
        await provider.lookup([track(n, "Album 1 (Deluxe)") for n in (1, 2)])
        assert sent(up)[4:] == ["search", "tracks/2"], "it is looked for again"
    assert all(isinstance(answer, Found) for answer in answers)


async def test_one_track_tells_the_album_of_those_beside_it_which_is_not_searched_for() -> None:
    api = Api(
        tracks=withheld, track=single(1, 2, 3, 4), album=lambda request: sp_album(1, 1, 2, 3, 4),
    )  # fmt: skip
    beside = {"beside": "Albun One / Band"}
    queries = [Query.of("spotify", "track", beside, id=spotify_id(n)) for n in (1, 2, 3, 4)]
    async with spotify(api) as (provider, up):
        answers = await provider.lookup(queries)
        assert sent(up) == ["tracks", "tracks/1", "albums/10001"]
    assert [entities(answer) for answer in answers] == [[query["id"]] for query in queries]


async def test_lone_tracks_are_asked_for_one_by_one() -> None:
    async with spotify(Api(tracks=withheld, track=single(1, 2))) as (provider, up):
        await provider.lookup([track(1, "Album 1"), track(2, "Another"), track(3, None)])
        assert sent(up) == ["tracks", "tracks/1", "tracks/2", "tracks/3"]


async def test_a_limit_among_single_requests_keeps_the_answers_so_far() -> None:
    def tracks(request: web.Request) -> Any:
        if request.path.endswith("2"):
            return error(429, "API rate limit exceeded", {"Retry-After": "30"})
        return single(1)(request)

    async with spotify(Api(tracks=withheld, track=tracks)) as (provider, up):
        answers = await provider.lookup([track(1), track(2), track(3)])
        assert sent(up) == ["tracks", "tracks/1", "tracks/2"]
    assert [type(answer) for answer in answers] == [Found, Postponed, Postponed]


# -- searches


async def test_an_isrc_finds_every_track_that_has_it_and_no_other() -> None:
    tracks = [sp_track(1), sp_track(2, external_ids={"isrc": "us-abc-26-00001"}), sp_track(3)]
    query = Query.of("spotify", "isrc", isrc="usabc2600001")
    async with spotify(Api(search=sp_search(*tracks))) as (provider, up):
        (answer,) = await provider.lookup([query])
        assert up.requests[-1].query["q"] == "isrc:USABC2600001"
    assert entities(answer) == [spotify_id(1), spotify_id(2)]


async def test_a_text_search_filters_by_field_and_keeps_the_order() -> None:
    query = Query.of("spotify", "text", title='Say "Hi"', artist="Band", album="Album 1")
    async with spotify(Api(search=sp_search(sp_track(2), sp_track(1)))) as (provider, up):
        (answer,) = await provider.lookup([query])
        assert up.requests[-1].query["q"] == 'track:"Say Hi" artist:"Band" album:"Album 1"'
    assert entities(answer) == [spotify_id(2), spotify_id(1)]


async def test_nothing_found_is_missing_and_a_refused_search_fails_alone() -> None:
    queries = [
        Query.of("spotify", "text", title="A", artist="B"),
        Query.of("spotify", "text", title="odd", artist="B"),
        Query.of("spotify", "text", title='"', artist="B"),
    ]

    def search(request: web.Request) -> Any:
        return error(400, "Bad query") if "odd" in request.query["q"] else sp_search()

    async with spotify(Api(search=search)) as (provider, up):
        answers = await provider.lookup(queries)
        assert len(sent(up)) == 2
    assert answers[0] == Missing()
    assert isinstance(answers[1], Failed)
    assert isinstance(answers[2], Failed)


@pytest.mark.parametrize("length", [10, 100, 240, 300, 5000])
def test_a_search_text_never_exceeds_what_spotify_takes(length: int) -> None:
    q = join_filters(track="word " * (length // 5), artist="x" * length, album="ä" * (length // 2))
    assert len(q) <= MAX_QUERY
    assert q.count('"') == 6
    assert q.startswith('track:"word')


async def test_a_reload_changes_rate_batch_and_budget() -> None:
    watched = Watched()
    async with spotify(Api(tracks=known(*range(10))), watched, daily_budget=5) as (provider, up):
        provider.retune(rate=FAST / 2, batch_size=3, timeout=2.0, daily_budget=None)
        answers = await provider.lookup([track(n) for n in range(10)])
        assert sent(up) == ["tracks"] * 4
    assert all(isinstance(answer, Found) for answer in answers)
    (gate,) = watched.gates.snapshot()
    assert (gate.rate, gate.daily_budget) == (FAST / 2, None)


# -- whole albums


def tracklist(number: int) -> Query:
    return Query.of("spotify", "tracklist", id=spotify_id(number))


def albums_known(*numbers: int) -> Callable[[web.Request], Any]:
    """Return a batch route that knows these albums; album n has the tracks n * 10 + 1 and + 2."""
    known_albums = {spotify_id(n): sp_album(n, n * 10 + 1, n * 10 + 2) for n in numbers}
    return lambda request: {"albums": [known_albums.get(i) for i in request.query["ids"].split(",")]}


async def test_twenty_albums_are_one_request_and_an_unknown_one_is_missing() -> None:
    async with spotify(Api(albums=albums_known(1, 3))) as (provider, up):
        assert provider.capacity["tracklist"] == 20
        answers = await provider.lookup([tracklist(1), tracklist(2), tracklist(3)])
        assert sent(up) == ["albums"]
    assert entities(answers[0]) == [spotify_id(11), spotify_id(12)]
    assert isinstance(answers[1], Missing)
    assert entities(answers[2]) == [spotify_id(31), spotify_id(32)]


async def test_an_album_is_read_alone_where_batches_are_withheld() -> None:
    album = {spotify_id(1): sp_album(1, 11, 12)}
    routes = Api(albums=withheld, album=lambda request: album.get(request.path.rpartition("/")[2]))
    async with spotify(routes) as (provider, up):
        [first, second] = await provider.lookup([tracklist(1), tracklist(2)])
        assert sent(up) == ["albums", "albums/1", "albums/2"]
        assert provider.capacity["tracklist"] == 1
        assert provider.expensive_kinds >= {"track", "tracklist", "album", "isrc", "text"}
    assert entities(first) == [spotify_id(11), spotify_id(12)]
    assert isinstance(second, Missing)


async def test_an_album_that_a_track_has_told_is_not_read_again_when_its_list_is_wanted_next() -> None:
    album = sp_album(1, 1, 2, 3)
    routes = Api(tracks=withheld, albums=withheld, track=single(1, 2, 3), album=lambda request: album)
    async with spotify(routes) as (provider, up):
        beside = {"beside": "their release group"}
        await provider.lookup([Query.of("spotify", "track", beside, id=spotify_id(n)) for n in (1, 2, 3)])
        await provider.lookup([tracklist(10_001)])
        assert sent(up)[-2:] == ["tracks/1", "albums/10001"]


def test_what_is_kept_for_a_while_is_gone_after_it_and_makes_room_for_what_is_newer() -> None:
    at = 0.0
    kept: RecentValues[str] = RecentValues(2, 60.0, lambda: at)
    for key in ("a", "b", "c"):
        kept.put(key, key.upper())
    assert [kept.get(key) for key in ("a", "b", "c", "d")] == [None, "B", "C", None]
    at = 60.0
    assert kept.get("c") is None


async def test_the_tracks_after_the_fiftieth_of_an_album_are_read_too() -> None:
    whole = sp_album(1, *range(100, 170))
    tracks = whole["tracks"]["items"]
    first = whole | {"tracks": whole["tracks"] | {"items": tracks[:50], "total": 70}}
    routes = Api(
        albums=lambda request: {"albums": [first]},
        album=lambda request: {"items": tracks[int(request.query["offset"]) :][:50], "total": 70},
    )
    async with spotify(routes) as (provider, up):
        [answer] = await provider.lookup([tracklist(1)])
        assert len(up.requests) == 3  # the token, the album, its second page
    assert entities(answer) == [spotify_id(n) for n in range(100, 170)]


async def test_an_album_search_brings_ten_whole_tracks() -> None:
    async with spotify(Api(search=lambda request: sp_search(sp_track(1), sp_track(2)))) as (provider, up):
        query = Query.of("spotify", "album", album="Night Shift", artist="Band")
        [answer] = await provider.lookup([query])
        assert up.requests[-1].query["q"] == 'artist:"Band" album:"Night Shift"'
    assert entities(answer) == [spotify_id(1), spotify_id(2)]


async def test_what_was_planned_for_batches_is_not_asked_singly_by_who_plans_anew() -> None:
    planned = []
    async with spotify(Api(tracks=withheld, track=single(1))) as (provider, up):
        provider.on_batches_withheld = lambda: planned.append(provider.are_batches_withheld)
        answers = await provider.lookup([track(1), track(2)])
        assert sent(up) == ["tracks"]
    assert all(isinstance(answer, Postponed) for answer in answers)
    assert planned == [True]
