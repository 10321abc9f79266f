"""Data frames and streams of items from Python programs in; the same with their enriched rows out.
The Python way in: `soulspot.enrich_dataframe` and `soulspot.enrich_stream`."""

__all__ = ["frames", "streams"]
