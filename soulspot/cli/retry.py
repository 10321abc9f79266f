"""`soulspot retry`: queue lookups again that failed, or whose subject the service did not know."""

from typing import Annotated, Any, Literal, get_args

import typer

from soulspot.cli.options import ConfigOption, JsonOption
from soulspot.cli.running import load_or_exit, refuse, run_command
from soulspot.client.daemon_client import describe_owner
from soulspot.client.workplace import Completed, Operation, run_operation
from soulspot.config import Config
from soulspot.operations.kinds import retry_request
from soulspot.operations.reports.results import retry_refusal
from soulspot.pipeline import EnrichmentService
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import print_answer, print_result

Provider = Literal["musicbrainz", "listenbrainz", "spotify"]
STATES = ("failed", "missing")
WORDS = {"lifted": "pauses lifted"}  # names in the report that say too little to people


def retry(
    provider: Annotated[Provider | None, typer.Option(metavar="NAME",
        help=f"Only lookups at {', '.join(get_args(Provider))} (default: all).")] = None,
    state: Annotated[list[str] | None, typer.Option(metavar="STATE",
        help="failed (default) or missing; may be given twice.")] = None,
    lift_pause: Annotated[bool, typer.Option("--lift-pause",
        help="Ask a service again that wanted to be left alone for longer.")] = False,
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Queue lookups again that failed or found nothing.

    The running daemon asks them by itself; without one, `soulspot enrich` does.

    Example: soulspot retry --provider spotify --state failed --state missing"""
    states = state or ["failed"]
    # typer knows choices only for options that are given once
    if not set(states) <= set(STATES):
        refuse(f"--state is {' or '.join(STATES)}")
    loaded = load_or_exit(config)
    request = retry_request(states, provider, lift_pause=lift_pause)
    report = run_command(loaded, lambda bars: retry_lookups(loaded, request, bars), quiet=json_).report
    print_answer(report, json_, ", ".join(f"{count} {WORDS.get(name, name)}" for name, count in report.items()))
    if not json_ and any(report.values()) and not describe_owner(loaded.database.path):
        print_result("next: soulspot enrich")


async def retry_lookups(config: Config, request: dict[str, Any], bars: Bars) -> Completed:
    """Queue lookups again as the request says; ValueError when its provider is off."""

    async def refuse_if_off(service: EnrichmentService) -> None:
        if why := retry_refusal(service, request["provider"]):
            raise ValueError(why)

    operation = Operation(
        "retry", request, request, lambda client: client.start("/api/v1/retry", json=request), refuse_if_off
    )
    return await run_operation(config, operation, bars)
