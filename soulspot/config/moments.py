"""Moments as people say them: a span back from now, or a date and time."""

from __future__ import annotations

from datetime import datetime

from soulspot.config.values import parse_duration


def moment(text: str, now: float) -> float:
    """Epoch seconds of "1h" (that long before now) or of a date or time ("2026-11-22", "2026-11-22T04:00+01:00"; this
    machine's time zone unless it names one). ValueError when it is neither."""
    try:
        return now - float(parse_duration(text))
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(
            f'{text!r} is neither a time back from now ("1h", "7d") nor a date ("2026-11-22", "2026-11-22T04:00")'
        ) from None
