"""The frozen `Config`: every section and key of config.toml with its type, default and one line of help.

The descriptions are the only place where a key is explained: the template is written from them, and
docs/configuration.md is checked against them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from soulspot.config_values import (
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
    parse_duration,
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


def _key(default: Any, help_: str, **more: Any) -> Any:
    return Field(default, description=help_, **more)


def _seconds(text: str) -> float:
    return float(parse_duration(text))


class Section(BaseModel):
    """One table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Library(Section):
    """Where the music is, and how changes there are noticed."""

    paths: Paths = _key((), "folders (or single files) to read; at least one for the daemon")
    include: Texts = _key(
        (), 'only files that match one of these patterns, "Jazz/*" say; empty: all audio files'
    )
    exclude: Texts = _key((), 'no files or folders that match one of these patterns, "Podcasts" say')
    follow_symlinks: bool = _key(False, "follow symbolic links, as long as they stay inside the library")
    watch: bool = _key(True, "notice changed files at once, by watching the folders")
    rescan_interval: Duration = _key(_seconds("24h"), "how often everything is looked through again")


class Database(Section):
    """Where the results and the queue are kept."""

    path: FilePath = _key(
        Path("~/.local/share/soulspot/soulspot.db"),
        "a file on a local disk; under systemd the default is soulspot.db in $STATE_DIRECTORY",
        validate_default=True,
    )


class MusicBrainz(Section):
    """Needs no account, but wants to know whom to write to when a client misbehaves."""

    enabled: bool = _key(True, "ask MusicBrainz")
    base_url: Url = _key("https://musicbrainz.org/ws/2", "may be a mirror of your own")
    contact: Contact | None = _key(
        None, "your e-mail address or web page; musicbrainz.org requires it of every client"
    )
    rate: Rate = _key(1.0, "requests a second; musicbrainz.org allows 1, a mirror what you like")
    batch_size: int = _key(100, "lookups gathered for one request, 1 to 100", ge=1, le=100)
    max_wait_time: Duration = _key(5.0, "how long a lookup waits for company before it is sent")
    timeout: Duration = _key(30.0, "how long one request may take")


class Spotify(Section):
    """Needs an app of your own (https://developer.spotify.com/dashboard); without it Spotify is off."""

    enabled: bool = _key(True, "ask Spotify")
    base_url: Url = _key("https://api.spotify.com/v1", "the Web API")
    token_url: Url = _key("https://accounts.spotify.com/api/token", "where access tokens come from")
    client_id: str | None = _key(None, "the app's client id")
    client_secret: Secret | None = _key(None, "the app's client secret")
    client_secret_file: FilePath | None = _key(None, "a file that holds the client secret, instead of it")
    rate: Rate = _key(3.0, "requests a second")
    batch_size: int = _key(50, "lookups gathered for one request, 1 to 50", ge=1, le=50)
    max_wait_time: Duration = _key(5.0, "how long a lookup waits for company before it is sent")
    timeout: Duration = _key(30.0, "how long one request may take")
    daily_budget: Count = _key(2000, "requests in any 24 hours; Spotify blocks an account that asks too much")
    market: str | None = _key(
        None, "a country as two capital letters, to see the catalogue from there", pattern="^[A-Z]{2}$"
    )


class ListenBrainz(Section):
    """Needs no account; a token only opens its text search."""

    enabled: bool = _key(True, "ask ListenBrainz")
    base_url: Url = _key("https://api.listenbrainz.org/1", "the API")
    labs_url: Url = _key("https://labs.api.listenbrainz.org", "its experimental data sets")
    token: Secret | None = _key(None, "the user token of your ListenBrainz account")
    token_file: FilePath | None = _key(None, "a file that holds the token, instead of it")
    rate: Rate = _key(3.0, "requests a second; the service's own limit is heeded too")
    batch_size: int = _key(1000, "lookups gathered for one request, 1 to 1000", ge=1, le=1000)
    max_wait_time: Duration = _key(
        60.0, "how long a lookup waits for company before it is sent, while others are being found"
    )
    timeout: Duration = _key(30.0, "how long one request may take")


class Providers(Section):
    """The services that are asked."""

    musicbrainz: MusicBrainz = MusicBrainz()
    spotify: Spotify = Spotify()
    listenbrainz: ListenBrainz = ListenBrainz()


class Matching(Section):
    """When a match is sure. All three are scores from 0 to 1."""

    accept: Share = _key(0.9, "from this score on a match is accepted")
    review: Share = _key(0.6, "from this score on a match is put before you; below it there is none")
    margin: Share = _key(0.04, "how far the best match must be ahead of the next one to be accepted")


class Merge(Section):
    """Whose word counts, field by field: an order of "tags", "musicbrainz", "listenbrainz" and "spotify",
    best first. A field without an order of its own takes the default one."""

    default: Sources = _key(
        ("musicbrainz", "listenbrainz", "spotify", "tags"), "order for every field that has none below"
    )
    title: Sources = _key((), "order for the title")
    artist: Sources = _key((), "order for the artist credit")
    artists: Sources = _key((), "order for the list of artists")
    album: Sources = _key((), "order for the album title")
    album_artist: Sources = _key((), "order for the album's artist")
    track_number: Sources = _key((), "order for the track number")
    disc_number: Sources = _key((), "order for the disc number")
    duration_ms: Sources = _key((), "order for the length")
    isrc: Sources = _key((), "order for the ISRC")
    release_date: Sources = _key((), "order for the date of the album")
    original_date: Sources = _key((), "order for the date of the first release")
    genres: Sources = _key((), "order for the genres")
    label: Sources = _key((), "order for the label")
    catalog_number: Sources = _key((), "order for the catalogue number")
    barcode: Sources = _key((), "order for the barcode")
    explicit: Sources = _key((), "order for the explicit mark")
    popularity: Sources = _key((), "order for the popularity")
    cover_url: Sources = _key((), "order for the cover's address")

    def orders(self) -> dict[str, tuple[str, ...]]:
        """The orders that were set, by field; "*" is the order of all others."""
        orders = {name: order for name in type(self).model_fields if (order := getattr(self, name))}
        return {"*" if name == "default" else name: order for name, order in orders.items()}


class Retry(Section):
    """What happens to a lookup that was answered with a failure."""

    attempts: Count = _key(5, "failures after which a lookup is given up, until `soulspot retry`")
    base: Duration = _key(60.0, "the wait after the first failure; it doubles each time, with jitter")
    cap: Duration = _key(_seconds("1h"), "the longest wait between two attempts")


class Refresh(Section):
    """When an answer is too old."""

    after: Duration = _key(_seconds("90d"), "found answers are asked for again after this time")
    missing_after: Duration = _key(
        _seconds("1d"), "what a service did not know is asked again after this time"
    )


class Scheduler(Section):
    """How often the daemon does its rounds."""

    flush_interval: Duration = _key(1.0, "how often it looks whether a waiting batch is due")
    retry_sweep: Duration = _key(_seconds("5m"), "how often postponed lookups are looked through")
    upkeep: Duration = _key(_seconds("24h"), "how often the database is tidied")
    summary: Duration = _key(60.0, "how often a summary is logged while there is work")


class Http(Section):
    """The daemon's own address: status, web page, API."""

    listen: Listen = _key("127.0.0.1:8753", "host:port; anything but this machine alone needs the token")
    token: Secret | None = _key(None, "what clients must know")
    token_file: FilePath | None = _key(None, "a file that holds the token, instead of it")
    allowed_hosts: Texts = _key((), "further names by which browsers may reach it")

    @property
    def host(self) -> str:
        return parse_listen(self.listen)[0]

    @property
    def port(self) -> int:
        return parse_listen(self.listen)[1]


class Webhooks(Section):
    """Where to tell what happened (Standard Webhooks)."""

    url: Url | None = _key(None, "where events are sent to")
    secret: Secret | None = _key(None, "what they are signed with: whsec_ and base64 of 24 to 64 bytes")
    secret_file: FilePath | None = _key(None, "a file that holds the secret, instead of it")
    events: Annotated[tuple[WebhookEvent, ...], Field(strict=False)] = _key(
        (), "the types of messages to send, docs/webhooks.md lists them; empty: all"
    )
    allow_private: bool = _key(False, "the receiver may be on this machine or in a private network")
    rate: Rate = _key(5.0, "messages a second")
    timeout: Duration = _key(15.0, "how long the receiver may take to answer")
    give_up_after: Duration = _key(
        _seconds("3d"), "a message that is refused (HTTP 4xx) for this long makes way for the next"
    )


class Log(Section):
    """What is said, and where: to stderr, or to a file."""

    format: Literal["json", "console"] = _key("json", '"json" or "console"')
    level: Literal["debug", "info", "warning", "error"] = _key(
        "info", '"debug", "info", "warning" or "error"'
    )
    file: FilePath | None = _key(None, "append JSON lines to this file instead of writing to stderr")


class Limits(Section):
    """What SoulSpot may use of the machine."""

    memory_mb: int = _key(
        0, "megabytes of memory above which pieces get smaller and nothing more is claimed; 0: no limit", ge=0
    )
    max_file_size: Size = _key(2_000_000_000, "larger audio files are not opened")


class Alarms(Section):
    """When something is wrong enough to say so, in the log, the status and by webhook. 0 turns an alarm off."""

    window: Duration = _key(_seconds("10m"), "the time that shares and rates are taken over")
    failure_rate: Share = _key(0.5, "the share of lookups that fail, or of requests without a useful answer")
    low_rate: float = _key(
        0.02, "lookups answered a second while more could be asked", ge=0, allow_inf_nan=False
    )
    stall_after: DurationOrNone = _key(
        _seconds("15m"), "how long nothing is answered while more could be asked"
    )


class Deal(Section):
    """One deal of a DDEX release message; the words are those of the DDEX allowed-value sets."""

    commercial_model: str = _key("SubscriptionModel", "the CommercialModelType")
    use_types: Texts = _key(("OnDemandStream",), "the UseTypes")
    territories: Texts = _key(("Worldwide",), "the TerritoryCodes")
    start_date: str | None = _key(None, "YYYY-MM-DD; absent: the release date", pattern=r"^\d{4}-\d\d-\d\d$")


class Ddex(Section):
    """Who sends DDEX messages to whom, and on which terms. Not used by this version yet."""

    sender: str | None = _key(None, "the sender's DDEX party id (DPID)")
    sender_name: str | None = _key(None, "the sender's name")
    recipient: str | None = _key(None, "the recipient's DDEX party id (DPID)")
    recipient_name: str | None = _key(None, "the recipient's name")
    deals: Annotated[tuple[Deal, ...], Field(strict=False)] = _key(
        (),
        "tables of commercial_model, use_types, territories and start_date; without one no deal is written",
    )


class Covers(Section):
    """Front covers that go along with an export. Not used by this version yet."""

    enabled: bool = _key(False, "fetch covers")
    size: Literal[250, 500, 1200] = _key(500, "edge length in pixels: 250, 500 or 1200")


class Export(Section):
    """What exports need to know besides the data."""

    ddex: Ddex = Ddex()
    covers: Covers = Covers()


class WriteTags(Section):
    """Writing what was found back into the files. Not used by this version yet."""

    enabled: bool = _key(False, "the daemon writes tags of accepted tracks")
    fields: Texts = _key((), "the fields to write; empty: all")
    policy: Literal["only-empty", "overwrite"] = _key("only-empty", '"only-empty" or "overwrite"')


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
