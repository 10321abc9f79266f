"""Data frames and streams of Python programs in, the same items with what was found out.

The Python way in: `soulspot.enrich_dataframe` and `soulspot.enrich_stream`."""

__all__ = ["frames", "streams"]
