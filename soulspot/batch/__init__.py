"""Collect items and answer many of them with one call: items in, a result for each out. Knows
nothing of music. The pump of each provider runs one; Python programs may use it alone."""

from soulspot.batch.call import BatchResult
from soulspot.batch.processor import BatchProcessor
from soulspot.errors import BatchCancelled
