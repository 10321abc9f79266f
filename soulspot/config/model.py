"""The frozen `Config`: every section and key of config.toml with its type, default and one line of help.

The descriptions are the only place where a key is explained: the template is written from them, and
docs/configuration.md is checked against them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, PrivateAttr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from soulspot.config.export_sections import Export, WriteTags
from soulspot.config.section import Section, key, seconds
from soulspot.config.values import (
    Contact,
    Count,
    Duration,
    DurationOrNone,
    FilePath,
    Listen,
    Paths,
    Rate,
    Secret,
    Share,
    Size,
    Texts,
    Url,
    parse_listen,
)

WebhookEvent = Literal[
    "operation.finished",
    "provider.limited",
    "provider.recovered",
    "alarm.raised",
    "alarm.over",
    "track.enriched",
    "review.needed",
    "track.unmatched",
    "track.failed",
]
Source = Literal["tags", "musicbrainz", "listenbrainz", "spotify"]
Sources = Annotated[tuple[Source, ...], Field(strict=False)]


class Library(Section):
    """Where the music is, and how changes there are noticed."""

    paths: Paths = key((), "folders (or single files) to read; at least one for the daemon")
    include: Texts = key(
        (), 'only files that match one of these patterns, "Jazz/*" say; empty: all audio files'
    )
    exclude: Texts = key((), 'no files or folders that match one of these patterns, "Podcasts" say')
    follow_symlinks: bool = key(False, "follow symbolic links, as long as they stay inside the library")
    watch: bool = key(True, "notice changed files at once, by watching the folders")
    rescan_interval: Duration = key(seconds("24h"), "how often everything is looked through again")


class Database(Section):
    """Where the results and the queue are kept."""

    path: FilePath = key(
        Path("~/.local/share/soulspot/soulspot.db"),
        "a file on a local disk; under systemd the default is soulspot.db in $STATE_DIRECTORY",
        validate_default=True,
    )


class MusicBrainz(Section):
    """Needs no account, but wants to know whom to write to when a client misbehaves."""

    enabled: bool = key(True, "ask MusicBrainz")
    base_url: Url = key("https://musicbrainz.org/ws/2", "may be a mirror of your own")
    contact: Contact | None = key(
        None, "your e-mail address or web page; musicbrainz.org requires it of every client"
    )
    rate: Rate = key(1.0, "requests a second; musicbrainz.org allows 1, a mirror what you like")
    batch_size: int = key(100, "lookups gathered for one request, 1 to 100", ge=1, le=100)
    max_wait_time: Duration = key(5.0, "how long a lookup waits for company before it is sent")
    timeout: Duration = key(30.0, "how long one request may take")


class Spotify(Section):
    """Needs an app of your own (https://developer.spotify.com/dashboard); without it Spotify is off."""

    enabled: bool = key(True, "ask Spotify")
    base_url: Url = key("https://api.spotify.com/v1", "the Web API")
    token_url: Url = key("https://accounts.spotify.com/api/token", "where access tokens come from")
    client_id: str | None = key(None, "the app's client id")
    client_secret: Secret | None = key(None, "the app's client secret")
    client_secret_file: FilePath | None = key(None, "a file that holds the client secret, instead of it")
    rate: Rate = key(3.0, "requests a second")
    batch_size: int = key(50, "lookups gathered for one request, 1 to 50", ge=1, le=50)
    max_wait_time: Duration = key(5.0, "how long a lookup waits for company before it is sent")
    timeout: Duration = key(30.0, "how long one request may take")
    daily_budget: Count = key(2000, "requests in any 24 hours; Spotify blocks an account that asks too much")
    market: str | None = key(
        None, "a country as two capital letters, to see the catalogue from there", pattern="^[A-Z]{2}$"
    )


class ListenBrainz(Section):
    """Needs no account; a token only opens its text search."""

    enabled: bool = key(True, "ask ListenBrainz")
    base_url: Url = key("https://api.listenbrainz.org/1", "the API")
    labs_url: Url = key("https://labs.api.listenbrainz.org", "its experimental data sets")
    token: Secret | None = key(None, "the user token of your ListenBrainz account")
    token_file: FilePath | None = key(None, "a file that holds the token, instead of it")
    rate: Rate = key(3.0, "requests a second; the service's own limit is heeded too")
    batch_size: int = key(1000, "lookups gathered for one request, 1 to 1000", ge=1, le=1000)
    max_wait_time: Duration = key(
        60.0, "how long a lookup waits for company before it is sent, while others are being found"
    )
    timeout: Duration = key(30.0, "how long one request may take")


class Providers(Section):
    """The services that are asked."""

    musicbrainz: MusicBrainz = MusicBrainz()
    spotify: Spotify = Spotify()
    listenbrainz: ListenBrainz = ListenBrainz()


class Matching(Section):
    """When a match is sure. All three are scores from 0 to 1."""

    accept: Share = key(0.9, "from this score on a match is accepted")
    review: Share = key(0.6, "from this score on a match is put before you; below it there is none")
    margin: Share = key(0.04, "how far the best match must be ahead of the next one to be accepted")


class Merge(Section):
    """Whose word counts, field by field: an order of "tags", "musicbrainz", "listenbrainz" and "spotify",
    best first. A field without an order of its own takes the default one."""

    default: Sources = key(
        ("musicbrainz", "listenbrainz", "spotify", "tags"), "order for every field that has none below"
    )
    title: Sources = key((), "order for the title")
    artist: Sources = key((), "order for the artist credit")
    artists: Sources = key((), "order for the list of artists")
    album: Sources = key((), "order for the album title")
    album_artist: Sources = key((), "order for the album's artist")
    track_number: Sources = key((), "order for the track number")
    disc_number: Sources = key((), "order for the disc number")
    duration_ms: Sources = key((), "order for the length")
    isrc: Sources = key((), "order for the ISRC")
    release_date: Sources = key((), "order for the date of the album")
    original_date: Sources = key((), "order for the date of the first release")
    genres: Sources = key((), "order for the genres")
    label: Sources = key((), "order for the label")
    catalog_number: Sources = key((), "order for the catalogue number")
    barcode: Sources = key((), "order for the barcode")
    explicit: Sources = key((), "order for the explicit mark")
    popularity: Sources = key((), "order for the popularity")
    cover_url: Sources = key((), "order for the cover's address")

    def orders(self) -> dict[str, tuple[str, ...]]:
        """The orders that were set, by field; "*" is the order of all others."""
        orders = {name: order for name in type(self).model_fields if (order := getattr(self, name))}
        return {"*" if name == "default" else name: order for name, order in orders.items()}


class Retry(Section):
    """What happens to a lookup that was answered with a failure."""

    attempts: Count = key(5, "failures after which a lookup is given up, until `soulspot retry`")
    base: Duration = key(60.0, "the wait after the first failure; it doubles each time, with jitter")
    cap: Duration = key(seconds("1h"), "the longest wait between two attempts")


class Refresh(Section):
    """When an answer is too old."""

    after: Duration = key(seconds("90d"), "found answers are asked for again after this time")
    missing_after: Duration = key(seconds("1d"), "what a service did not know is asked again after this time")


class Scheduler(Section):
    """How often the daemon does its rounds."""

    flush_interval: Duration = key(1.0, "how often it looks whether a waiting batch is due")
    retry_sweep: Duration = key(seconds("5m"), "how often postponed lookups are looked through")
    upkeep: Duration = key(seconds("24h"), "how often the database is tidied")
    summary: Duration = key(60.0, "how often a summary is logged while there is work")


class Http(Section):
    """The daemon's own address: status, web page, API."""

    listen: Listen = key("127.0.0.1:8753", "host:port; anything but this machine alone needs the token")
    token: Secret | None = key(None, "what clients must know")
    token_file: FilePath | None = key(None, "a file that holds the token, instead of it")
    allowed_hosts: Texts = key((), "further names by which browsers may reach it")

    @property
    def host(self) -> str:
        return parse_listen(self.listen)[0]

    @property
    def port(self) -> int:
        return parse_listen(self.listen)[1]


class Webhooks(Section):
    """Where to tell what happened (Standard Webhooks)."""

    url: Url | None = key(None, "where events are sent to")
    secret: Secret | None = key(None, "what they are signed with: whsec_ and base64 of 24 to 64 bytes")
    secret_file: FilePath | None = key(None, "a file that holds the secret, instead of it")
    events: Annotated[tuple[WebhookEvent, ...], Field(strict=False)] = key(
        (), "the types of messages to send, docs/webhooks.md lists them; empty: all"
    )
    allow_private: bool = key(False, "the receiver may be on this machine or in a private network")
    rate: Rate = key(5.0, "messages a second")
    timeout: Duration = key(15.0, "how long the receiver may take to answer")
    give_up_after: Duration = key(
        seconds("3d"), "a message that is refused (HTTP 4xx) for this long makes way for the next"
    )


class Log(Section):
    """What is said, and where: to stderr, or to a file."""

    format: Literal["json", "console"] = key("json", '"json" or "console"')
    level: Literal["debug", "info", "warning", "error"] = key("info", '"debug", "info", "warning" or "error"')
    file: FilePath | None = key(None, "append JSON lines to this file instead of writing to stderr")


class Limits(Section):
    """What SoulSpot may use of the machine."""

    memory_mb: int = key(
        0, "megabytes of memory above which pieces get smaller and nothing more is claimed; 0: no limit", ge=0
    )
    max_file_size: Size = key(2_000_000_000, "larger audio files are not opened")


class Alarms(Section):
    """When something is wrong enough to say so, in the log, the status and by webhook. 0 turns an alarm off."""

    window: Duration = key(seconds("10m"), "the time that shares and rates are taken over")
    failure_rate: Share = key(0.5, "the share of lookups that fail, or of requests without a useful answer")
    low_rate: float = key(
        0.02, "lookups answered a second while more could be asked", ge=0, allow_inf_nan=False
    )
    stall_after: DurationOrNone = key(
        seconds("15m"), "how long nothing is answered while more could be asked"
    )


class Config(BaseSettings):
    """The whole configuration; `soulspot.config` builds it, checked, from files and environment."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        env_prefix="SOULSPOT_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        enable_decoding=False,
    )

    library: Library = Library()
    database: Database = Field(default_factory=Database)  # not at import: it looks up the home folder
    providers: Providers = Providers()
    matching: Matching = Matching()
    merge: Merge = Merge()
    retry: Retry = Retry()
    refresh: Refresh = Refresh()
    scheduler: Scheduler = Scheduler()
    http: Http = Http()
    webhooks: Webhooks = Webhooks()
    log: Log = Log()
    limits: Limits = Limits()
    alarms: Alarms = Alarms()
    export: Export = Export()
    write_tags: WriteTags = WriteTags()

    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _source: Path | None = PrivateAttr(default=None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth knowing and stops nothing, a provider that is off say."""
        return self._warnings

    @property
    def source(self) -> Path | None:
        """The file this was read from; None when there was none."""
        return self._source

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what it is given: the layers are put together by `soulspot.config`, which must know where each
        value came from to say so when it is wrong."""
        return (init_settings,)


def section_of(annotation: Any) -> type[Section] | None:
    """The kind of tables that a key of this type lists; None when it holds plain values."""
    return next((a for a in get_args(annotation) if isinstance(a, type) and issubclass(a, Section)), None)


def walk_keys(section: type[BaseModel] = Config, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key that holds a value, with its full name ("providers.spotify.rate"), section by section.

    A list of tables is one key."""
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from walk_keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field
