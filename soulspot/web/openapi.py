"""The OpenAPI 3.1 document: one line a route, checked against the router by the tests, and its answers too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from soulspot.web.page import PREFIX
from soulspot.web.responses import Problem

REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"{(\w+)(?::[^{}]*(?:{[^{}]*})?[^{}]*)?}")

Model = type[BaseModel]


@dataclass(frozen=True, slots=True)
class Described:
    """One route: `path` as the document writes it, what it takes, and by which status it answers what.

    An answer is a model, None (no body), a media type or several; `problems` are the errors of its own: those that any route
    can have are added to it."""

    method: str
    path: str
    summary: str
    answers: Mapping[int, Model | str | tuple[str, ...] | None]
    query: Model | None = None
    body: Model | str | None = None
    problems: tuple[int, ...] = ()
    headers: tuple[dict[str, Any], ...] = ()
    open: bool = field(default=False)  # whoever does not know the token may ask too


def document(described: Iterable[Described], *, version: str, token: bool) -> dict[str, Any]:
    """The document. With `token` it says that whoever asks must know one."""
    routes = list(described)
    models = {Problem} | {
        one
        for route in routes
        for one in (*route.answers.values(), route.body)
        if isinstance(one, type)
    }  # fmt: skip
    _, schemas = models_json_schema(
        [(one, "validation") for one in sorted(models, key=lambda one: one.__name__)], ref_template=REFERENCE
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, token)
    made: dict[str, Any] = {
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
        made["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "soulspot"},
        }
        made["security"] = [{"bearer": []}, {"cookie": []}]
    return made


def _operation(route: Described, token: bool) -> dict[str, Any]:
    problems = {403, *route.problems}
    if token and not route.open:
        problems.add(401)
    if route.query or route.body or route.headers:
        problems.add(422)
    if route.body:
        problems |= {400, 408, 413, 415}
    if "{" in route.path:
        problems.add(404)
    if route.method == "POST":
        problems.add(507)
    found: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()} {route.path}").strip("_"),
        "summary": route.summary,
        "responses": {
            str(status): _answer(status, answer) for status, answer in sorted(route.answers.items())
        } | {str(status): _answer(status, Problem) for status in sorted(problems) if status not in route.answers},
    }  # fmt: skip
    parameters = [
        {"name": name, "in": "path", "required": True,
         "schema": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}}
        for name in _PARAMETER.findall(route.path)
    ] + list(route.headers) + _query(route.query)  # fmt: skip
    if parameters:
        found["parameters"] = parameters
    if route.body:
        found["requestBody"] = {"content": _body(route.body)}
    if route.open and token:
        found["security"] = []
    return found


def _answer(status: int, answer: Model | str | tuple[str, ...] | None) -> dict[str, Any]:
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(answer, str):
        found["content"] = {answer: {"schema": {"type": "string"}}}
    elif isinstance(answer, tuple):
        found["content"] = {one: {"schema": _file(one, status)} for one in answer}
    elif answer is not None:
        kind = "application/problem+json" if answer is Problem else "application/json"
        found["content"] = {kind: {"schema": {"$ref": REFERENCE.format(model=answer.__name__)}}}
    return found


def _file(media_type: str, status: int) -> dict[str, Any]:
    """What a file is to whoever reads it by its media type; a part of one is bytes."""
    if media_type == "application/json" and status == HTTPStatus.OK:
        return {"type": "array", "items": {"type": "object"}}
    return {"type": "string", "format": "binary"}


def _body(body: Model | str) -> dict[str, Any]:
    if isinstance(body, str):
        return {body: {"schema": {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=body.__name__)}}}


def _query(query: Model | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = query.model_json_schema()
    found = []
    for name, one in schema["properties"].items():
        one = dict(one)
        words = one.pop("description", "")
        for choice in one.pop("anyOf", ()):  # "or null" means that it may be left out
            if choice.get("type") != "null":
                one |= choice
        if one.get("default", 0) is None:
            del one["default"]
        one.pop("title", None)
        required = name in schema.get("required", ())
        found.append({"name": name, "in": "query", "required": required, "description": words, "schema": one})
    return found


def undescribed(app: web.Application, described: Iterable[Described]) -> set[tuple[str, str]]:
    """Routes of the application that no line describes, and lines that describe no route; files of the page apart."""
    known = {(route.method, route.path) for route in described}
    there = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource and route.method != "HEAD" and not route.resource.canonical.startswith(PREFIX)
    }
    return known ^ there
