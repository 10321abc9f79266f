"""The sandbox in a process of its own: `python -m soulspot.sandbox --tracks 5000 --seed 1`."""

import argparse
import asyncio
import json
import signal
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from soulspot.sandbox import Behaviour, RecordedRequest, Sandbox, catalogue_from_csv, invent_catalogue
from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.sandbox.library.sample import write_sample_library


def argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m soulspot.sandbox",
        description="Serve local Spotify, MusicBrainz and ListenBrainz servers on 127.0.0.1 until SIGTERM. "
        "Prints one JSON line with their URLs when they are ready. "
        "`python -m soulspot.sandbox dumps --help`: write dumps of the catalogue instead.",
    )
    add = parser.add_argument
    add("--tracks", type=int, default=1000, help="size of the invented catalogue (1000)")
    add("--seed", type=int, default=1, help="seed of the invented catalogue and of all chance (1)")
    add("--csv", type=Path, help="serve the Spotify ids of this CSV file instead")
    add("--limit", type=int, help="serve only this many tracks of the CSV file")
    add("--spotify-mode", choices=("extended", "development"), default="extended",
        help="the kind of app that Spotify takes clients for: development apps have no batch requests")  # fmt: skip
    add("--no-limits", action="store_true", help="enforce no rate limit")
    add("--behaviour", default="{}", help="further behaviour as a JSON object, as POST /_sandbox/behaviour takes it")
    add("--record", type=Path, help="append every request to this NDJSON file at once")
    add("--ports-file", type=Path, help="write the JSON line to this file too")
    add("--library", type=Path, help="write audio files of the catalogue into this new folder")
    add("--files", type=int, default=150, help="number of files in the library (150)")
    add("--config", type=Path, help="write a config.toml for these servers to this file")
    return parser


async def serve(options: argparse.Namespace, catalogue: Catalogue, behaviour: Behaviour) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with ExitStack() as files:
        on_request = None
        if options.record:
            # Unbuffered: a line is in the file before the next request is answered.
            record = files.enter_context(options.record.open("ab", buffering=0))

            def on_request(request: RecordedRequest) -> None:
                record.write(json.dumps(asdict(request), ensure_ascii=False).encode() + b"\n")

        async with Sandbox(catalogue, behaviour, on_request=on_request) as sandbox:
            # Whoever waits for the line expects fast answers from the first request on.
            sandbox.warm()
            line = json.dumps(sandbox.urls)
            if options.config:
                _write(options.config, config_for(sandbox, options.config, options.library))
            if options.ports_file:
                _write(options.ports_file, line + "\n")
            print(line, flush=True)
            await stop.wait()


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def config_for(sandbox: Sandbox, path: Path, library: Path | None) -> str:
    """Return the text of a config.toml at `path` for these servers, with its database beside it."""
    urls = {name: json.dumps(url) for name, url in sandbox.urls.items()}
    paths = [str(library.resolve())] if library else []
    return f"""\
# For the servers of `python -m soulspot.sandbox`, as long as they run.
[library]
paths = {json.dumps(paths)}

[database]
path = {json.dumps(str(path.resolve().with_suffix(".db")))}

[http]
listen = "127.0.0.1:0"  # any free port; commands find the daemon all the same

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
    if sys.argv[1:2] == ["dumps"]:
        # the servers need no zstandard
        from soulspot.sandbox.dumps.publishing import run_command

        return run_command(sys.argv[2:])
    parser = argument_parser()
    options = parser.parse_args()
    try:
        limits, mode = not options.no_limits, options.spotify_mode
        behaviour = Behaviour(seed=options.seed, limits=limits, spotify_mode=mode)
        behaviour.update(json.loads(options.behaviour))
        if options.csv:
            catalogue = catalogue_from_csv(options.csv, options.limit)
        else:
            catalogue = invent_catalogue(options.seed, options.tracks)
        if options.library:
            if options.library.exists() and any(options.library.iterdir()):
                raise ValueError(f"--library {options.library} is not empty: name a new folder")
            write_sample_library(catalogue, options.library, seed=options.seed, tracks=options.files)
        asyncio.run(serve(options, catalogue, behaviour))
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
