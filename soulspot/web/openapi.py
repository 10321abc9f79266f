"""The OpenAPI 3.1 document, made of the routes that the application serves."""

import asyncio
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import models_json_schema

from soulspot.web.responses import OpenAnswer, Problem
from soulspot.web.routing import API, Content, Handlers, Model, Route, route

REFERENCE = "#/components/schemas/{model}"
PATH_NUMBER = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}


class OpenApi(Handlers):
    """The handler of the document about all `handlers`. With `token`, clients must know one."""

    def __init__(self, handlers: Sequence[Handlers], *, version: str, token: bool) -> None:
        self._handlers = handlers
        self._version = version
        self._token = token
        self._document: dict[str, Any] | None = None

    @route("GET", f"{API}/openapi.json", {200: OpenAnswer})
    async def show(self) -> dict[str, Any]:
        """Describe this API."""
        # Made when it is first asked for: it takes a while, and the start of the daemon should not.
        if self._document is None:
            routes = [found for handlers in self._handlers for found in handlers.described().values()]
            self._document = await asyncio.to_thread(document, routes, version=self._version, token=self._token)
        return self._document


def document(routes: Sequence[Route], *, version: str, token: bool) -> dict[str, Any]:
    """Return the OpenAPI document of these routes; with `token`, clients must know one."""
    bodies: list[Content] = [body for found in routes for body in (*found.answers.values(), found.body)]
    models: dict[str, Model] = {
        Problem.__name__: Problem,
        **{body.__name__: body for body in bodies if isinstance(body, type)},
    }
    _, schemas = models_json_schema([(models[name], "validation") for name in sorted(models)], ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for found in routes:
        paths.setdefault(found.path, {})[found.method.lower()] = _operation(found, token)
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "SoulSpot",
            "version": version,
            "summary": "Keeps a music library's metadata complete.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }
    if token:
        described["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "soulspot"},
        }
        described["security"] = [{"bearer": []}, {"cookie": []}]
    return described


def _operation(found: Route, token: bool) -> dict[str, Any]:
    answers = {**dict.fromkeys(_problems(found, token), Problem), **found.answers}
    described: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{found.method.lower()} {found.path}").strip("_"),
        "summary": found.summary,
        "responses": {str(status): _answer(status, answers[status]) for status in sorted(answers)},
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": PATH_NUMBER}
        for name in re.findall(r"{(\w+)}", found.path)
    ]
    parameters += [*map(dict, found.headers), *_query(found.query)]
    if parameters:
        described["parameters"] = parameters
    if found.body:
        described["requestBody"] = {"content": _content(found.body)}
    if found.is_open and token:
        described["security"] = []
    return described


def _problems(found: Route, token: bool) -> set[int]:
    problems = {403, *found.problems}
    if token and not found.is_open:
        problems |= {401, 429}
    if found.query or found.body or found.headers:
        problems.add(422)
    if found.body:
        problems |= {400, 408, 413, 415}
    if "{" in found.path:
        problems.add(404)
    if found.method == "POST":
        problems.add(507)
    return problems


def _answer(status: int, body: Content) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if body is not None:
        described["content"] = _content(body, status)
    return described


def _content(body: Model | str | tuple[str, ...], status: int = HTTPStatus.OK) -> dict[str, Any]:
    """Return the OpenAPI `content` of a body: a model is JSON (a `Problem` problem+json), a string
    is a media type of text or bytes, a tuple has the media types of a file."""
    if isinstance(body, tuple):
        return {media_type: {"schema": _file(media_type, status)} for media_type in body}
    if isinstance(body, str):
        binary = {"format": "binary"} if body == "application/octet-stream" else {}
        return {body: {"schema": {"type": "string", **binary}}}
    media_type = "application/problem+json" if body is Problem else "application/json"
    return {media_type: {"schema": {"$ref": REFERENCE.format(model=body.__name__)}}}


def _file(media_type: str, status: int) -> dict[str, Any]:
    # A part of a file (206) is bytes, whatever its media type.
    if media_type == "application/json" and status == HTTPStatus.OK:
        return {"type": "array", "items": {"type": "object"}}
    return {"type": "string", "format": "binary"}


def _query(query: Model | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = query.model_json_schema()
    parameters = []
    for name, described in schema["properties"].items():
        text = described.pop("description", "")
        # pydantic writes "or null" for an optional parameter; in a query there is no null.
        for choice in described.pop("anyOf", ()):
            if choice.get("type") != "null":
                described |= choice
        if described.get("default", 0) is None:
            del described["default"]
        described.pop("title", None)
        required = name in schema.get("required", ())
        parameters.append({"name": name, "in": "query", "required": required, "description": text, "schema": described})
    return parameters
