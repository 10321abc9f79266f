"""One POST to a webhook's receiver: the address is checked when it is dialled, redirects are not followed."""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from soulspot.limits import parse_retry_after

MAX_ANSWER = 1 << 16  # bytes of an answer's body that are read and thrown away
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddress(OSError):
    """The receiver's name leads to this machine or a private network."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How the receiver answered. `status` None: it did not, and `why` says what happened; `retry_after` in seconds."""

    status: int | None
    why: str = ""
    retry_after: float | None = None
    duration_ms: float = 0.0

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """The receiver is there and does not want this message as it is; 408 and 429 are about the time."""
        return self.status is not None and 300 <= self.status < 500 and self.status not in (408, 429)


def is_private(address: str) -> bool:
    """Whether an IP address is anything but a public one: this machine, a private network, multicast, reserved."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner:
            return is_private(str(inner))
    return not ip.is_global or ip.is_multicast


class Poster:
    """Sends to one URL. `allow_private`: this machine and private networks are fine; `timeout` in seconds."""

    def __init__(self, url: str, *, allow_private: bool, timeout: float, agent: str) -> None:
        self._url = url
        self._allow_private = allow_private
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._agent = agent

    async def post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """One attempt; never raises for what the network or the receiver does."""
        began = time.monotonic()
        reply = await self._post(headers, body)
        took = (time.monotonic() - began) * 1000
        return Reply(reply.status, reply.why, reply.retry_after, round(took, 1))

    async def _post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        # a connection for each attempt: the address is looked up and checked anew
        connector = aiohttp.TCPConnector(socket_factory=self._socket, use_dns_cache=False, force_close=True)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=self._timeout, trust_env=False,
                    cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": self._agent},
                ) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):  # fmt: skip
                status, after = answer.status, answer.headers.get("Retry-After")
                await answer.content.read(MAX_ANSWER)
        except TimeoutError:
            return Reply(None, "no answer in time")
        except aiohttp.ClientConnectorError as error:
            return Reply(None, _words(error.os_error))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Reply(None, f"{type(error).__name__}: {error}"[:200])
        why = "" if 200 <= status < 300 else f"HTTP {status}"
        if 300 <= status < 400:
            why += ", and redirects are not followed"
        return Reply(status, why, parse_retry_after(after, time.time()))

    def _socket(self, found: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = found
        if not self._allow_private and is_private(str(address[0])):
            raise ForbiddenAddress(
                f"{address[0]} is on this machine or in a private network, and webhooks.allow_private is false"
            )
        return socket.socket(family, kind, protocol)


def _words(error: OSError) -> str:
    # asyncio says "Connect call failed"; a name that cannot be looked up has an errno of its own kind
    known = error.errno is not None and not isinstance(error, socket.gaierror)
    return (os.strerror(error.errno) if known and error.errno else str(error.strerror or error))[:200]
