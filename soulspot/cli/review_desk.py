"""Where the review commands work: in the running daemon if there is one, else here, under the same lock."""

from __future__ import annotations

import asyncio
import getpass
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from soulspot.cli.daemon_client import DaemonRefused, Remote, running_daemon
from soulspot.config import Config
from soulspot.errors import SoulSpotError
from soulspot.operations.review import cases
from soulspot.operations.review.reviewer import EntityKey, Reviewer, is_unknown_entity
from soulspot.store import review as rows
from soulspot.store.database import Database

if TYPE_CHECKING:
    from soulspot.pipeline import EnrichmentService

LOOK_SECONDS = 0.2  # between two looks at what somebody waits for


class NoSuchThing(SoulSpotError):
    """What the command names is not there, or cannot be done; the message says what to do."""


class Reading(Protocol):
    """What can be looked at. Raises NoSuchThing for a track that is not there."""

    async def page(self, after: int, limit: int, words: str) -> dict[str, Any]: ...
    async def track_of(self, path: bytes) -> int: ...
    async def case(self, track_id: int) -> dict[str, Any]: ...


class Writing(Protocol):
    """What a person can do. Raises NoSuchThing for what cannot be done."""

    in_daemon: bool

    async def accept(self, track_id: int, named: EntityKey, reason: str | None) -> dict[str, Any]: ...
    async def reject(self, track_id: int, named: list[EntityKey], reason: str | None) -> dict[str, Any]: ...
    async def undo(self, track_id: int, provider: str | None) -> dict[str, Any]: ...
    async def search(self, track_id: int, words: str, provider: str | None) -> int: ...
    async def case(self, track_id: int) -> dict[str, Any]: ...
    async def searched(self, track_id: int, lookup_id: int) -> dict[str, Any]: ...


@asynccontextmanager
async def reading(config: Config) -> AsyncIterator[Reading]:
    """The daemon, or the database file when none runs."""
    if remote := running_daemon(config):
        async with remote:
            yield _Daemon(remote)
        return
    path = config.database.path
    if not path.exists():
        raise SoulSpotError(f"there is no database yet at {path}; `soulspot enrich PATH` makes it")
    with closing(Database.open_read_only(path)) as connection:
        yield _File(connection)


@asynccontextmanager
async def writing(config: Config, *, work: bool) -> AsyncIterator[Writing]:
    """The daemon, or a service of our own when none runs; with `work` that asks what is queued, too.

    Raises DatabaseOwned while another command works on the database."""
    if remote := running_daemon(config):
        async with remote:
            yield _Daemon(remote)
        return
    from soulspot.assembly import open_service

    async with open_service(config, work=work) as service:
        yield _Here(service)


async def until_answered(
    desk: Writing, config: Config, track_id: int, named: EntityKey, seconds: float
) -> tuple[dict[str, Any], bool]:
    """The track, when it waits for nothing more, the id is known to be nobody's, or the time is up; and whether it is
    nobody's."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        # in this order: what is unknown in a case that is newer stays unknown
        unknown = await asyncio.to_thread(_is_unknown, config, track_id, named)
        case = await desk.case(track_id)
        if unknown or not case["waiting"] or loop.time() >= end:
            return case, bool(unknown)
        await asyncio.sleep(LOOK_SECONDS)


def _is_unknown(config: Config, track_id: int, named: EntityKey) -> bool:
    """What the database says of it; False where we may not read it, because the daemon runs as another user."""
    try:
        with closing(Database.open_read_only(config.database.path)) as connection:
            return is_unknown_entity(connection, track_id, named[1])
    except (SoulSpotError, OSError, sqlite3.Error):
        return False


async def taken_back(desk: Writing, before: dict[str, Any], provider: str) -> dict[str, Any]:
    """The track after what was just accepted of this provider is forgotten; what was said of it `before` stands again."""
    case = await desk.undo(before["track_id"], provider)
    for one in before["decisions"]:
        if one["provider"] != provider:
            continue
        named = (provider, one["entity_id"])
        if one["verdict"] == "accepted":
            case = await desk.accept(before["track_id"], named, one["reason"])
        else:
            case = await desk.reject(before["track_id"], [named], one["reason"])
    return case


async def until_found(desk: Writing, track_id: int, lookup_id: int, seconds: float) -> dict[str, Any]:
    """The search, when it is answered or given up, or the time is up."""
    found = await desk.searched(track_id, lookup_id)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not (found["answered"] or found["state"] in ("failed", "buried")) and loop.time() < end:
        await asyncio.sleep(LOOK_SECONDS)
        found = await desk.searched(track_id, lookup_id)
    return found


class _File:
    """The database, read by ourselves."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def page(self, after: int, limit: int, words: str) -> dict[str, Any]:
        return cases.list_cases(self._connection, after=after, limit=limit, words=words)

    async def track_of(self, path: bytes) -> int:
        if (found := rows.find_track_by_path(self._connection, path)) is None:
            raise NoSuchThing("there is no track of this path; `soulspot scan` takes new files in")
        return found

    async def case(self, track_id: int) -> dict[str, Any]:
        if (found := cases.load_case(self._connection, track_id)) is None:
            raise NoSuchThing(f"there is no track {track_id}")
        return found


class _Here:
    """A service of our own."""

    in_daemon = False

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._hand = Reviewer(service, by=whoever())

    async def accept(self, track_id: int, named: EntityKey, reason: str | None) -> dict[str, Any]:
        return await self._hand.accept(track_id, named, reason)

    async def reject(self, track_id: int, named: list[EntityKey], reason: str | None) -> dict[str, Any]:
        return await self._hand.reject(track_id, named, reason)

    async def undo(self, track_id: int, provider: str | None) -> dict[str, Any]:
        return await self._hand.undo(track_id, provider)

    async def search(self, track_id: int, words: str, provider: str | None) -> int:
        try:
            return await self._hand.search(track_id, words, provider)
        except ValueError as error:
            raise NoSuchThing(str(error)) from error

    async def case(self, track_id: int) -> dict[str, Any]:
        return await self._hand.case(track_id)

    async def searched(self, track_id: int, lookup_id: int) -> dict[str, Any]:
        found = await self._service.database.read(lambda c: cases.load_search(c, track_id, lookup_id))
        if found is None:  # its track has changed meanwhile, and with it what it asks
            raise NoSuchThing(f"track {track_id} has no search {lookup_id}")
        return found


class _Daemon:
    """The daemon, over HTTP."""

    in_daemon = True

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    async def page(self, after: int, limit: int, words: str) -> dict[str, Any]:
        return await self._remote.review(after, limit, words)

    async def track_of(self, path: bytes) -> int:
        with _refusals():
            return await self._remote.track_of(path)

    async def case(self, track_id: int) -> dict[str, Any]:
        with _refusals():
            return await self._remote.case(track_id)

    async def accept(self, track_id: int, named: EntityKey, reason: str | None) -> dict[str, Any]:
        return await self._say(track_id, "accept", **_entity(named), reason=reason)

    async def reject(self, track_id: int, named: list[EntityKey], reason: str | None) -> dict[str, Any]:
        return await self._say(track_id, "reject", entities=_entities(named), reason=reason)

    async def undo(self, track_id: int, provider: str | None) -> dict[str, Any]:
        return await self._say(track_id, "undo", provider=provider)

    async def search(self, track_id: int, words: str, provider: str | None) -> int:
        with _refusals():
            return await self._remote.search(
                track_id, {"words": words, "provider": provider, "by": whoever()}
            )

    async def searched(self, track_id: int, lookup_id: int) -> dict[str, Any]:
        with _refusals():
            return await self._remote.searched(track_id, lookup_id)

    async def _say(self, track_id: int, verb: str, **body: Any) -> dict[str, Any]:
        with _refusals():
            return await self._remote.say(track_id, verb, {**body, "by": whoever()})


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell what the daemon does not know, or finds malformed, from what went wrong."""
    try:
        yield
    except DaemonRefused as error:
        if error.status in (400, 404, 422):
            raise NoSuchThing(str(error)) from error
        raise


def _entity(named: EntityKey) -> dict[str, str]:
    provider, entity_id = named
    return {"provider": provider, "entity_id": entity_id}


def _entities(named: Iterable[EntityKey]) -> list[dict[str, str]]:
    return [_entity(one) for one in named]


def whoever() -> str:
    """Who decides: the name of the user whose terminal it is."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name; the KeyError is Python's before 3.13
        return "somebody"
