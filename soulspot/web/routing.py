"""Routes: declared at their handlers, with checked input, and answers sent as JSON."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.web.bodies import json_object

API = "/api/v1"
MARK = "__soulspot_route__"  # the attribute of a method that holds its Route
MAX_FAULTS = 20  # described in one answer
NUMBER = "[0-9]{1,18}"  # more digits may not fit into SQLite's integers

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
H = TypeVar("H", bound=Callable[..., Awaitable[Any]])

Model = type[BaseModel]
# The body of an answer: a model (JSON), one or several media types, or None for no body.
Content = Model | str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Route:
    """A route for the router and for the OpenAPI document. The parameters in `path`, `{track_id}`,
    are whole numbers. `answers` maps each status of success to the body that comes with it."""

    method: str
    path: str
    summary: str
    answers: Mapping[int, Content]
    query: Model | None = None
    body: Model | str | None = None
    problems: tuple[int, ...] = ()  # statuses of errors, beside those of every route
    headers: tuple[Mapping[str, Any], ...] = ()  # parameters, as OpenAPI writes them
    is_open: bool = False  # answered without the token
    allows_head: bool = True


def route(method: str, path: str, answers: Mapping[int, Content], **more: Any) -> Callable[[H], H]:
    """Declare the decorated method of a `Handlers` class as the handler of a route. `more` are
    fields of `Route`; the summary is the docstring's first paragraph. The handler names the
    parameters that it needs: those of the path (as int), `query` and `body` (checked against the
    route's models), and `request`. It returns a response, or a value that is sent as JSON."""

    def mark(handler: H) -> H:
        paragraph = (inspect.getdoc(handler) or "").partition("\n\n")[0]
        summary = " ".join(paragraph.split()).rstrip(".")
        setattr(handler, MARK, Route(method, path, summary, answers, **more))
        return handler

    return mark


class Handlers:
    """Base of the classes whose methods answer routes."""

    @classmethod
    def described(cls) -> dict[str, Route]:
        """Return the routes of this class by the name of the method that answers them."""
        marked = {name: getattr(method, MARK, None) for name, method in vars(cls).items()}
        return {name: found for name, found in marked.items() if found is not None}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes for the router of an application."""
        return [_definition(found, getattr(self, name)) for name, found in self.described().items()]


class ServiceHandlers(Handlers):
    """Handlers over one service and its operations."""

    def __init__(self, service: EnrichmentService, operations: Operations) -> None:
        self._service = service
        self._operations = operations


def _definition(found: Route, handler: Callable[..., Awaitable[Any]]) -> web.RouteDef:
    wanted = inspect.signature(handler).parameters

    async def answer(request: web.Request) -> web.StreamResponse:
        given: dict[str, Any] = {name: int(value) for name, value in request.match_info.items()}
        given["request"] = request
        # A handler that does not name its query or body reads them in a way of its own.
        if "query" in wanted and found.query:
            given["query"] = query_of(request, found.query)
        if "body" in wanted and isinstance(found.body, type):
            given["body"] = await body_of(request, found.body)
        answered = await handler(**{name: given[name] for name in wanted})
        return answered if isinstance(answered, web.StreamResponse) else web.json_response(answered)

    path = re.sub(r"{(\w+)}", rf"{{\1:{NUMBER}}}", found.path)
    if found.method == "GET":
        return web.get(path, answer, allow_head=found.allows_head)
    return web.route(found.method, path, answer)


def query_of(request: web.Request, kind: type[M]) -> M:
    """Return the query as a checked model. HTTPUnprocessableEntity names every fault."""
    values: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in values:
            raise web.HTTPUnprocessableEntity(text=f"{name}: given more than once")
        values[name] = value
    return _checked(kind, values)


async def body_of(request: web.Request, kind: type[M]) -> M:
    """Return the JSON body as a checked model; a missing body counts as {}. Raises what
    `json_object` raises, and HTTPUnprocessableEntity with everything that is wrong."""
    return _checked(kind, await json_object(request))


def _checked(kind: type[M], values: dict[str, Any]) -> M:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        text = "; ".join(_describe_fault(fault) for fault in faults[:MAX_FAULTS])
        if len(faults) > MAX_FAULTS:
            text += f"; and {len(faults) - MAX_FAULTS:,} more faults"
        raise web.HTTPUnprocessableEntity(text=text) from None


def _describe_fault(fault: Any) -> str:
    # a part may be a name of the request, of any length
    where, text = ".".join(str(part)[:100] for part in fault["loc"]), fault["msg"].removeprefix("Value error, ")
    return f"{where}: {text[:1].lower()}{text[1:]}" if where else str(text)


def found_or_404(found: T | None, text: str) -> T:
    """Return what was found; HTTPNotFound with this text when that is None."""
    if found is None:
        raise web.HTTPNotFound(text=text)
    return found


@contextmanager
def refusing_values(field: str = "") -> Iterator[None]:
    """Turn a ValueError of the block into HTTPUnprocessableEntity about this `field`."""
    try:
        yield
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=f"{field}: {error}" if field else str(error)) from error


def accepted(url: str, **known: Any) -> web.Response:
    """Return 202 with `known` and the URL at which to follow the work."""
    return web.json_response({**known, "url": url}, status=202, headers={"Location": url})


def started(operation_id: int) -> web.Response:
    """Return 202 for an operation that has been started."""
    return accepted(f"{API}/operations/{operation_id}", operation_id=operation_id)


def is_cached(request: web.Request, tag: str) -> bool:
    """Whether the client already holds the version with this ETag."""
    return any(known.value == tag for known in request.if_none_match or ())
