"""Models of queries and JSON bodies, to check requests and to describe them in OpenAPI."""

import os
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PlainValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)  # fmt: skip

from soulspot.imports.columns import Columns
from soulspot.operations.review import cases

MAX_WAIT = 86_400.0  # seconds
MAX_INTEGER = 2**63 - 1  # SQLite's integers
MAX_ENTITIES = 100  # ids of one request
MAX_PATHS = 1000  # of one request
PATH_MAX = 4096  # bytes, the NUL at the end included: the limit of Linux
MAX_TEXT = 500  # characters of words, names and reasons

StatusName = Literal["pending", "accepted", "review", "unmatched", "failed"]
ProviderName = Literal["musicbrainz", "spotify"]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="digest of database, query and key")]
Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(lambda text: text.strip() or None)]


def path_bytes(path: str) -> bytes:
    """Return a path as the system takes it. ValueError for one that can be no file's."""
    given = os.fsencode(path)
    # Resolving a path takes the longer the more parts it has: all of them are looked at.
    if len(given) >= PATH_MAX:
        raise ValueError(f"is longer than a path can be ({PATH_MAX - 1:,} bytes)")
    if b"\0" in given:
        raise ValueError("must not contain the character NUL")
    return given


def _path(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    path_bytes(value)
    return value


# Names of files need not be UTF-8; pydantic's own strings must be.
Path = Annotated[str, PlainValidator(_path), WithJsonSchema({"type": "string"})]


class Body(BaseModel):
    """Root of JSON bodies: unknown fields and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Query(BaseModel):
    """Root of queries: unknown parameters are refused, and text is read as a number."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class TrackQuery(Query):
    """The tracks to list."""

    after: int = Field(0, ge=0, le=MAX_INTEGER, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200, description="tracks a page")
    status: StatusName | None = Field(None, description="only tracks of this status")
    query: str | None = Field(
        None, max_length=200, description="only tracks whose title, artist or album has words with all these beginnings"
    )  # fmt: skip


class UnreadableQuery(Query):
    """The unreadable files to list."""

    limit: int = Field(1000, ge=1, le=100_000, description="files, in the order of their paths")


class CoverQuery(Query):
    """The cover to fetch."""

    url: str = Field(min_length=1, max_length=500, description="the `cover_url` of a track or candidate")


class OperationQuery(Query):
    """The operations to list."""

    before: int | None = Field(None, ge=1, le=MAX_INTEGER, description="`next` of the page before")
    limit: int = Field(100, ge=1, le=200, description="operations a page")


class ImportQuery(Query):
    """The name of an uploaded file; its suffix says how to read it."""

    name: str = Field("import.csv", min_length=1, max_length=1000, description="the file's name, folders ignored")
    columns: Json[dict[str, str]] | None = Field(
        None, max_length=400, description='headings that are not known by themselves: {"title": "Song"}'
    )

    @field_validator("columns")
    @classmethod
    def _known(cls, columns: dict[str, str] | None) -> dict[str, str] | None:
        Columns(columns)
        return columns


class EventQuery(Query):
    """The event to continue after, for clients that cannot set the header."""

    last_event_id: int | None = Field(None, ge=0, le=MAX_INTEGER, description="as the header Last-Event-ID")


class PositionQuery(Query):
    """The import to show."""

    source: Digest


class PositionBody(Body):
    """The position of an import: the last key that was imported."""

    source: Digest
    name: str = Field(max_length=2000, description="the database as people may see it")
    position: list[Any] = Field(min_length=1, max_length=50)
    rows: int = Field(ge=0, le=MAX_INTEGER)


class ScanBody(Body):
    """The places to scan."""

    paths: list[Path] = Field(
        [], max_length=MAX_PATHS, description="files and folders of the library; empty: all of it"
    )


class LibraryScanBody(ScanBody):
    """The places to scan, and whether missing files were deleted."""

    confirm_vanished: bool = Field(
        False, description="mark missing files as vanished that `questions` of the status is about"
    )


class EnrichBody(ScanBody):
    """The places to scan, and the longest wait to sit out."""

    wait: float = Field(
        60.0, ge=0, le=MAX_WAIT, description="seconds; the operation ends when no lookup is due in them"
    )
    force: bool = Field(False, description="look up again what is known or missing, before its time")


class RetryBody(Body):
    """The lookups to queue again."""

    states: list[Literal["failed", "missing"]] = Field(
        ["failed"], min_length=1, max_length=2, description="lookups in these states; failed includes buried"
    )
    provider: str | None = Field(None, max_length=50, description="only lookups of this provider")
    lift_pause: bool = Field(False, description="ask services again that wanted to be left alone for longer")


class ExportFilters(Body):
    """The tracks to export; a filter that is missing or null does not count."""

    status: list[StatusName] = Field(default=[], max_length=5, description="only these statuses; empty: all")
    since: str | None = Field(
        default=None, max_length=50, description="only rows changed since: a date and time, or 7d back from now"
    )
    query: str | None = Field(default=None, max_length=200, description="as in the list of tracks")
    limit: int | None = Field(default=None, ge=1, le=MAX_INTEGER, description="at most this many tracks")


class ExportBody(Body):
    """The format and contents of an export."""

    format: Literal["csv", "json", "ndjson", "parquet", "sqlite", "ddex"] = "csv"
    filters: ExportFilters = ExportFilters()
    columns: list[str] | None = Field(
        None, min_length=1, max_length=100, description="these columns in this order; null: all"
    )
    gzip: bool = Field(False, description="compress csv, json or ndjson")
    spreadsheet: bool = Field(False, description="csv: keep a spreadsheet from running values as formulas")
    validated: bool = Field(
        False, alias="validate", description="ddex: check each message against the schema, export.ddex.schema"
    )
    group_by: list[str] | None = Field(
        None, min_length=1, max_length=20, description="ddex: columns whose equal values make one release"
    )
    max_failures: int | None = Field(
        None, ge=1, le=MAX_INTEGER, description="ddex: stop after this many releases that cannot be written"
    )


class WriteTagsBody(ScanBody):
    """The tags to write; a missing field is as in the configuration."""

    fields: list[str] | None = Field(None, max_length=50, description="fields of enriched_tracks; empty: all")
    policy: Literal["only-empty", "overwrite"] | None = Field(
        None, description="only-empty keeps the tags that a file has"
    )
    embed_covers: bool | None = Field(None, description="write front covers into the files too")
    apply: bool = Field(False, description="write; otherwise the report says what would be written")


class UndoTagsBody(Body):
    """The files to restore."""

    force: bool = Field(False, description="also files that changed since, if their audio is the same")


class LoginBody(Body):
    """The token, in exchange for a cookie."""

    token: str = Field(max_length=1000)


class ReviewQuery(Query):
    """The tracks in review to list."""

    after: int = Field(0, ge=0, le=MAX_INTEGER, description="`next` of the page before")
    limit: int = Field(cases.PAGE, ge=1, le=cases.LARGEST_PAGE, description="tracks a page")
    query: str = Field("", max_length=MAX_TEXT, description="only tracks whose names or path have these words")


class PathQuery(Query):
    """The file whose track is wanted."""

    path: str = Field(description="the absolute path of a file; percent-encode bytes that are not UTF-8")


class ReviewBody(Body):
    """The person who decides, and the reason."""

    by: Text | None = Field(default=None, description="who decides; http when missing")
    reason: Text | None = None


class Entity(Body):
    """A MusicBrainz recording or a Spotify track: its id or the address of its page."""

    provider: ProviderName | None = Field(None, description="needed where the id does not tell")
    entity_id: str = Field(max_length=MAX_TEXT)


class AcceptBody(ReviewBody, Entity):
    """The recording or Spotify track to accept."""


class RejectBody(ReviewBody):
    """The recordings or Spotify tracks to reject: one (entity_id), or several (entities)."""

    provider: ProviderName | None = None
    entity_id: str | None = Field(None, max_length=MAX_TEXT)
    entities: list[Entity] | None = Field(None, min_length=1, max_length=MAX_ENTITIES)

    @model_validator(mode="after")
    def _has_one_of_both(self) -> Self:
        if (self.entity_id is None) == (self.entities is None):
            raise ValueError("give either entity_id or entities")
        return self

    @property
    def rejected(self) -> list[Entity]:
        """Every entity of this request, however it was given."""
        if self.entity_id is not None:
            return [Entity(provider=self.provider, entity_id=self.entity_id)]
        return list(self.entities or ())


class UndoBody(ReviewBody):
    """The decisions to forget: those about one provider, or all."""

    provider: ProviderName | None = None


class SearchBody(ReviewBody):
    """The words to search for."""

    words: str = Field(max_length=MAX_TEXT)
    provider: ProviderName | None = None
