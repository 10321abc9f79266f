"""The daemon as other processes of ours reach it: over its HTTP address, so that it stays the only writer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

from soulspot.config import Config
from soulspot.errors import SoulSpotError, Unavailable
from soulspot.store.ownership import Owner, read_owner
from soulspot.store.sql_imports import Position

POLL_SECONDS = 0.5
COMMANDS = frozenset(
    {"daemon", "enrich", "scan", "import", "retry", "review", "demo", "write-tags"}
)  # those that own a database
STANDSTILL = 600.0  # seconds without a sign of life in an operation (the daemon gives one twice a minute)


class DaemonRefused(SoulSpotError):
    """The daemon answered that it will not do this; the message is its own, `status` that of HTTP."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


class DaemonUnreachable(SoulSpotError):
    """The daemon does not answer (any more), or something else answers in its place."""


class OperationFailed(SoulSpotError):
    """What was started in the daemon failed, was cancelled, or does not move any more."""


class Remote:
    """A client of the running daemon. Raises DaemonRefused, DaemonUnreachable or OperationFailed.

    Not `certain`: the address is only a guess, because nobody let us see who owns the database."""

    def __init__(self, address: str, token: str | None, *, certain: bool = True) -> None:
        self.address = address
        self.certain = certain
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = aiohttp.ClientSession(
            address, headers=headers, timeout=aiohttp.ClientTimeout(total=None, connect=5, sock_read=60)
        )

    async def status(self) -> dict[str, Any]:
        answer = await self._ask("GET", "/api/v1/status")
        if not {"tracks", "lookups", "gates"} <= set(answer):
            raise self._stranger()
        return answer

    async def scan(self, paths: Sequence[bytes]) -> int:
        return await self._start("/api/v1/scan", {"paths": [os.fsdecode(path) for path in paths]})

    async def enrich(self, paths: Sequence[bytes], wait: float, *, force: bool = False) -> int:
        body = {"paths": [os.fsdecode(path) for path in paths], "wait": wait}
        return await self._start("/api/v1/enrich", body | ({"force": True} if force else {}))

    async def enrich_cost(self, paths: Sequence[bytes]) -> dict[str, Any]:
        """What it would cost to enrich these with `force`."""
        body = {"paths": [os.fsdecode(path) for path in paths]}
        return self._with("lookups", await self._ask("POST", "/api/v1/enrich/cost", json=body))

    async def retry(self, states: Sequence[str], provider: str | None) -> int:
        return await self._start("/api/v1/retry", {"states": list(states), "provider": provider})

    async def import_file(self, path: Path) -> int:
        with path.open("rb") as file:
            answer = await self._ask("POST", "/api/v1/import", params={"name": path.name}, data=file)
        return self._started(answer)

    async def import_rows(self, name: str, body: bytes) -> int:
        """Queue rows that are in memory, as a file called `name` would have them."""
        return self._started(await self._ask("POST", "/api/v1/import", params={"name": name}, data=body))

    async def import_position(self, source: str) -> Position | None:
        """How far the import from this source has come; None when it was never begun."""
        asked = self._ask("GET", "/api/v1/import/position", params={"source": source})
        found = self._with("position", await asked)
        if found["position"] is None:
            return None
        return Position(str(found.get("name")), found["position"], int(found.get("rows", 0)))

    async def save_import_position(self, source: str, at: Position) -> None:
        """Note how far it is."""
        body = {"source": source, "name": at.name, "position": at.position, "rows": at.rows}
        self._with("position", await self._ask("POST", "/api/v1/import/position", json=body))

    async def write_tags(self, paths: Sequence[bytes], how: dict[str, Any]) -> int:
        """Write tags, or with `apply` false say what would be written."""
        body = {"paths": [os.fsdecode(path) for path in paths], **how}
        return await self._start("/api/v1/write-tags", body)

    async def undo_tags(self, operation_id: int, *, force: bool) -> int:
        return await self._start(f"/api/v1/write-tags/{operation_id}/undo", {"force": force})

    async def tag_writes(self) -> list[dict[str, Any]]:
        """The operations that wrote tags."""
        found: list[dict[str, Any]] = self._with("operations", await self._ask("GET", "/api/v1/write-tags"))[
            "operations"
        ]
        return found

    async def cover(self, url: str) -> tuple[bytes, str] | None:
        """The cover at this address and its media type; None when there is none. Raises Unavailable when the daemon
        cannot have it now."""
        try:
            async with self._session.get("/api/v1/covers", params={"url": url}) as response:
                if response.status == 404:
                    return None
                if response.status >= 400:
                    said = (await response.json(content_type=None)).get("detail", response.reason)
                    raise Unavailable(str(said))
                return await response.read(), response.content_type
        except (aiohttp.ClientError, OSError) as error:
            raise DaemonUnreachable(f"the daemon at {self.address} does not answer: {error}") from error

    async def review(self, after: int, limit: int, words: str) -> dict[str, Any]:
        """A page of what is in review."""
        query = {"after": str(after), "limit": str(limit), "query": words}
        return self._with("review", await self._ask("GET", "/api/v1/review", params=query))

    async def track_of(self, path: bytes) -> int:
        """The track of a file."""
        where = URL(f"/api/v1/review/track?path={quote(path, safe='')}", encoded=True)
        return int(self._with("track_id", await self._ask("GET", where))["track_id"])

    async def case(self, track_id: int) -> dict[str, Any]:
        """A track beside its candidates."""
        return self._with("candidates", await self._ask("GET", f"/api/v1/review/{track_id}"))

    async def say(self, track_id: int, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """`accept`, `reject` or `undo` a person's decision; the track as it is then."""
        answer = await self._ask("POST", f"/api/v1/review/{track_id}/{verb}", json=body)
        return self._with("candidates", answer)

    async def search(self, track_id: int, body: dict[str, Any]) -> int:
        """Search by hand. Returns the lookup's id."""
        answer = await self._ask("POST", f"/api/v1/review/{track_id}/search", json=body)
        return int(self._with("lookup_id", answer)["lookup_id"])

    async def searched(self, track_id: int, lookup_id: int) -> dict[str, Any]:
        """How a search by hand stands."""
        answer = await self._ask("GET", f"/api/v1/review/{track_id}/search/{lookup_id}")
        return self._with("results", answer)

    async def finished(
        self, operation_id: int, progress: Callable[[dict[str, Any]], None] = lambda operation: None
    ) -> dict[str, Any]:
        """Wait until the operation is completed; `progress` hears how it stands twice a second.

        Raises OperationFailed when it ends in another way, or has shown no sign of life for `STANDSTILL` seconds."""
        clock = asyncio.get_running_loop().time
        last, moved_at = None, clock()
        while True:
            operation = await self._ask("GET", f"/api/v1/operations/{operation_id}")
            try:
                name, status, moment = operation["kind"], operation["status"], operation.get("updated_at")
                progress(operation)
            except (KeyError, TypeError):
                raise self._stranger() from None
            if status in ("failed", "cancelled"):
                why = operation.get("error_message") or "it gave no reason"
                words = "failed in the daemon" if status == "failed" else "was cancelled in the daemon"
                raise OperationFailed(f"the {name} {words}: {why}")
            if status == "completed":
                return operation
            if moment != last:
                last, moved_at = moment, clock()
            elif clock() - moved_at >= STANDSTILL:
                raise OperationFailed(
                    f"the {name} (operation {operation_id}) has shown no sign of life for {STANDSTILL / 60:.0f} minutes;"
                    " nothing of what was queued is lost, the daemon's log says more"
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _start(self, path: str, body: dict[str, Any]) -> int:
        return self._started(await self._ask("POST", path, json=body))

    def _started(self, answer: dict[str, Any]) -> int:
        if not isinstance(operation_id := answer.get("operation_id"), int):
            raise self._stranger()
        return operation_id

    def _with(self, name: str, answer: dict[str, Any]) -> dict[str, Any]:
        if name not in answer:
            raise self._stranger()
        return answer

    async def _ask(self, method: str, path: str | URL, **more: Any) -> dict[str, Any]:
        try:
            async with self._session.request(method, path, **more) as response:
                body = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            words = str(error) or type(error).__name__
            raise DaemonUnreachable(f"the daemon at {self.address} does not answer: {words}") from error
        except (ValueError, LookupError, RecursionError):
            raise self._stranger(response.status) from None
        if not isinstance(body, dict):
            raise self._stranger(response.status)
        if response.status >= 400:
            raise DaemonRefused(str(body.get("detail", body)), response.status)
        return body

    def _stranger(self, status: int | None = None) -> DaemonUnreachable:
        said = f" (HTTP status {status})" if status else ""
        return DaemonUnreachable(
            f"what answers at {self.address} does not answer as this version's daemon does{said};"
            " restart the daemon after an upgrade, and keep proxies away from this address"
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._session.close()


def running_daemon(config: Config) -> Remote | None:
    """A client of the daemon that works on this configuration's database; None when there is none.

    To be called in a running loop."""
    token = config.http.token.reveal() if config.http.token else None
    try:
        owner = read_owner(config.database.path)
    except NotADirectoryError:
        return None
    except OSError:  # the daemon may run as another user: what is configured is all that we can know
        return Remote(f"http://{config.http.listen}", token, certain=False)
    if owner is None or owner.address is None:
        return None
    return Remote(owner.address, token)


def who_works(database: Path) -> str | None:
    """Which process works on this database, as "soulspot enrich (process 17)"; None when none does, or nobody knows."""
    try:
        owner = read_owner(database)
    except OSError:
        return None
    return _who(owner) if owner and owner.pid else None


def _who(owner: Owner) -> str:
    if owner.address is not None:
        return f"soulspot daemon (process {owner.pid})"
    return f"{_command(owner.pid)} (process {owner.pid})"


def _command(pid: int) -> str:
    """ "soulspot enrich" for a process that was started so, else the name of its program."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return "a program"
    known = next((word for word in words[1:] if word in COMMANDS), None)
    return f"soulspot {known}" if known else os.path.basename(words[0]) or "a program"
