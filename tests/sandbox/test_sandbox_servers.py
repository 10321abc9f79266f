"""The common parts of all local servers: recorded requests, faults, and changes at run time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from soulspot.config.loading import load_config
from soulspot.sandbox import Behaviour, Faults, Sandbox
from soulspot.sandbox.servers.meters import AverageRate
from tests.sandbox.calls import AGENT, Clock, catalogue, running
from tests.support.virtual_time import run_virtual


async def test_every_request_of_every_service_is_recorded_with_its_arrival() -> None:
    mbid = catalogue().recordings[0].mbid
    async with running() as calls:
        await calls.mb("/recording", query="a b")
        calls.clock.time += 2
        await calls.spotify("/tracks", ids="x")
        await calls.lb("/metadata/recording/", {"recording_mbids": [mbid, mbid]})
        await calls.labs("bulk-tag-lookup", [{"recording_mbid": mbid}])
        await calls.control("GET", "behaviour")
        record = calls.sandbox.requests
    assert [(r.service, r.method, r.status, r.body_items) for r in record] == [
        ("musicbrainz", "GET", 200, 0),
        ("token", "POST", 200, 0),
        ("spotify", "GET", 400, 0),
        ("listenbrainz", "POST", 200, 2),
        ("labs", "POST", 200, 1),
    ]
    assert record[0].path == "/ws/2/recording"
    assert record[0].query == {"query": "a b", "fmt": "json"}
    assert record[0].user_agent == AGENT
    assert [r.at for r in record] == [1000.0, 1002.0, 1002.0, 1002.0, 1002.0]
    assert record[0].wall > 1.7e9


async def test_repeated_parameters_are_recorded_together() -> None:
    async with running() as calls:
        await calls.mb("/url", resource=["https://a.example", "https://b.example"])
        assert calls.sandbox.requests[0].query["resource"] == "https://a.example,https://b.example"


async def test_behaviour_changes_at_run_time_and_unknown_or_wrong_changes_change_nothing() -> None:
    async with running() as calls:
        changed = await calls.control("POST", "behaviour", {"spotify_mode": "development", "labs": {"latency": 0}})
        wrong = [
            await calls.control("POST", "behaviour", body)
            for body in (
                {"nonsense": 1},
                {"spotify_mode": "x"},
                {"labs": 3},
                {"labs": {"latency": "x"}},
                {"seed": True},
                {"spotify_quota": "many"},
                {"mb_rate": 5, "labs": {"nonsense": 1}},
                [1],
            )
        ]
        now = await calls.control("GET", "behaviour")
    assert changed.json["spotify_mode"] == "development"
    assert [reply.status for reply in wrong] == [400] * len(wrong)
    assert all("error" in reply.json for reply in wrong)
    assert now.json == changed.json
    assert now.json["mb_rate"] == 1.0


async def test_the_record_can_be_read_and_forgotten_over_http() -> None:
    async with running() as calls:
        await calls.mb("/recording", query="a")
        listed = await calls.control("GET", "requests")
        gone = await calls.control("DELETE", "requests")
        nowhere = await calls.control("GET", "nonsense")
        assert calls.sandbox.requests == []
    assert [request["service"] for request in listed.json] == ["musicbrainz"]
    assert (gone.status, nowhere.status) == (204, 404)


async def test_a_dropped_connection_is_no_answer_and_is_recorded_as_status_0() -> None:
    async with running(Behaviour(musicbrainz=Faults(drop_share=1.0))) as calls:
        with pytest.raises(aiohttp.ClientError):
            await calls.mb("/recording", query="a")
        assert (await calls.labs("bulk-tag-lookup", [])).status == 200
        assert {r.status for r in calls.sandbox.requests if r.service == "musicbrainz"} == {0}


async def test_a_broken_proxy_answers_html() -> None:
    async with running(Behaviour(labs=Faults(error_share=1.0, error_status=504))) as calls:
        reply = await calls.labs("bulk-tag-lookup", [])
    assert reply.status == 504
    assert "<html>" in reply.text


@pytest.mark.parametrize("text", ["Wed, 21 Oct 2026 07:28:00 GMT", "-5", "soon", "9999999999"])
async def test_a_limit_may_be_announced_in_any_words(text: str) -> None:
    behaviour = Behaviour(spotify_quota=0, spotify=Faults(retry_after=text))
    async with running(behaviour) as calls:
        told = await calls.spotify("/tracks", ids="x")
        await calls.control("POST", "behaviour", {"spotify": {"retry_after": ""}})
        silent = await calls.spotify("/tracks", ids="x")
    assert told.headers["Retry-After"] == text
    assert (silent.status, silent.headers.get("Retry-After")) == (429, None)


async def test_what_the_index_and_the_cache_do_not_have_yet_can_still_be_looked_up() -> None:
    mbids = [r.mbid for r in catalogue().recordings[:100]]
    query = f"rid:({' OR '.join(mbids)})"
    async with running(Behaviour(mb_unindexed_share=0.3, lb_missing_share=0.3)) as calls:
        found = {hit["id"] for hit in (await calls.mb("/recording", query=query, limit=100)).json["recordings"]}
        again = {hit["id"] for hit in (await calls.mb("/recording", query=query, limit=100)).json["recordings"]}
        cached = set((await calls.lb("/metadata/recording/", {"recording_mbids": mbids})).json)
        absent = (set(mbids) - found).pop()
        looked_up = await calls.mb(f"/recording/{absent}")
    assert found == again
    assert 50 < len(found) < 90
    assert 50 < len(cached) < 90
    assert cached != found
    assert looked_up.status == 200


@pytest.mark.parametrize("how", ["truncated", "html", "empty", "deep", "huge_number"])
async def test_some_malformed_answers_are_no_json_that_can_be_read(how: str) -> None:
    mbid = catalogue().recordings[0].mbid
    async with running(Behaviour(musicbrainz=Faults(malformed_share=1.0, malformed=how))) as calls:
        reply = await calls.mb(f"/recording/{mbid}")
    assert reply.status == 200
    with pytest.raises((ValueError, RecursionError)):
        json.loads(reply.text)


@pytest.mark.parametrize("how", ["wrong_types", "wrong_length", "nan", "surrogate"])
async def test_other_malformed_answers_are_json_of_another_shape(how: str) -> None:
    ids = " OR ".join(r.mbid for r in catalogue().recordings[:3])
    async with running(Behaviour(musicbrainz=Faults(malformed_share=1.0, malformed=how))) as calls:
        reply = await calls.mb("/recording", query=f"rid:({ids})")
    body = json.loads(reply.text)
    hits = body.get("recordings")
    assert not isinstance(hits, list) or len(hits) != 3


def test_slow_answers_take_the_time_they_are_told_to() -> None:
    async def main() -> tuple[float, float]:
        behaviour = Behaviour(labs=Faults(latency=2.0, slow_share=1.0, slow_seconds=40.0))
        async with Sandbox(catalogue(), behaviour) as sandbox, aiohttp.ClientSession() as http:
            before = asyncio.get_running_loop().time()
            async with http.post(f"{sandbox.labs_url}/bulk-tag-lookup/json", json=[]) as answer:
                await answer.read()
            return asyncio.get_running_loop().time() - before, sandbox.requests[0].at - before

    took, arrived = run_virtual(main())
    assert 42 <= took < 50
    assert arrived < 1


async def test_a_client_that_goes_away_is_recorded_too() -> None:
    arrived, finished = asyncio.Event(), asyncio.Event()

    def now() -> float:
        arrived.set()
        return 0.0

    behaviour = Behaviour(labs=Faults(latency=3600))
    sandbox = Sandbox(catalogue(), behaviour, now=now, on_request=lambda _: finished.set())
    async with sandbox, aiohttp.ClientSession() as http:
        hanging = asyncio.create_task(http.post(f"{sandbox.labs_url}/bulk-tag-lookup/json", json=[]))
        await arrived.wait()
        hanging.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hanging
        await finished.wait()
    assert [request.status for request in sandbox.requests] == [0]


def test_the_average_rate_never_lets_more_than_n_plus_one_pass_in_n_seconds() -> None:
    meter, passed = AverageRate(), []
    steps = [0.0, 0.2, 0.7, 0.99, 1.0, 1.0, 0.5, 0.5, 1.3, 0.1, 0.1, 3.0, 0.4] * 20
    now = 0.0
    for step in steps:
        now += step
        if meter.allow(now):
            passed.append(now)
        else:
            now += 20
    assert len(passed) > 20
    for seconds in range(1, 21):
        assert all(sum(at - seconds < other <= at for other in passed) <= seconds + 1 for at in passed), (
            f"in {seconds} s"
        )


def test_a_client_at_exactly_the_rate_is_never_refused() -> None:
    meter = AverageRate()
    assert all(meter.allow(second * 1.0) for second in range(100))


async def test_the_limits_can_be_switched_off_and_on_while_it_runs() -> None:
    async with running() as calls:
        free = [(await calls.mb("/recording", query="a")).status for _ in range(5)]
        await calls.control("POST", "behaviour", {"limits": True})
        bound = [(await calls.mb("/recording", query="a")).status for _ in range(5)]
    assert free == [200] * 5
    assert bound == [503] * 5


async def test_a_sandbox_can_be_closed_twice_and_its_ports_are_free_again() -> None:
    sandbox = Sandbox(catalogue(), now=Clock())
    async with sandbox:
        url = sandbox.labs_url
        await sandbox.close()
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(url)


@pytest.mark.process
async def test_the_sandbox_as_a_process_serves_records_at_once_and_ends_on_sigterm(tmp_path: Path) -> None:
    record, ports = tmp_path / "record.ndjson", tmp_path / "ports.json"
    command = ("-m", "soulspot.sandbox", "--tracks", "50", "--seed", "3", "--no-limits", "--spotify-mode")
    more = (
        "development",
        "--record",
        record,
        "--ports-file",
        ports,
        "--behaviour",
        '{"mb_search_busy_share": 1}',
        "--library",
        tmp_path / "music",
        "--files",
        "20",
        "--config",
        tmp_path / "sandbox.toml",
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, *map(str, more), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        urls = json.loads(await process.stdout.readline())
        assert json.loads(ports.read_text()) == urls
        headers = {"User-Agent": AGENT}
        async with aiohttp.ClientSession(headers=headers) as http:
            async with http.get(f"{urls['musicbrainz_url']}/recording", params={"query": "a"}) as answer:
                assert answer.status == 503
            async with http.get(f"{urls['control_url']}/behaviour") as answer:
                assert (await answer.json())["spotify_mode"] == "development"
        config = load_config(tmp_path / "sandbox.toml", environ={}, check_library=True)
        assert config.providers.musicbrainz.base_url == urls["musicbrainz_url"]
        assert config.providers.listenbrainz.labs_url == urls["labs_url"]
        assert config.providers.spotify.enabled
        assert config.database.path == tmp_path / "sandbox.db"
        assert len([path for path in config.library.paths[0].rglob("*") if path.is_file()]) == 20
        (line,) = record.read_text().splitlines()
        assert json.loads(line)["status"] == 503
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.process
@pytest.mark.parametrize(
    "wrong",
    [("--behaviour", '{"x": 1}'), ("--csv", "/nonexistent.csv"), ("--tracks", "0"), ("--library", "/")],
)
async def test_wrong_options_are_usage_errors(wrong: tuple[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "soulspot.sandbox", *wrong, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"error:" in errors
