"""`soulspot scan`: queue the new and changed files of the library, or of some folders."""

from collections.abc import Sequence
from typing import Annotated

import typer

from soulspot.cli.options import ConfigOption, JsonOption, PathsArgument, absolute_paths, refuse_missing
from soulspot.cli.results import print_unreadable_files
from soulspot.cli.running import exit_without_music, load_or_exit, refuse, run_command
from soulspot.client.daemon_client import paths_for_api
from soulspot.client.workplace import Completed, Operation, run_operation
from soulspot.config import Config
from soulspot.operations.kinds import readable_paths, scan_request
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import print_answer


def scan(
    paths: PathsArgument = None,
    confirm_vanished: Annotated[bool, typer.Option("--confirm-vanished",
        help="Mark the missing files as vanished that `soulspot status` asks about.")] = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Queue new and changed files.

    Files are read here, or by the running daemon if there is one. No service is asked: the daemon
    or `soulspot enrich` does that. Prints the numbers of files found, unchanged, read, unreadable
    and vanished, and of files that are missing and kept until you have answered (unconfirmed).

    Example: soulspot scan ~/Music/new"""
    loaded = load_or_exit(config)
    if not paths and not loaded.library.paths:
        refuse("nothing to scan: name a folder, or set library.paths in config.toml")
    refuse_missing(paths or [])
    places = absolute_paths(paths)
    report = run_command(loaded, lambda bars: scan_places(loaded, places, bars, confirm_vanished), quiet=json_).report
    print_answer(report, json_, ", ".join(f"{count} {name}" for name, count in report.items()))
    if report.get("unreadable") and not json_:
        print_unreadable_files(loaded)
    if not report.get("found"):
        exit_without_music(paths, loaded)


async def scan_places(
    config: Config, places: Sequence[bytes], bars: Bars, confirm_vanished: bool = False
) -> Completed:  # fmt: skip
    """Scan these absolute paths, or the whole library if there are none, in the daemon or here.
    With `confirm_vanished`, missing files that were asked about have been deleted."""
    shown, body = {"places": readable_paths(places)}, {"paths": paths_for_api(places)}
    request = scan_request(places, confirm_vanished=confirm_vanished)
    wanted = body | ({"confirm_vanished": True} if confirm_vanished else {})
    operation = Operation("scan", request, shown, lambda client: client.start("/api/v1/scan", json=wanted))
    return await run_operation(config, operation, bars, needs_library=not places)
