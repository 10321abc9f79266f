"""A server, or a proxy before it, that takes shorter requests than the service is known to take."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from tests.support.flow import rows, settings, soulspot, write_config, write_rows

pytestmark = pytest.mark.process

SHORT = 700  # bytes of a request line: room for a dozen identifiers, or for one or two names
REPORT = "SELECT state, last_error FROM lookups WHERE state NOT IN ('done', 'missing')"


@asynccontextmanager
async def short_lines(tmp_path: Path) -> AsyncIterator[tuple[Sandbox, Path]]:
    off = {"providers__spotify__enabled": False, "providers__listenbrainz__enabled": False}
    async with Sandbox(invent_catalogue(4, 400), Behaviour(limits=False, mb_line_bytes=SHORT)) as sandbox:
        yield sandbox, write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db", **off))


async def test_a_batch_that_is_too_long_is_split_until_every_lookup_is_answered(tmp_path: Path) -> None:
    async with short_lines(tmp_path) as (sandbox, config):
        songs = [one for one in sandbox.catalogue.recordings if one.title and not one.video][:80]
        listed = [{"key": one.mbid, "mb_recording_id": one.mbid} for one in songs]
        assert (await soulspot("import", write_rows(tmp_path / "a.csv", listed), "--config", config)).code == 0
        ended = await soulspot("enrich", "--config", config)
        assert ended.code == 0, ended.err
        answered = Counter(request.status for request in sandbox.requests)
        assert answered[414] > 0, "some were too long"
        assert answered[200] < len(songs) / 2, "and those that went through were batches still"
    assert [row["status"] for row in rows(tmp_path / "db")] == ["accepted"] * len(songs)
    assert rows(tmp_path / "db", REPORT) == []


async def test_a_name_that_is_too_long_by_itself_fails_alone_and_is_told_so(tmp_path: Path) -> None:
    async with short_lines(tmp_path) as (sandbox, config):
        songs = [one for one in sandbox.catalogue.recordings if one.title and not one.video][:6]
        listed = [{"key": one.mbid, "title": one.title, "artist": one.artist} for one in songs]
        listed.append({"key": "long", "title": "An endless title " * 40, "artist": "Somebody"})
        assert (await soulspot("import", write_rows(tmp_path / "a.csv", listed), "--config", config)).code == 0
        ended = await soulspot("enrich", "--config", config)
        assert ended.code == 1, "a lookup has failed"
        report = (await soulspot("report", "--config", config, "--json")).json
        assert sandbox.requests
    told = report["errors"]["lookups"]
    assert [one["category"] for one in told] == ["too_long"]
    assert {row["source_key"]: row["status"] == "failed" for row in rows(tmp_path / "db")} == {
        one["key"]: one["key"] == "long" for one in listed
    }
