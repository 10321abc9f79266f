"""Models of answers, for the OpenAPI document; the tests check every answer against them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from soulspot.web.requests import StatusName

Time = str | None


class Answer(BaseModel):
    """Root of answers whose every field is described."""

    model_config = ConfigDict(extra="forbid")


class OpenAnswer(BaseModel):
    """Root of answers that have more fields than are described: other packages make them."""

    model_config = ConfigDict(extra="allow")


class Problem(Answer):
    """A problem document (RFC 9457); `detail` is for a person."""

    type: str
    title: str
    status: int
    detail: str


class DatabaseFile(Answer):
    """The database that the daemon works on: its path, and the file whatever other names it has."""

    path: str
    real_path: str = Field(description="without symbolic links")
    device: int | None
    inode: int | None = Field(description="null when there is no such file")


class Life(Answer):
    """A sign of life, by which commands recognize the daemon of their database."""

    status: Literal["ok"]
    service: Literal["soulspot"]
    database: DatabaseFile | None = Field(
        None, description="absent for clients on other machines; null where no daemon works, as in the demo"
    )


class Health(Answer):
    """Health: the process can work."""

    status: Literal["ready"]


class Started(Answer):
    """The operation that was started, and the URL of its status."""

    operation_id: int
    url: str


class Operation(Answer):
    """A scan, import, enrichment, retry, refresh or export."""

    id: int
    kind: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    total_items: int = Field(description="0 while unknown")
    processed_items: int
    successful_items: int
    failed_items: int
    progress: float = Field(ge=0, le=100, description="per cent; 100 when completed")
    is_complete: bool = Field(description="completed, failed or cancelled")
    rate: float | None = Field(description="items a second over the last minute")
    eta_seconds: float | None = Field(description="seconds until the end at this rate")
    paused: str | None = Field(description="why it does nothing now, and when it goes on")
    error_message: str | None
    metadata: dict[str, Any] = Field(description="the request; at the end `report` and `notes` too")
    created_at: str
    updated_at: str
    completed_at: Time


class OperationPage(Answer):
    """Operations, the newest first; `next` is the `before` of the next page."""

    operations: list[Operation]
    next: int | None


class Row(Answer):
    """A row of enriched_tracks."""

    track_id: int
    path: str | None = Field(description="bytes that are not UTF-8 are escaped as \\xNN")
    source_key: str | None
    status: StatusName
    confidence: float | None
    title: str | None
    artist: str | None
    artists: list[str]
    album: str | None
    album_artist: str | None
    track_number: int | None
    disc_number: int | None
    duration_ms: int | None
    isrc: str | None
    release_date: str | None
    original_date: str | None
    genres: list[str]
    label: str | None
    catalog_number: str | None
    barcode: str | None
    explicit: bool | None
    popularity: int | None
    cover_url: str | None
    mb_recording_id: str | None
    mb_release_id: str | None
    mb_release_group_id: str | None
    mb_artist_ids: list[str]
    spotify_track_id: str | None
    spotify_album_id: str | None
    spotify_artist_ids: list[str]
    sources: dict[str, str] = Field(description="field -> source of its value")
    updated_at: str


class UnreadableFile(Answer):
    """A file without readable tags."""

    path: str = Field(description="bytes that are not UTF-8 are escaped as \\xNN")
    reason: str


class UnreadableFiles(Answer):
    """The first of the files that could not be read, and the number of all."""

    files: list[UnreadableFile]
    count: int


class TrackPage(Answer):
    """Rows by track_id; `next` is the `after` of the next page."""

    tracks: list[Row]
    next: int | None


class InLibrary(Answer):
    """The track as the library has it."""

    path: str | None
    source_key: str | None
    tags: dict[str, Any]
    unreadable: str | None = Field(description="why the file could not be read")
    added_at: str
    changed_at: str
    vanished_at: Time


class Candidate(Answer):
    """A candidate of the track: score, reasons in words, and its provider's fields."""

    provider: str
    entity_id: str
    rank: int
    score: float
    verdict: str
    reasons: list[str]
    fields: dict[str, Any]


class TrackLookup(Answer):
    """A lookup that serves the track."""

    lookup_id: int
    provider: str
    kind: str
    query: dict[str, str]
    state: Literal["pending", "leased", "done", "missing", "failed", "buried"]
    attempts: int
    misses: int
    due_at: str
    last_error: str | None
    created_at: str
    answered_at: Time
    answers: int


class PersonDecision(Answer):
    """A decision of a person about the track."""

    provider: str
    entity_id: str
    verdict: str
    by: str
    at: str
    reason: str | None


class Track(Answer):
    """All that is known of a track; `track` is null before it is first decided."""

    track: Row | None
    library: InLibrary
    candidates: list[Candidate]
    lookups: list[TrackLookup]
    decisions: list[PersonDecision]


class StatusDocument(OpenAnswer):
    """Counts, queue, services and operations; counters run since the process started."""

    version: str
    pid: int
    database: DatabaseFile
    tracks: dict[str, int]
    unasked: int = Field(description="unmatched tracks that say too little to be asked for")
    lookups: dict[str, dict[str, int]]
    oldest_waiting: Time
    tracks_per_second: float | None = Field(description="tracks finished a second, over the last minute")
    eta_seconds: float | None = Field(description="seconds until no track is pending at this rate")
    gates: list[dict[str, Any]]
    pumps: dict[str, dict[str, Any]]
    services: dict[str, dict[str, Any]] = Field(
        description="`requests_last_minute`, and `batch_fill` since the start (0 to 1)"
    )
    operations: list[Operation] = Field(description="the last ten, without their reports")
    questions: list[dict[str, Any]] = Field(
        description="files that a scan did not find, and that are kept until a person has answered"
    )


class Slice(Answer):
    """Ten seconds of activity; the last slice may be shorter."""

    at: str = Field(description="end of the slice")
    tracks: int = Field(description="tracks finished")
    requests: dict[str, int] = Field(description="requests by provider")


class Activity(Answer):
    """The last hour, oldest slice first, and everything that has failed for good until now."""

    slice_seconds: float
    slices: list[Slice]
    failures: dict[str, Any]


class ReviewPage(Answer):
    """Tracks in review; `next` is the `after` of the next page."""

    review: list[dict[str, Any]]
    next: int | None
    total: int


class TrackNumber(Answer):
    """The number of a track."""

    track_id: int


class SearchStarted(Answer):
    """The lookup of a search, and the URL of its result."""

    lookup_id: int
    url: str


class ImportPosition(Answer):
    """The last key that an import has read; null before its first row."""

    name: str | None
    position: list[Any] | None
    rows: int


class Case(OpenAnswer):
    """A track beside its candidates, field by field."""


class Cost(OpenAnswer):
    """Lookups, requests by provider, and seconds."""


class TagWrites(OpenAnswer):
    """Operations that wrote tags, the latest first."""


class SearchResult(OpenAnswer):
    """The state of a search, and what it found."""
