"""How one HTTP request goes out and comes back, whatever sends it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Self, TypeVar
from urllib.parse import urljoin, urlsplit

from soulspot.errors import BadAnswer, BatchRejected, Limited, ProviderError, Refused, Unavailable
from soulspot.limits import Gate, Gates, RequestRecord, call_with_retries
from soulspot.version import __version__

T = TypeVar("T")

AGENT = f"soulspot/{__version__}"
MAX_BODY = 16 * 1024 * 1024
"""Bytes after decompression. The largest honest answer, 1,000 recordings of ListenBrainz, is some 5 MB."""
CHUNK = 64 * 1024
CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 307, 308)
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-Za-z]{22}", re.ASCII)


class TimedOut(Unavailable):
    """The whole of a request's time went by. Not tried again within the call: a service that dribbles costs
    one timeout."""


class Turn:
    """One request that the gate let pass, until what came of it is known; only its first ending counts.

    Made and ended in the event loop."""

    def __init__(self, gates: Gates, gate: Gate, endpoint: str, attempt: int) -> None:
        self.host = gate.host
        self._gates = gates
        self._gate = gate
        self._endpoint = endpoint
        self._attempt = attempt
        self._started = time.monotonic()
        self._over = False

    @classmethod
    async def admitted(cls, gates: Gates, provider: str, url: str, endpoint: str, attempt: int) -> Self:
        """Wait before the gate of `url`'s host. Raises Limited when it is closed."""
        gate = gates.for_url(provider, url)
        await gate.admit()
        return cls(gates, gate, endpoint, attempt)

    async def answered(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """A response came. Raises Limited for 429 and 503, and Unavailable for every other 5xx."""
        probing = self._gate.is_probing  # a probe's failure is the host's, not the question's
        quota = (
            status == 429 and b"QUOTA_EXCEEDED" in body
        )  # Spotify; only the body tells it from a burst limit
        if self._end(status):
            await self._gate.observe(status, headers, quota=quota)
        if status in (429, 503):
            why = "quota spent" if quota else f"HTTP {status}"
            raise Limited(self._gate.host, self._gate.opens_at() or time.time() + 1.0, why, status=status)
        if status >= 500:
            raise Unavailable(f"{self._gate.host}: {_named(status)}", status=status, answered=not probing)

    async def unanswered(self) -> None:
        """No response came, or not all of it."""
        if self._end(None):
            await self._gate.observe(None)

    def dropped(self) -> None:
        """The caller no longer wants it, which says nothing of the host."""
        self._end(None)

    def _end(self, status: int | None) -> bool:
        if self._over:
            return False
        self._over = True
        took = (time.monotonic() - self._started) * 1000.0
        record = RequestRecord(
            self._gate.provider, self._gate.host, self._endpoint, status, took, self._attempt
        )
        self._gates.record(record)
        return True


async def with_retries(gate: Gate, call: Callable[[int], Awaitable[T]]) -> T:
    """`call(attempt)`, up to three times while no usable response comes (connection trouble, 5xx but 503).

    429 and 503 are never asked again here: they come out as Limited at once."""
    attempt = 0

    async def once() -> T:
        nonlocal attempt
        attempt += 1
        try:
            return await call(attempt)
        except TimedOut as error:
            raise _Final(error) from error

    try:
        return await call_with_retries(once, retry_on=(Unavailable,), may_retry=gate.may_retry)
    except _Final as final:
        raise final.error from None


class _Final(Exception):
    """Carries an error past the loop that would try again."""

    def __init__(self, error: Unavailable) -> None:
        self.error = error
        super().__init__(str(error))


def refusal(host: str, status: int, body: bytes) -> ProviderError:
    """What a status of the 3xx and 4xx says, besides 429: BatchRejected for a malformed request, Refused for
    one that needs a person, BadAnswer (with its status) for anything else, 404 included."""
    message = f"{host}: {_named(status)}{_said(body)}"
    if status in (400, 413, 414, 422):
        return BatchRejected(message, status=status)
    if status in (401, 403):
        return Refused(message, status=status)
    return BadAnswer(message, status=status)


def _named(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _said(body: bytes) -> str:
    """The service's own words, for a person, when it used few of them and no HTML."""
    try:
        document = json.loads(body)
        words = document.get("error") or document.get("message") or document.get("help")
        if isinstance(words, dict):
            words = words.get("message")
    except (ValueError, AttributeError, RecursionError):
        words = None if b"<" in body[:200] else body[:200].decode("utf-8", "replace")
    return f": {words.strip()[:200]}" if isinstance(words, str) and words.strip() else ""


def endpoint_of(url: str, base_url: str) -> str:
    """The route of `url` for records: its path below `base_url`, with every id replaced by "{id}"."""
    parts, base = urlsplit(url), urlsplit(base_url)
    path = parts.path
    if parts.netloc == base.netloc:
        path = path.removeprefix(base.path.rstrip("/"))
    return "/" + "/".join(_ID.sub("{id}", part) for part in path.split("/") if part)


def redirected(url: str, location: str | None) -> str:
    """Where a redirect of `url` leads. BadAnswer when that is nowhere, not the web, or from https to http."""
    target = urljoin(url, location or "")
    schemes = (urlsplit(url).scheme, urlsplit(target).scheme)
    if not location or schemes[1] not in ("http", "https") or schemes == ("https", "http"):
        raise BadAnswer(f"{urlsplit(url).netloc} redirects to nowhere usable")
    return target
