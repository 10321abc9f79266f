"""A configuration in, a working service out: the one place where things are built.

Used by the daemon, the commands and Python programs."""

from soulspot.assembly.service import EnrichmentService
from soulspot.assembly.temporary import temporary
from soulspot.assembly.wiring import (
    cover_places,
    library_rules,
    opened,
    providers,
    retune,
    rules,
    scheduler_with_defaults,
    tag_rules,
    webhook_poster,
    webhook_receiver,
)

__all__ = [
    "EnrichmentService",
    "cover_places",
    "library_rules",
    "opened",
    "providers",
    "retune",
    "rules",
    "scheduler_with_defaults",
    "tag_rules",
    "temporary",
    "webhook_poster",
    "webhook_receiver",
]
