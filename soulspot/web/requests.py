"""What requests may ask for: the models that queries and bodies are checked against, and described by."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema

from soulspot.web.bodies import json_object

MAX_WAIT = 86_400.0  # seconds
HIGHEST = 2**63 - 1  # SQLite's integers

M = TypeVar("M", bound=BaseModel)

StatusName = Literal["pending", "accepted", "review", "unmatched", "failed"]


def _path(said: Any) -> str:
    if not isinstance(said, str):
        raise ValueError("a text")
    return said


# names need not be UTF-8, and pydantic's own texts must be
Path = Annotated[str, PlainValidator(_path), WithJsonSchema({"type": "string"})]


class Asked(BaseModel):
    """The root: nothing that is not known is let through."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Query(Asked):
    """What stands behind the "?": text that is read as numbers where numbers are meant."""

    model_config = ConfigDict(extra="forbid", strict=False)


class TrackQuery(Query):
    """Which tracks to list."""

    after: int = Field(0, ge=0, le=HIGHEST, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200, description="tracks a page")
    status: StatusName | None = Field(None, description="only tracks of this status")
    query: str | None = Field(
        None,
        max_length=200,
        description="beginnings of words in title, artist or album, all of them",
    )


class CoverQuery(Query):
    """Which cover."""

    url: str = Field(min_length=1, max_length=500, description="the `cover_url` of a track or candidate")


class OperationQuery(Query):
    """Which operations to list."""

    before: int | None = Field(None, ge=1, le=HIGHEST, description="`next` of the page before")
    limit: int = Field(100, ge=1, le=200, description="operations a page")


class ImportQuery(Query):
    """What the uploaded file is called; its ending says how it is read."""

    name: str = Field(
        "import.csv", min_length=1, max_length=1000, description="the file's name, folders ignored"
    )


class EventQuery(Query):
    """Where to begin, for clients that cannot set the header."""

    last_event_id: int | None = Field(None, ge=0, le=HIGHEST, description="as the header Last-Event-ID")


class ScanBody(Asked):
    """What to look through."""

    paths: list[Path] = Field(default=[], description="files and folders of the library; none: all of it")


class EnrichBody(ScanBody):
    """What to look through, and how patient to be."""

    wait: float = Field(
        60.0, ge=0, le=MAX_WAIT, description="ends when nothing can be asked within this many seconds"
    )
    force: bool = Field(False, description="ask again for what is known or missing, before its time")


class RetryBody(Asked):
    """What to ask again."""

    states: list[Literal["failed", "missing"]] = Field(
        default=["failed"],
        min_length=1,
        max_length=2,
        description="lookups in these states; failed: buried ones too",
    )
    provider: str | None = Field(None, max_length=50, description="only this service's")


class ExportFilters(Asked):
    """Which tracks to export; what is left out or null does not count."""

    status: list[StatusName] = Field(default=[], max_length=5, description="of these statuses; none: of all")
    since: str | None = Field(
        default=None,
        max_length=50,
        description="rows that changed since: 7d back from now, or a date and time",
    )
    query: str | None = Field(default=None, max_length=200, description="as in the list of tracks")
    limit: int | None = Field(default=None, ge=1, le=HIGHEST, description="the first so many of them")


class ExportBody(Asked):
    """What the file is to hold."""

    format: Literal["csv", "json", "ndjson", "parquet", "sqlite", "ddex"] = "csv"
    filters: ExportFilters = ExportFilters()
    columns: list[str] | None = Field(
        None, min_length=1, max_length=100, description="these columns in this order; null: all"
    )
    gzip: bool = Field(False, description="pack csv, json or ndjson")
    spreadsheet: bool = Field(False, description="csv in which a spreadsheet runs nothing as a formula")
    validated: bool = Field(
        False, alias="validate", description="ddex: each message by the schema, export.ddex.schema"
    )
    group_by: list[str] | None = Field(
        None,
        min_length=1,
        max_length=20,
        description="ddex: the columns whose values make tracks one release",
    )
    max_failures: int | None = Field(
        None, ge=1, le=HIGHEST, description="ddex: stop after so many releases that cannot be written"
    )


class WriteTagsBody(ScanBody):
    """What to write into tags; what is not said is as the configuration has it."""

    fields: list[str] | None = Field(None, max_length=50, description="fields of enriched_tracks; none: all")
    policy: Literal["only-empty", "overwrite"] | None = Field(
        None, description="only-empty leaves what a file says as it is"
    )
    embed_covers: bool | None = Field(None, description="put front covers into the files too")
    apply: bool = Field(False, description="write; without it the report says what would be written")


class UndoTagsBody(Asked):
    """How to take back."""

    force: bool = Field(
        False, description="also of files that have changed since, if their audio is the same"
    )


class LoginBody(Asked):
    """Who knows the token gets a cookie."""

    token: str = Field(max_length=1000)


def query_of(request: web.Request, kind: type[M]) -> M:
    """The checked query. HTTPUnprocessableEntity names everything that is wrong with it."""
    said: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in said:
            raise web.HTTPUnprocessableEntity(text=f"{name}: said more than once")
        said[name] = value
    return _checked(kind, said)


async def body_of(request: web.Request, kind: type[M]) -> M:
    """The checked body, {} where there is none. What `json_object` raises, or HTTPUnprocessableEntity."""
    return _checked(kind, await json_object(request))


def _checked(kind: type[M], said: dict[str, Any]) -> M:
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text="; ".join(_words(one) for one in error.errors())) from None


def _words(one: Any) -> str:
    where = ".".join(str(part) for part in one["loc"])
    return f"{where}: {one['msg'][:1].lower()}{one['msg'][1:]}" if where else str(one["msg"])
