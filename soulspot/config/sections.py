"""Every section of config.toml: its keys with their types, defaults and one line of help each.

The descriptions are the only place where a key is explained: the template is written from them,
and docs/reference/configuration.md is checked against them."""

import re
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

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
    parse_duration,
    parse_listen,
)

WebhookEvent = Literal[
    "operation.finished", "provider.limited", "provider.recovered", "alarm.raised", "alarm.over", "track.enriched",
    "review.needed", "track.unmatched", "track.failed",
]  # fmt: skip
Source = Literal["tags", "musicbrainz", "listenbrainz", "spotify"]
# Not strict, as for all tuples: TOML has lists.
Sources = Annotated[tuple[Source, ...], Field(strict=False)]


class Section(BaseModel):
    """One table of config.toml; its docstring is the table's heading in the template."""

    # Strict, since TOML has types of its own: "yes" is no truth value, and "3" no number. Values
    # may be secrets, so pydantic's errors do not show them.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


def key(default: Any, description: str, **constraints: Any) -> Any:
    """Return a field with its default, its one line of help, and pydantic's constraints."""
    return Field(default, description=description, **constraints)


def seconds(text: str) -> float:
    """Return the seconds of a duration written as people do: 86400.0 for "24h"."""
    return float(parse_duration(text))


class Library(Section):
    """The folders with the music, and how SoulSpot notices changes in them."""

    paths: Paths = key((), "folders or single files to read; the daemon needs at least one")
    include: Texts = key((), 'read only files that match one of these patterns, such as "Jazz/*"; empty: all')
    exclude: Texts = key((), 'skip files and folders that match one of these patterns, such as "Podcasts"')
    follow_symlinks: bool = key(False, "follow symbolic links that stay inside the library")
    watch: bool = key(True, "watch the folders and notice changed files at once")
    rescan_interval: Duration = key(seconds("24h"), "time between two scans of the whole library")
    vanished_share: float = key(
        0.2, "ask before more than this share of a folder of `paths` (0 to 1) counts as vanished", ge=0, le=1
    )
    vanished_tracks: int = key(50, "so many missing files count as vanished without a question", ge=0)


class Database(Section):
    """The file with the results and the queue."""

    path: FilePath = key(
        Path("~/.local/share/soulspot/soulspot.db"),
        "file on a local disk; /var/lib/soulspot/soulspot.db is the default of a configuration below /etc",
        validate_default=True,
    )


class MusicBrainz(Section):
    """MusicBrainz needs no account, but a contact in case your client misbehaves."""

    enabled: bool = key(True, "use MusicBrainz")
    base_url: Url = key("https://musicbrainz.org/ws/2", "address of the web service, or of your own mirror")
    contact: Contact | None = key(None, "your e-mail address or web page; musicbrainz.org requires one of every client")
    rate: Rate = key(1.0, "requests a second; musicbrainz.org allows 1, your mirror any number")
    batch_size: int = key(100, "lookups in one request, 1 to 100", ge=1, le=100)
    max_wait_time: Duration = key(5.0, "longest wait of a lookup for a full batch")
    timeout: Duration = key(30.0, "longest time for one request")


class Spotify(Section):
    """Spotify needs your own app (https://developer.spotify.com/dashboard), or it is off."""

    enabled: bool = key(True, "use Spotify")
    base_url: Url = key("https://api.spotify.com/v1", "address of the Web API")
    token_url: Url = key("https://accounts.spotify.com/api/token", "address that hands out access tokens")
    client_id: str | None = key(None, "client id of the app")
    client_secret: Secret | None = key(None, "client secret of the app")
    client_secret_file: FilePath | None = key(
        None, "file that holds the client secret; use it instead of client_secret"
    )
    rate: Rate = key(3.0, "requests a second")
    batch_size: int = key(50, "lookups in one request, 1 to 50", ge=1, le=50)
    max_wait_time: Duration = key(5.0, "longest wait of a lookup for a full batch")
    timeout: Duration = key(30.0, "longest time for one request")
    daily_budget: Count = key(2000, "requests in any 24 hours; Spotify blocks an account that sends too many")
    market: str | None = key(None, "country whose catalogue is searched, as two capital letters", pattern="^[A-Z]{2}$")


class ListenBrainz(Section):
    """ListenBrainz needs no account; a token is optional."""

    enabled: bool = key(True, "use ListenBrainz")
    base_url: Url = key("https://api.listenbrainz.org/1", "address of the API")
    labs_url: Url = key("https://labs.api.listenbrainz.org", "address of the experimental data sets")
    token: Secret | None = key(None, "user token of your ListenBrainz account")
    token_file: FilePath | None = key(None, "file that holds the token; use it instead of token")
    rate: Rate = key(3.0, "requests a second; the service's own limit holds too")
    batch_size: int = key(1000, "lookups in one request, 1 to 1000", ge=1, le=1000)
    max_wait_time: Duration = key(60.0, "longest wait of a lookup for a full batch, while more may come")
    timeout: Duration = key(30.0, "longest time for one request")


class Catalogue(Section):
    """A catalogue on this machine, which `soulspot catalogue build` makes of a MusicBrainz dump."""

    enabled: bool = key(False, "ask the catalogue before any service")
    path: FilePath | None = key(None, "file of the catalogue; empty: catalogue.db beside the database")
    online: Literal["never", "missing", "always"] = key(
        "missing", "ask services never, for what the catalogue does not know or cannot say, or always"
    )
    fresh_for: Duration = key(seconds("30d"), "until a dump is so old, unknown names are not searched for elsewhere")
    batch_size: int = key(2000, "lookups at a time", ge=1, le=10_000)


class Providers(Section):
    """The services that SoulSpot uses."""

    musicbrainz: MusicBrainz = MusicBrainz()
    spotify: Spotify = Spotify()
    listenbrainz: ListenBrainz = ListenBrainz()
    catalogue: Catalogue = Catalogue()


class Matching(Section):
    """The scores that decide whether a match is sure, from 0 to 1."""

    accept: Share = key(0.9, "lowest score of a match that is accepted")
    review: Share = key(0.6, "lowest score of a match that is kept for your review")
    margin: Share = key(0.04, "lead over the second best match that an accepted match needs")


class Merge(Section):
    """The sources of each field, best first: "tags", "musicbrainz", "listenbrainz", "spotify".

    A field with an empty list uses the default order."""

    default: Sources = key(("musicbrainz", "listenbrainz", "spotify", "tags"), "order for every field without its own")
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

    def orders_by_field(self) -> dict[str, tuple[str, ...]]:
        """Return the orders that are set, by field; "*" stands for all other fields."""
        orders = {name: order for name in type(self).model_fields if (order := getattr(self, name))}
        return {"*" if name == "default" else name: order for name, order in orders.items()}


class Retry(Section):
    """Retries of lookups that a service answered with a failure."""

    attempts: Count = key(5, "failures after which a lookup rests until `soulspot retry`")
    base: Duration = key(
        60.0, "longest wait after the first failure; it doubles each time, and the wait is random below it"
    )
    cap: Duration = key(seconds("1h"), "longest wait between two attempts")


class Refresh(Section):
    """The age at which an answer is fetched again."""

    after: Duration = key(seconds("90d"), "age of an answer that was found")
    missing_after: Duration = key(
        seconds("1d"), "wait before what a service did not know is asked again; doubles each time, up to 32 days"
    )


class Scheduler(Section):
    """The intervals of the daemon's regular work."""

    flush_interval: Duration = key(1.0, "time between two checks for batches that are due")
    retry_sweep: Duration = key(seconds("5m"), "time between two searches for misses and aged answers to ask again")
    upkeep: Duration = key(seconds("24h"), "time between two clean-ups of the database")
    summary: Duration = key(60.0, "time between two summaries in the log, while there is work")


class Retention(Section):
    """The time for which things are kept that nothing needs any more. 0: for ever."""

    operations: DurationOrNone = key(seconds("90d"), "operations that have ended, with their reports")
    vanished: DurationOrNone = key(
        seconds("180d"), "tracks whose files vanished, unless somebody has decided on them in review"
    )
    answers: DurationOrNone = key(seconds("30d"), "answers of services that no track uses any more; at least 30 days")


class Http(Section):
    """The daemon's own web server: status, web page, API."""

    listen: Listen = key("127.0.0.1:8753", "host:port; a host that other machines can reach needs the token")
    token: Secret | None = key(None, "secret that clients must send")
    token_file: FilePath | None = key(None, "file that holds the token; use it instead of token")
    allowed_hosts: Texts = key((), "further host names that browsers may use for it")

    @property
    def host(self) -> str:
        return parse_listen(self.listen)[0]

    @property
    def port(self) -> int:
        return parse_listen(self.listen)[1]


class Webhooks(Section):
    """Messages about events, sent to a URL of yours (Standard Webhooks)."""

    url: Url | None = key(None, "address that receives the messages", repr=False)  # it can hold a secret
    secret: Secret | None = key(None, "key that signs them: whsec_ and base64 of 24 to 64 bytes")
    secret_file: FilePath | None = key(None, "file that holds the secret; use it instead of secret")
    events: Annotated[tuple[WebhookEvent, ...], Field(strict=False)] = key(
        (), "types of messages to send, from docs/howto/receive-webhooks.md; empty: all"
    )
    allow_private: bool = key(False, "allow a receiver on this machine or in a private network")
    rate: Rate = key(5.0, "messages a second")
    timeout: Duration = key(15.0, "time that the receiver may take to answer")
    give_up_after: Duration = key(seconds("3d"), "time after which a refused message (HTTP 4xx) makes way for the next")


class Log(Section):
    """The log: its form, its detail, and its place."""

    format: Literal["json", "console"] = key("json", '"json" or "console" (for reading)')
    level: Literal["debug", "info", "warning", "error"] = key("info", '"debug", "info", "warning" or "error"')
    file: FilePath | None = key(None, "file to append JSON lines to, instead of stderr")


class Limits(Section):
    """The share of the machine that SoulSpot may use."""

    memory_mb: int = key(
        0, "megabytes of memory above which batches shrink and no new work is claimed; 0: no limit", ge=0
    )
    max_file_size: Size = key(2_000_000_000, "size above which audio files are not opened")


class Alarms(Section):
    """Thresholds of alarms in the log, the status and webhooks. 0 turns an alarm off."""

    window: Duration = key(seconds("10m"), "time span over which shares and rates are measured")
    failure_rate: Share = key(0.5, "share of failed lookups, or of requests without a useful answer")
    low_rate: float = key(0.02, "lookups answered a second, while more could be sent", ge=0, allow_inf_nan=False)
    stall_after: DurationOrNone = key(seconds("15m"), "time without any answer, while more could be sent")


def _shaped(pattern: str, complaint: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(complaint)
        return value

    return AfterValidator(check)


# Party ids and language codes as the schema of ERN 4.3 restricts them.
Dpid = Annotated[str, _shaped("PADPIDA[a-zA-Z0-9]+", 'should be a DDEX party id (DPID) such as "PADPIDA2013042401U"')]
_LANGUAGE = "[a-zA-Z]{2,3}(-[a-zA-Z]+)?(-[a-zA-Z]{2}|-[0-9]{3})?"
Language = Annotated[str, _shaped(_LANGUAGE, 'should be a language code such as "en" or "ja-Jpan"')]


class Deal(Section):
    """One deal of a DDEX release message, in the words of the DDEX allowed-value sets."""

    commercial_model: str = key("SubscriptionModel", "CommercialModelType")
    use_types: Texts = key(("OnDemandStream",), "UseTypes")
    territories: Texts = key(("Worldwide",), "TerritoryCodes")
    start_date: str | None = key(None, "YYYY-MM-DD; empty: the release date", pattern=r"^\d{4}-\d\d-\d\d$")


with warnings.catch_warnings():
    # pydantic's models have an obsolete method of that name, which nobody here calls.
    warnings.filterwarnings("ignore", 'Field name "schema"', UserWarning)

    class Ddex(Section):
        """DDEX release messages (ERN): parties, terms, and values for gaps in the data."""

        sender: Dpid | None = key(None, "DDEX party id (DPID) of the sender")
        sender_name: str | None = key(None, "name of the sender")
        recipient: Dpid | None = key(None, "DDEX party id (DPID) of the recipient")
        recipient_name: str | None = key(None, "name of the recipient")
        schema: FilePath | None = key(  # type: ignore[assignment]
            None, "release-notification.xsd for --validate, or a folder with it and its imports"
        )
        version: Literal["4.3", "4.3.2"] = key("4.3", 'version of ERN: "4.3" or "4.3.2"')
        profile: str | None = key("Audio", "ReleaseProfileVersionId; empty: none")
        language: Language = key("en", "LanguageAndScriptCode of the messages")
        test: bool = key(False, "mark the messages as test messages")
        label: str | None = key(None, "label of releases without one")
        genre: str | None = key(None, "genre of tracks without one")
        release_type: str | None = key(
            None, "ReleaseType of releases without one; empty: Single, EP or Album by their tracks"
        )
        deals: Annotated[tuple[Deal, ...], Field(strict=False)] = key(
            (), "tables of commercial_model, use_types, territories and start_date; empty: no deals"
        )


class Covers(Section):
    """Front covers from the Cover Art Archive and Spotify: see docs/howto/fetch-covers.md."""

    enabled: bool = key(False, "fetch covers")
    size: Literal[250, 500, 1200] = key(500, "edge length in pixels: 250, 500 or 1200")
    folder: FilePath | None = key(None, "folder for the covers; empty: beside the database")
    cache_mb: int = key(500, "megabytes on disk; the covers unused for longest are deleted", ge=1)
    base_url: Url = key("https://coverartarchive.org", "address of the Cover Art Archive, or of a mirror")
    spotify_url: Url = key("https://i.scdn.co", "address of Spotify's images")
    rate: Rate = key(4.0, "requests a second to each host")
    timeout: Duration = key(30.0, "longest time for one request")
    missing_after: Duration = key(seconds("7d"), "time until a missing cover is looked for again")


class Export(Section):
    """Settings of exports."""

    directory: FilePath | None = key(
        None, "folder for exports that were requested over HTTP; empty: exports beside the database"
    )
    keep: Duration = key(seconds("7d"), "time for which exports requested over HTTP are kept, at most the newest 20")
    ddex: Ddex = Ddex()
    covers: Covers = Covers()


# The same as FIELDS of `tagging.formats.names`, which config may not import; a test compares them.
TAG_FIELDS = (
    "title", "artist", "artists", "album", "album_artist", "track_number", "disc_number", "release_date",
    "original_date", "genres", "label", "catalog_number", "barcode", "isrc", "mb_recording_id", "mb_release_id",
    "mb_release_group_id", "mb_artist_ids", "spotify_track_id",
)  # fmt: skip


def _tag_fields(value: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in value if name not in TAG_FIELDS]:
        raise ValueError(f"has no {', '.join(unknown)}; there are {', '.join(TAG_FIELDS)}")
    return value


class WriteTags(Section):
    """Tags written back into the files: see docs/howto/write-tags.md, and `soulspot write-tags`."""

    enabled: bool = key(False, "let the daemon write the tags of accepted tracks")
    fields: Annotated[Texts, AfterValidator(_tag_fields)] = key(
        (), "fields to write, by their names in enriched_tracks; empty: all"
    )
    policy: Literal["only-empty", "overwrite"] = key(
        "only-empty", '"only-empty" keeps every tag that a file has; "overwrite" replaces it'
    )
    embed_covers: bool = key(False, "write front covers too; needs export.covers.enabled")
    mtime: Literal["touch", "keep"] = key(
        "touch", '"touch" shows players and backups that a file changed; "keep" keeps its time'
    )
    hard_links: Literal["skip", "part"] = key(
        "skip", 'a file with hard links: "skip" it, or "part": a new file here, the other names keep the old tags'
    )
    keep_owner: bool = key(True, "skip files whose owner cannot be kept (only root can give files away)")
    quiet: Duration = key(60.0, "time without a change of a file before the daemon writes it")
    keep_undo: Duration = key(seconds("180d"), "time for which written tags can be taken back")


class Daemon(Section):
    """The process that runs for months."""

    allow_root: bool = key(False, "run as root, which the daemon refuses otherwise; meant for containers")
