"""Requests by aiohttp: JSON in, JSON out, through the gates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from soulspot.errors import BadAnswer, Unavailable
from soulspot.limits import Gates
from soulspot.providers.documents import decode_json
from soulspot.providers.transport import (
    AGENT,
    CHUNK,
    CONNECT_TIMEOUT,
    MAX_BODY,
    MAX_REDIRECTS,
    REDIRECTS,
    TimedOut,
    Turn,
    endpoint_of,
    redirected,
    refusal,
    with_retries,
)


def _any(url: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Asked:
    """One thing to ask for, wherever redirects lead; `headers` are for the first host only."""

    method: str
    base_url: str
    payload: Any
    headers: Mapping[str, str]
    most: int = MAX_BODY
    allowed: Callable[[str], bool] = _any


class Http:
    """An aiohttp session whose every request, redirects included, passes its host's gate.

    `timeout` is the seconds that one request may take, body included, the wait before the gate not counted.
    It can be built outside a running loop; the session is opened with the first request."""

    def __init__(self, gates: Gates, provider: str, *, timeout: float) -> None:
        self.timeout = timeout
        self._gates = gates
        self._provider = provider
        self._session: aiohttp.ClientSession | None = None

    async def fetch_json(
        self,
        method: str,
        url: str,
        *,
        base_url: str,
        payload: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON document that answers; `payload` is sent as JSON, `headers` to `url`'s own host only.

        Raises Limited, Unavailable, Refused, BatchRejected (400) or BadAnswer (`status` 404 when there is no
        such route)."""
        gate = self._gates.for_url(self._provider, url)
        asked = _Asked(method, base_url, payload, headers or {})
        return decode_json(await with_retries(gate, lambda attempt: self._body(url, asked, attempt)))

    async def fetch_bytes(
        self, url: str, *, base_url: str, accept: str, most: int, allowed: Callable[[str], bool]
    ) -> bytes:
        """What lies at `url`, at most `most` bytes; every address on the way there must be `allowed`.

        Raises what `fetch_json` raises; BadAnswer also for an address that is not allowed, or too much."""
        gate = self._gates.for_url(self._provider, url)
        asked = _Asked("GET", base_url, None, {"Accept": accept}, most, allowed)
        return await with_retries(gate, lambda attempt: self._body(url, asked, attempt))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _body(self, url: str, asked: _Asked, attempt: int) -> bytes:
        target = url
        for _ in range(MAX_REDIRECTS + 1):
            host = urlsplit(target).netloc
            if not asked.allowed(target):
                raise BadAnswer(f"{host} is not to be asked for this")
            own = host == urlsplit(url).netloc
            status, answer, body = await self._send(target, asked, asked.headers if own else {}, attempt)
            if status == 200:
                return body
            if status not in REDIRECTS:
                raise refusal(host, status, body)
            target = redirected(target, answer.get("Location"))
        raise BadAnswer(f"{host} redirects more than {MAX_REDIRECTS} times")

    async def _send(
        self, url: str, asked: _Asked, headers: Mapping[str, str], attempt: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        turn = await Turn.admitted(
            self._gates, self._provider, url, endpoint_of(url, asked.base_url), attempt
        )
        host = urlsplit(url).netloc
        try:
            async with (
                asyncio.timeout(self.timeout),
                self._open().request(
                    asked.method, url, json=asked.payload, headers={**headers}, allow_redirects=False
                ) as response,
            ):
                body = bytearray()
                async for chunk in response.content.iter_chunked(CHUNK):
                    body += chunk
                    if len(body) > asked.most:
                        await turn.answered(response.status, response.headers, b"")
                        raise BadAnswer(f"{host}: the answer is larger than {asked.most} bytes")
        except asyncio.CancelledError:
            turn.dropped()
            raise
        except aiohttp.ServerTimeoutError as error:
            await turn.unanswered()
            raise Unavailable(f"{host}: no connection within {CONNECT_TIMEOUT:.0f} s") from error
        except TimeoutError as error:
            await turn.unanswered()
            raise TimedOut(f"{host}: no answer within {self.timeout:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            await turn.unanswered()
            raise Unavailable(f"{host}: {str(error) or type(error).__name__}") from error
        await turn.answered(response.status, response.headers, bytes(body))
        return response.status, response.headers, bytes(body)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                headers={"User-Agent": AGENT, "Accept": "application/json"},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            )
            # It would send a GET twice when the connection breaks, past the gate; there is no public switch.
            self._session._retry_connection = False
        return self._session
