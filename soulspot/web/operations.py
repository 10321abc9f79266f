"""Operations over HTTP: start every kind, list, follow, cancel, and fetch the file of an export."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from soulspot.export.formats import FORMATS, GZIP_SUFFIX
from soulspot.imports.files import SUFFIXES
from soulspot.operations.exports import DDEX
from soulspot.operations.refetch import refetch_cost
from soulspot.operations.reports.results import retry_refusal
from soulspot.operations.uploads import remove
from soulspot.pipeline import EnrichmentService
from soulspot.store import operations, tag_journal
from soulspot.tagging.request import nothing_to_undo_message, tag_request
from soulspot.text import as_on_disk
from soulspot.web import requests, responses
from soulspot.web.bodies import chunks
from soulspot.web.routing import API, ServiceHandlers, found_or_404, refusing_values, route, started

GZIP, ZIP = "application/gzip", "application/zip"
MEDIA_TYPES = (*(known.media_type for known in FORMATS.values()), GZIP, ZIP)
TAG_WRITES = 100  # operations listed
STARTED = {202: responses.Started}


class OperationRoutes(ServiceHandlers):
    """The handlers of operations."""

    @route("POST", f"{API}/scan", STARTED, body=requests.LibraryScanBody)
    async def scan(self, body: requests.LibraryScanBody) -> web.Response:
        """Scan the library, or these places in it, for new and changed files."""
        places = await library_places(self._service, body.paths)
        if not places and not self._service.has_library:
            raise web.HTTPUnprocessableEntity(text="library.paths is empty: there is nothing to scan")
        return started(await self._operations.scan(places, confirm_vanished=body.confirm_vanished))

    @route("POST", f"{API}/enrich", STARTED, body=requests.EnrichBody)
    async def enrich(self, body: requests.EnrichBody) -> web.Response:
        """Scan, and work until no lookup is due."""
        places = await library_places(self._service, body.paths)
        return started(await self._operations.enrich(places, float(body.wait), force=body.force))

    @route("POST", f"{API}/enrich/cost", {200: responses.Cost}, body=requests.ScanBody)
    async def enrich_cost(self, body: requests.ScanBody) -> dict[str, Any]:
        """Estimate the lookups and requests that `force` would send for these places."""
        return (await refetch_cost(self._service, await library_places(self._service, body.paths))).as_json()

    @route("POST", f"{API}/retry", STARTED, body=requests.RetryBody)
    async def retry(self, body: requests.RetryBody) -> web.Response:
        """Queue failed or missing lookups again, and lift pauses that services have asked for."""
        if why := retry_refusal(self._service, body.provider):
            raise web.HTTPUnprocessableEntity(text=f"provider: {why}")
        return started(await self._operations.retry(body.states, body.provider, lift_pause=body.lift_pause))

    @route("POST", f"{API}/import", STARTED, query=requests.ImportQuery, body="application/octet-stream")
    async def import_file(self, request: web.Request, query: requests.ImportQuery) -> web.Response:
        """Queue the rows of a file: CSV, JSON or NDJSON, also with .gz. `columns` names headings.

        The body is the file. Once accepted it is kept, across restarts and power cuts, until every
        row is in or the operation is cancelled."""
        name = Path(query.name).name
        packed = ".gz" if name.lower().endswith(".gz") else ""
        suffix = Path(name.lower().removesuffix(packed)).suffix
        if suffix not in SUFFIXES:
            raise web.HTTPUnprocessableEntity(
                text=f"name: must end in one of {', '.join(SUFFIXES)}, with or without .gz"
            )
        if request.content_type.startswith("multipart/"):
            raise web.HTTPUnsupportedMediaType(text="the body must be the file itself, not a form")
        path = await self._operations.uploads.receive(chunks(request), suffix + packed)
        try:
            return started(await self._operations.import_file(path, name=name, remove=True, columns=query.columns))
        except Exception:
            # Not accepted. Where only the answer is cancelled, the operation may have begun.
            remove(path)
            raise

    @route("POST", f"{API}/write-tags", STARTED, body=requests.WriteTagsBody)
    async def write(self, body: requests.WriteTagsBody) -> web.Response:
        """Compare the files' tags with the enriched rows and, with `apply`, write them."""
        if body.embed_covers and self._service.parts.covers is None:
            raise web.HTTPUnprocessableEntity(
                text="embed_covers: no covers are fetched; set export.covers.enabled first"
            )
        places = tuple(await library_places(self._service, body.paths))
        with refusing_values():
            wanted = tag_request(
                self._service.parts.tagging.rules, fields=body.fields, policy=body.policy,
                embed_covers=body.embed_covers, apply=body.apply, paths=places,
            )  # fmt: skip
        return started(await self._operations.write_tags(wanted))

    @route("GET", f"{API}/write-tags", {200: responses.TagWrites})
    async def listing(self) -> dict[str, Any]:
        """List the operations that wrote tags, the latest first."""
        return {"operations": await self._service.database.read(lambda c: tag_journal.list_operations(c, TAG_WRITES))}

    @route("POST", f"{API}/write-tags/{{id}}/undo", STARTED, body=requests.UndoTagsBody)
    async def undo(self, id: int, body: requests.UndoTagsBody) -> web.Response:
        """Restore the tags that an operation overwrote; 404 when it left nothing to restore."""
        if not await self._service.database.read(lambda c: tag_journal.has_undoable_writes(c, id)):
            raise web.HTTPNotFound(text=nothing_to_undo_message(id))
        return started(await self._operations.undo_tags(id, force=body.force))

    @route("GET", f"{API}/operations", {200: responses.OperationPage}, query=requests.OperationQuery)
    async def page(self, query: requests.OperationQuery) -> dict[str, Any]:
        """List operations, the newest first."""
        found = await self._service.database.read(lambda c: operations.list_latest(c, query.limit + 1, query.before))
        shown = [self._operations.live(operation) for operation in found[: query.limit]]
        return {"operations": shown, "next": shown[-1]["id"] if len(found) > query.limit else None}

    @route("GET", f"{API}/operations/{{id}}", {200: responses.Operation})
    async def operation(self, id: int) -> dict[str, Any]:
        """Show the status and counts of an operation."""
        found = await self._service.database.read(lambda c: operations.find(c, id))
        return self._operations.live(found_or_404(found, f"there is no operation {id}"))

    @route("POST", f"{API}/operations/{{id}}/cancel", {200: responses.Operation}, problems=(409,))
    async def cancel(self, id: int) -> dict[str, Any]:
        """Cancel an operation; what it has queued stays queued. 409 when it has ended already."""
        await self.operation(id)
        if not await self._operations.cancel(id):
            raise web.HTTPConflict(text=f"operation {id} has ended already")
        return await self.operation(id)

    @route("POST", f"{API}/export", STARTED, body=requests.ExportBody)
    async def export(self, body: requests.ExportBody) -> web.Response:
        """Write tracks as a table, or as release messages, into a file to be fetched."""
        with refusing_values():
            operation_id = await self._operations.export(
                format=body.format, columns=body.columns, gzip=body.gzip, spreadsheet=body.spreadsheet,
                validate=body.validated, group_by=body.group_by, max_failures=body.max_failures,
                **body.filters.model_dump(),
            )  # fmt: skip
        return started(operation_id)

    @route("GET", f"{API}/operations/{{id}}/file", {200: MEDIA_TYPES, 206: MEDIA_TYPES})
    async def file(self, id: int) -> web.StreamResponse:
        """Fetch the file that an export has written; 404 says why there is none."""
        found = await self.operation(id)
        if why := _why_no_file(found):
            raise web.HTTPNotFound(text=f"operation {id} {why}")
        path = found_or_404(
            self._operations.exports.file_of(found),
            f"the file of operation {id} has been removed (export.keep); start another export",
        )
        headers = {
            "Content-Type": _media_type(path.name, found["metadata"]["format"]),
            "Content-Disposition": f'attachment; filename="{path.name}"',
        }
        return web.FileResponse(path, chunk_size=1 << 18, headers=headers)


async def library_places(service: EnrichmentService, paths: Sequence[str]) -> list[bytes]:
    """Return the `paths` of a request as absolute byte paths. Raises HTTPUnprocessableEntity for a
    path outside the configured library."""
    with refusing_values("paths"):
        given = [os.path.abspath(requests.path_bytes(path)) for path in paths]
        # A link inside the library may lead out of it, to files that are none of the daemon's.
        # Links are read from the disk, which may be slow or hang.
        places = await asyncio.to_thread(lambda: [as_on_disk(path) for path in given])
        outside = await asyncio.to_thread(service.paths_outside, places)
    if outside:
        shown = paths[places.index(outside[0])]
        raise web.HTTPUnprocessableEntity(
            text=f"paths: {shown!r} is outside the configured library; add it to library.paths first"
        )
    return places


def _media_type(name: str, format_: str) -> str:
    if format_ == DDEX:
        return ZIP
    return GZIP if name.endswith(GZIP_SUFFIX) else FORMATS[format_].media_type


def _why_no_file(operation: dict[str, Any]) -> str | None:
    if operation["kind"] != "export":
        return f"is of kind {operation['kind']}, which writes no file"
    if operation["status"] == "completed":
        return None
    if operation["is_complete"]:
        return f"wrote no file: {operation['error_message']}"
    return f"is not done yet ({operation['progress']:g} %)"
