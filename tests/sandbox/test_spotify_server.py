"""The local Spotify answers and refuses as the real service is known to, for both kinds of app."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from soulspot.sandbox import Behaviour
from tests.sandbox.calls import catalogue, running
from tests.support.shared_data import shared

_UNKNOWN = "0" * 22


def _ids(count: int) -> list[str]:
    return [track.id for track in catalogue().spotify_tracks[:count]]


async def test_fifty_tracks_come_in_one_batch_and_an_unknown_one_is_null_in_its_place() -> None:
    ids = _ids(49)
    asked = [*ids[:10], _UNKNOWN, *ids[10:]]
    async with running() as calls:
        reply = await calls.spotify("/tracks/", ids=",".join(asked))
    assert reply.status == 200
    assert [track and track["id"] for track in reply.json["tracks"]] == [*ids[:10], None, *ids[10:]]


async def test_one_malformed_id_fails_the_whole_batch() -> None:
    async with running() as calls:
        reply = await calls.spotify("/tracks", ids=",".join([*_ids(5), "not-an-id"]))
    assert (reply.status, reply.json) == (400, {"error": {"status": 400, "message": "Invalid base62 id"}})


async def test_fifty_one_ids_are_too_many_and_twenty_one_albums() -> None:
    albums = [album.id for album in catalogue().spotify_albums[:21]]
    async with running() as calls:
        tracks = await calls.spotify("/tracks", ids=",".join(_ids(51)))
        album = await calls.spotify("/albums", ids=",".join(albums))
        fits = await calls.spotify("/albums", ids=",".join(albums[:20]))
    assert (tracks.status, album.status, fits.status) == (400, 400, 200)
    assert tracks.json["error"]["message"] == "too many ids requested"


@pytest.mark.parametrize("kind", ["tracks", "albums", "artists"])
async def test_development_mode_withholds_the_batches_but_not_single_objects(kind: str) -> None:
    made = catalogue()
    track = made.spotify_tracks[0]
    one = {"tracks": track.id, "albums": track.album_id, "artists": track.artists[0].id}[kind]
    async with running(Behaviour(spotify_mode="development")) as calls:
        batch = await calls.spotify(f"/{kind}", ids=one)
        single = await calls.spotify(f"/{kind}/{one}")
        unknown = await calls.spotify(f"/{kind}/{_UNKNOWN}")
        malformed = await calls.spotify(f"/{kind}/x")
    assert (batch.status, batch.json) == (403, {"error": {"status": 403, "message": "Forbidden"}})
    assert (single.status, single.json["id"]) == (200, one)
    assert (unknown.status, unknown.json["error"]["message"]) == (404, "Resource not found")
    assert malformed.status == 400


async def test_development_mode_lacks_the_fields_it_lost_and_keeps_the_isrc() -> None:
    track = catalogue().spotify_tracks[0]
    async with running() as calls:
        whole = (await calls.spotify(f"/tracks/{track.id}")).json
        calls.sandbox.behaviour.update({"spotify_mode": "development"})
        poor = (await calls.spotify(f"/tracks/{track.id}")).json
        album = (await calls.spotify(f"/albums/{track.album_id}")).json
    assert set(whole) - set(poor) == {"available_markets", "popularity"}
    assert poor["external_ids"] == {"isrc": track.isrc}
    assert not {"available_markets", "label", "popularity"} & set(album)
    assert album["external_ids"].keys() <= {"upc"}


async def test_an_album_has_its_tracks_without_isrcs_and_pages_beyond_fifty() -> None:
    made = catalogue()
    album = max(made.spotify_albums, key=lambda a: len(a.track_ids))
    async with running() as calls:
        whole = (await calls.spotify(f"/albums/{album.id}")).json
        first = (await calls.spotify(f"/albums/{album.id}/tracks/", limit=3)).json
        second = (await calls.spotify(f"/albums/{album.id}/tracks", limit=3, offset=3)).json
        toomany = await calls.spotify(f"/albums/{album.id}/tracks", limit=51)
    assert [track["id"] for track in whole["tracks"]["items"]] == list(album.track_ids[:50])
    assert not {"album", "external_ids"} & set(whole["tracks"]["items"][0])
    assert [track["id"] for track in first["items"] + second["items"]] == list(album.track_ids[:6])
    assert first["next"].endswith("offset=3&limit=3")
    assert first["previous"] is None
    assert toomany.status == 400


@pytest.mark.parametrize(("mode", "most", "usual"), [("extended", 50, 20), ("development", 10, 5)])
async def test_search_gives_as_many_as_the_app_may_have(mode: str, most: int, usual: int) -> None:
    title = catalogue().recording(catalogue().cases["popular"][0]).title
    async with running(Behaviour(spotify_mode=mode)) as calls:
        default = await calls.spotify("/search", q=f"track:{title}", type="track")
        fits = await calls.spotify("/search/", q=f"track:{title}", type="track", limit=most)
        beyond = await calls.spotify("/search", q=f"track:{title}", type="track", limit=most + 1)
    assert len(default.json["tracks"]["items"]) == usual
    assert 10 <= len(fits.json["tracks"]["items"]) <= most
    assert (beyond.status, beyond.json["error"]["message"]) == (400, "Invalid limit")


async def test_search_filters_narrow_by_title_artist_album_year_isrc_and_upc() -> None:
    made = catalogue()
    track = next(
        t
        for t in made.spotify_tracks
        if t.isrc and t.title.isascii() and t.isrc == t.isrc.upper() and "-" not in t.isrc
    )
    album = made.spotify_album(track.album_id)
    quoted = f'track:"{track.title}" artist:"{track.artists[0].name}" album:"{album.title}"'
    bare = f"track:{track.title} artist:{track.artists[0].name} year:{album.date[:4]}"
    async with running() as calls:

        async def found(query: str, kind: str = "track") -> set[str]:
            reply = await calls.spotify("/search", q=query, type=kind, limit=50)
            return {each["id"] for each in reply.json[f"{kind}s"]["items"]}

        assert track.id in await found(quoted)
        assert track.id in await found(bare)
        same = {t.id for t in made.spotify_tracks if t.isrc == track.isrc}
        assert await found(f"isrc:{track.isrc}") == same
        assert await found(f"isrc:{track.isrc} OR isrc:{track.isrc}") == set()
        assert await found(f"{bare} year:1900") == set()
        if album.upc:
            assert await found(f"upc:{album.upc}", "album") == {album.id}
        titled = await calls.spotify("/search", q=f'track:"{track.title}"', type="track")
        assert titled.json["tracks"]["items"][0]["name"].casefold() == track.title.casefold()
        assert (await calls.spotify("/search", q="a" * 251, type="track")).status == 400
        assert (await calls.spotify("/search", q="a")).status == 400
        assert (await calls.spotify("/search", q=" ", type="track")).status == 400


async def test_a_token_ends_and_a_new_one_works() -> None:
    async with running(Behaviour(token_lifetime=60)) as calls:
        reply = await calls.new_token()
        before = await calls.spotify(f"/tracks/{_ids(1)[0]}")
        calls.clock.time += 60
        after = await calls.spotify(f"/tracks/{_ids(1)[0]}")
        await calls.new_token()
        again = await calls.spotify(f"/tracks/{_ids(1)[0]}")
    assert (reply.json["token_type"], reply.json["expires_in"]) == ("Bearer", 60)
    assert (before.status, after.status, again.status) == (200, 401, 200)
    assert after.json == {"error": {"status": 401, "message": "The access token expired"}}


async def test_wrong_credentials_get_no_token_and_made_up_tokens_no_answer() -> None:
    async with running(Behaviour(spotify_clients={"id": "secret"})) as calls:
        wrong = await calls.new_token("id", "guess")
        stranger = await calls.new_token("other", "secret")
        right = await calls.new_token("id", "secret")
        calls.token = "made-up"
        refused = await calls.spotify("/tracks", ids=_ids(1)[0])
    assert (wrong.status, stranger.status, right.status) == (400, 400, 200)
    assert wrong.json["error"] == "invalid_client"
    assert refused.status == 401


async def test_a_missing_subscription_is_told_in_plain_text() -> None:
    async with running(Behaviour(spotify_premium_required=True)) as calls:
        reply = await calls.spotify("/tracks", ids=_ids(1)[0])
    assert reply.status == 403
    assert reply.text.startswith("Active premium subscription required for the owner of the app.")


async def test_the_burst_limit_is_a_rolling_window_of_thirty_seconds() -> None:
    async with running(Behaviour(spotify_window_limit=5), limits=True) as calls:
        first = []
        for _ in range(7):
            first.append(await calls.spotify(f"/tracks/{_UNKNOWN}"))
            calls.clock.time += 1
        calls.clock.time += 23.5
        later = [(await calls.spotify(f"/tracks/{_UNKNOWN}")).status for _ in range(2)]
    assert [reply.status for reply in first] == [404] * 5 + [429] * 2
    assert all(1 <= int(reply.headers["Retry-After"]) <= 4 for reply in first[5:])
    assert later == [404, 429]


async def test_a_spent_quota_names_the_rest_of_the_wait_and_is_whole_again_after_it() -> None:
    async with running(Behaviour(spotify_quota=2, token_lifetime=10**9)) as calls:
        replies = []
        for step in (0, 10, 20, 531, 51_980):
            calls.clock.time += step
            replies.append(await calls.spotify(f"/tracks/{_UNKNOWN}"))
    assert [reply.status for reply in replies] == [404, 404, 429, 429, 429]
    waits = [int(reply.headers["Retry-After"]) for reply in replies[2:]]
    assert waits == [52531, 52000, 20]
    assert replies[2].json["error"]["reason"] == "QUOTA_EXCEEDED"


async def test_a_quota_may_come_without_a_retry_after() -> None:
    behaviour = Behaviour(spotify_quota=0, spotify_quota_retry_after=None, token_lifetime=10**9)
    async with running(behaviour) as calls:
        reply = await calls.spotify(f"/tracks/{_UNKNOWN}")
        calls.clock.time += 10**6
        later = await calls.spotify(f"/tracks/{_UNKNOWN}")
        calls.sandbox.behaviour.update({"spotify_quota": None})
        renewed = await calls.spotify(f"/tracks/{_UNKNOWN}")
    assert (reply.status, later.status, renewed.status) == (429, 429, 404)
    assert "Retry-After" not in reply.headers


async def test_a_market_may_change_the_id_of_what_comes_back() -> None:
    ids = _ids(20)
    async with running(Behaviour(spotify_markets_relink=3)) as calls:
        plain = (await calls.spotify("/tracks", ids=",".join(ids))).json["tracks"]
        market = (await calls.spotify("/tracks", ids=",".join(ids), market="DE")).json["tracks"]
    assert [track["id"] for track in plain] == ids
    moved = [(old, track) for old, track in zip(ids, market, strict=True) if track["id"] != old]
    assert moved
    assert all(track["linked_from"]["id"] == old for old, track in moved)
    assert all(track["is_playable"] and "available_markets" not in track for track in market)


async def test_blank_titles_and_careless_isrcs_are_served_as_they_are() -> None:
    made = catalogue()
    blank = next(t for t in made.spotify_tracks if not t.title)
    odd = made.cases["spotify_odd_isrc"][0]
    async with running() as calls:
        tracks = (await calls.spotify("/tracks", ids=f"{blank.id},{odd}")).json["tracks"]
    assert tracks[0]["name"] == ""
    assert tracks[1]["external_ids"]["isrc"] == made.spotify_track(odd).isrc


def _names(value: object) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


async def test_objects_have_the_keys_of_recorded_ones() -> None:
    recorded = json.loads(shared("data", "api", "spotify", "beets", "album_info.json").read_text())
    found = json.loads(shared("data", "api", "spotify", "beets", "track_request.json").read_text())["tracks"]
    made = catalogue()
    async with running() as calls:
        album = (await calls.spotify(f"/albums/{made.spotify_albums[0].id}")).json
        page = (await calls.spotify("/search", q="a", type="track", limit=1)).json["tracks"]
        track = (await calls.spotify(f"/tracks/{_ids(1)[0]}")).json
    assert _names(recorded) == _names(album)
    assert _names(recorded["tracks"]) == _names(album["tracks"])
    assert _names(recorded["tracks"]["items"][0]) == _names(album["tracks"]["items"][0])
    assert _names(found) == _names(page)
    # recorded in 2016: an album inside a track has since got more keys, and a track `is_local`
    assert _names(found["items"][0]) | {"is_local"} == _names(track)
    assert _names(found["items"][0]["album"]) <= _names(track["album"])


def test_search_results_are_ranked_the_same_way_each_time() -> None:
    from soulspot.sandbox.servers.spotify.search import SpotifySearch

    search = SpotifySearch(catalogue())
    title = catalogue().recording(catalogue().cases["popular"][0]).title
    found = search.tracks(f"track:{title}")
    assert found == search.tracks(f"track:{title}")
    exact = [track for track in found if track.title == title]
    assert found[: len(exact)] == exact
    assert all(a.popularity >= b.popularity for a, b in pairwise(exact))
