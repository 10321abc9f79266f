"""Positions of imports from other databases, for the command that runs them beside the daemon."""

import time
from dataclasses import asdict
from typing import Any

from soulspot.store import sql_imports
from soulspot.store.sql_imports import Position
from soulspot.web.requests import PositionBody, PositionQuery
from soulspot.web.responses import ImportPosition
from soulspot.web.routing import API, ServiceHandlers, route

PATH = f"{API}/import/position"


class SqlImportRoutes(ServiceHandlers):
    """The handlers of import positions."""

    @route("GET", PATH, {200: ImportPosition}, query=PositionQuery)
    async def show(self, query: PositionQuery) -> dict[str, Any]:
        """Show how far an import from another database has come."""
        return _as_json(await self._service.database.read(lambda c: sql_imports.load(c, query.source)))

    @route("POST", PATH, {200: ImportPosition}, body=PositionBody)
    async def note(self, body: PositionBody) -> dict[str, Any]:
        """Store how far an import from another database has come."""
        position = Position(body.name, body.position, body.rows)
        await self._service.database.write(lambda c: sql_imports.save(c, body.source, position, time.time()))
        return _as_json(position)


def _as_json(position: Position | None) -> dict[str, Any]:
    return asdict(position) if position else {"name": None, "position": None, "rows": 0}
