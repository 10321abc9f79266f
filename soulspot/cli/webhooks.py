"""`soulspot webhooks`: try the receiver, and see how it stands."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from pathlib import Path
from typing import Annotated

import typer

from soulspot.cli.console import complain, out
from soulspot.cli.json_output import Commands
from soulspot.cli.running import BAD_CONFIG, INCOMPLETE, guarded, load
from soulspot.config import Config
from soulspot.store.database import Database
from soulspot.store.times import iso
from soulspot.version import __version__
from soulspot.webhooks import TEST_TYPE, Reply, describe_receiver, message_body, signed_headers

webhooks = Commands(
    help="Try the receiver of webhooks, and see how it stands.", no_args_is_help=True, rich_markup_mode=None
)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="config.toml to use.", metavar="PATH")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")]


@webhooks.command(name="test")
def send_test(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Send a test message, and say how it was answered.

    Its type is webhook.test, and it is signed as every other."""
    loaded = _configured(config)
    reply = guarded(lambda: asyncio.run(_send_test(loaded)))
    if json_:
        print(json.dumps({"delivered": reply.delivered, "status": reply.status, "why": reply.why or None,
                          "duration_ms": reply.duration_ms}))  # fmt: skip
    elif reply.delivered:
        out.print(f"delivered: HTTP {reply.status} after {reply.duration_ms:.0f} ms", markup=False)
    if not reply.delivered:
        complain(f"not delivered: {reply.why}")
        raise typer.Exit(INCOMPLETE)


@webhooks.command()
def status(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Say what waits, and since when and why the receiver fails."""
    loaded = _configured(config)
    found = guarded(lambda: _status(loaded))
    if json_:
        print(json.dumps(found))
    elif found is None:
        out.print("nothing was sent yet; the daemon begins with what happens after its start", markup=False)
    else:
        out.print(f"{found['host']}: {found['waiting_events']} events wait", markup=False)
        if found["gone"]:
            out.print("it said 410 Gone: nothing is sent until the daemon is restarted", markup=False)
        elif found["failing_since"]:
            out.print(f"fails since {found['failing_since']}: {found['error']}; "
                      f"next attempt {found['next_attempt']}", markup=False)  # fmt: skip


def _configured(config: Path | None) -> Config:
    loaded = load(config, needs_contact=False)
    if loaded.webhooks.url is None:
        complain("webhooks.url is not set: there is nobody to tell")
        raise typer.Exit(BAD_CONFIG)
    return loaded


async def _send_test(config: Config) -> Reply:
    from soulspot.assembly import webhook_poster, webhook_receiver

    _, key = webhook_receiver(config)
    now = time.time()
    body = message_body(TEST_TYPE, iso(now), {"version": __version__})
    message_id = f"msg_{uuid.uuid4().hex}"
    return await webhook_poster(config).post(signed_headers(key, message_id, int(now), body), body)


def _status(config: Config) -> dict[str, object] | None:
    if not config.database.path.exists():
        return None
    connection = Database.open_read_only(config.database.path)
    try:
        return describe_receiver(connection, str(config.webhooks.url))
    finally:
        connection.close()
