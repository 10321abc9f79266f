"""One POST to a receiver: its address is checked when dialled, redirects are not followed."""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from soulspot.limits import parse_retry_after
from soulspot.providers.addresses import ForbiddenAddress, open_public_socket
from soulspot.text import without_secrets

MAX_ANSWER = 1 << 16  # bytes of an answer's body that are read and thrown away


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a receiver; `status` is None without one. `why` is empty on success."""

    status: int | None
    why: str = ""
    retry_after: float | None = None  # seconds that the receiver asks for
    duration_ms: float = 0.0

    @property
    def delivered(self) -> bool:
        """Whether the receiver has accepted the message."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the receiver rejects this message for good: a 3xx or 4xx, but not 408 or 429."""
        return self.status is not None and 300 <= self.status < 500 and self.status not in (408, 429)


class Poster:
    """Posts to one URL; `timeout` is in seconds. With `allow_private` the URL may lead to this
    machine or a private network."""

    def __init__(self, url: str, *, allow_private: bool, timeout: float, agent: str) -> None:
        self._url = url
        self._allow_private = allow_private
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._agent = agent

    async def post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Make one attempt. Errors of network and receiver are in the reply, not raised."""
        began = time.monotonic()
        status, why, retry_after = None, "", None
        # Each attempt has a connection of its own, so that the address is checked anew.
        connector = aiohttp.TCPConnector(
            socket_factory=None if self._allow_private else open_public_socket, use_dns_cache=False, force_close=True
        )
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=self._timeout, trust_env=False,
                    cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": self._agent},
                ) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):  # fmt: skip
                await answer.content.read(MAX_ANSWER)
                status, retry_after = answer.status, answer.headers.get("Retry-After")
        except TimeoutError:
            why = "no answer in time"
        except aiohttp.ClientConnectorError as error:
            why = _describe(error.os_error)
            if isinstance(error.os_error, ForbiddenAddress):
                why += ", and webhooks.allow_private is false"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # aiohttp names the URL, whose path often is the secret that lets senders in
            why = without_secrets(f"{type(error).__name__}: {error}")[:200]
        if status is not None and not 200 <= status < 300:
            why = f"HTTP {status}" + (", and redirects are not followed" if 300 <= status < 400 else "")
        duration_ms = round((time.monotonic() - began) * 1000, 1)
        return Reply(status, why, parse_retry_after(retry_after, time.time()), duration_ms)


def _describe(error: OSError) -> str:
    # asyncio says only "Connect call failed"; gaierror has numbers of its own, which are no errno.
    known = error.errno is not None and not isinstance(error, socket.gaierror)
    return (os.strerror(error.errno) if known and error.errno else str(error.strerror or error))[:200]
