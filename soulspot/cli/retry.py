"""`soulspot retry`: queue lookups again that failed, or whose subject the service did not know."""

from collections.abc import Sequence
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


def retry(
    provider: Annotated[Provider | None, typer.Option(metavar="NAME",
        help=f"Only lookups at {', '.join(get_args(Provider))} (default: all).")] = None,
    state: Annotated[list[str] | None, typer.Option(metavar="STATE",
        help="failed (default) or missing; may be given twice.")] = None,
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
    report = run_command(loaded, lambda bars: retry_lookups(loaded, states, provider, bars), quiet=json_).report
    print_answer(report, json_, ", ".join(f"{count} {name}" for name, count in report.items()))
    if not json_ and report["queued"] and not describe_owner(loaded.database.path):
        print_result("next: soulspot enrich")


async def retry_lookups(config: Config, states: Sequence[str], provider: str | None, bars: Bars) -> Completed:
    """Queue lookups at a provider (None: all) again; ValueError when the provider is off."""
    request: dict[str, Any] = retry_request(states, provider)

    async def refuse_if_off(service: EnrichmentService) -> None:
        if why := retry_refusal(service, provider):
            raise ValueError(why)

    operation = Operation(
        "retry", request, request, lambda client: client.start("/api/v1/retry", json=request), refuse_if_off
    )
    return await run_operation(config, operation, bars)
