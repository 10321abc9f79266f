"""The catalogue answers as MusicBrainz does: the dump and the server say the same of one world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soulspot.models import CATALOGUE, MUSICBRAINZ, Answer, Found, Missing, Query
from soulspot.providers.catalogue import CatalogueProvider, build_catalogue
from soulspot.providers.musicbrainz.provider import MusicBrainz
from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.sandbox.catalogue.words import GENRES
from soulspot.sandbox.dumps import write_core_dump
from tests.providers.upstream import FAST, Watched


@pytest.fixture(scope="module")
def world() -> Catalogue:
    return invent_catalogue(seed=11, tracks=400)


@pytest.fixture(scope="module")
def file(world: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dump")
    build_catalogue(write_core_dump(world, folder), folder / "catalogue.db")
    return folder / "catalogue.db"


@pytest.fixture
async def offline(file: Path) -> AsyncIterator[CatalogueProvider]:
    provider = CatalogueProvider(file)
    yield provider
    await provider.close()


@pytest.fixture
async def online(world: Catalogue) -> AsyncIterator[MusicBrainz]:
    async with Sandbox(world, Behaviour(mb_rate=1e6)) as sandbox:
        url = sandbox.musicbrainz_url
        provider = MusicBrainz(Watched().gates, base_url=url, contact="me@example.org", rate=FAST, timeout=60.0)
        yield provider
        await provider.close()


async def ask_both(
    online: MusicBrainz, offline: CatalogueProvider, queries: Sequence[Query]
) -> Iterable[tuple[Query, Answer, Answer]]:
    theirs: list[Answer] = []
    while len(theirs) < len(queries):
        size = online.capacity[queries[0].kind]
        theirs += await online.lookup(queries[len(theirs) : len(theirs) + size])
    ours = await offline.lookup([replace(query, provider=CATALOGUE) for query in queries])
    return zip(queries, theirs, ours, strict=True)


def shown(answer: Answer) -> dict[str, dict[str, Any]]:
    """Return the fields that do not depend on a search engine, by id; some lists sorted."""
    found = {}
    for entity in answer.entities if isinstance(answer, Found) else ():
        fields = {name: value for name, value in entity.fields.items() if name != "score"}
        for name in {"isrcs", "spotify_track_ids", "artist_aliases"} & fields.keys():
            fields[name] = sorted(fields[name])
        places = fields.pop("releases", ())
        fields["releases"] = {
            (place["id"], place.get("disc_number"), place.get("track_number")): place for place in places
        }
        found[entity.id] = fields
    return found


def left_out(answers: Iterable[tuple[Query, Answer, Answer]]) -> list[tuple[str, str, Any, Any]]:
    """Return what the service says and the catalogue does not: (query, field, value, the other
    value).

    The catalogue says more: genres and links, which a search does not show, and the artist of a
    release, which it shows only where that is another than the recording's."""
    found = []
    for query, theirs, ours in answers:
        own = shown(ours)
        assert shown(theirs).keys() <= own.keys(), query
        for mbid, fields in shown(theirs).items():
            for name, value in fields.items():
                if name == "releases":
                    mine = own[mbid].get(name, {})
                    is_said = all(place.items() <= mine.get(at, {}).items() for at, place in value.items())
                else:
                    is_said = own[mbid].get(name) == value
                if not is_said:
                    found.append((query.key, name, value, own[mbid].get(name)))
    return found


async def test_every_recording_is_described_as_the_service_describes_it(
    world: Catalogue, online: MusicBrainz, offline: CatalogueProvider
) -> None:
    queries = [Query.of(MUSICBRAINZ, "recording", mbid=one.mbid) for one in world.recordings]
    assert left_out(await ask_both(online, offline, queries)) == []


async def test_genres_and_links_are_those_of_the_dump(world: Catalogue, offline: CatalogueProvider) -> None:
    answers = await offline.lookup([Query.of(CATALOGUE, "recording", mbid=one.mbid) for one in world.recordings])
    for truth, answer in zip(world.recordings, answers, strict=True):
        assert isinstance(answer, Found)
        fields = answer.entities[0].fields
        assert fields.get("spotify_track_ids", []) == sorted(truth.url_ids)
        assert set(fields.get("genres", ())) == {name for name, votes in truth.tags if name in GENRES and votes > 0}


async def test_an_isrc_a_link_and_a_merged_id_lead_to_what_they_lead_to_at_the_service(
    world: Catalogue, online: MusicBrainz, offline: CatalogueProvider
) -> None:
    isrcs = [Query.of(MUSICBRAINZ, "isrc", isrc=isrc) for one in world.recordings for isrc in one.isrcs]
    links = [Query.of(MUSICBRAINZ, "url", spotify_id=link) for one in world.recordings for link in one.url_ids]
    merged = [Query.of(MUSICBRAINZ, "redirect", mbid=mbid) for mbid in world.merged]
    for queries in (isrcs, links, merged):
        assert queries
        assert left_out(await ask_both(online, offline, queries)) == []


async def test_a_merged_id_is_no_recording_of_its_own(world: Catalogue, offline: CatalogueProvider) -> None:
    answers = await offline.lookup([Query.of(CATALOGUE, "recording", mbid=mbid) for mbid in world.merged])
    assert set(map(type, answers)) == {Missing}


async def test_a_release_has_the_recordings_that_the_service_lists(
    world: Catalogue, online: MusicBrainz, offline: CatalogueProvider
) -> None:
    queries = [Query.of(MUSICBRAINZ, "release", mbid=one.mbid) for one in world.releases[:80]]
    for query, theirs, ours in await ask_both(online, offline, queries):
        assert shown(theirs).keys() == shown(ours).keys(), query
    assert left_out(await ask_both(online, offline, queries)) == []


async def test_albums_and_artists_are_found_by_the_names_that_the_service_finds_them_by(
    world: Catalogue, online: MusicBrainz, offline: CatalogueProvider
) -> None:
    various = "89ad4ac3-39f7-470e-966a-56509c546377"
    albums = [
        Query.of(
            MUSICBRAINZ, "album", album=one.title,
            artist=None if one.credit[0].artist.mbid == various else one.artist,
        )
        for one in world.releases
    ]  # fmt: skip
    artists = [Query.of(MUSICBRAINZ, "artist", name=name) for one in world.artists for name in (one.name, *one.aliases)]
    for truths, queries in (
        (world.releases, albums),
        ([one for one in world.artists for _ in (1, *one.aliases)], artists),
    ):
        answers = await offline.lookup([replace(query, provider=CATALOGUE) for query in queries])
        for truth, query, answer in zip(truths, queries, answers, strict=True):
            assert truth.mbid in shown(answer), query


async def test_a_recording_is_found_by_its_names_and_length(world: Catalogue, offline: CatalogueProvider) -> None:
    timed = [one for one in world.recordings if one.duration_ms and one.title.strip()]
    exact = [
        Query.of(CATALOGUE, "text", title=one.title, artist=one.artist, duration_ms=str(one.duration_ms + 1500))
        for one in timed
        if one.duration_ms
    ]
    answers = await offline.lookup(exact)
    missed = [query for one, query, answer in zip(timed, exact, answers, strict=True) if one.mbid not in shown(answer)]
    assert missed == []


async def test_misspelt_names_are_found_by_the_loose_search(world: Catalogue, offline: CatalogueProvider) -> None:
    timed = [one for one in world.recordings if one.duration_ms and len(one.title) > 8 and len(one.artist) > 6]
    loose = [
        Query.of(
            CATALOGUE, "loose", title=one.title[:3] + one.title[4:], artist=one.artist[:4] + "x" + one.artist[5:],
            duration_ms=str(one.duration_ms),
        )
        for one in timed
    ]  # fmt: skip
    answers = await offline.lookup(loose)
    found = [one for one, answer in zip(timed, answers, strict=True) if one.mbid in shown(answer)]
    assert len(found) >= 0.97 * len(timed)
