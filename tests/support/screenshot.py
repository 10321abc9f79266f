"""The maker of docs/screenshot.png: the page while the daemon enriches a sample library."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.catalogue.values import credit_text
from soulspot.sandbox.library.sample import write_sample_library
from tests.flow.test_daemon import daemon
from tests.support.browser import browser, why_absent
from tests.support.flow import settings, soulspot, write_config, write_rows

TRACKS, DOUBTFUL = 400, 12
WIDTH, HEIGHT, SCALE = 1180, 800, 1.5
HALF = (
    "return Number(document.querySelector('#overall [role=progressbar]').getAttribute('aria-valuenow')) >= arguments[0]"
)


async def take(path: Path) -> None:
    """Run the daemon against a sandbox and write a picture of its page to `path` when half is
    done."""
    catalogue = invent_catalogue(20, 3000)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        music = place / "Music"
        # Songs with several recordings in the catalogue and no length to tell them by wait for a
        # person.
        names = [(one.title, credit_text(one.credit)) for one in catalogue.recordings]
        twice = sorted({name for name in names if names.count(name) > 1})[:DOUBTFUL]
        songs = [{"title": title, "artist": artist} for title, artist in twice]
        write_rows(place / "songs.csv", songs)
        async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
            paced = {f"providers__{name}__rate": 1.0 for name in ("musicbrainz", "listenbrainz")}
            values = settings(sandbox, place / "db", library__paths=[str(music)], library__watch=False, **paced)
            config = write_config(place / "config.toml", values)
            music.mkdir()
            await soulspot("import", place / "songs.csv", "--config", config)
            await soulspot("enrich", "--config", config)
            write_sample_library(catalogue, music, seed=20, tracks=TRACKS)
            async with daemon(config) as running:
                address = (await running.hears("daemon_ready"))["address"]

                def look() -> None:
                    with browser(place / "profile", width=WIDTH, height=HEIGHT, scale=SCALE) as shown:
                        shown.open(address)
                        shown.wait("return document.querySelector('#connection').dataset.state === 'online'")
                        shown.click("#start-enrich")
                        shown.wait(HALF, 60)
                        shown.wait("return document.querySelector('#chart rect')")
                        shown.wait("return document.querySelector('#notice').hidden")
                        shown.picture(path)

                saying = asyncio.create_task(running.process.stderr.read())  # type: ignore[union-attr]
                await asyncio.to_thread(look)
                saying.cancel()


if __name__ == "__main__":
    if missing := why_absent():
        sys.exit(missing)
    asyncio.run(take(Path(sys.argv[1])))
