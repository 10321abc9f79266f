"""The tables of a core dump that a catalogue is made of, and what is kept of each row.

The columns are those of musicbrainz-server's CreateTables.sql, schema 31; docs/explain/catalogue.md
names what each table is for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.providers.catalogue.building.dates import as_date
from soulspot.providers.ids import parse_spotify_track_url

SCHEMAS = (30, 31)
Row = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the dump: its columns in order, the table that its rows go to, and how a row is
    turned into that table's values; None leaves it out."""

    columns: str
    into: str
    convert: Callable[[Row], tuple[Any, ...] | None]
    optional: bool = False  # a dump without it is good: derived data, or names that are only shown
    older_columns: str | None = None  # of a schema that is still read

    @property
    def widths(self) -> set[int]:
        """The numbers of columns that a row may have."""
        return {len(columns.split()) for columns in (self.columns, self.older_columns) if columns}


def _picks(*places: int) -> Callable[[Row], tuple[Any, ...]]:
    return lambda row: tuple(row[place] for place in places)


def _gid(text: str | None) -> bytes:
    return bytes.fromhex((text or "").replace("-", ""))


def _terms(kind: str) -> Callable[[Row], tuple[Any, ...]]:
    return lambda row: (kind, row[0], row[1])


def _event(country: int | None, year: int) -> Callable[[Row], tuple[Any, ...]]:
    return lambda row: (
        row[0], row[country] if country is not None else None, as_date(row[year], row[year + 1], row[year + 2])
    )  # fmt: skip


def _recording(row: Row) -> tuple[Any, ...]:
    return row[0], _gid(row[1]), row[2], row[3], row[4], row[5] or None, row[8] == "t"


def _url(row: Row) -> tuple[Any, ...] | None:
    spotify_id = parse_spotify_track_url(row[2])
    return (row[0], spotify_id) if spotify_id else None


TABLES = {
    "artist": Table(
        "id gid name sort_name begin_date_year begin_date_month begin_date_day end_date_year end_date_month "
        "end_date_day type area gender comment edits_pending last_updated ended begin_area end_area",
        "artist", lambda row: (row[0], _gid(row[1]), row[2], row[3], row[13] or None),
    ),
    "artist_alias": Table(
        "id artist name locale edits_pending last_updated type sort_name begin_date_year begin_date_month "
        "begin_date_day end_date_year end_date_month end_date_day primary_for_locale ended",
        "artist_alias", _picks(1, 2),
    ),
    "artist_credit_name": Table(
        "artist_credit position artist name join_phrase", "credit_name", lambda row: (*row[:4], row[4] or None)
    ),
    "recording": Table("id gid name artist_credit length comment edits_pending last_updated video", "recording",
                       _recording),
    "recording_gid_redirect": Table("gid new_id created", "recording_redirect", lambda row: (_gid(row[0]), row[1])),
    "isrc": Table(
        "id recording isrc edits_pending created", "isrc", _picks(1, 2),
        older_columns="id recording isrc source edits_pending created",
    ),
    "release": Table(
        "id gid name artist_credit release_group status packaging language script barcode comment edits_pending "
        "quality last_updated",
        "release", lambda row: (row[0], _gid(row[1]), *row[2:6], row[9] or None, row[10] or None),
    ),
    "release_gid_redirect": Table("gid new_id created", "release_redirect", lambda row: (_gid(row[0]), row[1])),
    "release_group": Table(
        "id gid name artist_credit type comment edits_pending last_updated",
        "release_group", lambda row: (row[0], _gid(row[1]), row[4]),
    ),
    "release_group_secondary_type_join": Table(
        "release_group secondary_type created", "secondary_type", _picks(0, 1), optional=True
    ),
    "release_status": Table("id name parent child_order description gid", "term", _terms("status")),
    "release_group_primary_type": Table("id name parent child_order description gid", "term", _terms("primary")),
    "release_group_secondary_type": Table(
        "id name parent child_order description gid", "term", _terms("secondary"), optional=True
    ),
    "medium_format": Table(
        "id name parent child_order year has_discids description gid", "term", _terms("format"), optional=True
    ),
    "iso_3166_1": Table("area code", "term", _terms("country"), optional=True),
    "medium": Table(
        "id release position format name edits_pending last_updated track_count gid",
        "medium", lambda row: (*row[:4], row[7]),
    ),
    "track": Table(
        "id gid recording medium position number name artist_credit length edits_pending last_updated is_data_track",
        "staging.track", lambda row: (row[3], row[4], row[2], row[6]),
    ),
    "release_country": Table(
        "release country date_year date_month date_day", "release_event", _event(1, 2), optional=True
    ),
    "release_unknown_country": Table(
        "release date_year date_month date_day", "release_event", _event(None, 1), optional=True
    ),
    "release_label": Table(
        "id release label catalog_number last_updated", "release_label", lambda row: (*row[1:3], row[3] or None),
        optional=True,
    ),
    "label": Table(
        "id gid name begin_date_year begin_date_month begin_date_day end_date_year end_date_month end_date_day "
        "label_code type area comment edits_pending last_updated ended",
        "label", _picks(0, 2), optional=True,
    ),
    "recording_first_release_date": Table(
        "recording year month day", "first_date", lambda row: (row[0], as_date(*row[1:4])), optional=True
    ),
    "recording_tag": Table(
        "recording tag count last_updated", "staging.recording_tag", _picks(0, 1, 2), optional=True
    ),
    "tag": Table("id name ref_count", "staging.tag", _picks(0, 1), optional=True),
    "genre": Table(
        "id gid name comment edits_pending last_updated", "staging.genre", lambda row: (row[2],), optional=True
    ),
    "url": Table("id gid url edits_pending last_updated", "staging.url", _url, optional=True),
    "l_recording_url": Table(
        "id link entity0 entity1 edits_pending last_updated link_order entity0_credit entity1_credit",
        "staging.recording_url", _picks(2, 3), optional=True,
    ),
}  # fmt: skip
