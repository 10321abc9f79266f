"""The types of configuration values, with their parsers: durations, sizes, secrets, paths, URLs."""

import os
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from soulspot.text import as_on_disk

# Seconds.
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION_TERM = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])\s*")
# Bytes: KB is 1000, KiB is 1024.
_SIZE_UNITS = {"": 1, "B": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("KMGT", start=1)
    for suffix, base in (("", 1000), ("B", 1000), ("IB", 1024))
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?B?)", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Secret(SecretStr):
    """A text that prints, dumps and logs itself as asterisks."""

    def reveal(self) -> str:
        return self.get_secret_value()


def parse_duration(value: Any) -> Any:
    """Return the seconds of "30d", "12h", "5m", "90s", "250ms", "2w", "1h30m" or "90". A value that
    is no text is returned unchanged. Raises ValueError for any other text."""
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if _PLAIN_NUMBER.fullmatch(text):
        return float(text)
    terms = _DURATION_TERM.findall(text)
    if not terms or _DURATION_TERM.sub("", text):
        raise ValueError('should be seconds, or a number with a unit: "90s", "5m", "12h", "30d", "2w"')
    return sum(float(number) * _DURATION_UNITS[unit] for number, unit in terms)


def format_duration(seconds: float) -> str:
    """Return the shortest text in one unit that `parse_duration` reads back: "1d" for 86400."""
    for unit in ("w", "d", "h", "m"):
        count, rest = divmod(seconds, _DURATION_UNITS[unit])
        if count and not rest:
            return f"{count:.0f}{unit}"
    return f"{Decimal(repr(float(seconds))).normalize():f}s"


def parse_time(text: str, now: float) -> float:
    """Return the epoch seconds of "1h" (that long before `now`), or of a date or time. "2026-11-22"
    and "2026-11-22T04:00+01:00" (else in this machine's time zone). ValueError for other text."""
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


def parse_size(value: Any) -> Any:
    """Return the bytes of "2GB" (powers of 1000), "2GiB" (of 1024), "500 kB" or "1024". A value
    that is no text is returned unchanged. Raises ValueError for any other text."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    unit = match[2].upper() if match else None
    if match is None or unit not in _SIZE_UNITS:
        raise ValueError('should be bytes, or a number with a unit: "500KB", "20MB", "2GB", "2GiB"')
    return int(float(match[1]) * _SIZE_UNITS[unit])


def format_size(size: int) -> str:
    """Return the shortest text that `parse_size` reads back: "2GB" for 2000000000."""
    for unit, bytes_ in (("GB", 1000**3), ("MB", 1000**2), ("KB", 1000)):
        if size and size % bytes_ == 0:
            return f"{size // bytes_}{unit}"
    return str(size)


def parse_listen(value: str) -> tuple[str, int]:
    """Return host and port of "127.0.0.1:8753", "[::1]:8753" or "localhost:0" (0: any free port).
    Raises ValueError for any other text."""
    host, colon, port = value.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare and bare == host) or not port.isdecimal() or int(port) > 65535:
        raise ValueError('should be host:port, such as "127.0.0.1:8753" or "[::1]:8753"')
    return bare, int(port)


def _listen(value: str) -> str:
    parse_listen(value)
    return value


def _url(value: str) -> str:
    shape = 'should be a URL such as "https://host/path", without query or password'
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises for a port that is no number
    except ValueError as error:
        raise ValueError(shape) from error
    is_web = parts.scheme in {"http", "https"} and parts.hostname and not re.search(r"\s", value)
    if not is_web or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError(shape)
    return value.rstrip("/")


def _contact(value: str) -> str:
    address = re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", value)
    page = re.fullmatch(r"https?://[^\s/.]+\.\S+", value)
    if not address and not page:
        raise ValueError('should be an e-mail address or a URL where you can be reached, "you@example.org" say')
    return value


def _split(separator: str) -> BeforeValidator:
    """Return a validator that splits a list from the environment; a file must have a real list."""
    return BeforeValidator(
        lambda v: [p.strip() for p in v.split(separator) if p.strip()] if isinstance(v, EnvironmentText) else v
    )


class EnvironmentText(str):
    """A value from the environment, in which a list is one text."""


def _expand(value: Path) -> Path:
    return Path(os.fsdecode(as_on_disk(os.path.abspath(os.fsencode(value.expanduser())))))


def _as_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_TEN_YEARS = 10 * 365 * 86400.0
# Seconds; more than 0, at most ten years.
Duration = Annotated[float, BeforeValidator(parse_duration), Field(gt=0, le=_TEN_YEARS, allow_inf_nan=False)]
# Seconds; 0 stands for never.
DurationOrNone = Annotated[float, BeforeValidator(parse_duration), Field(ge=0, le=_TEN_YEARS, allow_inf_nan=False)]
# Bytes.
Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0)]
# Requests a second.
Rate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
# A score or a difference of scores, 0 to 1.
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
FilePath = Annotated[Path, Field(strict=False), AfterValidator(_expand)]
Url = Annotated[str, AfterValidator(_url)]
Listen = Annotated[str, AfterValidator(_listen)]
Contact = Annotated[str, AfterValidator(_contact)]
# The last BeforeValidator runs first: a text is split into a list, and a list made a tuple.
Paths = Annotated[tuple[FilePath, ...], BeforeValidator(_as_list), _split(os.pathsep)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list), _split(",")]
