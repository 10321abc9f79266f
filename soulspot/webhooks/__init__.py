"""Committed events of the outbox in, signed messages to one receiver out, in order, each until it is taken.

Built by assembly beside the service; `soulspot webhooks` tries the receiver."""

from soulspot.webhooks.deliveries import Webhooks, describe
from soulspot.webhooks.message import TEST, body_of, headers, key_of
from soulspot.webhooks.outbox import Outbox
from soulspot.webhooks.posting import Poster, Reply

__all__ = ["TEST", "Outbox", "Poster", "Reply", "Webhooks", "body_of", "describe", "headers", "key_of"]
