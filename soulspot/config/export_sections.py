"""The sections about handing on what was found: exports, release messages, covers, and tags in the files."""

from __future__ import annotations

import re
import warnings
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from soulspot.config.section import Section, key, seconds
from soulspot.config.values import Duration, FilePath, Rate, Texts, Url


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
