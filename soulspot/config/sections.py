"""Every section of config.toml: its keys with their types, defaults and one line of help each.

The descriptions are the only place where a key is explained: the template is written from them,
and docs/configuration.md is checked against them."""

from __future__ import annotations

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


class Section(BaseModel):
    """One table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


def key(default: Any, help_: str, **more: Any) -> Any:
    """A key with its default and the one line that explains it; `more` are pydantic's limits."""
    return Field(default, description=help_, **more)


def seconds(text: str) -> float:
    """A default that is written as people write it: "24h"."""
    return float(parse_duration(text))


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

    def orders_by_field(self) -> dict[str, tuple[str, ...]]:
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


def _dpid(value: str) -> str:
    if not re.fullmatch(r"PADPIDA[a-zA-Z0-9]+", value):
        raise ValueError('should be a DDEX party id (DPID) such as "PADPIDA2013042401U"')
    return value


def _language(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z]{2,3}(-[a-zA-Z]+)?(-[a-zA-Z]{2}|-[0-9]{3})?", value):
        raise ValueError('should be a language code such as "en" or "ja-Jpan"')
    return value


Dpid = Annotated[str, AfterValidator(_dpid)]
Language = Annotated[str, AfterValidator(_language)]


class Deal(Section):
    """One deal of a DDEX release message; the words are those of the DDEX allowed-value sets."""

    commercial_model: str = key("SubscriptionModel", "the CommercialModelType")
    use_types: Texts = key(("OnDemandStream",), "the UseTypes")
    territories: Texts = key(("Worldwide",), "the TerritoryCodes")
    start_date: str | None = key(None, "YYYY-MM-DD; absent: the release date", pattern=r"^\d{4}-\d\d-\d\d$")


with warnings.catch_warnings():
    # pydantic's models have a method of that name, which nobody here calls
    warnings.filterwarnings("ignore", 'Field name "schema"', UserWarning)

    class Ddex(Section):
        """DDEX release messages (ERN): who sends them to whom, on which terms, and what stands in for gaps."""

        sender: Dpid | None = key(None, "the sender's DDEX party id (DPID)")
        sender_name: str | None = key(None, "the sender's name")
        recipient: Dpid | None = key(None, "the recipient's DDEX party id (DPID)")
        recipient_name: str | None = key(None, "the recipient's name")
        schema: FilePath | None = key(  # type: ignore[assignment]
            None, "release-notification.xsd, or a folder with it and what it imports, for --validate"
        )
        version: Literal["4.3", "4.3.2"] = key("4.3", 'the version of ERN: "4.3" or "4.3.2"')
        profile: str | None = key("Audio", "the ReleaseProfileVersionId; empty: none is named")
        language: Language = key("en", "the LanguageAndScriptCode of the messages")
        test: bool = key(False, "mark the messages as test messages")
        label: str | None = key(None, "the label of a release that has none")
        genre: str | None = key(None, "the genre of a track that has none")
        release_type: str | None = key(
            None, "the ReleaseType of a release that has none; empty: Single, EP or Album by its tracks"
        )
        deals: Annotated[tuple[Deal, ...], Field(strict=False)] = key(
            (),
            "tables of commercial_model, use_types, territories and start_date; without one no deal is written",
        )


class Covers(Section):
    """Front covers, fetched from the Cover Art Archive and Spotify and kept on disk: see docs/covers.md."""

    enabled: bool = key(False, "fetch covers; without it no cover is asked for anywhere")
    size: Literal[250, 500, 1200] = key(500, "edge length in pixels: 250, 500 or 1200")
    folder: FilePath | None = key(None, "where they are kept; absent: beside the database")
    cache_mb: int = key(500, "room for them on disk; what was not used for longest goes first", ge=1)
    base_url: Url = key("https://coverartarchive.org", "the Cover Art Archive, or a mirror of it")
    spotify_url: Url = key("https://i.scdn.co", "where Spotify has its images")
    rate: Rate = key(4.0, "requests a second, to each of the hosts")
    timeout: Duration = key(30.0, "seconds for one request")
    missing_after: Duration = key(seconds("7d"), "when to ask again for a cover that was not there")


class Export(Section):
    """What exports need to know besides the data."""

    directory: FilePath | None = key(
        None, "where files lie that were asked for over HTTP; absent: exports beside the database"
    )
    keep: Duration = key(seconds("7d"), "how long they are kept; of the newest 20")
    ddex: Ddex = Ddex()
    covers: Covers = Covers()


TAG_FIELDS = (
    "title", "artist", "artists", "album", "album_artist", "track_number", "disc_number", "release_date",
    "original_date", "genres", "label", "catalog_number", "barcode", "isrc", "mb_recording_id", "mb_release_id",
    "mb_release_group_id", "mb_artist_ids", "spotify_track_id",
)  # fmt: skip


def _tag_fields(value: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [one for one in value if one not in TAG_FIELDS]:
        raise ValueError(f"has no {', '.join(wrong)}; there are {', '.join(TAG_FIELDS)}")
    return value


class WriteTags(Section):
    """Writing what was found back into the files: see docs/tags.md. `soulspot write-tags` does it by hand."""

    enabled: bool = key(False, "the daemon writes tags of accepted tracks")
    fields: Annotated[Texts, AfterValidator(_tag_fields)] = key(
        (), "the fields to write, by their names in enriched_tracks; empty: all"
    )
    policy: Literal["only-empty", "overwrite"] = key(
        "only-empty",
        '"only-empty" leaves what a file says as it is; "overwrite" puts what was found in its place',
    )
    embed_covers: bool = key(False, "put front covers into the files too; needs export.covers.enabled")
    mtime: Literal["touch", "keep"] = key(
        "touch",
        '"touch": players and backups see that the file has changed; "keep": its time stays as it was',
    )
    hard_links: Literal["skip", "part"] = key(
        "skip", 'files with several names: "skip" them, or "part": the other names keep the old tags'
    )
    keep_owner: bool = key(
        True, "leave files alone whose owner could not be kept (only root can give files away)"
    )
    quiet: Duration = key(60.0, "the daemon waits until a file has not been changed for so long")
    keep_undo: Duration = key(seconds("180d"), "how long what was written can be taken back")
