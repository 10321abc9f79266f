"""A thousand real ids through the whole service: requests, restarts, and single failures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from soulspot.assembly.service import EnrichmentService
from soulspot.config.loading import make_config
from soulspot.pipeline import wait_until_settled
from soulspot.sandbox import Behaviour, Catalogue, Sandbox, catalogue_from_csv, invent_catalogue
from tests.support.flow import distinct_ids, most_in_any_window, rows, settings, write_rows
from tests.support.shared_data import shared

THOUSAND = 1000


@pytest.fixture(scope="module")
def real_catalogue() -> Catalogue:
    return catalogue_from_csv(shared("data", "catalogue", "spotify_songs_32833.csv.gz"), limit=4000)


@pytest.fixture(scope="module")
def real_ids() -> list[str]:
    return distinct_ids(shared("data", "catalogue", "spotify_songs_32833.csv.gz"), "track_id", THOUSAND)


def spotify_only(sandbox: Sandbox, database: Path, **more: object) -> dict[str, object]:
    off = {"providers__musicbrainz__enabled": False, "providers__listenbrainz__enabled": False}
    return settings(sandbox, database, **(off | more))


async def enrich(config_values: dict[str, object], wait: float = 5.0, file: Path | None = None) -> list[str]:
    """Import `file`, if any, and enrich. Return the postponed lookups by provider."""
    async with EnrichmentService.open(make_config(config_values)) as service:
        if file:
            await service.import_file(file)
        return [one.provider for one in await wait_until_settled(service, wait)]


def endpoints(sandbox: Sandbox, service: str) -> Counter[str]:
    """Return the numbers of requests by endpoint, as "tracks" or "tracks/ID"."""
    found: Counter[str] = Counter()
    for request in sandbox.requests:
        if request.service == service:
            parts = request.path.strip("/").split("/")[1:]
            found["/".join(parts[:1] + ["ID"] * (len(parts) > 1))] += 1
    return found


async def test_a_thousand_spotify_ids_take_twenty_requests_where_the_app_may_ask_for_fifty(
    tmp_path: Path, real_catalogue: Catalogue, real_ids: list[str]
) -> None:
    file = write_rows(tmp_path / "ids.csv", [{"key": one, "spotify_id": one} for one in real_ids])
    async with Sandbox(real_catalogue, Behaviour(limits=False)) as sandbox:
        assert await enrich(spotify_only(sandbox, tmp_path / "db"), file=file) == []
        assert endpoints(sandbox, "spotify") == {"tracks": 20}
    found = rows(tmp_path / "db")
    assert [row["source_key"] for row in found] == real_ids
    assert {row["status"] for row in found} == {"accepted"}
    assert all(row["spotify_track_id"] == row["source_key"] for row in found)


async def test_development_mode_costs_one_refused_request_ever(
    tmp_path: Path, real_catalogue: Catalogue, real_ids: list[str]
) -> None:
    database = tmp_path / "db"
    first, second = real_ids[:60], real_ids[60:120]
    async with Sandbox(real_catalogue, Behaviour(limits=False, spotify_mode="development")) as sandbox:
        for ids in (first, second):
            file = write_rows(tmp_path / "ids.csv", [{"spotify_id": one} for one in ids])
            assert await enrich(spotify_only(sandbox, database), file=file) == []
        assert [r.status for r in sandbox.requests if r.service == "spotify" and r.status == 403] == [403]
        asked = endpoints(sandbox, "spotify")
    assert asked["tracks"] == 1, "only the probe went to the batch route"
    assert asked["tracks/ID"] + asked["albums/ID"] <= 120
    assert Counter(row["status"] for row in rows(database)) == {"accepted": 120}


async def test_a_quota_of_many_hours_is_waited_out_across_a_restart_while_others_go_on(
    tmp_path: Path, real_catalogue: Catalogue, real_ids: list[str]
) -> None:
    database = tmp_path / "db"
    behaviour = Behaviour(limits=False, spotify_quota=4, spotify_quota_retry_after=52531)
    tracks = [real_catalogue.spotify_tracks_by_id[one] for one in real_ids[:400]]
    with_text = [
        {"spotify_id": t.id, "title": t.title, "artist": t.artists[0].name, "duration_ms": t.duration_ms}
        for t in tracks
    ]
    file = write_rows(tmp_path / "ids.csv", with_text)
    async with Sandbox(real_catalogue, behaviour) as sandbox:
        assert "spotify" in await enrich(settings(sandbox, database), file=file)
        refused = len([r for r in sandbox.requests if r.service == "spotify" and r.status == 429])
        asked = len([r for r in sandbox.requests if r.service == "spotify"])
        assert refused == 1
        assert any(r.service == "musicbrainz" for r in sandbox.requests), "the others go on meanwhile"
        assert "spotify" in await enrich(settings(sandbox, database))
        assert len([r for r in sandbox.requests if r.service == "spotify"]) == asked, "and nobody asks again"
    waiting = rows(database, "SELECT * FROM lookups WHERE provider = 'spotify' AND state = 'pending'")
    assert waiting
    assert {row["attempts"] for row in waiting} == {0}, "to be limited is not an attempt"
    (until,) = {
        row["blocked_until"]
        for row in rows(database, "SELECT * FROM provider_state WHERE blocked_until IS NOT NULL")
        if row["provider"] == "spotify"
    }
    assert until > rows(database, "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+52000 seconds') AS t")[0]["t"]


async def test_one_malformed_id_among_fifty_fails_alone_and_an_unknown_one_is_missing(
    tmp_path: Path, real_catalogue: Catalogue, real_ids: list[str]
) -> None:
    database = tmp_path / "db"
    ids = [*real_ids[:48], "not-a-spotify-id!", "0" * 22]
    file = write_rows(tmp_path / "ids.csv", [{"key": str(i), "spotify_id": one} for i, one in enumerate(ids)])
    async with Sandbox(real_catalogue, Behaviour(limits=False)) as sandbox:
        await enrich(spotify_only(sandbox, database), file=file)
        assert all(r.status == 200 for r in sandbox.requests)
    found = {row["source_key"]: row["status"] for row in rows(database)}
    assert found.pop("48") == "failed"
    assert found.pop("49") == "unmatched"
    assert set(found.values()) == {"accepted"}
    states = Counter(row["state"] for row in rows(database, "SELECT state FROM lookups"))
    assert states == {"done": 48, "missing": 1}


async def test_a_thousand_recording_ids_take_a_handful_of_requests_and_merged_ones_resolve(
    tmp_path: Path,
) -> None:
    catalogue = invent_catalogue(11, 4000)
    merged = [(old, one) for one in catalogue.recordings for old in one.merged_mbids][:20]
    taken = {one.mbid for _, one in merged}
    plain = [one for one in catalogue.recordings if one.mbid not in taken][: THOUSAND - len(merged)]
    wanted = {old: one.mbid for old, one in merged} | {one.mbid: one.mbid for one in plain}
    file = write_rows(tmp_path / "ids.csv", [{"key": asked, "mb_recording_id": asked} for asked in wanted])
    database = tmp_path / "db"
    limits = {"providers__musicbrainz__rate": 1.0, "providers__listenbrainz__rate": 3.0}
    async with Sandbox(catalogue, Behaviour(labs_wrong_share=0.0)) as sandbox:
        await enrich(settings(sandbox, database, providers__spotify__enabled=False, **limits), file=file)
        requests = [r for r in sandbox.requests if r.service in ("musicbrainz", "listenbrainz", "labs")]
        for_merged = [
            r for r in requests if r.service == "labs" or (r.service == "musicbrainz" and "query" not in r.query)
        ]
        assert len(requests) - len(for_merged) <= 15
        at_musicbrainz = [r.at for r in requests if r.service == "musicbrainz"]
        for seconds in (1, 2, 5, 10, 30):
            assert most_in_any_window(at_musicbrainz, seconds) <= seconds + 1
        assert {r.status for r in requests} <= {200, 301}
    assert len(merged) == 20
    found = {row["source_key"]: row["mb_recording_id"] for row in rows(database)}
    assert found == wanted
    assert {row["status"] for row in rows(database)} == {"accepted"}
