"""Audio files in, frozen values out: walk folders, watch them, read tags and parse identifiers.
Knows neither database nor network. Called by the pipeline's intake, the daemon and tagging."""

__all__ = [
    "bounded_file", "containers", "identifiers", "mutagen_limits", "reader", "scan", "suffixes", "tags", "values",
    "watch", "watches",
]  # fmt: skip
