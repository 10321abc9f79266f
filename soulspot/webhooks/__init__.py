"""Committed events of the outbox in, signed messages to one receiver out, in order, each until it is taken.

Built by assembly beside the service; `soulspot webhooks` tries the receiver."""

from soulspot.webhooks.deliveries import Webhooks, describe_receiver
from soulspot.webhooks.message import TEST_TYPE, message_body, signed_headers, signing_key
from soulspot.webhooks.outbox import Outbox
from soulspot.webhooks.posting import Poster, Reply

__all__ = [
    "TEST_TYPE", "Outbox", "Poster", "Reply", "Webhooks", "describe_receiver", "message_body", "signed_headers",
    "signing_key",
]  # fmt: skip
