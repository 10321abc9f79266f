"""SoulSpot keeps a music library's metadata complete; these names are its public face."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soulspot.batch import BatchProcessor, BatchResult
    from soulspot.enrich import EnrichmentService
    from soulspot.export.ddex.ern import build_ern_batch
    from soulspot.frames import enrich_dataframe, enrich_dataframe_async
    from soulspot.streams import enrich_stream

__all__ = [
    "BatchProcessor",
    "BatchResult",
    "EnrichmentService",
    "build_ern_batch",
    "enrich_dataframe",
    "enrich_dataframe_async",
    "enrich_stream",
]
__version__ = "0.1.0"

_HOMES = {
    "BatchProcessor": "soulspot.batch",
    "BatchResult": "soulspot.batch",
    "EnrichmentService": "soulspot.enrich",
    "build_ern_batch": "soulspot.export.ddex.ern",
    "enrich_dataframe": "soulspot.frames",
    "enrich_dataframe_async": "soulspot.frames",
    "enrich_stream": "soulspot.streams",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import soulspot.batch` stays light."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
