"""Exports over HTTP: ask for one, and fetch its file when it is done."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from soulspot.export.formats import FORMATS, PACKED
from soulspot.operations.exports import DDEX
from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.store import operations as rows
from soulspot.web.operations import OPERATION, accepted
from soulspot.web.requests import ExportBody, body_of

GZIP, ZIP = "application/gzip", "application/zip"
MEDIA_TYPES = (*(one.media_type for one in FORMATS.values()), GZIP, ZIP)


class ExportRoutes:
    """The handlers over one service and its operations."""

    def __init__(self, service: EnrichmentService, operations: Operations) -> None:
        self._service = service
        self._operations = operations

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/api/v1/export", self.export), web.get(f"{OPERATION}/file", self.file)]

    async def export(self, request: web.Request) -> web.Response:
        """Write the tracks as a table, or as release messages; the daemon chooses where."""
        body = await body_of(request, ExportBody)
        try:
            operation_id = await self._operations.export(
                format=body.format, columns=body.columns, gzip=body.gzip, spreadsheet=body.spreadsheet,
                validate=body.validated, group_by=body.group_by, max_failures=body.max_failures,
                **body.filters.model_dump(),
            )  # fmt: skip
        except ValueError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from None
        return accepted(operation_id)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The file of an export that is completed. 404 says in words why there is none."""
        number = int(request.match_info["id"])
        found = await self._service.database.read(lambda c: rows.find(c, number))
        if found is None:
            raise web.HTTPNotFound(text=f"there is no operation {number}")
        if why := _why_no_file(found):
            raise web.HTTPNotFound(text=f"operation {number} {why}")
        path = self._operations.exports.file_of(found)
        if path is None:
            raise web.HTTPNotFound(
                text=f"the file of operation {number} is there no more (export.keep); ask for another export"
            )
        headers = {
            "Content-Type": _media_type(path.name, found["metadata"]["format"]),
            "Content-Disposition": f'attachment; filename="{path.name}"',
        }
        return web.FileResponse(path, chunk_size=1 << 18, headers=headers)


def _media_type(name: str, format_: str) -> str:
    if format_ == DDEX:
        return ZIP
    return GZIP if name.endswith(PACKED) else FORMATS[format_].media_type


def _why_no_file(operation: dict[str, Any]) -> str | None:
    if operation["kind"] != "export":
        return f"is of kind {operation['kind']}, which makes no file"
    if operation["status"] == "completed":
        return None
    if operation["is_complete"]:
        return f"made no file: {operation['error_message']}"
    return f"is not done yet ({operation['progress']:g} %)"
