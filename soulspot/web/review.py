"""Review over HTTP: the list, one track beside its candidates, and the decisions of a person."""

from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from soulspot.operations.review import cases
from soulspot.operations.review.reviewer import EntityKey, Reviewer
from soulspot.store import review
from soulspot.web import requests, responses
from soulspot.web.routing import API, ServiceHandlers, accepted, found_or_404, refusing_values, route

TRACK = f"{API}/review/{{track_id}}"
CASE = {200: responses.Case}


class ReviewRoutes(ServiceHandlers):
    """The handlers of review. An unknown track is answered with 404, by the guard."""

    @route("GET", f"{API}/review", {200: responses.ReviewPage}, query=requests.ReviewQuery)
    async def page(self, query: requests.ReviewQuery) -> dict[str, Any]:
        """List the tracks that wait for a person."""
        return await self._service.database.read(
            lambda c: cases.list_cases(c, after=query.after, limit=query.limit, words=query.query)
        )

    @route("GET", f"{API}/review/track", {200: responses.TrackNumber}, query=requests.PathQuery, problems=(404,))
    async def track(self, request: web.Request) -> dict[str, Any]:
        """Return the number of a file's track."""
        # Paths need not be UTF-8, and aiohttp's own query is.
        query = parse_qsl(request.rel_url.raw_query_string, errors="surrogateescape")
        with refusing_values("path"):
            path = requests.path_bytes(dict(query).get("path", ""))
        if not path.startswith(b"/"):
            raise web.HTTPUnprocessableEntity(text="path: must be the absolute path of a file")
        track_id = await self._service.database.read(lambda c: review.find_track_by_path(c, path))
        return {"track_id": found_or_404(track_id, "there is no track of this path")}

    @route("GET", TRACK, CASE)
    async def case(self, track_id: int) -> dict[str, Any]:
        """Show a track beside its candidates."""
        return await self._reviewer(requests.ReviewBody()).case(track_id)

    @route("POST", f"{TRACK}/accept", CASE, body=requests.AcceptBody)
    async def accept(self, track_id: int, body: requests.AcceptBody) -> dict[str, Any]:
        """Accept a recording or Spotify track for the track, whatever the scores say."""
        return await self._reviewer(body).accept(track_id, _entity_key(body), body.reason)

    @route("POST", f"{TRACK}/reject", CASE, body=requests.RejectBody)
    async def reject(self, track_id: int, body: requests.RejectBody) -> dict[str, Any]:
        """Reject recordings or Spotify tracks; they are not proposed again."""
        rejected = [_entity_key(entity) for entity in body.rejected]
        return await self._reviewer(body).reject(track_id, rejected, body.reason)

    @route("POST", f"{TRACK}/undo", CASE, body=requests.UndoBody)
    async def undo(self, track_id: int, body: requests.UndoBody) -> dict[str, Any]:
        """Forget the decisions of people about the track."""
        return await self._reviewer(body).undo(track_id, body.provider)

    @route("POST", f"{TRACK}/search", {202: responses.SearchStarted}, body=requests.SearchBody)
    async def search(self, track_id: int, body: requests.SearchBody) -> web.Response:
        """Search for the track by words of a person."""
        with refusing_values("words"):
            lookup_id = await self._reviewer(body).search(track_id, body.words, body.provider)
        return accepted(f"{API}/review/{track_id}/search/{lookup_id}", lookup_id=lookup_id)

    @route("GET", f"{TRACK}/search/{{lookup_id}}", {200: responses.SearchResult})
    async def searched(self, track_id: int, lookup_id: int) -> dict[str, Any]:
        """Show the state of a search, and what it found."""
        found = await self._service.database.read(lambda c: cases.load_search(c, track_id, lookup_id))
        return found_or_404(found, f"track {track_id} has no search {lookup_id}")

    def _reviewer(self, body: requests.ReviewBody) -> Reviewer:
        return Reviewer(self._service, by=body.by or "http")


def _entity_key(entity: requests.Entity) -> EntityKey:
    with refusing_values("entity_id"):
        return cases.parse_entity(entity.entity_id, entity.provider)
