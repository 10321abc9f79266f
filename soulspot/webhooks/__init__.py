"""Committed events of the outbox in; signed messages to one receiver out, in order, each until it
is delivered. Built by assembly beside the service; `soulspot webhooks` tries the receiver."""

from soulspot.webhooks.deliveries import Deliveries, Receiver, describe_receiver
from soulspot.webhooks.message import TEST_TYPE, message_body, signed_headers
from soulspot.webhooks.outbox import Outbox
from soulspot.webhooks.posting import Poster, Reply
