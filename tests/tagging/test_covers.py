"""Front covers: fetched once, behind gates of their own, from the known hosts, kept within a
limit."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import mutagen
import pytest
from aiohttp import web

from soulspot.cli.export_covers import save_covers
from soulspot.client.daemon_client import DaemonClient
from soulspot.config.loading import Config, make_config
from soulspot.errors import BadAnswer, Limited, Unavailable
from soulspot.limits import Gates
from soulspot.models import EnrichedTrack, Status
from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.servers.covers import cover_png
from soulspot.store import enriched
from soulspot.store.database import Database
from soulspot.store.provider_state import ProviderState
from soulspot.tagging.covers import ARCHIVE, CoverCache, CoverSources, image_type
from soulspot.tagging.request import tag_request
from soulspot.tagging.rules import TagRules
from soulspot.tagging.writer import TagWriter
from soulspot.telemetry import Telemetry
from soulspot.terminal.bars import Bars
from tests.support.factories import NOW, mbid
from tests.support.reading import READER
from tests.tagging.test_writer import Library
from tests.web.conftest import start as start

FRONT = f"{ARCHIVE}/release/{mbid(1)}/77-500.jpg"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Archive:
    """A server with the answers that a test gives it; `asked` has the paths of its requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {}
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        answer = self.answers.get(request.path)
        if answer is None:
            return web.Response(status=404)
        return answer if isinstance(answer, web.Response) else web.Response(body=answer)

    @property
    def front(self) -> str:
        return f"/release/{mbid(1)}/77-500.jpg"


@pytest.fixture
async def archive() -> AsyncIterator[Archive]:
    made = Archive()
    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


class Clock:
    now = NOW


Make = Callable[..., CoverCache]


@pytest.fixture
async def make(tmp_path: Path, archive: Archive) -> AsyncIterator[Make]:
    """Yield `make(cache_bytes=...)`, which opens the same cache with other settings."""
    async with AsyncExitStack() as stack:
        database = stack.enter_context(Database(tmp_path / "soulspot.db"))
        gates = Gates(ProviderState(database))

        def build(**more: Any) -> CoverCache:
            sources = CoverSources(archive=archive.url, spotify=archive.url, rate=1000.0)
            how = {"sources": sources} | more
            made = CoverCache(database, gates, tmp_path / "covers", now=lambda: Clock.now, **how)
            stack.push_async_callback(made.close)
            return made

        yield build
        Clock.now = NOW


async def test_an_image_is_fetched_once_and_kept_by_what_it_is(make: Make, archive: Archive) -> None:
    image = archive.answers[archive.front] = cover_png("one")
    first = await make().get(FRONT)
    assert first is not None
    assert (first.kind, first.digest) == ("image/png", hashlib.sha256(image).hexdigest())
    assert first.path.read_bytes() == image
    assert await make().get(FRONT) == first
    assert archive.asked == [archive.front]


async def test_who_asks_at_the_same_time_shares_one_request(make: Make, archive: Archive) -> None:
    archive.answers[archive.front] = cover_png("one")
    covers = make()
    found = await asyncio.gather(*(covers.get(FRONT) for _ in range(20)))
    assert len({one.digest for one in found if one}) == 1
    assert archive.asked == [archive.front]


async def test_redirects_lead_to_the_image_and_the_size_is_the_configured_one(make: Make, archive: Archive) -> None:
    small = archive.front.replace("77-500", "77-250")
    archive.answers[small] = web.Response(status=307, headers={"Location": "/download/x.png"})
    archive.answers["/download/x.png"] = cover_png("x")
    assert await make(sources=CoverSources(250, archive.url, archive.url, 1000.0)).get(FRONT) is not None
    assert archive.asked == [small, "/download/x.png"]


async def test_a_cover_that_is_not_there_is_left_alone_for_a_while(make: Make, archive: Archive) -> None:
    covers = make(missing_after=100.0)
    assert await covers.get(FRONT) is None
    assert await covers.get(FRONT) is None
    assert len(archive.asked) == 1
    Clock.now += 101
    archive.answers[archive.front] = cover_png("late")
    assert await covers.get(FRONT) is not None


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x.jpg", "https://evil.example/x.jpg", "https://coverartarchive.org.evil.example/x.jpg",
     "http://169.254.169.254/latest", "https://archive.org:8080/x", "http://archive.org/x", "file:///etc/passwd"],
)  # fmt: skip
async def test_nobody_else_is_ever_asked_neither_at_first_nor_by_a_redirect(
    make: Make, archive: Archive, url: str
) -> None:
    with pytest.raises(BadAnswer):
        await make().get(url)
    archive.answers[archive.front] = web.Response(status=307, headers={"Location": url})
    with pytest.raises(BadAnswer):
        await make().get(FRONT)
    assert archive.asked == [archive.front]


async def test_a_host_of_the_archive_that_leads_to_this_machine_is_not_dialled(
    make: Make, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = urlsplit(archive.url).port
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))])
    archive.answers[archive.front] = web.Response(status=307, headers={"Location": "https://ia8.us.archive.org/x.jpg"})
    with pytest.raises(BadAnswer, match="private network"):
        await make().get(FRONT)
    assert archive.asked == [archive.front]


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"<html>sorry</html>", "no image"), (b"", "no image"), (b"\xff\xd8\xff" + bytes(10_000_001), "larger")],
)
async def test_what_is_no_image_or_far_too_large_is_refused_and_not_kept(
    make: Make, archive: Archive, tmp_path: Path, body: bytes, says: str
) -> None:
    archive.answers[archive.front] = body
    with pytest.raises(BadAnswer, match=says):
        await make().get(FRONT)
    assert not (tmp_path / "covers").exists()


async def test_the_cache_keeps_its_limit_and_what_was_not_used_for_longest_goes_first(
    make: Make, archive: Archive, tmp_path: Path
) -> None:
    image = b"\xff\xd8\xff" + bytes(1000)
    addresses = [f"{ARCHIVE}/release/{mbid(number)}/1-500.jpg" for number in range(3)]
    for number in range(3):
        archive.answers[f"/release/{mbid(number)}/1-500.jpg"] = image + bytes([number])
    covers = make(cache_bytes=2100)
    for address in (addresses[0], addresses[1], addresses[0], addresses[2]):
        Clock.now += 4000
        assert await covers.get(address) is not None
    kept = sorted(path.read_bytes()[-1] for path in (tmp_path / "covers").rglob("*") if path.is_file())
    assert kept == [0, 2]
    assert await covers.get(addresses[1]) is not None
    assert len(archive.asked) == 4


async def test_an_image_that_a_power_cut_has_torn_is_fetched_again(make: Make, archive: Archive) -> None:
    image = archive.answers[archive.front] = cover_png("one")
    covers = make()
    cover = await covers.get(FRONT)
    assert cover is not None
    cover.path.write_bytes(b"")
    again = await covers.get(FRONT)
    assert again is not None
    assert again.path.read_bytes() == image


async def test_an_image_that_was_deleted_from_the_disk_is_fetched_again(make: Make, archive: Archive) -> None:
    archive.answers[archive.front] = cover_png("one")
    covers = make()
    first = await covers.get(FRONT)
    assert first is not None
    os.unlink(first.path)
    assert await covers.get(FRONT) == first
    assert first.path.exists()


async def test_a_host_that_asks_for_patience_gets_it(make: Make, archive: Archive) -> None:
    archive.answers[archive.front] = web.Response(status=429, headers={"Retry-After": "600"})
    covers = make()
    for _ in range(3):
        with pytest.raises(Limited):
            await covers.get(FRONT)
    with pytest.raises(Limited):
        await covers.picture(FRONT)
    assert len(archive.asked) == 1


def test_images_are_told_by_their_first_bytes() -> None:
    assert image_type(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
    assert image_type(b"GIF89a") == "image/gif"
    assert image_type(b"<svg xmlns=") is None


async def test_covers_are_put_into_tags_and_taken_out_again(make: Make, archive: Archive, tmp_path: Path) -> None:
    image = archive.answers[archive.front] = cover_png("one")
    (tmp_path / "x").mkdir()
    library = Library(tmp_path / "x")
    paths = [library.song(f"a{ending}", cover_url=FRONT) for ending in (".mp3", ".flac", ".m4a")]
    before = library.digests()
    rules = TagRules(embed_covers=True)
    writer = TagWriter(library.database, Telemetry(), rules, reader=READER, covers=make())
    shown = await writer.write(tag_request(rules), 1)
    assert shown.files[0]["changes"]["cover"] == {"old": [], "new": [FRONT]}
    assert archive.asked == []
    report = await writer.write(tag_request(rules, apply=True), 1)
    assert (report.written, report.fields["cover"]) == (3, 3)
    assert mutagen.File(paths[0]).tags.getall("APIC")[0].data == image
    assert mutagen.File(paths[1]).pictures[0].data == image
    assert bytes(mutagen.File(paths[2])["covr"][0]) == image
    assert archive.asked == [archive.front]
    assert (await writer.write(tag_request(rules, apply=True), 2)).unchanged == 3
    await writer.undo(1)
    assert library.digests() == before
    library.database.close()


async def test_a_cover_that_cannot_be_had_now_is_told_and_put_in_when_it_can(
    make: Make, archive: Archive, tmp_path: Path
) -> None:
    archive.answers[archive.front] = web.Response(status=429, headers={"Retry-After": "60"})
    (tmp_path / "x").mkdir()
    library = Library(tmp_path / "x")
    path = library.song("a.mp3", cover_url=FRONT)
    rules = TagRules(embed_covers=True)
    writer = TagWriter(library.database, Telemetry(), rules, reader=READER, covers=make(), now=lambda: library.clock)
    report = await writer.write(tag_request(rules, apply=True), 1)
    assert (report.written, report.covers_postponed, report.fields["cover"]) == (1, 1, 0)
    assert report.problems[0]["path"] == str(path)
    assert "cover cannot be had now" in report.problems[0]["reason"]
    assert await writer.due() == []
    library.clock += 3601
    assert await writer.due() == [1]
    library.database.close()


@pytest.mark.parametrize("known", ["not there", "embedded already"])
async def test_the_differences_show_no_cover_that_would_change_nothing(
    make: Make, archive: Archive, tmp_path: Path, known: str
) -> None:
    if known == "embedded already":
        archive.answers[archive.front] = cover_png("one")
    (tmp_path / "x").mkdir()
    library = Library(tmp_path / "x")
    library.song("a.mp3", cover_url=FRONT)
    rules = TagRules(embed_covers=True, policy="overwrite")
    writer = TagWriter(library.database, Telemetry(), rules, reader=READER, covers=make())
    await writer.write(tag_request(rules, apply=True), 1)
    assert (await writer.write(tag_request(rules), 2)).unchanged == 1
    library.database.close()


async def test_the_sandbox_answers_as_the_archive_does() -> None:
    catalogue = invent_catalogue(4, 200)
    release = next(one for one in catalogue.releases if one.cover_id is not None)
    bare = next(one for one in catalogue.releases if one.cover_id is None)

    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox, aiohttp.ClientSession() as client:
        there = f"{sandbox.covers_url}/release/{release.mbid}"
        async with client.get(f"{there}/{release.cover_id}-500.jpg", allow_redirects=False) as answer:
            assert answer.status == 307
        async with client.get(f"{there}/front-250") as answer:
            assert (answer.status, image_type(await answer.read())) == (200, "image/png")
        async with client.get(f"{sandbox.covers_url}/release/{bare.mbid}/front") as answer:
            assert answer.status == 404


# --- over HTTP ---


async def test_the_page_gets_covers_from_us_with_a_tag_and_from_no_other_page(
    start: Any, make: Make, archive: Archive
) -> None:
    image = archive.answers[archive.front] = cover_png("one")
    running = await start()
    running.service.parts = replace(running.service.parts, covers=make())
    async with running.http.get("/api/v1/covers", params={"url": FRONT}) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", image)
        tag = answer.headers["ETag"]
    async with running.http.get("/api/v1/covers", params={"url": FRONT}, headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    async with running.http.get(
        "/api/v1/covers", params={"url": FRONT}, headers={"Sec-Fetch-Site": "cross-site"}
    ) as answer:
        assert answer.status == 403
    for path, status in (("/api/v1/tracks/1/cover", 404), ("/api/v1/covers?url=http://127.0.0.1:1/", 502)):
        async with running.http.get(path) as answer:
            assert answer.status == status


async def test_without_being_configured_no_cover_is_ever_asked_for(start: Any) -> None:
    running = await start()
    async with running.http.get("/api/v1/covers", params={"url": FRONT}) as answer:
        assert answer.status == 404
        assert "export.covers.enabled" in (await answer.json())["detail"]
    async with running.http.get("/") as answer:
        assert 'data-covers="off"' in await answer.text()


# --- beside an export ---


SILENT = Bars(quiet=True)


def exported(database: Path, *covers: str | None) -> None:
    """Write rows of tracks with these covers, the first two of one release."""
    with Database(database) as opened:
        made = [
            EnrichedTrack(n, None, f"{n}", Status.ACCEPTED, 1.0, mb_release_id=mbid(max(n, 2)), cover_url=url)
            for n, url in enumerate(covers, start=1)
        ]
        opened.write_now(lambda c: enriched.save(c, made, NOW))


def exporting(database: Path, archive: Archive) -> Config:
    return make_config(
        {
            "database.path": str(database),
            "providers.musicbrainz.contact": "tests@example.org",
            "export.covers.enabled": True,
            "export.covers.base_url": archive.url,
            "export.covers.spotify_url": archive.url,
            "export.covers.rate": 1000.0,
        }
    )


async def test_the_covers_of_exported_tracks_are_saved_one_a_release_and_not_again(
    tmp_path: Path, archive: Archive
) -> None:
    image = archive.answers[archive.front] = cover_png("one")
    nowhere = FRONT.replace("/77-", "/78-")
    exported(tmp_path / "db", FRONT, FRONT, nowhere, None)
    config, folder = exporting(tmp_path / "db", archive), tmp_path / "new" / "covers"
    report = await save_covers(config, folder, {}, SILENT)
    assert (report.written, report.unchanged, report.without, report.postponed) == (1, 0, 1, 0)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {f"{mbid(2)}.png": image}
    again = await save_covers(config, folder, {"limit": 1}, SILENT)
    assert (again.written, again.unchanged, again.without) == (0, 1, 0)


async def test_what_cannot_be_had_now_is_counted_and_the_others_are_saved(tmp_path: Path, archive: Archive) -> None:
    archive.answers[archive.front] = cover_png("one")
    broken = FRONT.replace("/77-", "/79-")
    archive.answers[archive.front.replace("/77-", "/79-")] = b"no image at all"
    exported(tmp_path / "db", broken, None, FRONT)
    report = await save_covers(exporting(tmp_path / "db", archive), tmp_path / "covers", {}, SILENT)
    assert (report.written, report.postponed) == (1, 1)
    assert "no image" in (report.why or "")


async def test_beside_a_daemon_covers_come_through_it(start: Any, make: Make, archive: Archive) -> None:
    image = archive.answers[archive.front] = cover_png("one")
    running = await start()
    running.service.parts = replace(running.service.parts, covers=make())
    async with DaemonClient(str(running.http.make_url("")), None) as daemon:
        assert await daemon.cover(FRONT) == (image, "image/png")
        assert await daemon.cover(FRONT.replace("/77-", "/78-")) is None
        with pytest.raises(Unavailable):
            await daemon.cover("http://127.0.0.1:1/")
