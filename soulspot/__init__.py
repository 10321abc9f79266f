"""SoulSpot keeps a music library's metadata complete; these three names are its public face."""

from soulspot.batch import BatchProcessor, BatchResult
from soulspot.enrich import EnrichmentService

__all__ = ["BatchProcessor", "BatchResult", "EnrichmentService"]
__version__ = "0.1.0"
