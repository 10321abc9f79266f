"""MusicBrainz for whole albums: the releases of a name, and the recordings on a release."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web

from soulspot.errors import BadAnswer, BatchRejected
from soulspot.models import Answer, Failed, Found, Missing, Postponed, Query
from soulspot.sandbox.search.lucene import parse
from tests.providers.payloads import mb_hit, mb_on, mb_release, mb_releases, mb_search, mbid
from tests.providers.test_musicbrainz import musicbrainz
from tests.providers.upstream import always

NAMES = [
    "Harbour", "Machines", "Window", "Quarrel", "Feathers", "Ice", "Zebra", "Octopus", "Velvet", "Thunder",
    "Pillow", "Bridge", "Monday", "Grammar", "Fjord", "Kiosk", "Lemon", "Sphinx", "Waltz", "Ypsilon",
]  # fmt: skip


def album(title: str, artist: str | None = "Band") -> Query:
    return Query.of("musicbrainz", "album", album=title, artist=artist)


def release(number: int, tracks: int | None = 10) -> Query:
    return Query.of("musicbrainz", "release", {"tracks": tracks and str(tracks)}, mbid=mbid(number))


def found(answer: Answer) -> list[str]:
    return [entity.id for entity in answer.entities] if isinstance(answer, Found) else []


def holding(tracks: int, page: int = 100) -> Any:
    """Return a service of releases with `tracks` tracks each: 1000 and up on release 1."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if "/release/" in request.path:
            number = next(n for n in range(100) if request.path.endswith(mbid(n)))
            shown = [
                {"position": n + 1, "recording": {"id": mbid(1000 * number + n), "title": f"Song {n}"}}
                for n in range(tracks)
            ]
            return web.json_response(mb_release(number) | {"media": [{"position": 1, "tracks": shown}]})
        asked = [n for n in range(100) if mbid(n) in request.query["query"]]
        hits = [mb_on(1000 * n + track, n, track + 1) for n in asked for track in range(tracks)]
        return web.json_response(mb_search(*hits[:page], count=len(hits)))

    return answer


# --- which release it is


async def test_many_albums_are_one_request_and_each_gets_its_own_editions() -> None:
    hits = [mb_release(10 * n + edition, name) for n, name in enumerate(NAMES) for edition in range(3)]
    async with musicbrainz(always(mb_releases(*hits))) as (provider, up):
        answers = await provider.lookup([album(name) for name in NAMES])
        assert up.paths == ["/ws/2/release"]
        assert up.requests[0].query["limit"] == "100"
    for n, answer in enumerate(answers):
        assert found(answer) == [mbid(10 * n + edition) for edition in range(3)]


async def test_a_release_says_what_later_chooses_among_editions_and_fills_the_row() -> None:
    label = [{"catalog-number": "CAT 1", "label": {"name": "Label"}}, {"label": {"name": "Other"}}]
    hit = mb_release(1, barcode="012345678905", country="DE", **{"label-info": label, "disambiguation": "deluxe"})
    async with musicbrainz(always(mb_releases(hit))) as (provider, _):
        (answer,) = await provider.lookup([album("Album")])
    assert isinstance(answer, Found)
    (entity,) = answer.entities
    assert (entity.kind, entity.id) == ("release", mbid(1))
    fields = dict(entity.fields)
    (entry,) = fields.pop("releases")
    assert fields == {
        "album": "Album", "album_artist": "Band", "release_date": "2001-02-03", "label": "Label",
        "catalog_number": "CAT 1", "barcode": "012345678905", "track_count": 10, "disambiguation": "deluxe",
        "mb_release_id": mbid(1), "mb_release_group_id": mbid(10**7 + 1), "score": 100,
        "artist_aliases": ["Band"], "mb_artist_ids": fields["mb_artist_ids"],
    }  # fmt: skip
    assert (entry["id"], entry["status"], entry["primary_type"], entry["track_count"]) == (
        mbid(1), "Official", "Album", 10,
    )  # fmt: skip


async def test_a_release_on_two_discs_counts_the_tracks_of_both() -> None:
    media = [{"position": n, "track-count": 9 + n} for n in (1, 2)]
    hit = {k: v for k, v in mb_release(1, media=media).items() if k != "track-count"}
    async with musicbrainz(always(mb_releases(hit))) as (provider, _):
        (answer,) = await provider.lookup([album("Album")])
    assert isinstance(answer, Found)
    assert answer.entities[0].fields["track_count"] == 21


async def test_a_compilation_is_asked_by_the_artist_that_stands_for_all() -> None:
    async with musicbrainz(always(mb_releases(mb_release(1, "Hits", "Various Artists")))) as (provider, up):
        (answer,) = await provider.lookup([album("Hits", None)])
        assert 'release:"Hits" AND arid:89ad4ac3-39f7-470e-966a-56509c546377' in up.requests[0].query["query"]
    assert found(answer) == [mbid(1)]


async def test_more_releases_than_are_shown_are_asked_for_again_in_parts_by_their_number() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        asked = [n for n in range(8) if f'"Album {n}x"' in request.query["query"]]
        hits = [mb_release(100 * n + copy, f"Album {n}x") for n in asked for copy in range(40)]
        return web.json_response(mb_releases(*hits[:100], count=len(hits)))

    async with musicbrainz(answer) as (provider, up):
        answers = await provider.lookup([album(f"Album {n}x") for n in range(8)])
        assert all("offset" not in request.query for request in up.requests)
        assert len(up.requests) == 5  # once all together, then by twos
    assert all({mbid(100 * n + c) for c in range(40)} <= set(found(a)) for n, a in enumerate(answers))


async def test_an_album_that_matches_more_than_is_shown_by_itself_keeps_what_is_shown() -> None:
    hits = [mb_release(n) for n in range(100)]
    async with musicbrainz(always(mb_releases(*hits, count=900))) as (provider, up):
        (answer,) = await provider.lookup([album("Album")])
        assert len(up.requests) == 1
    assert len(found(answer)) == 100


async def test_an_album_nobody_has_is_missing_and_one_without_a_name_is_never_sent() -> None:
    async with musicbrainz(always(mb_releases())) as (provider, up):
        answers = await provider.lookup([album("Album"), album(" "), Query.of("musicbrainz", "album", artist="A")])
        assert len(up.requests) == 1
    assert [type(one) for one in answers] == [Missing, Failed, Failed]


@pytest.mark.parametrize("name", ['Say "Hi"', "AND OR NOT", "a\\", "!!!", "(())", "夜", "x:y*?~^[1 TO 2]"])
async def test_whatever_an_album_is_called_the_query_can_be_parsed(name: str) -> None:
    async with musicbrainz(always(mb_releases(mb_release(1, name, name)))) as (provider, up):
        answers = await provider.lookup([album(name, name), album(name, None)])
        parse(up.requests[0].query["query"], "release")
    assert [len(found(one)) for one in answers] == [1, 1]


# --- what is on it


async def test_all_recordings_of_several_releases_are_one_request_and_each_stands_where_it_is() -> None:
    async with musicbrainz(holding(12)) as (provider, up):
        answers = await provider.lookup([release(n, 12) for n in (3, 1, 2)])
        assert up.paths == ["/ws/2/recording"]
        assert len(re.findall("reid:", up.requests[0].query["query"])) == 3
    assert [found(one) for one in answers] == [[mbid(1000 * n + t) for t in range(12)] for n in (3, 1, 2)]
    assert isinstance(answers[0], Found)
    places = [entity.fields["releases"][0]["track_number"] for entity in answers[0].entities]
    assert places == list(range(1, 13))


async def test_releases_are_asked_together_by_how_many_tracks_they_have() -> None:
    async with musicbrainz(holding(30)) as (provider, up):
        answers = await provider.lookup([release(n, 30) for n in range(1, 7)])
        assert len(up.requests) == 2
    assert all(len(found(one)) == 30 for one in answers)


async def test_releases_of_unknown_size_are_split_until_nothing_is_hidden() -> None:
    async with musicbrainz(holding(30)) as (provider, up):
        answers = await provider.lookup([release(n, None) for n in range(1, 6)])
        assert len(up.requests) == 3
    assert all(len(found(one)) == 30 for one in answers)


@pytest.mark.parametrize(("hinted", "paths"), [(150, ["/ws/2/release"]), (None, ["/ws/2/recording", "/ws/2/release"])])
async def test_a_release_of_more_tracks_than_a_search_shows_is_looked_up_whole(
    hinted: int | None, paths: list[str]
) -> None:
    async with musicbrainz(holding(150)) as (provider, up):
        (answer,) = await provider.lookup([release(1, hinted)])
        assert [path.removesuffix(f"/{mbid(1)}") for path in up.paths] == paths
        assert "recordings" in up.requests[-1].query["inc"]
    assert found(answer) == [mbid(1000 + n) for n in range(150)]
    assert isinstance(answer, Found)
    assert [one.fields["releases"][0]["track_number"] for one in answer.entities] == list(range(1, 151))


async def test_a_recording_twice_on_a_release_has_both_its_places() -> None:
    tracks = [{"position": n, "recording": {"id": mbid(5), "title": "Song"}} for n in (1, 9)]
    document = mb_release(1) | {"media": [{"position": 1, "track-count": 9, "tracks": tracks}]}
    async with musicbrainz(always(document)) as (provider, _):
        (answer,) = await provider.lookup([release(1, 200)])
    assert isinstance(answer, Found)
    (entity,) = answer.entities
    assert [place["track_number"] for place in entity.fields["releases"]] == [1, 9]


async def test_a_release_that_is_gone_or_empty_is_missing() -> None:
    async with musicbrainz(always(mb_search())) as (provider, up):
        assert await provider.lookup([release(1)]) == [Missing()]
        up.answer = always({"error": "Not Found"}, 404)
        assert await provider.lookup([release(1, 200)]) == [Missing()]
        up.answer = always(mb_release(1) | {"media": [{"tracks": [{"recording": {}}, 7]}, None]})
        assert await provider.lookup([release(1, 200)]) == [Missing()]


async def test_a_recording_that_is_not_on_the_release_is_not_taken_for_one() -> None:
    async with musicbrainz(always(mb_search(mb_on(1, 2, 1), mb_hit(3)))) as (provider, _):
        assert await provider.lookup([release(1)]) == [Missing()]


# --- when something goes wrong


@pytest.mark.parametrize("query", [album("Album"), release(1), release(1, 200)], ids=["album", "release", "large"])
@pytest.mark.parametrize("document", [[], "null", 1, {"releases": None, "recordings": None, "count": 1}], ids=str)
async def test_an_answer_of_another_shape_is_a_bad_answer_or_nothing(query: Query, document: Any) -> None:
    async with musicbrainz(always(document)) as (provider, _):
        with suppress(BadAnswer):
            assert await provider.lookup([query]) == [Missing()]


@pytest.mark.parametrize("query", [album, release], ids=["album", "release"])
async def test_a_refused_batch_is_to_be_halved_and_a_refused_one_fails_alone(query: Any) -> None:
    name: Any = "Album" if query is album else 1
    other: Any = "Other" if query is album else 2
    async with musicbrainz(always({"error": "Bad request"}, 400)) as (provider, _):
        with pytest.raises(BatchRejected):
            await provider.lookup([query(name), query(other)])
        (alone,) = await provider.lookup([query(name)])
    assert isinstance(alone, Failed)


async def test_a_large_release_that_is_refused_fails_alone() -> None:
    async with musicbrainz(always({"error": "Invalid mbid."}, 400)) as (provider, _):
        (alone,) = await provider.lookup([release(1, 200)])
    assert isinstance(alone, Failed)


async def test_a_limit_between_two_releases_keeps_the_first() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if len(up.requests) == 1:
            return await holding(90)(request)
        return web.json_response({"error": "busy"}, status=503, headers={"Retry-After": "0"})

    async with musicbrainz(answer) as (provider, up):
        answers = await provider.lookup([release(1, 90), release(2, 90)])
    assert [type(one) for one in answers] == [Found, Postponed]
