"""Seconds since the epoch to and from the UTC ISO 8601 text that the database keeps."""

from datetime import UTC, datetime

EVER = "0001-01-01T00:00:00.000Z"
NEVER = "9999-12-31T23:59:59.999Z"


def iso(seconds: float) -> str:
    """Return epoch seconds as text that sorts by time: 1700000000.5 -> "2023-11-14T22:13:20.500Z".
    Times after the year 9999 become NEVER, times before the year 1 EVER."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return EVER if seconds < 0 else NEVER
    # strftime does not pad the year to four digits on every system, and such text would not sort.
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def epoch_seconds(text: str) -> float:
    """Return the epoch seconds of a time that `iso` wrote, to the millisecond."""
    return datetime.fromisoformat(text).timestamp()
