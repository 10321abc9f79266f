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

from soulspot.sandbox.behaviour import Behaviour
from soulspot.sandbox.catalogue import Catalogue
from soulspot.sandbox.server import Sandbox
from soulspot.sandbox.service import RecordedRequest


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
    parser.add_argument("--spotify-mode", choices=("extended", "development"), default="extended")
    parser.add_argument("--no-limits", action="store_true", help="enforce no rate limit")
    parser.add_argument(
        "--behaviour", help="JSON object of further behaviour, as POST /_sandbox/behaviour takes"
    )
    parser.add_argument("--record", type=Path, help="append every request to this NDJSON file at once")
    parser.add_argument("--ports-file", type=Path, help="write the JSON line to this file too")
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
            if options.ports_file:
                part = options.ports_file.with_name(f"{options.ports_file.name}.part")
                part.write_text(line + "\n", encoding="utf-8")
                part.replace(options.ports_file)
            print(line, flush=True)
            await stop.wait()


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    try:
        made = behaviour(options)
        if options.csv:
            catalogue = Catalogue.from_csv(options.csv, options.limit)
        else:
            catalogue = Catalogue.invent(options.seed, options.tracks)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    asyncio.run(serve(options, catalogue, made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
