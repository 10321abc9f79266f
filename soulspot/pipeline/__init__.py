"""The flow itself: tracks in, lookups queued, answers settled, rows out. Start with `service.py`.

Built by assembly; used by operations, web, dataframes and cli."""

from soulspot.pipeline.intake import (
    DECIDE_EVERY,
    MOST_NAMED,
    ImportReport,
    LibraryRules,
    ScanReport,
    places_outside,
    walks,
)
from soulspot.pipeline.losses import LossLimits
from soulspot.pipeline.parts import Parts
from soulspot.pipeline.pump import PumpSettings
from soulspot.pipeline.retry_policy import RetryPolicy
from soulspot.pipeline.service import EnrichmentService
from soulspot.pipeline.waiting import Postponed, wait_until_settled

__all__ = ["items", "service", "shutdown", "status"]
