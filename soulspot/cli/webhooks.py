"""`soulspot webhooks`: send a test message to the receiver, and see how deliveries stand."""

import asyncio
import time
import uuid
from contextlib import closing
from pathlib import Path

from soulspot.assembly import webhook_poster, webhook_receiver
from soulspot.cli.json_documents import Commands
from soulspot.cli.options import ConfigOption, JsonOption
from soulspot.cli.running import BAD_CONFIG, INCOMPLETE, exit_on_error, exit_with, load_or_exit
from soulspot.config import Config
from soulspot.store.database import Database
from soulspot.store.times import iso
from soulspot.terminal.console import print_answer, print_result
from soulspot.version import __version__
from soulspot.webhooks import TEST_TYPE, Reply, describe_receiver, message_body, signed_headers

app = Commands(help="Test the webhook receiver, and show its deliveries.")


@app.command(name="test")
def send_test(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Send a test message, and print the answer.

    Its type is webhook.test, and it is signed as every other. Exit code 1 when it was not
    delivered.

    Example: soulspot webhooks test"""
    loaded = _load_with_receiver(config, needs_secrets=True)
    reply = exit_on_error(lambda: asyncio.run(_post_test(loaded)))
    answer = {"delivered": reply.delivered, "status": reply.status, "why": reply.why or None,
              "duration_ms": reply.duration_ms}  # fmt: skip
    lines = [f"delivered: HTTP {reply.status} after {reply.duration_ms:.0f} ms"] if reply.delivered else []
    print_answer(answer, json_, *lines)
    if not reply.delivered:
        exit_with(INCOMPLETE, f"not delivered: {reply.why}")


@app.command()
def status(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Show what waits, and since when and why the receiver fails.

    Example: soulspot webhooks status --json"""
    loaded = _load_with_receiver(config, reads_database=True)
    found = exit_on_error(lambda: _read_deliveries(loaded))
    if json_ or found is None:
        print_answer(found, json_, "nothing was sent yet; the daemon begins with what happens after its start")
    else:
        print_result(f"{found['host']}: {found['waiting_events']} events wait")
        if found["gone"]:
            print_result("it said 410 Gone: nothing is sent until the daemon is restarted")
        elif found["failing_since"]:
            print_result(
                f"fails since {found['failing_since']}: {found['error']}; next attempt {found['next_attempt']}"
            )


def _load_with_receiver(config: Path | None, *, needs_secrets: bool = False, reads_database: bool = False) -> Config:
    loaded = load_or_exit(config, needs_contact=False, needs_secrets=needs_secrets, reads_database=reads_database)
    if loaded.webhooks.url is None:
        exit_with(BAD_CONFIG, "webhooks.url is not set: there is nobody to tell")
    return loaded


async def _post_test(config: Config) -> Reply:
    secret = webhook_receiver(config).secret
    now = time.time()
    body = message_body(TEST_TYPE, iso(now), {"version": __version__})
    # a receiver recognizes by its id a message that it has had already
    message_id = f"msg_{uuid.uuid4().hex}"
    return await webhook_poster(config).post(signed_headers(secret, message_id, int(now), body), body)


def _read_deliveries(config: Config) -> dict[str, object] | None:
    if not config.database.path.exists():
        return None
    with closing(Database.open_read_only(config.database.path)) as connection:
        return describe_receiver(connection, str(config.webhooks.url))
