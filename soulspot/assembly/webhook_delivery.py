"""The configured webhook: its receiver, its poster, and the deliveries while a service works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from soulspot.config import Config
from soulspot.store.database import Database
from soulspot.telemetry import Telemetry
from soulspot.version import __version__
from soulspot.webhooks import Deliveries, Outbox, Poster, Receiver

LAST_DELIVERIES = 1.5  # seconds that the end of a service waits for messages of its last events


def webhook_receiver(config: Config) -> Receiver:
    """Return the configured receiver of webhooks.

    Only for a configuration with webhooks.url, which has been checked to have webhooks.secret as
    well."""
    section = config.webhooks
    assert section.url is not None
    assert section.secret is not None
    return Receiver(
        section.url, section.secret.reveal(), types=section.events, rate=section.rate,
        give_up_after=section.give_up_after,
    )  # fmt: skip


def webhook_poster(config: Config) -> Poster:
    """Return what sends messages to the configured receiver."""
    section = config.webhooks
    return Poster(
        webhook_receiver(config).url, allow_private=section.allow_private, timeout=section.timeout,
        agent=f"SoulSpot/{__version__}",
    )  # fmt: skip


@asynccontextmanager
async def delivering(
    config: Config, database: Database, telemetry: Telemetry, outbox: Outbox, *, is_on: bool
) -> AsyncIterator[None]:
    """Deliver the outbox to the configured webhook, if there is one and it `is_on`, while this
    lasts.

    At the end, events of the last moment are delivered too if that takes no longer than
    LAST_DELIVERIES."""
    deliveries: Deliveries | None = None
    if is_on and config.webhooks.url:
        deliveries = Deliveries(database, telemetry, webhook_poster(config), webhook_receiver(config))
    running: asyncio.Task[None] | None = None
    if deliveries:
        await deliveries.start()
        running = asyncio.create_task(deliveries.run(), name="webhooks")
    try:
        yield
    finally:
        if running:
            running.cancel()  # a message that is cut off here is sent again under the same id
            await asyncio.gather(running, return_exceptions=True)
        await outbox.close()
        if deliveries:
            await deliveries.finish(LAST_DELIVERIES)
