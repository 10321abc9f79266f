"""SoulSpot keeps a music library's metadata complete; these names are its public face."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soulspot.assembly import EnrichmentService
    from soulspot.batch import BatchProcessor, BatchResult
    from soulspot.dataframes.frames import enrich_dataframe, enrich_dataframe_async
    from soulspot.dataframes.streams import enrich_stream
    from soulspot.export.ddex.ern import build_ern_batch
    from soulspot.version import __version__ as __version__

__all__ = [
    "BatchProcessor",
    "BatchResult",
    "EnrichmentService",
    "build_ern_batch",
    "enrich_dataframe",
    "enrich_dataframe_async",
    "enrich_stream",
]

_HOMES = {
    "__version__": "soulspot.version",
    "BatchProcessor": "soulspot.batch.processor",
    "BatchResult": "soulspot.batch.processor",
    "EnrichmentService": "soulspot.assembly.service",
    "build_ern_batch": "soulspot.export.ddex.ern",
    "enrich_dataframe": "soulspot.dataframes.frames",
    "enrich_dataframe_async": "soulspot.dataframes.frames",
    "enrich_stream": "soulspot.dataframes.streams",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import soulspot` stays light."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
