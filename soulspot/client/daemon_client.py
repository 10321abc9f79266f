"""Reach the running daemon over HTTP, so that it stays the only writer of its database."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp
from yarl import URL

from soulspot.errors import SoulSpotError, Unavailable
from soulspot.store.ownership import read_owner

POLL_SECONDS = 0.5
# seconds without a sign of life in an operation, of which the daemon gives one twice a minute
SILENCE_LIMIT = 600.0
# commands that take the lock, as they stand in the command line of the process that holds it
OWNING_COMMANDS = frozenset({"daemon", "enrich", "scan", "import", "retry", "review", "demo", "write-tags",
                              "restore", "recover"})  # fmt: skip


TOKEN_HINT = "give it in SOULSPOT_HTTP__TOKEN, or in a file that you may read, named by SOULSPOT_HTTP__TOKEN_FILE"


class DaemonRefused(SoulSpotError):
    """The daemon will not do what it was asked. The message is the daemon's, `status` is HTTP's."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


class DaemonUnreachable(SoulSpotError):
    """The daemon does not answer (any more), or something else answers in its place."""


class OperationFailed(SoulSpotError):
    """An operation in the daemon failed, was cancelled, or shows no sign of life."""


class DaemonClient:
    """A client of the daemon's HTTP API, to be used in an `async with`.

    Every method raises DaemonRefused or DaemonUnreachable."""

    def __init__(self, address: str, token: str | None) -> None:
        self.address = address
        # no limit in all: an upload or a large import may take its time, as long as bytes move
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = aiohttp.ClientSession(
            address, headers=headers, timeout=aiohttp.ClientTimeout(total=None, connect=5, sock_read=60)
        )

    async def request(self, method: str, path: str | URL, *expected: str, **options: Any) -> dict[str, Any]:
        """Send a request and return the JSON object that answers it, with the keys `expected`.

        `options` are those of aiohttp's `request`: `json`, `params`, `data`."""
        try:
            async with self._session.request(method, path, **options) as response:
                body = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError) as error:
            # includes timeouts: a TimeoutError is an OSError
            raise self._no_answer(error) from error
        except (ValueError, LookupError, RecursionError):
            # whatever a proxy or a stranger sends: no JSON, an unknown charset, a thousand brackets
            raise self.wrong_version(response.status) from None
        if not isinstance(body, dict):
            raise self.wrong_version(response.status)
        if response.status == 401:
            raise DaemonRefused(f"the daemon at {self.address} wants the token of http.token: {TOKEN_HINT}", 401)
        if response.status >= 400:
            raise DaemonRefused(str(body.get("detail", body)), response.status)
        if not set(expected) <= set(body):
            raise self.wrong_version()
        return body

    async def status(self) -> dict[str, Any]:
        """Return the document of `GET /api/v1/status`."""
        return await self.request("GET", "/api/v1/status", "tracks", "lookups", "gates")

    async def start(self, path: str, **options: Any) -> int:
        """Post to `path` and return the id of the operation that this started."""
        operation_id = (await self.request("POST", path, "operation_id", **options))["operation_id"]
        if not isinstance(operation_id, int):
            raise self.wrong_version()
        return operation_id

    async def start_import(self, name: str, data: Any, columns: Mapping[str, str] | None = None) -> int:
        """Upload bytes or an open file as a file called `name`. Return the operation's id.
        `columns` has headings that are not known by themselves."""
        given = {"columns": json.dumps(columns)} if columns else {}
        return await self.start("/api/v1/import", params={"name": name, **given}, data=data)

    async def cover(self, url: str) -> tuple[bytes, str] | None:
        """Return the cover at `url` and its media type, or None when there is none.

        Raises Unavailable when the daemon cannot fetch it now."""
        try:
            async with self._session.get("/api/v1/covers", params={"url": url}) as response:
                if response.status == 404:
                    return None
                if response.status >= 400:
                    raise Unavailable(str((await response.json(content_type=None)).get("detail", response.reason)))
                return await response.read(), response.content_type
        except (aiohttp.ClientError, OSError) as error:
            raise self._no_answer(error) from error

    async def wait_for(
        self, operation_id: int, on_progress: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """Return the operation when it is completed; call `on_progress(operation)` twice a second.

        Raises OperationFailed when it fails, is cancelled, or is silent for `SILENCE_LIMIT`."""
        clock = asyncio.get_running_loop().time
        last_update, moved_at = None, clock()
        while True:
            operation = await self.request("GET", f"/api/v1/operations/{operation_id}")
            try:
                name, status, updated_at = operation["kind"], operation["status"], operation.get("updated_at")
                if on_progress:
                    on_progress(operation)
            except (KeyError, TypeError):
                raise self.wrong_version() from None
            if status in ("failed", "cancelled"):
                why = operation.get("error_message") or "it gave no reason"
                raise OperationFailed(f"the {name} {'' if status == 'failed' else 'was '}{status} in the daemon: {why}")
            if status == "completed":
                return operation
            # not the counts: they stand still while a large file is read, the sign of life does not
            if updated_at != last_update:
                last_update, moved_at = updated_at, clock()
            elif clock() - moved_at >= SILENCE_LIMIT:
                raise OperationFailed(
                    f"the {name} (operation {operation_id}) has shown no sign of life for"
                    f" {SILENCE_LIMIT / 60:.0f} minutes; nothing that was queued is lost,"
                    " and the daemon's log says more"
                )
            await asyncio.sleep(POLL_SECONDS)

    def wrong_version(self, status: int | None = None) -> DaemonUnreachable:
        """Return the error for an answer that this version's daemon would not give."""
        http = f" (HTTP status {status})" if status else ""
        return DaemonUnreachable(
            f"what answers at {self.address} does not answer as this version's daemon does{http};"
            " restart the daemon after an upgrade, and keep proxies away from this address"
        )

    def _no_answer(self, error: Exception) -> DaemonUnreachable:
        return DaemonUnreachable(f"the daemon at {self.address} does not answer: {str(error) or type(error).__name__}")

    async def __aenter__(self) -> Self:
        return self

    async def close(self) -> None:
        """Close the connections; an `async with` does so at its end."""
        await self._session.close()

    async def __aexit__(self, *error: object) -> None:
        await self.close()


def paths_for_api(paths: Sequence[bytes]) -> list[str]:
    """Return paths as the HTTP API takes them, bytes that are no UTF-8 as surrogates."""
    return [os.fsdecode(path) for path in paths]


def describe_owner(database: Path) -> str | None:
    """Return who works on this database, as "soulspot enrich (process 17)"; None if unknown."""
    try:
        owner = read_owner(database)
    except PermissionError:
        # no command of this user works on it, so it is the service of another one
        return "soulspot daemon"
    except OSError:
        return None
    if owner is None or not owner.pid:
        return None
    # only a daemon announces an address
    command = "soulspot daemon" if owner.address is not None else _command_of(owner.pid)
    return f"{command} (process {owner.pid})"


def _command_of(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return "a program"
    known = next((word for word in words[1:] if word in OWNING_COMMANDS), None)
    return f"soulspot {known}" if known else os.path.basename(words[0]) or "a program"
