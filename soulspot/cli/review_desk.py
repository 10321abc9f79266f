"""Read and decide what is in review: in the daemon, the database file, or a service here."""

import asyncio
import getpass
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any, TypeVar
from urllib.parse import quote

from yarl import URL

from soulspot.cli.running import UsageError
from soulspot.client.daemon_client import DaemonClient, DaemonRefused
from soulspot.client.daemon_search import running_daemon
from soulspot.client.workplace import in_daemon_or_here
from soulspot.config import Config
from soulspot.errors import SoulSpotError
from soulspot.operations.review import cases
from soulspot.operations.review.reviewer import EntityKey, Reviewer, UnknownTrack, is_unknown_entity
from soulspot.pipeline import EnrichmentService
from soulspot.store import review as rows
from soulspot.store.database import Database

T = TypeVar("T")

LOOK_SECONDS = 0.2  # between two looks at an answer that a person waits for
ROUTE = "/api/v1/review"


class _FileDesk:
    """The database file, open for reading."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def page(self, after: int, limit: int, words: str) -> dict[str, Any]:
        return cases.list_cases(self._connection, after=after, limit=limit, words=words)

    async def track_of(self, path: bytes) -> int | None:
        return rows.find_track_by_path(self._connection, path)

    async def case(self, track_id: int) -> dict[str, Any]:
        if (found := cases.load_case(self._connection, track_id)) is None:
            raise UsageError(f"there is no track {track_id}")
        return found


class _ServiceDesk(Reviewer):
    """A service of this process, with what `Reviewer` can do and the results of searches."""

    def __init__(self, service: EnrichmentService) -> None:
        super().__init__(service, by=user_name())
        self._database = service.database

    async def search(self, track_id: int, words: str, provider: str | None = None) -> int:
        try:
            return await super().search(track_id, words, provider)
        except ValueError as error:
            raise UsageError(str(error)) from error

    async def results(self, track_id: int, lookup_id: int) -> dict[str, Any]:
        found = await self._database.read(lambda c: cases.load_search(c, track_id, lookup_id))
        # its file has changed meanwhile, and with it the track's lookups
        if found is None:
            raise UsageError(f"track {track_id} has no search {lookup_id}")
        return found


class _DaemonDesk:
    """The running daemon, over HTTP."""

    def __init__(self, client: DaemonClient) -> None:
        self._client = client

    async def page(self, after: int, limit: int, words: str) -> dict[str, Any]:
        query = {"after": str(after), "limit": str(limit), "query": words}
        return await self._client.request("GET", ROUTE, "review", params=query)

    async def track_of(self, path: bytes) -> int | None:
        # encoded here: yarl would read the bytes of a path as UTF-8
        url = URL(f"{ROUTE}/track?path={quote(path, safe='')}", encoded=True)
        try:
            return int((await self._client.request("GET", url, "track_id"))["track_id"])
        except DaemonRefused as error:
            if error.status == 404:
                return None
            raise

    async def case(self, track_id: int) -> dict[str, Any]:
        return await self._client.request("GET", f"{ROUTE}/{track_id}", "candidates")

    async def accept(self, track_id: int, named: EntityKey, reason: str | None) -> dict[str, Any]:
        return await self._decide(track_id, "accept", **_entity(named), reason=reason)

    async def reject(self, track_id: int, named: list[EntityKey], reason: str | None) -> dict[str, Any]:
        return await self._decide(track_id, "reject", entities=[_entity(one) for one in named], reason=reason)

    async def undo(self, track_id: int, provider: str | None) -> dict[str, Any]:
        return await self._decide(track_id, "undo", provider=provider)

    async def _decide(self, track_id: int, verb: str, **body: Any) -> dict[str, Any]:
        body["by"] = user_name()
        return await self._client.request("POST", f"{ROUTE}/{track_id}/{verb}", "candidates", json=body)

    async def search(self, track_id: int, words: str, provider: str | None) -> int:
        body = {"words": words, "provider": provider, "by": user_name()}
        answer = await self._client.request("POST", f"{ROUTE}/{track_id}/search", "lookup_id", json=body)
        return int(answer["lookup_id"])

    async def results(self, track_id: int, lookup_id: int) -> dict[str, Any]:
        return await self._client.request("GET", f"{ROUTE}/{track_id}/search/{lookup_id}", "results")


Reading = _DaemonDesk | _FileDesk
Deciding = _DaemonDesk | _ServiceDesk
"""Desks return a case as `operations.review.cases.load_case` has it: a track beside its candidates.
They raise UsageError, or the daemon's DaemonRefused, when there is no such track or a decision is
impossible."""


@asynccontextmanager
async def reading(config: Config) -> AsyncIterator[Reading]:
    """Open the daemon, or the database file when none runs; no lock is needed to read.

    Raises SoulSpotError when there is no database yet."""
    if client := await running_daemon(config):
        async with client:
            yield _DaemonDesk(client)
        return
    path = config.database.path
    if not os.path.exists(path):
        raise SoulSpotError(f"there is no database yet at {path}; `soulspot enrich PATH` makes it")
    with closing(Database.open_read_only(path)) as connection:
        yield _FileDesk(connection)


async def decide(config: Config, work: Callable[[Deciding], Awaitable[T]], *, asks_services: bool) -> tuple[T, bool]:
    """Return `work(desk)`, and whether the desk is the daemon's, not one of this process."""

    async def in_daemon(client: DaemonClient) -> tuple[T, bool]:
        return await work(_DaemonDesk(client)), True

    async def here(service: EnrichmentService) -> tuple[T, bool]:
        try:
            return await work(_ServiceDesk(service)), False
        except UnknownTrack as error:
            # it has vanished since its case was read
            raise UsageError(str(error)) from error

    return await in_daemon_or_here(config, in_daemon, here, asks_services=asks_services)


async def wait_for_answer(
    desk: Deciding, config: Config, track_id: int, named: EntityKey, seconds: float
) -> tuple[dict[str, Any], bool]:
    """Return the track's case once its lookups are answered, the id is unknown, or the time is up.

    The second value is whether the provider does not know the id."""
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while True:
        # in this order: an id that is unknown now is unknown in the case that is read after it
        unknown = await asyncio.to_thread(_is_unknown, config, track_id, named)
        case = await desk.case(track_id)
        if unknown or not case["waiting"] or clock() >= end:
            return case, unknown
        await asyncio.sleep(LOOK_SECONDS)


def _is_unknown(config: Config, track_id: int, named: EntityKey) -> bool:
    """Whether the database says that the id is unknown; False where this user may not read it."""
    try:
        with closing(Database.open_read_only(config.database.path)) as connection:
            return is_unknown_entity(connection, track_id, named[1])
    except (SoulSpotError, OSError, sqlite3.Error):
        return False


async def restore_decisions(desk: Deciding, before: dict[str, Any], provider: str) -> dict[str, Any]:
    """Make the decisions at this provider those of the case `before` again; return the new case."""
    track_id = before["track_id"]
    case = await desk.undo(track_id, provider)
    for decision in before["decisions"]:
        if decision["provider"] == provider:
            named, reason = (provider, decision["entity_id"]), decision["reason"]
            is_accepted = decision["verdict"] == "accepted"
            again = desk.accept(track_id, named, reason) if is_accepted else desk.reject(track_id, [named], reason)
            case = await again
    return case


async def wait_for_results(desk: Deciding, track_id: int, lookup_id: int, seconds: float) -> dict[str, Any]:
    """Return the results of a search when it is answered or given up, or the time is up."""
    found = await desk.results(track_id, lookup_id)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not (found["answered"] or found["state"] in ("failed", "buried")) and loop.time() < end:
        await asyncio.sleep(LOOK_SECONDS)
        found = await desk.results(track_id, lookup_id)
    return found


def _entity(named: EntityKey) -> dict[str, str]:
    return {"provider": named[0], "entity_id": named[1]}


def user_name() -> str:
    """Return the name of the user who decides, "somebody" for a user id without a name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # the KeyError is Python's before 3.13
        return "somebody"
