"""How far imports from other databases have come, for the command that carries them out beside the daemon."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web
from pydantic import Field

from soulspot.pipeline import EnrichmentService
from soulspot.store import sql_imports
from soulspot.store.sql_imports import Position
from soulspot.web.requests import HIGHEST, Asked, Query, body_of, query_of
from soulspot.web.responses import Answer

ROUTE = "/api/v1/import/position"
DIGEST = "^[0-9a-f]{64}$"


class PositionQuery(Query):
    """Of which import."""

    source: str = Field(pattern=DIGEST, description="digest of database, query and key")


class PositionBody(Asked):
    """How far it is: the last key that was taken."""

    source: str = Field(pattern=DIGEST)
    name: str = Field(max_length=2000, description="the database as people may see it")
    position: list[Any] = Field(min_length=1, max_length=50)
    rows: int = Field(ge=0, le=HIGHEST)


class ImportPosition(Answer):
    """The last key that was taken; null when it was never begun."""

    name: str | None
    position: list[Any] | None
    rows: int


class SqlImports:
    """The handlers over one service."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [web.get(ROUTE, self.show), web.post(ROUTE, self.note)]

    async def show(self, request: web.Request) -> web.Response:
        """?source="""
        source = query_of(request, PositionQuery).source
        found = await self._service.database.read(lambda c: sql_imports.load(c, source))
        return _answer(found)

    async def note(self, request: web.Request) -> web.Response:
        """Remember it."""
        body = await body_of(request, PositionBody)
        at = Position(body.name, body.position, body.rows)
        await self._service.database.write(lambda c: sql_imports.save(c, body.source, at, time.time()))
        return _answer(at)


def _answer(at: Position | None) -> web.Response:
    if at is None:
        return web.json_response({"name": None, "position": None, "rows": 0})
    return web.json_response({"name": at.name, "position": at.position, "rows": at.rows})
