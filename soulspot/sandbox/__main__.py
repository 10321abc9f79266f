"""Runs the sandbox in a process of its own: python -m soulspot.sandbox --tracks 5000 --seed 1."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soulspot.sandbox import catalogue_from_csv, invent_catalogue
from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.sandbox.library.sample import write_sample_library
from soulspot.sandbox.servers.behaviour import Behaviour
from soulspot.sandbox.servers.sandbox import Sandbox
from soulspot.sandbox.servers.service import RecordedRequest


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m soulspot.sandbox",
        description="Local Spotify, MusicBrainz and ListenBrainz servers on 127.0.0.1, until SIGTERM. Prints one "
        "JSON line with their URLs when they are ready.",
    )
    parser.add_argument("--tracks", type=int, default=1000, help="invent a catalogue of this size (1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the invented catalogue and of all chance (1)")
    parser.add_argument("--csv", type=Path, help="serve the Spotify ids of this CSV file instead")
    parser.add_argument("--limit", type=int, help="only so many tracks of the CSV file")
    parser.add_argument(
        "--spotify-mode",
        choices=("extended", "development"),
        default="extended",
        help="what kind of app Spotify takes every client for: one that may ask in batches (extended), or not",
    )
    parser.add_argument("--no-limits", action="store_true", help="enforce no rate limit")
    parser.add_argument(
        "--behaviour", help="JSON object of further behaviour, as POST /_sandbox/behaviour takes"
    )
    parser.add_argument("--record", type=Path, help="append every request to this NDJSON file at once")
    parser.add_argument("--ports-file", type=Path, help="write the JSON line to this file too")
    parser.add_argument("--library", type=Path, help="write music of the catalogue into this new folder")
    parser.add_argument("--files", type=int, default=150, help="so many of them (150)")
    parser.add_argument("--config", type=Path, help="write a config.toml for these servers to this file")
    return parser


def behaviour(options: argparse.Namespace) -> Behaviour:
    """The behaviour the options ask for. Raises ValueError."""
    made = Behaviour(seed=options.seed, limits=not options.no_limits, spotify_mode=options.spotify_mode)
    if options.behaviour:
        changes: Any = json.loads(options.behaviour)
        if not isinstance(changes, dict):
            raise ValueError("--behaviour takes a JSON object")
        made.update(changes)
    return made


async def serve(options: argparse.Namespace, catalogue: Catalogue, made: Behaviour) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    with ExitStack() as files:
        on_request = None
        if options.record:
            # unbuffered: a line is in the file before the next request is answered, whatever happens then
            record = files.enter_context(options.record.open("ab", buffering=0))

            def on_request(request: RecordedRequest) -> None:
                record.write(json.dumps(asdict(request), ensure_ascii=False).encode() + b"\n")

        async with Sandbox(catalogue, made, on_request=on_request) as sandbox:
            sandbox.warm()
            line = json.dumps(sandbox.urls)
            if options.config:
                _write(options.config, config_for(sandbox, options.config, options.library))
            if options.ports_file:
                _write(options.ports_file, line + "\n")
            print(line, flush=True)
            await stop.wait()


def _write(path: Path, text: str) -> None:
    """The whole file or none: somebody waits for it."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def config_for(sandbox: Sandbox, path: Path, library: Path | None) -> str:
    """A config.toml at `path` for these servers, with its database beside it."""
    urls = {name: json.dumps(url) for name, url in sandbox.urls.items()}
    paths = [str(library.resolve())] if library else []
    return f"""\
# For the servers of `python -m soulspot.sandbox`, as long as they run.
[library]
paths = {json.dumps(paths)}

[database]
path = {json.dumps(str(path.resolve().with_suffix(".db")))}

[providers.musicbrainz]
base_url = {urls["musicbrainz_url"]}
contact = "sandbox@example.org"

[providers.listenbrainz]
base_url = {urls["listenbrainz_url"]}
labs_url = {urls["labs_url"]}

[providers.spotify]
base_url = {urls["spotify_url"]}
token_url = {urls["token_url"]}
client_id = "sandbox"
client_secret = "sandbox"

[export.covers]
enabled = true
base_url = {urls["covers_url"]}
spotify_url = {urls["covers_url"]}
"""


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    try:
        made = behaviour(options)
        if options.csv:
            catalogue = catalogue_from_csv(options.csv, options.limit)
        else:
            catalogue = invent_catalogue(options.seed, options.tracks)
        if options.library:
            if options.library.exists() and any(options.library.iterdir()):
                raise ValueError(f"--library {options.library} is not empty: name a new folder")
            write_sample_library(catalogue, options.library, seed=options.seed, tracks=options.files)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    asyncio.run(serve(options, catalogue, made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
