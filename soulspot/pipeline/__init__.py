"""The flow itself: tracks in, lookups queued, answers settled, rows out. Start with `service.py`.

Built by assembly; used by operations, web, dataframes and cli."""

from soulspot.pipeline.intake import DECIDE_EVERY, NAMED, ImportReport, LibraryRules, ScanReport, walks
from soulspot.pipeline.items import (
    Brought,
    Item,
    Outcome,
    at_least_one,
    bring_in,
    enrich_files,
    enrich_items,
    finished,
    item_of,
)
from soulspot.pipeline.pump import Patience
from soulspot.pipeline.service import Batching, EnrichmentService, Postponed

__all__ = [
    "DECIDE_EVERY",
    "NAMED",
    "Batching",
    "Brought",
    "EnrichmentService",
    "ImportReport",
    "Item",
    "LibraryRules",
    "Outcome",
    "Patience",
    "Postponed",
    "ScanReport",
    "at_least_one",
    "bring_in",
    "enrich_files",
    "enrich_items",
    "finished",
    "item_of",
    "service",
    "walks",
]
