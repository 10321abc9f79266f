"""One HTTP request through its gate: retries, records, refusals."""

import base64
import contextlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Self, TypeVar
from urllib.parse import urljoin, urlsplit

from soulspot.errors import BadAnswer, BatchRejected, Limited, ProviderError, Refused, TooLong, Unavailable
from soulspot.limits import Gate, Gates, RequestRecord, call_with_retries, host_of
from soulspot.version import __version__

T = TypeVar("T")
AGENT = f"soulspot/{__version__}"
# Bytes after decompression. The largest honest answer, 1,000 recordings of ListenBrainz, has 5 MB.
MAX_BODY = 16 * 1024 * 1024
CHUNK = 64 * 1024
CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 307, 308)
KINDS: Mapping[int, type[ProviderError]] = {
    400: BatchRejected, 422: BatchRejected, 413: TooLong, 414: TooLong, 431: TooLong, 401: Refused, 403: Refused,
}  # fmt: skip
# Records name routes, not entities: a metric for each id would never end.
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-Za-z]{22}", re.ASCII)


class TimedOut(Unavailable):
    """The request used up its whole time. Not retried: a slow service costs one timeout a call."""


class AdmittedRequest:
    """One request that passed its gate, until its end is known; only the first ending counts."""

    def __init__(self, gates: Gates, gate: Gate, endpoint: str, attempt: int) -> None:
        self.host = gate.host
        self._gates = gates
        self._gate = gate
        self._endpoint = endpoint
        self._attempt = attempt
        self._started = time.monotonic()
        self._is_over = False

    @classmethod
    async def admit(cls, gates: Gates, provider: str, url: str, endpoint: str, attempt: int) -> Self:
        """Wait before the gate of `url`'s host. Raises Limited when it is closed."""
        gate = gates.for_url(provider, url)
        await gate.admit()
        return cls(gates, gate, endpoint, attempt)

    async def end_with_response(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Report a response. Raises Limited for 429 and 503, Unavailable for any other 5xx."""
        # A probe's failure is the host's: it is no attempt of the lookups in the request.
        is_probe = self._gate.is_probing
        # Spotify tells a spent quota from its burst limit in the body only.
        quota = status == 429 and b"QUOTA_EXCEEDED" in body
        if self._end(status):
            await self._gate.observe(status, headers, quota=quota)
        if status in (429, 503):
            why = "quota spent" if quota else f"HTTP {status}"
            raise Limited(self.host, self._gate.opens_at() or time.time() + 1.0, why, status=status)
        if status >= 500:
            raise Unavailable(f"{self.host}: {_status_text(status)}", status=status, answered=not is_probe)

    async def end_without_response(self) -> None:
        """Report that no response came, or only a part of one."""
        if self._end(None):
            await self._gate.observe(None)

    def abandon(self) -> None:
        """Record that the caller went away, which says nothing about the host."""
        if self._end(None):
            self._gate.abandon()

    def _end(self, status: int | None) -> bool:
        if self._is_over:
            return False
        self._is_over = True
        ms = (time.monotonic() - self._started) * 1000.0
        self._gates.record(RequestRecord(self._gate.provider, self.host, self._endpoint, status, ms, self._attempt))
        return True


async def send_with_retries(gate: Gate, send: Callable[[int], Awaitable[T]]) -> T:
    """Return the result of `send(attempt)`, tried up to three times while it raises Unavailable.
    Connection trouble and 5xx other than 503 are retried. TimedOut is not, and neither are 429 and
    503, which raise Limited at once."""
    attempt = 0
    timed_out: list[TimedOut] = []

    async def send_once() -> T | None:
        nonlocal attempt
        attempt += 1
        try:
            return await send(attempt)
        except TimedOut as error:  # as a result, past the loop that would retry it
            timed_out.append(error)
            return None

    result = await call_with_retries(send_once, retry_on=(Unavailable,), may_retry=gate.may_retry)
    if timed_out:
        raise timed_out[0]
    return result  # type: ignore[return-value]


def refusal(host: str, status: int, body: bytes) -> ProviderError:
    """Return the error for a status of 3xx or 4xx other than 429. BatchRejected for a request that
    is malformed, TooLong for one that is that, which fewer lookups may mend; Refused for one that
    needs a person; BadAnswer (with its status) for all else."""
    words, is_structured = _service_words(body)
    message = f"{host}: {_status_text(status)}" + (f": {words}" if words else "")
    kind = KINDS.get(status, BadAnswer)
    return kind(message, status=status, words=words, is_structured=is_structured)


def without_credentials(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a service's answer with the credentials of the request blotted out: proxies repeat
    what they refuse, and the message is logged and shown."""
    sent = headers.get("Authorization", "").partition(" ")[2]
    secrets = {sent.encode()}
    with contextlib.suppress(ValueError):
        pair = base64.b64decode(sent, validate=True)
        secrets |= {pair, pair.partition(b":")[2]}
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        body = body.replace(secret, b"***")
    return body


def _status_text(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _service_words(body: bytes) -> tuple[str | None, bool]:
    """Return the service's own message, at most 200 characters and no HTML (None without one), and
    whether it came in an error object."""
    is_structured = False
    try:
        document = json.loads(body)
        words = document.get("error") or document.get("message") or document.get("help")
        if is_structured := isinstance(words, dict):
            words = words.get("message")
    except (ValueError, AttributeError, RecursionError):
        words = None if b"<" in body[:200] else body[:200].decode("utf-8", "replace")
    return (words.strip()[:200] or None) if isinstance(words, str) else None, is_structured


def endpoint_of(url: str, base_url: str) -> str:
    """Return the route of `url` for records: its path below `base_url`, every id as "{id}"."""
    parts, base = urlsplit(url), urlsplit(base_url)
    path = parts.path
    if parts.netloc == base.netloc:
        path = path.removeprefix(base.path.rstrip("/"))
    return "/" + "/".join(_ID.sub("{id}", part) for part in path.split("/") if part)


def redirect_target(url: str, location: str | None, may_ask: Callable[[str], bool] | None = None) -> str:
    """Return the URL that a redirect of `url` leads to: one of the same host and port, or one that
    `may_ask` allows. Raises BadAnswer, which names the target, for any other, for what is not the
    web, and for a way from https to http."""
    host = host_of(url)
    try:
        target = urljoin(url, location or "")
        scheme, other = urlsplit(target).scheme, host_of(target)
    except ValueError:
        scheme = other = ""
    if not location or scheme not in ("http", "https"):
        raise BadAnswer(f"{host} redirects to nowhere usable")
    where = f"{host} redirects to {scheme}://{other[:100]}, which is not followed"
    if scheme == "http" and urlsplit(url).scheme == "https":
        raise BadAnswer(f"{where}: it is not encrypted")
    # Elsewhere our requests would reach whatever the service points at: this machine, its network.
    if not (other == host if may_ask is None else may_ask(target)):
        raise BadAnswer(f"{where}: it is another host. If the service has moved, configure its new address")
    return target
