"""Release messages over HTTP: started, and fetched as one zip file."""

from __future__ import annotations

import asyncio
import io
import threading
import zipfile
from typing import Any

import pytest
from lxml import etree

from soulspot.config.sections import Ddex
from soulspot.models import Status
from soulspot.operations import ddex_exports
from soulspot.operations.exports import Exports
from soulspot.store import enriched
from tests.export.ern import RECIPIENT, SENDER
from tests.export.test_ddex_command import row
from tests.support.factories import NOW
from tests.support.shared_data import shared
from tests.web.conftest import Running
from tests.web.test_export import exported, fetched


@pytest.fixture
async def running(running: Running) -> Running:
    """Fill a server with two complete releases, one without an ISRC, and a track in review."""
    folder = running.operations.exports.folder
    terms = Ddex.model_validate(
        {"sender": SENDER, "recipient": RECIPIENT, "schema": str(shared("data", "ddex"))}, strict=False
    )
    exports = Exports(folder, ddex=terms)
    running.operations.exports = exports
    running.operations._kinds = {**running.operations._kinds, "export": exports.work}
    found = [row(1, 1), row(2, 2), row(3, 1, 2), row(4, 3, isrc=None), row(5, 4, status=Status.REVIEW)]
    await running.service.database.write(lambda c: enriched.save(c, found, NOW))
    return running


async def test_valid_messages_are_asked_for_followed_and_fetched_as_one_file(running: Running) -> None:
    ended = await exported(running, format="ddex", validate=True)
    assert (ended["status"], ended["total_items"], ended["failed_items"]) == ("completed", 3, 1)
    report = ended["metadata"]["report"]
    assert (report["written"], report["failed"], report["validated"]) == (2, 1, True)
    assert report["refused"][0]["field"] == "isrc"
    assert "1 × isrc" in ended["metadata"]["notes"][0]
    body, headers = await fetched(running, ended)
    assert (headers["Content-Type"], len(body)) == ("application/zip", report["bytes"])
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        roots = [etree.fromstring(packed.read(name)) for name in packed.namelist()]
    assert [etree.QName(root).localname for root in roots] == ["NewReleaseMessage"] * 2
    assert [path.suffix for path in running.operations.exports.folder.iterdir()] == [".zip"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"columns": ["title"], "gzip": True}, "columns, gzip: goes with tables"),
        ({"filters": {"limit": 1}}, "limit goes with tables"),
        ({"filters": {"status": ["review"]}}, "only accepted tracks"),
        ({"group_by": ["nothing"]}, "no column 'nothing' to group by"),
        (
            {"format": "csv", "validate": True, "max_failures": 3},
            "validate, max_failures: goes with ddex alone",
        ),
    ],
)
async def test_what_cannot_be_meant_is_refused(running: Running, body: dict[str, Any], says: str) -> None:
    async with running.http.post("/api/v1/export", json={"format": "ddex"} | body) as answer:
        assert answer.status == 422
        assert says in (await answer.json())["detail"]


async def test_without_a_sender_it_says_which_key_to_set(running: Running) -> None:
    running.operations.exports._ddex = Ddex()
    async with running.http.post("/api/v1/export", json={"format": "ddex"}) as answer:
        assert answer.status == 422
        assert "export.ddex.sender is not set" in (await answer.json())["detail"]


async def test_cancelled_it_leaves_nothing(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop, pack = asyncio.get_running_loop(), ddex_exports._pack

    def slow(*places: Any) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(30)
        pack(*places)

    monkeypatch.setattr(ddex_exports, "_pack", slow)
    number = await running.operations.export(format="ddex")
    await begun.wait()
    ending = asyncio.create_task(running.operations.cancel(number))
    await asyncio.sleep(0)
    go_on.set()
    assert await ending
    assert (await running.operation(number))["status"] == "cancelled"
    assert list(running.operations.exports.folder.iterdir()) == []
