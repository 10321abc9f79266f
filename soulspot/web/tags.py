"""Writing tags over HTTP: start it, list what was written, take it back."""

from __future__ import annotations

from aiohttp import web

from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.store import tag_journal
from soulspot.tagging.request import nothing_to_undo_message, tag_request
from soulspot.web.operations import accepted, places_of
from soulspot.web.requests import UndoTagsBody, WriteTagsBody, body_of

LISTED = 100  # operations


class Tags:
    """The handlers over one service and its operations."""

    def __init__(self, service: EnrichmentService, operations: Operations) -> None:
        self._service = service
        self._operations = operations

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/v1/write-tags", self.write),
            web.get("/api/v1/write-tags", self.listing),
            web.post("/api/v1/write-tags/{id:[0-9]{1,18}}/undo", self.undo),
        ]

    async def write(self, request: web.Request) -> web.Response:
        """Compare tags with what was found out and, with `apply`, write them."""
        body = await body_of(request, WriteTagsBody)
        if body.embed_covers and self._service.parts.covers is None:
            raise web.HTTPUnprocessableEntity(
                text="embed_covers: no covers are fetched; set export.covers.enabled first"
            )
        try:
            wish = tag_request(
                self._service.parts.tagging.rules, fields=body.fields, policy=body.policy,
                embed_covers=body.embed_covers, apply=body.apply,
                paths=tuple(places_of(self._service, body.paths)),
            )  # fmt: skip
        except ValueError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from None
        return accepted(await self._operations.write_tags(wish))

    async def listing(self, request: web.Request) -> web.Response:
        """The operations that wrote tags, the latest first."""
        found = await self._service.database.read(lambda c: tag_journal.listing(c, LISTED))
        return web.json_response({"operations": found})

    async def undo(self, request: web.Request) -> web.Response:
        """Take back what an operation wrote. 404 when it has written nothing that can be taken back."""
        body = await body_of(request, UndoTagsBody)
        number = int(request.match_info["id"])
        if not await self._service.database.read(lambda c: tag_journal.may_be_undone(c, number)):
            raise web.HTTPNotFound(text=nothing_to_undo_message(number))
        return accepted(await self._operations.undo_tags(number, force=body.force))
