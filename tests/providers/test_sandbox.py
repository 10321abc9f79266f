"""The providers against the sandbox, judged by its catalogue and its record of requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from soulspot.errors import ProviderError, Refused, Unavailable
from soulspot.models import Answer, Found, Missing, Query
from soulspot.providers.base import Provider
from soulspot.providers.listenbrainz.answers import name_key
from soulspot.providers.listenbrainz.provider import ListenBrainz
from soulspot.providers.musicbrainz.provider import MusicBrainz
from soulspot.providers.spotify.client import SpotifyApp
from soulspot.providers.spotify.provider import Spotify
from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.sandbox.catalogue.values import Release
from tests.providers.upstream import FAST, Watched


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return invent_catalogue(seed=11, tracks=400)


@dataclass
class World:
    sandbox: Sandbox
    musicbrainz: MusicBrainz
    spotify: Spotify
    listenbrainz: ListenBrainz
    watched: Watched

    async def look_up(self, provider: Provider, queries: Sequence[Query]) -> list[Answer]:
        """Return the answers to all queries, in batches of the provider's capacity."""
        answers: list[Answer] = []
        while len(answers) < len(queries):
            size = provider.capacity[queries[len(answers)].kind]
            answers += await provider.lookup(queries[len(answers) : len(answers) + size])
        return answers

    def count_requests(self, service: str) -> Counter[tuple[str, int]]:
        """Return the number of requests by (first part of the path, status)."""
        requests = [request for request in self.sandbox.requests if request.service == service]
        return Counter((request.path.strip("/").split("/", 2)[1], request.status) for request in requests)


@asynccontextmanager
async def world(
    catalogue: Catalogue, *, now: Callable[[], float] | None = None, **behaviour: object
) -> AsyncIterator[World]:
    knobs = Behaviour(mb_rate=1e6, spotify_window_limit=10**6, lb_limit=10**6, labs_wrong_share=0.0)
    knobs.update(behaviour)
    async with Sandbox(catalogue, knobs, now=now) as sandbox:
        watched = Watched()
        gates = watched.gates
        made = World(
            sandbox,
            MusicBrainz(gates, base_url=sandbox.musicbrainz_url, contact="me@example.org", rate=FAST, timeout=60.0),
            Spotify(
                gates,
                watched.port,
                SpotifyApp(sandbox.spotify_url, sandbox.token_url, "id", "secret"),
                rate=FAST,
                timeout=60.0,
            ),
            ListenBrainz(gates, base_url=sandbox.listenbrainz_url, labs_url=sandbox.labs_url, rate=FAST, timeout=60.0),
            watched,
        )
        try:
            yield made
        finally:
            for provider in (made.musicbrainz, made.spotify, made.listenbrainz):
                await provider.close()


def found(answer: Answer) -> list[str]:
    return [entity.id for entity in answer.entities] if isinstance(answer, Found) else []


def recordings(catalogue: Catalogue, provider: str) -> list[Query]:
    return [Query.of(provider, "recording", mbid=recording.mbid) for recording in catalogue.recordings]


def tracks(catalogue: Catalogue) -> list[Query]:
    queries = []
    for track in catalogue.spotify_tracks:
        album = catalogue.spotify_album(track.album_id)
        assert album is not None
        hint = {"album": album.title, "artist": ", ".join(artist.name for artist in album.artists)}
        queries.append(Query.of("spotify", "track", hint, id=track.id))
    return queries


async def test_every_recording_is_found_by_its_id_a_hundred_and_a_thousand_at_a_time(
    catalogue: Catalogue,
) -> None:
    async with world(catalogue) as here:
        for provider in (here.musicbrainz, here.listenbrainz):
            queries = recordings(catalogue, provider.name)
            answers = await here.look_up(provider, queries)
            assert [found(answer) for answer in answers] == [[query["mbid"]] for query in queries]
        assert sum(here.count_requests("musicbrainz").values()) == -(-len(catalogue.recordings) // 100)
        assert sum(here.count_requests("listenbrainz").values()) == 1


async def test_merged_ids_are_missing_as_recordings_and_resolved_as_redirects(catalogue: Catalogue) -> None:
    merged = dict(catalogue.merged)
    assert merged
    async with world(catalogue) as here:
        for provider in (here.musicbrainz, here.listenbrainz):
            asked = [Query.of(provider.name, "recording", mbid=mbid) for mbid in merged]
            assert set(await here.look_up(provider, asked)) == {Missing()}
            redirects = [Query.of(provider.name, "redirect", mbid=mbid) for mbid in merged]
            answers = await here.look_up(provider, redirects)
            assert [found(answer) for answer in answers] == [[old, new] for old, new in merged.items()]


async def test_every_isrc_finds_all_its_recordings(catalogue: Catalogue) -> None:
    queries = [Query.of("musicbrainz", "isrc", isrc=code) for code in catalogue.recordings_by_isrc]
    async with world(catalogue) as here:
        answers = await here.look_up(here.musicbrainz, queries)
        assert sum(here.count_requests("musicbrainz").values()) <= -(-len(queries) // 50)
    for query, answer in zip(queries, answers, strict=True):
        assert sorted(found(answer)) == sorted(r.mbid for r in catalogue.recordings_with_isrc(query["isrc"]))


async def test_texts_are_found_together_and_the_rest_alone_and_wider(catalogue: Catalogue) -> None:
    truth: dict[Query, set[str]] = {}
    for track in catalogue.spotify_tracks:
        if track.recording_mbid and track.title.strip():
            artist = ", ".join(artist.name for artist in track.artists)
            terms = {"title": track.title, "artist": artist, "duration_ms": str(track.duration_ms)}
            truth.setdefault(Query.of("musicbrainz", "text", **terms), set()).add(track.recording_mbid)
    async with world(catalogue) as here:
        narrow = await here.look_up(here.musicbrainz, list(truth))
        requests = sum(here.count_requests("musicbrainz").values())
        rest = {
            Query.of("musicbrainz", "text", title=q["title"], artist=q["artist"], scope="wide"): truth[q]
            for q, answer in zip(truth, narrow, strict=True)
            if not truth[q] & set(found(answer))
        }
        wide = await here.look_up(here.musicbrainz, list(rest))
    assert requests < len(truth) / 10
    assert len(rest) < len(truth) / 4
    lost = [q["title"] for q, answer in zip(rest, wide, strict=True) if not rest[q] & set(found(answer))]
    assert len(lost) <= len(truth) / 100, lost


def albums(catalogue: Catalogue) -> dict[Query, Release]:
    """Return the releases with several tracks, each with its "album" query."""
    found = {}
    for release in catalogue.releases:
        if len(release.tracks) >= 4:
            artist = None if release.artist == "Various Artists" else release.artist
            found.setdefault(Query.of("musicbrainz", "album", album=release.title, artist=artist), release)
    return found


async def test_albums_are_found_by_name_many_at_a_time(catalogue: Catalogue) -> None:
    wanted = albums(catalogue)
    assert len(wanted) > 20
    async with world(catalogue) as here:
        answers = await here.look_up(here.musicbrainz, list(wanted))
        assert {request.path for request in here.sandbox.requests} == {"/ws/2/release"}
        assert len(here.sandbox.requests) <= 2 + len(wanted) / 10
    lost = [r.title for r, a in zip(wanted.values(), answers, strict=True) if r.mbid not in found(a)]
    assert len(lost) <= len(wanted) / 50, lost


async def test_all_recordings_of_albums_come_together_and_those_of_large_ones_too(
    catalogue: Catalogue,
) -> None:
    releases = [release for release in catalogue.releases if len(release.tracks) >= 2]
    queries = [
        Query.of("musicbrainz", "release", {"tracks": str(len(release.tracks))}, mbid=release.mbid)
        for release in releases
    ]
    async with world(catalogue) as here:
        answers = await here.look_up(here.musicbrainz, queries)
        sent = sum(here.count_requests("musicbrainz").values())
    for release, answer in zip(releases, answers, strict=True):
        assert set(found(answer)) == {track.recording_mbid for track in release.tracks}
        assert isinstance(answer, Found)
        for entity in answer.entities:
            assert any(place["id"] == release.mbid for place in entity.fields["releases"])
    assert sent < len(releases) / 2


async def test_exact_names_are_answered_a_hundred_at_a_time_and_mostly_right(catalogue: Catalogue) -> None:
    wanted = [one for one in catalogue.recordings if one.title.strip() and one.artist.strip()]
    queries = [Query.of("listenbrainz", "text", title=one.title, artist=one.artist) for one in wanted]
    async with world(catalogue) as here:
        answers = await here.look_up(here.listenbrainz, queries)
        assert sum(here.count_requests("labs").values()) == -(-len(queries) // 100)
    named = [(one, found(answer)) for one, answer in zip(wanted, answers, strict=True) if found(answer)]
    assert len(named) > len(wanted) / 2
    by_mbid = catalogue.recordings_by_mbid
    for one, (mbid,) in named:
        assert name_key(by_mbid[mbid].artist, by_mbid[mbid].title) == name_key(one.artist, one.title)


async def test_spotify_links_find_their_recordings(catalogue: Catalogue) -> None:
    linked = catalogue.recordings_by_url_id
    queries = [Query.of("musicbrainz", "url", spotify_id=track) for track in linked]
    async with world(catalogue) as here:
        answers = await here.look_up(here.musicbrainz, [*queries, Query.of("musicbrainz", "url", spotify_id="0" * 22)])
        assert sum(here.count_requests("musicbrainz").values()) == -(-(len(queries) + 1) // 70)
    assert [sorted(found(a)) for a in answers] == [*(sorted(r.mbid for r in v) for v in linked.values()), []]


async def test_an_app_with_the_batch_route_needs_a_request_for_fifty_tracks(catalogue: Catalogue) -> None:
    queries = tracks(catalogue)
    async with world(catalogue) as here:
        answers = await here.look_up(here.spotify, queries)
        assert here.count_requests("spotify") == {("tracks", 200): -(-len(queries) // 50)}
        assert sum(here.count_requests("token").values()) == 1
    assert [found(answer) for answer in answers] == [[query["id"]] for query in queries]


async def test_an_app_without_it_is_refused_once_and_still_needs_few(catalogue: Catalogue) -> None:
    queries = tracks(catalogue)
    async with world(catalogue, spotify_mode="development") as here:
        answers = await here.look_up(here.spotify, queries)
        sent = here.count_requests("spotify")
    assert [found(answer) for answer in answers] == [[query["id"]] for query in queries]
    assert sum(count for (_, status), count in sent.items() if status != 200) == sent["tracks", 403] == 1
    assert sum(sent.values()) < len(queries) / 3


async def test_every_way_to_spotify_from_musicbrainz_arrives(catalogue: Catalogue) -> None:
    some = [recording for recording in catalogue.recordings if recording.spotify_ids and recording.isrcs][:100]
    async with world(catalogue) as here:
        by_mbid = await here.look_up(
            here.listenbrainz,
            [Query.of("listenbrainz", "spotify_ids", mbid=recording.mbid) for recording in some],
        )
        by_isrc = await here.look_up(here.spotify, [Query.of("spotify", "isrc", isrc=r.isrcs[0]) for r in some[:20]])
        assert sum(here.count_requests("labs").values()) == 1
    linked = [(r, a.entities[0]) for r, a in zip(some, by_mbid, strict=True) if isinstance(a, Found)]
    assert len(linked) >= 80  # labs knows canonical names only
    assert all(set(entity.fields["spotify_track_ids"]) & set(r.spotify_ids) for r, entity in linked)
    assert sum(isinstance(answer, Found) for answer in by_isrc) >= 15


async def test_a_token_that_expires_during_the_work_is_renewed_unseen(catalogue: Catalogue) -> None:
    queries, clock = tracks(catalogue)[:150], [0.0]
    async with world(catalogue, now=lambda: clock[0]) as here:
        answers = await here.spotify.lookup(queries[:50])
        clock[0] += 4000.0
        answers += await here.look_up(here.spotify, queries[50:])
        assert here.count_requests("spotify") == {("tracks", 200): 3, ("tracks", 401): 1}
        assert sum(here.count_requests("token").values()) == 2
    assert all(isinstance(answer, Found) for answer in answers)


async def test_a_token_that_is_never_valid_is_not_fetched_for_ever(catalogue: Catalogue) -> None:
    async with world(catalogue, token_lifetime=0) as here:
        with pytest.raises(Refused, match="expired"):
            await here.spotify.lookup(tracks(catalogue)[:50])
        assert sum(here.count_requests("token").values()) <= 3


@pytest.mark.parametrize("service", ["musicbrainz", "spotify", "listenbrainz", "labs"])
@pytest.mark.parametrize(
    "malformed",
    ["truncated", "html", "wrong_types", "wrong_length", "empty", "nan", "deep", "huge_number", "surrogate"],
)
async def test_a_spoilt_answer_is_an_answer_or_an_error_of_ours_never_another(
    catalogue: Catalogue, service: str, malformed: str
) -> None:
    faults = {"malformed_share": 1.0, "malformed": malformed}
    some = catalogue.recordings[:5]
    batches: list[list[Query]] = {
        "musicbrainz": [
            [Query.of("musicbrainz", "recording", mbid=r.mbid) for r in some],
            [Query.of("musicbrainz", "redirect", mbid=some[0].mbid)],
            [Query.of("musicbrainz", "text", title=r.title, artist=r.artist) for r in some],
            [Query.of("musicbrainz", "album", album=r.title, artist=r.artist) for r in some],
            [Query.of("musicbrainz", "release", mbid=r.mbid) for r in catalogue.releases[:3]],
            [Query.of("musicbrainz", "release", {"tracks": "300"}, mbid=catalogue.releases[0].mbid)],
        ],
        "spotify": [
            tracks(catalogue)[:5],
            [Query.of("spotify", "isrc", isrc="USABC2600001")],
        ],
        "listenbrainz": [[Query.of("listenbrainz", "recording", mbid=r.mbid) for r in some]],
        "labs": [[Query.of("listenbrainz", kind, mbid=r.mbid) for r in some] for kind in ("redirect", "spotify_ids")]
        + [[Query.of("listenbrainz", "text", title=r.title, artist=r.artist) for r in some]],
    }[service]
    async with world(catalogue, **{service: faults}) as here:
        provider = {"musicbrainz": here.musicbrainz, "spotify": here.spotify}.get(service, here.listenbrainz)
        for queries in batches:
            try:
                answers = await provider.lookup(queries)
            except ProviderError:
                continue
            assert len(answers) == len(queries)


async def test_an_unreliable_service_is_answered_in_the_end(catalogue: Catalogue, no_backoff: None) -> None:
    queries = recordings(catalogue, "musicbrainz")[:200]
    answers: list[Answer] = []
    async with world(catalogue, musicbrainz={"drop_share": 0.1, "error_share": 0.1}) as here:
        while len(answers) < len(queries):
            try:
                answers += await here.musicbrainz.lookup(queries[len(answers) : len(answers) + 10])
            except Unavailable:
                continue
        assert len(here.watched.records) == len(here.sandbox.requests)
    assert [found(answer) for answer in answers] == [[query["mbid"]] for query in queries]
