"""ListenBrainz: a thousand recordings a request, and the data sets of labs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from soulspot.errors import BadAnswer, BatchRejected, Limited
from soulspot.models import Failed, Found, Missing, Query
from soulspot.providers.listenbrainz.provider import ListenBrainz
from tests.providers.payloads import mbid, spotify_id
from tests.providers.upstream import FAST, Upstream, Watched, always, upstream


@asynccontextmanager
async def listenbrainz(
    answer: Any, watched: Watched | None = None, **settings: Any
) -> AsyncIterator[tuple[ListenBrainz, Upstream, Upstream]]:
    """Yield the provider, its API and its labs; both answer alike unless a test changes that."""
    async with upstream(answer) as api, upstream(answer) as labs:
        provider = ListenBrainz(
            (watched or Watched()).gates,
            base_url=f"{api.url}/1",
            labs_url=labs.url,
            **{"rate": FAST, "timeout": 5.0, **settings},
        )
        try:
            yield provider, api, labs
        finally:
            await provider.close()


def query_of(kind: str, number: int) -> Query:
    return Query.of("listenbrainz", kind, mbid=mbid(number))


def metadata(number: int) -> dict[str, Any]:
    return {
        "recording": {"name": f"Song {number}"},
        "artist": {"name": "Band", "artists": []},
        "release": {},
        "tag": {},
    }


def knowing(*numbers: int) -> Any:
    """Return a metadata route that knows these recordings and omits all others."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = (await request.json())["recording_mbids"]
        return web.json_response({mbid(n): metadata(n) for n in numbers if mbid(n) in asked})

    return answer


async def test_a_thousand_recordings_are_one_request() -> None:
    queries = [query_of("recording", n) for n in range(1000)]
    async with listenbrainz(knowing(*range(0, 1000, 2))) as (provider, api, labs):
        answers = await provider.lookup([*queries, queries[0]])
        assert api.paths == ["/1/metadata/recording/"]
        assert api.bodies[0]["inc"] == "artist tag release"
        assert len(api.bodies[0]["recording_mbids"]) == 1000
        assert labs.requests == []
    assert [isinstance(answer, Found) for answer in answers[:4]] == [True, False, True, False]
    assert answers[1] == Missing()
    assert answers[1000] == answers[0]
    assert answers[998].entities[0].fields["title"] == "Song 998"  # type: ignore[union-attr]


async def test_a_malformed_id_fails_alone_and_is_never_sent() -> None:
    bad = Query.of("listenbrainz", "recording", mbid="e97f805a")
    async with listenbrainz(knowing(1)) as (provider, api, _):
        answers = await provider.lookup([query_of("recording", 1), bad])
        assert api.bodies[0]["recording_mbids"] == [mbid(1)]
    assert [type(answer) for answer in answers] == [Found, Failed]


async def test_a_batch_refused_as_malformed_is_to_be_halved() -> None:
    refusal = {"code": 400, "error": "recording_mbids contains an invalid id"}
    async with listenbrainz(always(refusal, 400)) as (provider, _, _):
        with pytest.raises(BatchRejected, match="invalid id"):
            await provider.lookup([query_of("recording", 1), query_of("recording", 2)])
        (alone,) = await provider.lookup([query_of("recording", 1)])
    assert isinstance(alone, Failed)


async def test_the_token_goes_to_the_api_and_not_to_labs() -> None:
    async with listenbrainz(knowing(1), token="canary") as (provider, api, labs):
        labs.answer = always([])
        await provider.lookup([query_of("recording", 1), query_of("redirect", 2)])
        assert api.requests[0].headers["Authorization"] == "Token canary"
        assert "Authorization" not in labs.requests[0].headers


async def test_merged_ids_are_resolved_many_at_a_time() -> None:
    def row(asked: int, now: int | None) -> dict[str, Any]:
        name = None if now is None else f"Song {now}"
        return {
            "original_recording_mbid": mbid(asked),
            "recording_mbid": None if now is None else mbid(now),
            "recording_name": name,
            "artist_credit_name": None if now is None else "Band",
            "length": None if now is None else 1000,
        }

    async with listenbrainz(always([row(1, 2), row(3, None), row(2, 2)])) as (provider, api, labs):
        answers = await provider.lookup([query_of("redirect", n) for n in (1, 2, 3, 4)])
        assert labs.paths == ["/recording-mbid-lookup/json"]
        assert labs.bodies[0] == [{"recording_mbid": mbid(n)} for n in (1, 2, 3, 4)]
        assert api.requests == []
    assert isinstance(answers[0], Found)
    moved, entity = answers[0].entities
    assert (moved.kind, moved.id, moved.fields["redirect_to"]) == ("redirect", mbid(1), mbid(2))
    assert (entity.id, entity.fields["title"], entity.fields["duration_ms"]) == (mbid(2), "Song 2", 1000)
    assert [entity.kind for entity in answers[1].entities] == ["recording"]  # type: ignore[union-attr]
    assert answers[2:] == [Missing(), Missing()]


async def test_two_recordings_of_one_name_share_the_spotify_ids_that_labs_gives_to_one() -> None:
    names = {"artist_name": "Band", "release_name": "Album", "track_name": "Song"}
    rows = [
        {**names, "recording_mbid": mbid(1), "spotify_track_ids": []},
        {**names, "recording_mbid": mbid(2), "spotify_track_ids": [spotify_id(5), "junk", spotify_id(6)]},
        {**names, "track_name": "Other", "recording_mbid": mbid(3), "spotify_track_ids": []},
    ]
    async with listenbrainz(always(rows)) as (provider, _, labs):
        answers = await provider.lookup([query_of("spotify_ids", n) for n in (1, 2, 3, 4)])
        assert labs.paths == ["/spotify-id-from-mbid/json"]
    for answer in answers[:2]:
        assert answer.entities[0].fields["spotify_track_ids"] == [spotify_id(5), spotify_id(6)]  # type: ignore[union-attr]
    assert answers[2:] == [Missing(), Missing()]


async def test_a_data_set_that_labs_removed_stops_nothing_else() -> None:
    async with listenbrainz(knowing(1)) as (provider, _, labs):
        labs.answer = always({"error": "Not found"}, 404)
        answers = await provider.lookup([query_of("recording", 1), query_of("redirect", 2), query_of("spotify_ids", 1)])
    assert [type(answer) for answer in answers] == [Found, Missing, Missing]


async def test_a_limit_of_labs_leaves_the_api_open() -> None:
    async with listenbrainz(knowing(1)) as (provider, _, labs):
        labs.answer = always({}, 429, {"Retry-After": "60"})
        with pytest.raises(Limited):
            await provider.lookup([query_of("redirect", 1)])
        assert provider.opens_at("redirect") is not None
        assert provider.opens_at("spotify_ids") is not None
        assert provider.opens_at("recording") is None
        assert isinstance((await provider.lookup([query_of("recording", 1)]))[0], Found)


async def test_an_allowance_that_is_used_up_is_waited_out_without_being_told_so() -> None:
    headers = {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-In": "9"}
    async with listenbrainz(always({}, 200, headers)) as (provider, api, _):
        assert await provider.lookup([query_of("recording", 1)]) == [Missing()]
        with pytest.raises(Limited):
            await provider.lookup([query_of("recording", 2)])
        assert len(api.requests) == 1


@pytest.mark.parametrize("document", [[], "null", "1"], ids=str)
async def test_a_metadata_answer_of_another_shape_is_a_bad_answer(document: Any) -> None:
    async with listenbrainz(always(document)) as (provider, _, _):
        with pytest.raises(BadAnswer):
            await provider.lookup([query_of("recording", 1)])


async def test_a_labs_answer_of_another_shape_is_a_bad_answer() -> None:
    async with listenbrainz(always({})) as (provider, _, _):
        with pytest.raises(BadAnswer):
            await provider.lookup([query_of("spotify_ids", 1)])


# --- exact names


def named(title: str, artist: str = "Band") -> Query:
    return Query.of("listenbrainz", "text", title=title, artist=artist)


def row(number: int, title: str, artist: str = "Band", **more: Any) -> dict[str, Any]:
    return {"recording_mbid": mbid(number), "recording_name": title, "artist_credit_name": artist, **more}


async def test_a_hundred_names_are_one_request_and_each_gets_its_own_recording() -> None:
    rows = [row(n, f"Song {n}", release_name="Album", release_mbid=mbid(999)) for n in range(0, 100, 2)]
    async with listenbrainz(always(rows[::-1])) as (provider, api, labs):
        answers = await provider.lookup([named(f"Song {n}") for n in range(100)])
        assert labs.paths == ["/acr-lookup/json"]
        assert labs.bodies[0][7] == {"artist_credit_name": "Band", "recording_name": "Song 7"}
        assert api.requests == []
    assert [isinstance(answer, Found) for answer in answers] == [n % 2 == 0 for n in range(100)]
    (entity,) = answers[42].entities  # type: ignore[union-attr]
    assert (entity.kind, entity.id, entity.fields["title"]) == ("recording", mbid(42), "Song 42")
    assert entity.fields["mb_release_id"] == mbid(999)
    assert "duration_ms" not in entity.fields


async def test_names_that_labs_folds_to_one_are_sent_once_and_all_answered() -> None:
    async with listenbrainz(always([row(1, "Café del Mar")])) as (provider, _, labs):
        spelled = [named("Café del Mar"), named("cafe DEL mar!"), named("Other")]
        answers = await provider.lookup(spelled)
        assert len(labs.bodies[0]) == 2
    assert [type(answer) for answer in answers] == [Found, Found, Missing]
    assert answers[0] == answers[1]


async def test_a_row_under_another_name_is_recognised_by_the_names_that_were_asked() -> None:
    other = row(1, "山", "川", artist_credit_arg="Band", recording_arg="Mountain")
    async with listenbrainz(always([other])) as (provider, _, _):
        (answer,) = await provider.lookup([named("Mountain")])
    assert isinstance(answer, Found)


async def test_names_of_signs_alone_are_not_sent_and_do_not_share_an_answer() -> None:
    async with listenbrainz(always([row(1, "Song"), row(2, "???", "!!!")])) as (provider, _, labs):
        answers = await provider.lookup([named("???", "!!!"), named("...", "--"), named("Song")])
        assert [one["recording_name"] for one in labs.bodies[0]] == ["Song"]
        assert await provider.lookup([named("???", "!!!")]) == [Missing()]
        assert len(labs.requests) == 1
    assert [type(answer) for answer in answers] == [Missing, Missing, Found]


@pytest.mark.parametrize(("title", "artist"), [("", "Band"), ("Song", " ")])
async def test_a_name_that_lacks_a_part_fails_alone(title: str, artist: str) -> None:
    async with listenbrainz(always([row(1, "Song")])) as (provider, _, labs):
        answers = await provider.lookup([named(title, artist), named("Song")])
        assert len(labs.bodies[0]) == 1
    assert [type(answer) for answer in answers] == [Failed, Found]


@pytest.mark.parametrize(
    "rows",
    [
        [None, 7, "x", []],
        [{"recording_mbid": "junk", "recording_name": "Song", "artist_credit_name": "Band"}],
        [{"recording_mbid": mbid(1), "recording_name": ["Song"], "artist_credit_name": {"a": 1}}],
        [{"recording_mbid": mbid(1)}],
        [row(1, "Another Song"), row(2, "Song", "Another Band")],
    ],
    ids=["no rows", "no id", "wrong types", "no names", "other names"],
)
async def test_odd_rows_answer_nobody(rows: list[Any]) -> None:
    async with listenbrainz(always(rows)) as (provider, _, _):
        assert await provider.lookup([named("Song")]) == [Missing()]


async def test_names_are_missing_where_labs_has_removed_the_data_set() -> None:
    async with listenbrainz(always({"error": "Not found"}, 404)) as (provider, _, _):
        assert await provider.lookup([named("Song")]) == [Missing()]


async def test_refused_names_are_to_be_halved_and_one_alone_fails() -> None:
    async with listenbrainz(always({"error": "bad"}, 400)) as (provider, _, _):
        with pytest.raises(BatchRejected):
            await provider.lookup([named("One"), named("Two")])
        (alone,) = await provider.lookup([named("One")])
    assert isinstance(alone, Failed)


async def test_spotify_ids_by_names_are_one_request_and_names_that_fold_alike_are_sent_once() -> None:
    rows = [
        {
            "artist_name": "Band",
            "release_name": "Album",
            "track_name": "Song",
            "spotify_track_ids": ["0" * 22],
        },
        {"artist_name": "Band", "release_name": "", "track_name": "Else", "spotify_track_ids": []},
    ]

    def by_names(title: str, album: str | None = None) -> Query:
        return Query.of("listenbrainz", "spotify_names", artist="Band", title=title, album=album)

    async with listenbrainz(always(rows)) as (provider, _, labs):
        queries = [by_names("Song", "Album"), by_names("song!", "ALBUM"), by_names("Else")]
        answers = await provider.lookup(queries)
        assert labs.paths == ["/spotify-id-from-metadata/json"]
        assert len(labs.bodies[0]) == 2
    for one in answers[:2]:
        assert isinstance(one, Found)
        assert one.entities[0].fields["spotify_track_ids"] == ["0" * 22]
    assert isinstance(answers[2], Missing)
