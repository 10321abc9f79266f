"""Every format holds the same values with the right types, and other programs read it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from soulspot.export import export_table, table_rows
from soulspot.export.columns import COLUMNS
from soulspot.export.formats import FORMATS
from soulspot.models import EnrichedTrack, Status
from tests.export.conftest import Fill, track
from tests.support.factories import mbid, spotify_id

FULL = track(
    1, path="/music/Björk/01 Jóga.flac".encode(), source_key="row-1", status=Status.ACCEPTED, confidence=0.97,
    title="Jóga", artist="Björk", artists=("Björk",), album="Homogenic", album_artist="Björk", track_number=2,
    disc_number=1, duration_ms=305_000, isrc="GBAAN9700121", release_date="1997-09-22", original_date="1997",
    genres=("electronic", "art pop"), label="One Little Indian", catalog_number="TPLP 71CD",
    barcode="0042285391012", explicit=False, popularity=61, cover_url="https://example.org/front",
    mb_recording_id=mbid(1), mb_release_id=mbid(2), mb_release_group_id=mbid(3), mb_artist_ids=(mbid(4),),
    spotify_track_id=spotify_id(1), spotify_album_id=spotify_id(2), spotify_artist_ids=(spotify_id(3),),
    sources={"title": "musicbrainz", "popularity": "spotify"},
)  # fmt: skip
EMPTY = track(2, status=Status.PENDING)
HOSTILE = track(
    3, path=b"/music/\xff\xfe odd\\name.mp3", source_key="a,b;c\td", status=Status.REVIEW,
    title='"quoted", and\r\nbroken\nlines',
    artist="nul\x00inside", artists=('a"b', "x,y", "z\\n", "", "🎸", "\u2028"), album="=cmd|' /C calc'!A0",
    genres=tuple(f"genre {number}" for number in range(5_000)), label=" spaces ", barcode="000", explicit=True,
    release_date="1977-05", catalog_number="NULL", sources={},
)  # fmt: skip
ROWS = (FULL, EMPTY, HOSTILE)
EVERYTHING = list(COLUMNS)
LISTS = ("artists", "genres", "mb_artist_ids", "spotify_artist_ids")


def expected(row: EnrichedTrack) -> dict[str, Any]:
    """Return a row as JSON shows it."""
    values = {name: getattr(row, name) for name in COLUMNS if hasattr(row, name)}
    values |= {name: list(values[name]) for name in LISTS}
    path = row.path
    return values | {
        "status": row.status.value, "sources": dict(row.sources), "updated_at": "2023-11-14T22:13:20.000Z",
        "path": None if path is None else path.decode("utf-8", "backslashreplace"),
        "path_bytes": None if path is None else path.hex(),
    }  # fmt: skip


def read_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        found: list[dict[str, Any]] = list(csv.DictReader(file))
    for row in found:
        for name, value in row.items():
            row[name] = from_text(name, value)
    return found


def from_text(name: str, text: str) -> Any:
    if name in (*LISTS, "sources"):
        return json.loads(text)
    if not text:
        return None
    if name in ("track_id", "track_number", "disc_number", "duration_ms", "popularity"):
        return int(text)
    if name == "explicit":
        return {"true": True, "false": False}[text]
    return float(text) if name == "confidence" else text


def read_json(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_bytes())
    return found


def read_ndjson(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def read_parquet(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    for row in found:
        row["sources"] = dict(row["sources"])
        row["updated_at"] = row["updated_at"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row["path_bytes"] = None if row["path_bytes"] is None else row["path_bytes"].hex()
    return found


def read_sqlite(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        found = [dict(row) for row in connection.execute("SELECT * FROM tracks ORDER BY track_id")]
    for row in found:
        row |= {name: json.loads(row[name]) for name in (*LISTS, "sources")}
        row["explicit"] = None if row["explicit"] is None else bool(row["explicit"])
        row["path_bytes"] = None if row["path_bytes"] is None else row["path_bytes"].hex()
    return found


READERS = {"csv": read_csv, "json": read_json, "ndjson": read_ndjson, "parquet": read_parquet,
           "sqlite": read_sqlite}  # fmt: skip


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_holds_every_value_however_hostile(fill: Fill, tmp_path: Path, format_: str) -> None:
    out = tmp_path / f"tracks.{format_}"
    report = export_table(fill(*ROWS), out, format=format_, columns=EVERYTHING)
    assert READERS[format_](out) == [expected(row) for row in ROWS]
    assert (report.rows, report.odd_paths, report.bytes) == (3, 1, out.stat().st_size)
    assert "path_bytes has them exactly" in report.notes()[0]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_stream_gets_the_same_as_a_file(fill: Fill, tmp_path: Path, format_: str) -> None:
    database, out = fill(*ROWS), tmp_path / f"tracks.{format_}"
    export_table(database, out)
    stream = io.BytesIO()
    assert export_table(database, stream, format=format_).bytes is None
    assert stream.getvalue() == out.read_bytes()


@pytest.mark.parametrize("format_", FORMATS)
def test_a_table_without_rows_is_a_table(fill: Fill, tmp_path: Path, format_: str) -> None:
    out = tmp_path / f"none.{format_}"
    assert export_table(fill(), out, columns=EVERYTHING).rows == 0
    assert READERS[format_](out) == []


@pytest.mark.parametrize("format_", ["csv", "json", "ndjson"])
def test_gz_packs_and_equal_data_are_equal_bytes(fill: Fill, tmp_path: Path, format_: str) -> None:
    database = fill(*ROWS)
    plain, first, second = (tmp_path / name for name in (f"a.{format_}", f"b.{format_}.gz", f"c.{format_}.GZ"))
    for out in (plain, first, second):
        export_table(database, out)
    assert gzip.decompress(first.read_bytes()) == plain.read_bytes()
    assert first.read_bytes() == second.read_bytes()


def test_python_gets_the_rows_themselves(fill: Fill) -> None:
    found = list(table_rows(fill(*ROWS), columns=EVERYTHING))
    assert found == [expected(row) | {"path_bytes": row.path} for row in ROWS]


# --- as others read them ---


def test_pandas_reads_parquet_with_real_types(fill: Fill, tmp_path: Path) -> None:
    export_table(fill(*ROWS), tmp_path / "tracks.parquet")
    frame = pd.read_parquet(tmp_path / "tracks.parquet")
    assert list(frame["genres"][0]) == ["electronic", "art pop"]
    assert list(frame["genres"][1]) == []
    assert dict(frame["sources"][0]) == {"title": "musicbrainz", "popularity": "spotify"}
    assert frame["updated_at"][0] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (frame["track_id"].dtype, frame["confidence"].dtype) == ("int64", "float64")
    assert (frame["release_date"][0], frame["original_date"][0]) == ("1997-09-22", "1997")
    assert frame["explicit"].tolist() == [False, None, True]


def test_duckdb_reads_parquet_with_real_types(fill: Fill, tmp_path: Path) -> None:
    out = tmp_path / "tracks.parquet"
    export_table(fill(*ROWS), out)
    with duckdb.connect() as db:
        types = dict(db.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{out}')").fetchall())
        assert types | {
            "track_id": "BIGINT", "duration_ms": "BIGINT", "confidence": "DOUBLE", "explicit": "BOOLEAN",
            "genres": "VARCHAR[]", "sources": "MAP(VARCHAR, VARCHAR)", "barcode": "VARCHAR",
            "release_date": "VARCHAR", "updated_at": "TIMESTAMP WITH TIME ZONE",
        } == types  # fmt: skip
        asked = f"SELECT sources['title'], len(genres), barcode FROM '{out}' ORDER BY track_id"
        assert db.execute(asked).fetchall() == [
            ("musicbrainz", 2, "0042285391012"),
            (None, 0, None),
            (None, 5000, "000"),
        ]


def test_duckdb_reads_csv_and_its_lists(fill: Fill, tmp_path: Path) -> None:
    out = tmp_path / "tracks.csv"
    export_table(fill(FULL, EMPTY, track(3, title='"a", b\r\nc', genres=("x",))), out)
    with duckdb.connect() as db:
        asked = f"SELECT title, explicit, duration_ms, json_extract_string(genres, '$[0]') FROM read_csv('{out}')"
        assert db.execute(asked).fetchall() == [
            ("Jóga", False, 305_000, "electronic"), (None, None, None, None), ('"a", b\r\nc', None, None, "x"),
        ]  # fmt: skip


def test_pandas_reads_csv_with_texts_as_texts(fill: Fill, tmp_path: Path) -> None:
    export_table(fill(FULL, EMPTY), tmp_path / "tracks.csv.gz")
    frame = pd.read_csv(tmp_path / "tracks.csv.gz", dtype={"barcode": str}, parse_dates=["updated_at"])
    assert frame["barcode"][0] == "0042285391012"
    assert frame["genres"].map(json.loads).tolist() == [["electronic", "art pop"], []]
    assert frame["updated_at"][0] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_pandas_reads_sqlite(fill: Fill, tmp_path: Path) -> None:
    export_table(fill(FULL), tmp_path / "tracks.sqlite")
    with closing(sqlite3.connect(tmp_path / "tracks.sqlite")) as connection:
        frame = pd.read_sql("SELECT * FROM tracks", connection)
        types = {row[1]: row[2] for row in connection.execute("PRAGMA table_info(tracks)")}
    assert (frame["barcode"][0], frame["duration_ms"][0]) == ("0042285391012", 305_000)
    assert (types["track_id"], types["title"], types["confidence"]) == ("INTEGER", "TEXT", "REAL")


# --- spreadsheets ---


@pytest.mark.parametrize(
    "title",
    [
        "\n=1+1",
        "\uff1d1+1",
        "=1+1",
        "+44",
        "-",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "|calc",
        "%0A=1",
        "\uff5cx",
        "\uff05x",
        "  =1+1",
        '"=1+1',
        "'=1+1",
        "\u3000@x",
        " '\"|x",
    ],
)
def test_what_a_spreadsheet_would_run_stays_text_there(fill: Fill, tmp_path: Path, title: str) -> None:
    database = fill(track(1, title=title, artist="=", track_number=-1))
    export_table(database, tmp_path / "safe.csv", spreadsheet=True)
    raw = (tmp_path / "safe.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbftrack_id,")
    [row] = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert (row["title"], row["artist"], row["track_number"]) == (f"'{title}", "'=", "-1")
    export_table(database, tmp_path / "exact.csv")
    assert read_csv(tmp_path / "exact.csv")[0]["title"] == title


def test_only_csv_is_for_spreadsheets(fill: Fill, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only csv"):
        export_table(fill(), tmp_path / "x.json", spreadsheet=True)
    assert not (tmp_path / "x.json").exists()
