"""Requests by aiohttp: JSON in, JSON out, through the gates."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
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
        return await with_retries(
            gate, lambda attempt: self._follow(method, url, base_url, payload, headers or {}, attempt)
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _follow(
        self, method: str, url: str, base_url: str, payload: Any, headers: Mapping[str, str], attempt: int
    ) -> Any:
        target = url
        for _ in range(MAX_REDIRECTS + 1):
            own = urlsplit(target).netloc == urlsplit(url).netloc
            status, answer, body = await self._send(
                method, target, base_url, payload, headers if own else {}, attempt
            )
            if status == 200:
                return decode_json(body)
            host = urlsplit(target).netloc
            if status not in REDIRECTS:
                raise refusal(host, status, body)
            target = redirected(target, answer.get("Location"))
        raise BadAnswer(f"{host} redirects more than {MAX_REDIRECTS} times")

    async def _send(
        self, method: str, url: str, base_url: str, payload: Any, headers: Mapping[str, str], attempt: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        turn = await Turn.admitted(self._gates, self._provider, url, endpoint_of(url, base_url), attempt)
        host = urlsplit(url).netloc
        try:
            async with (
                asyncio.timeout(self.timeout),
                self._open().request(
                    method, url, json=payload, headers={**headers}, allow_redirects=False
                ) as response,
            ):
                body = bytearray()
                async for chunk in response.content.iter_chunked(CHUNK):
                    body += chunk
                    if len(body) > MAX_BODY:
                        await turn.answered(response.status, response.headers, b"")
                        raise BadAnswer(f"{host}: the answer is larger than {MAX_BODY} bytes")
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
