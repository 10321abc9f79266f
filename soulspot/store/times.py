"""Seconds since the epoch to and from the UTC ISO 8601 text that the database keeps."""

from __future__ import annotations

from datetime import UTC, datetime

NEVER = "9999-12-31T23:59:59.999Z"


def iso(seconds: float) -> str:
    """1700000000.5 -> "2023-11-14T22:13:20.500Z"; what lies past the year 9999 is NEVER."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return NEVER
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def seconds(text: str) -> float:
    """The inverse of `iso`."""
    return datetime.fromisoformat(text).timestamp()
