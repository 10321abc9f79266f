"""The page in a real browser, over a real daemon and the sandbox: what people see, click and
press."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import write_sample_library
from soulspot.sandbox.servers.behaviour import Faults
from tests.flow.test_daemon import Running, daemon
from tests.flow.test_review import in_review
from tests.support.browser import Browser, browser, needs_browser
from tests.support.flow import rows, settings, soulspot, write_config

pytestmark = [pytest.mark.process, needs_browser]

TRACKS = 60
OVERALL = "#overall [role=progressbar]"
ESCAPE, ENTER, TAB = "\ue00c", "\ue007", "\ue004"

# what an operation's bar and the library's have shown, from the moment this ran on
REMEMBER = """
window.same = true; window.bars = []; window.overall = [];
const look = () => {
  const bar = document.querySelector('#operations li[data-key="' + arguments[0] + '"] [role=progressbar]');
  if (bar) bars.push(Number(bar.getAttribute('aria-valuenow')));
  overall.push(Number(document.querySelector('#overall [role=progressbar]').getAttribute('aria-valuenow') ?? 0));
};
new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
look();
"""
STATE = """return document.querySelector('#operations li[data-key="' + arguments[0] + '"] .state')?.innerText"""


@pytest.fixture(scope="module")
def one_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser") / "profile") as started:
        yield started


@pytest.fixture
def chromium(one_chromium: Browser) -> Iterator[Browser]:
    """Return a browser without cookies or storage of earlier tests."""
    yield one_chromium
    one_chromium.forget()


@dataclass
class Scene:
    """A daemon at work over a sandbox, and the browser that shows its page."""

    sandbox: Sandbox
    catalogue: Catalogue
    config: Path
    database: Path
    music: Path
    daemon: Running
    address: str
    browser: Browser

    async def look(self, do: Callable[[Browser], Any]) -> Any:
        """Do something in the browser, in a thread: the sandbox must go on meanwhile."""
        return await asyncio.to_thread(do, self.browser)

    def fill(self) -> None:
        """Write sample audio files into the library."""
        write_sample_library(self.catalogue, self.music, seed=4, tracks=TRACKS)

    async def asks_us_alone(self) -> None:
        """Check that the browser contacted no other host and logged no error."""
        assert await self.look(lambda b: b.hosts()) == {self.address.removeprefix("http://")}
        assert await self.look(lambda b: b.complaints()) == []


@asynccontextmanager
async def scene(
    tmp_path: Path,
    chromium: Browser,
    *,
    latency: float = 0.0,
    behaviour: Behaviour | None = None,
    **more: Any,
) -> AsyncIterator[Scene]:
    """A daemon over an empty library, and a browser that shows its page."""
    catalogue, music = invent_catalogue(4, 1500), tmp_path / "music"
    music.mkdir()
    slow = Faults(latency=latency)
    behaviour = behaviour or Behaviour(limits=False, musicbrainz=slow, listenbrainz=slow, spotify=slow)
    async with Sandbox(catalogue, behaviour) as sandbox:
        values = {"library__paths": [str(music)], "library__watch": False, **more}
        config = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db", **values))
        async with daemon(config) as running:
            address = (await running.hears("daemon_ready"))["address"]
            await running.hears("operation_finished")
            await asyncio.to_thread(chromium.open, address)
            yield Scene(sandbox, catalogue, config, tmp_path / "db", music, running, address, chromium)


async def enriches(scene: Scene) -> int:
    """Start an enrichment by its button; return the operation's number."""

    def start(b: Browser) -> int:
        b.wait("return document.querySelector('#connection').dataset.state === 'online'")
        b.ask(REMEMBER, "2")
        b.click("#start-enrich")
        b.wait("return /operation 2/.test(document.querySelector('#notice').innerText)")
        return 2

    return int(await scene.look(start))


async def test_an_enrichment_goes_from_0_to_100_before_ones_eyes_and_everybody_counts_the_same(
    tmp_path: Path,
    chromium: Browser,
) -> None:
    async with scene(tmp_path, chromium, latency=0.15, providers__musicbrainz__batch_size=10) as here:
        here.fill()
        number = await enriches(here)
        logged = await here.daemon.hears("operation_finished", lambda said: said["kind"] == "enrich")
        await here.look(lambda b: b.wait(f"{STATE} === 'done'", str(number)))
        await here.look(
            lambda b: b.wait(f"return document.querySelector('{OVERALL}').getAttribute('aria-valuenow') === '100'")
        )
        bars, overall, same = await here.look(lambda b: b.ask("return [bars, overall, window.same]"))
        assert same, "without loading the page again"
        assert bars[0] < 50
        assert bars[-1] == 100
        assert (overall[0], overall[-1]) == (0, 100)
        assert any(0 < value < 100 for value in bars + overall)
        shown = await here.look(lambda b: {
            name: int(b.text(f"#count-{name}")) for name in ("accepted", "review", "unmatched", "failed", "pending")
        })  # fmt: skip
        status = (await soulspot("status", "--config", here.config, "--json")).json
        async with aiohttp.ClientSession(here.address) as client:
            async with client.get("/api/v1/status") as answer:
                api = (await answer.json())["tracks"]
            async with client.get("/metrics") as answer:
                told = await answer.text()
                metrics = dict(re.findall(r'^soulspot_tracks\{status="(\w+)"\} ([0-9.]+)$', told, re.M))
                results = dict(re.findall(r'^soulspot_results_total\{status="(\w+)"\} ([0-9.]+)$', told, re.M))
            async with client.get(f"/api/v1/operations/{number}") as answer:
                operation = await answer.json()
        counted = {
            row["status"]: row["n"]
            for row in rows(here.database, "SELECT status, count(*) AS n FROM enriched_tracks GROUP BY 1")
        }
        for name, value in shown.items():
            assert {value} == {
                api.get(name, 0),
                status["tracks"].get(name, 0),
                float(metrics.get(name, 0)),
                counted.get(name, 0),
            }
        for name in ("accepted", "review", "unmatched", "failed"):  # as lines of the log and as a counter
            decided = sum(one[name] for one in here.daemon.said if one.get("event") == "decided")
            assert {decided} == {float(results.get(name, 0)), shown[name]}
        assert sum(shown.values()) == TRACKS
        assert (operation["processed_items"], operation["progress"]) == (TRACKS, 100)
        assert logged["total"] == TRACKS
        await here.asks_us_alone()


async def test_killing_and_starting_the_daemon_loses_neither_the_operation_nor_the_page(
    tmp_path: Path,
    chromium: Browser,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with scene(tmp_path, chromium, latency=0.3, http__listen=f"127.0.0.1:{port}", providers__musicbrainz__batch_size=5,
                     providers__listenbrainz__batch_size=5) as here:  # fmt: skip
        here.fill()
        number = str(await enriches(here))
        await here.look(lambda b: b.wait(f"{STATE} === 'running'", number))
        await here.daemon.ends(signal.SIGKILL)
        await here.look(lambda b: b.wait("return document.querySelector('#connection').dataset.state === 'offline'"))
        assert "has not answered since" in await here.look(lambda b: b.text("#offline"))
        assert rows(here.database, f"SELECT status FROM batch_operations WHERE id = {number}") == [
            {"status": "processing"}
        ]
        async with daemon(here.config) as again:
            await again.hears("daemon_ready")
            await here.look(lambda b: b.wait("return document.querySelector('#connection').dataset.state === 'online'"))
            assert await here.look(lambda b: b.ask("return document.querySelector('#offline').hidden"))
            await again.hears("operation_finished", lambda said: said["kind"] == "enrich")
            await here.look(lambda b: b.wait(f"{STATE} === 'done'", number))
            same, bars = await here.look(lambda b: b.ask("return [window.same, bars]"))
            assert same, "without loading the page again"
            assert bars[-1] == 100
            [ended] = rows(here.database, f"SELECT status, processed_items FROM batch_operations WHERE id = {number}")
            assert ended == {"status": "completed", "processed_items": TRACKS}
            await here.asks_us_alone()
            assert await again.ends(signal.SIGTERM) == 0


@asynccontextmanager
async def reviewing(
    tmp_path: Path, chromium: Browser, count: int = 3
) -> AsyncIterator[tuple[Any, Browser, Callable[..., Awaitable[Any]]]]:
    """A browser at the review list of a library with `count` tracks in it."""
    async with in_review(tmp_path, count) as desk, daemon(desk.config) as running:
        address = (await running.hears("daemon_ready"))["address"]

        async def look(do: Callable[[Browser], Any]) -> Any:
            return await asyncio.to_thread(do, chromium)

        await look(lambda b: b.open(f"{address}/#review"))
        await look(lambda b: b.wait("return document.querySelector('#case .compare')"))
        yield desk, chromium, look


async def test_what_is_reviewed_by_keyboard_changes_the_rows(tmp_path: Path, chromium: Browser) -> None:
    async with reviewing(tmp_path, chromium) as (desk, _, look):
        first, second, third = (row["track_id"] for row in rows(desk.database))
        title = await look(lambda b: b.text(".case-head h3"))
        best = rows(
            desk.database,
            f"SELECT entity_id FROM candidates WHERE track_id = {first} ORDER BY score DESC, rank LIMIT 1",
        )
        await look(lambda b: b.press("a"))
        await look(lambda b: b.wait("return document.querySelectorAll('#review-list button').length === 2"))
        row = desk.row(first)
        assert (row["status"], row["title"]) == ("accepted", title)
        assert row["mb_recording_id"] == best[0]["entity_id"]
        assert "accepted as" in await look(lambda b: b.text("#notice"))

        await look(lambda b: b.press("j"))  # on to the last one; x: it is none of these
        await look(lambda b: b.wait("return document.querySelector('#review-list li:last-child [aria-current]')"))
        await look(lambda b: b.press("x"))
        await look(lambda b: b.wait("return document.querySelectorAll('#review-list button').length === 1"))
        rejected = rows(desk.database, f"SELECT verdict FROM decisions WHERE track_id = {third}")
        assert rejected
        assert {one["verdict"] for one in rejected} == {"rejected"}
        assert desk.row(third)["status"] != "review"

        await look(lambda b: b.press("u"))  # and back again
        await look(lambda b: b.wait("return document.querySelectorAll('#review-list button').length === 2"))
        assert rows(desk.database, f"SELECT * FROM decisions WHERE track_id = {third}") == []
        assert desk.row(second)["status"] == "review"


async def test_what_is_reviewed_by_mouse_changes_the_rows(tmp_path: Path, chromium: Browser) -> None:
    async with reviewing(tmp_path, chromium) as (desk, _, look):
        first, second, _ = (row["track_id"] for row in rows(desk.database))
        await look(lambda b: b.click(f'#review-list [data-track="{second}"]'))
        await look(lambda b: b.wait(f"return document.querySelector('[data-track=\"{second}\"][aria-current]')"))
        choices = await look(lambda b: b.ask("return document.querySelectorAll('.choice').length"))
        assert choices > 1
        await look(lambda b: b.click(".choice:nth-child(2)"))
        await look(lambda b: b.wait("return document.querySelector('.choice:nth-child(2)[aria-pressed=true]')"))
        chosen = await look(lambda b: b.ask("return document.querySelector('#case .byline a').href.split('/').at(-1)"))
        await look(lambda b: b.click(".decide .primary"))
        await look(lambda b: b.wait("return document.querySelectorAll('#review-list button').length === 2"))
        assert chosen in (desk.row(second)["mb_recording_id"], desk.row(second)["spotify_track_id"])
        assert desk.row(second)["status"] == "accepted"
        assert desk.row(first)["status"] == "review"


async def test_typing_in_a_search_field_decides_nothing(tmp_path: Path, chromium: Browser) -> None:
    async with reviewing(tmp_path, chromium) as (desk, _, look):
        await look(lambda b: b.press("/"))
        await look(lambda b: b.wait("return document.activeElement.name === 'query'"))
        await look(lambda b: b.press(*"arxu no such words"))
        await look(lambda b: b.wait("return document.querySelectorAll('#review-list button').length === 0"))
        assert {row["status"] for row in rows(desk.database)} == {"review"}
        assert rows(desk.database, "SELECT * FROM decisions") == []


async def test_tracks_are_searched_and_each_field_says_its_source(tmp_path: Path, chromium: Browser) -> None:
    async with scene(tmp_path, chromium) as here:
        here.fill()
        await enriches(here)
        await here.daemon.hears("operation_finished", lambda said: said["kind"] == "enrich")
        [row] = rows(
            here.database,
            "SELECT * FROM enriched_tracks WHERE status = 'accepted' AND isrc IS NOT NULL LIMIT 1",
        )
        await here.look(lambda b: b.click("nav [data-view=tracks]"))
        await here.look(lambda b: b.wait("return document.querySelectorAll('#track-list li').length === 50"))
        await here.look(lambda b: b.click("#more-tracks"))
        await here.look(lambda b: b.wait(f"return document.querySelectorAll('#track-list li').length === {TRACKS}"))
        await here.look(lambda b: b.click("#track-search input[name=query]"))
        await here.look(lambda b: b.press(*row["title"]))
        await here.look(lambda b: b.wait(f"return document.querySelectorAll('#track-list li').length < {TRACKS}"))
        await here.look(lambda b: b.click(f'#track-list [data-key="{row["track_id"]}"] button'))
        await here.look(lambda b: b.wait("return document.querySelector('dialog[open] .fields')"))
        fields = await here.look(lambda b: b.ask(
            FIELDS
        ))  # fmt: skip
        assert row["isrc"] in [value for name, value, *_ in fields if name == "ISRC"]
        assert [name for name, _, source, _ in fields if not source] == []
        await here.look(lambda b: b.press(ESCAPE))
        await here.look(lambda b: b.wait("return !document.querySelector('dialog[open]')"))
        assert await here.look(lambda b: b.ask("return document.activeElement.className")) == "track"
        await here.asks_us_alone()


async def test_the_list_of_tracks_follows_while_there_is_no_pause_in_the_work(
    tmp_path: Path, chromium: Browser
) -> None:
    async with scene(tmp_path, chromium) as here:
        await here.look(lambda b: b.click("nav [data-view=tracks]"))
        await here.look(lambda b: b.wait("return document.querySelector('#track-count').innerText"))
        await here.look(lambda b: b.ask(NO_PAUSE))
        here.fill()
        await here.look(lambda b: b.click("nav [data-view=overview]"))
        await enriches(here)
        await here.look(lambda b: b.click("nav [data-view=tracks]"))
        await here.look(lambda b: b.wait("return document.querySelector('#track-list [data-status=accepted]')"))


async def test_the_report_of_an_operation_that_has_ended_opens_below_it(tmp_path: Path, chromium: Browser) -> None:
    async with scene(tmp_path, chromium) as here:
        here.fill()
        number = str(await enriches(here))
        await here.look(lambda b: b.wait(f"{STATE} === 'done'", number))
        await here.look(lambda b: b.click(f'#operations li[data-key="{number}"] summary'))
        await here.look(lambda b: b.wait("return document.querySelector('.report-text ul')"))
        words = await here.look(lambda b: b.text(".report-text"))
        assert "tracks finished in" in words
        assert "musicbrainz: " in words
        assert "What to do: replace it with an intact copy" in words
        await here.asks_us_alone()


async def test_covers_are_shown_without_asking_anybody_but_the_daemon(tmp_path: Path, chromium: Browser) -> None:
    async with scene(tmp_path, chromium, export__covers__enabled=True) as here:
        here.fill()
        await enriches(here)
        await here.daemon.hears("operation_finished", lambda said: said["kind"] == "enrich")
        assert rows(here.database, "SELECT 1 AS one FROM enriched_tracks WHERE cover_url LIKE 'https://%' LIMIT 1")
        await here.look(lambda b: b.click("nav [data-view=tracks]"))
        await here.look(
            lambda b: b.wait(
                "return [...document.querySelectorAll('#track-list img.cover')].some((one) => one.naturalWidth === 64)"
            )
        )
        await here.asks_us_alone()
        state = (
            "return [...document.querySelectorAll('#services tr')].find((row) => row.cells[0].textContent === 'Covers')"
        )
        assert await here.look(lambda b: b.ask(f"{state}.dataset.state")) == "open", "not off: they are fetched"
        await here.look(lambda b: b.click("#covers"))
        await here.look(lambda b: b.wait("return !document.querySelector('#track-list img.cover')"))


async def test_a_service_that_makes_us_wait_is_shown_with_the_time_and_the_reason(
    tmp_path: Path, chromium: Browser
) -> None:
    behaviour = Behaviour(limits=False, spotify_quota=0)
    async with scene(tmp_path, chromium, behaviour=behaviour) as here:
        here.fill()
        await enriches(here)
        state = (
            "return [...document.querySelectorAll('#services tr')].find((row) => row.cells[0].innerText === 'Spotify')"
        )
        await here.look(lambda b: b.wait(f"{state}?.dataset.state === 'limited'"))
        words = await here.look(lambda b: b.ask(f"{state}.cells[1].innerText"))
        assert re.match(r"‖ limited until .*\d\d:\d\d.*: \S", words)
        behaviour.spotify_quota = None
        await here.look(lambda b: b.click("#services button.lift:not([hidden])"))
        await here.look(lambda b: b.wait(f"{state}?.dataset.state !== 'limited'"))
        assert await here.look(lambda b: b.ask("return !document.querySelector('#services button.lift:not([hidden])')"))


async def test_an_operation_is_cancelled_by_its_button(tmp_path: Path, chromium: Browser) -> None:
    async with scene(tmp_path, chromium, latency=1.0, providers__musicbrainz__batch_size=5) as here:
        here.fill()
        number = str(await enriches(here))
        await here.look(lambda b: b.wait(f"{STATE} === 'running'", number))
        await here.look(lambda b: b.click(f'#operations li[data-key="{number}"] button'))
        await here.look(lambda b: b.wait(f"{STATE} === 'cancelled'", number))
        assert rows(here.database, f"SELECT status FROM batch_operations WHERE id = {number}") == [
            {"status": "cancelled"}
        ]


async def test_the_tracks_that_were_searched_for_are_exported_and_downloaded(tmp_path: Path, chromium: Browser) -> None:
    async with scene(tmp_path, chromium) as here, aiohttp.ClientSession(here.address) as session:
        imported = b"key,title,artist\na,Blue,One\nb,Red,One\nc,=Blue,Two\n"
        async with session.post("/api/v1/import", data=imported) as answer:
            assert answer.status == 202
        await here.daemon.hears("operation_finished", lambda said: said["kind"] == "import")
        await here.look(lambda b: b.click("nav [data-view=tracks]"))
        await here.look(lambda b: b.click("#track-search input[name=query]"))
        await here.look(lambda b: b.press(*"blue"))
        await here.look(lambda b: b.click("#export-tracks"))
        told = "return /operation (\\d+)/.exec(document.querySelector('#notice').innerText)?.[1]"
        number = await here.look(lambda b: b.wait(told))
        await here.look(lambda b: b.click("nav [data-view=overview]"))
        link = f"return document.querySelector('#operations li[data-key=\"{number}\"] a.file:not([hidden])')?.pathname"
        await here.look(lambda b: b.wait(link))
        async with session.get(await here.look(lambda b: b.ask(link))) as answer:
            found = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))
        assert [(row["source_key"], row["title"]) for row in found] == [("a", "Blue"), ("c", "'=Blue")]
        await here.asks_us_alone()


CHOSEN = """
const given = new DataTransfer();
given.items.add(new File(['Lied,Wer\\nBlue,One\\nRed,Two\\n'], 'songs & more.csv'));
document.querySelector('#import-file').files = given.files;
document.querySelector('#import-columns').value = 'title=Lied, artist=Wer';
"""


async def test_a_table_of_other_headings_is_imported_from_the_page(tmp_path: Path, chromium: Browser) -> None:
    async with scene(tmp_path, chromium) as here:
        await here.look(lambda b: b.click("details.import summary"))
        await here.look(lambda b: b.ask(CHOSEN))
        await here.look(lambda b: b.click("#import button"))
        told = "return /songs & more.csv started/.test(document.querySelector('#notice').innerText)"
        await here.look(lambda b: b.wait(told))
        await here.daemon.hears("operation_finished", lambda said: said["kind"] == "import")
        found = [(one["title"], one["artist"]) for one in rows(here.database)]
        assert found == [("Blue", "One"), ("Red", "Two")]
        await here.asks_us_alone()


async def test_with_a_token_one_logs_in_once_and_the_page_lives(tmp_path: Path, chromium: Browser) -> None:
    async with scene(tmp_path, chromium, http__token="a token of this test") as here:
        await here.look(lambda b: b.wait("return location.pathname === '/login'"))
        await here.look(lambda b: b.press("a token of this test", ENTER))
        await here.look(lambda b: b.wait("return document.querySelector('#connection')?.dataset.state === 'online'"))
        await here.look(lambda b: b.wait("return !document.querySelector('#logout').hidden"))
        await here.look(lambda b: b.click("#logout"))
        await here.look(lambda b: b.wait("return location.pathname === '/login'"))


# as if a track were decided ten times a second, for ever
NO_PAUSE = "import('/page/tracks.js').then((tracks) => setInterval(() => tracks.changed(1), 100))"
NAMELESS = """
const named = (one) => one.labels?.length || one.ariaLabel || one.textContent.trim()
  || document.getElementById(one.getAttribute('aria-labelledby') ?? '')?.innerText || one.closest('[hidden]');
const all = 'a, button, input, select, summary, dialog[open], [role=progressbar], [role=region], img';
return [...document.querySelectorAll(all)]
  .filter((one) => one.tagName === 'IMG' ? !one.hasAttribute('alt') : !named(one)).map((one) => one.outerHTML.slice(0, 120));
"""
FIELDS = """
return [...document.querySelectorAll('.fields tbody tr')]
  .map((row) => [...row.cells].map((one) => one.innerText));
"""
TWICE = """
const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
return ids.length - new Set(ids).size;
"""
FOCUSED = """
const one = document.activeElement;
return one.dataset.view ?? one.dataset.track ?? one.name ?? one.innerText;
"""
HEADINGS = """
return [...document.querySelectorAll('h1, h2, h3, h4')].filter((one) => one.offsetParent)
  .map((one) => Number(one.tagName[1]));
"""


async def test_every_control_has_a_name_headings_are_in_order_and_nothing_is_wider_than_a_telephone(
    tmp_path: Path,
    chromium: Browser,
) -> None:
    async with reviewing(tmp_path, chromium) as (_, _, look):
        for view in ("overview", "tracks", "review"):
            await look(lambda b, view=view: b.click(f"nav [data-view={view}]"))
            ready = {"overview": "#services tr", "tracks": "#track-list li", "review": "#case .compare"}[view]
            await look(lambda b, ready=ready: b.wait(f"return document.querySelector('{ready}')"))
            assert await look(lambda b: b.ask("return document.activeElement.tagName")) == "H2", (
                "one is told where one is"
            )
            assert await look(lambda b: b.ask(NAMELESS)) == []
            levels = await look(lambda b: b.ask(HEADINGS))
            assert levels[:2] == [1, 2]
            assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
            assert await look(lambda b: b.ask("return document.querySelectorAll('main, nav, header.top').length")) == 3
            assert await look(lambda b: b.ask(TWICE)) == 0
            await look(lambda b: b.resize(360, 740))
            assert await look(lambda b: b.ask("return document.documentElement.scrollWidth")) <= 360
            await look(lambda b: b.resize(1280, 900))


async def test_whoever_has_no_mouse_comes_to_everything(tmp_path: Path, chromium: Browser) -> None:
    async with reviewing(tmp_path, chromium) as (_, _, look):
        await look(lambda b: b.ask("document.activeElement.blur(); document.body.focus()"))
        reached = []
        for _ in range(40):
            await look(lambda b: b.press(TAB))
            reached.append(await look(lambda b: b.ask(FOCUSED)))
        said = " ".join(str(one) for one in reached)
        for wanted in (
            "Skip to content",
            "overview",
            "tracks",
            "review",
            "query",
            "Accept",
            "Reject",
            "None of these",
            "Later",
        ):
            assert wanted in said, wanted
