"""Dates as precise as they are known."""


def as_date(year: str | None, month: str | None, day: str | None) -> str | None:
    """Return YYYY, YYYY-MM or YYYY-MM-DD; None without a year."""
    if not year:
        return None
    if not month:
        return f"{int(year):04d}"
    return f"{int(year):04d}-{int(month):02d}-{int(day):02d}" if day else f"{int(year):04d}-{int(month):02d}"
