"""Import from another database: from a real SQLite file, and the SQL for other databases."""

from __future__ import annotations

import json
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite
from typer.testing import CliRunner, Result

from soulspot.cli.main import app
from soulspot.imports.sql.keys import display_key, key_from_json, key_to_json
from soulspot.imports.sql.reader import SqlSource
from soulspot.imports.sql.url import SourceError, display_url, error_text, parse_url, source_digest
from tests.support.flow import rows, write_config

Run = Callable[..., Result]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "their.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (id, name, artist)")
        connection.commit()
    return path


def add(source: Path, songs: Iterable[tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.executemany("INSERT INTO songs VALUES (?, ?, ?)", songs)
        connection.commit()


def numbered(*numbers: int) -> list[tuple[Any, ...]]:
    return [(number, f"Song {number}", "Somebody") for number in numbers]


SQL = "SELECT id, name AS title, artist FROM songs"


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return tmp_path / "ours.db"


@pytest.fixture
def run(source: Path, ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a runner of `soulspot import`, which reads from `source` unless told otherwise."""
    monkeypatch.delenv("SOULSPOT_IMPORT_SQL_URL", raising=False)
    config = write_config(
        tmp_path / "config.toml",
        {
            "database.path": str(ours),
            "providers.musicbrainz.enabled": False,
            "providers.listenbrainz.enabled": False,
        },
    )

    def command(*arguments: Any, url: str | None = f"sqlite:///{source}", query: str = SQL) -> Result:
        given = [*(("--from-sql", url) if url else ()), "--query", query, *map(str, arguments)]
        return CliRunner().invoke(app, ["import", *given, "--config", str(config)])

    return command


def titles(ours: Path) -> list[tuple[str | None, str]]:
    sql = "SELECT source_key, tags ->> 'title' AS title FROM tracks ORDER BY track_id"
    return [(row["source_key"], row["title"]) for row in rows(ours, sql)]


def test_the_rows_of_a_query_become_tracks_in_the_order_of_their_key(run: Run, source: Path, ours: Path) -> None:
    add(source, numbered(*range(25, 0, -1)))
    ended = run("--key", "id", "--page", 10, "--json")
    assert ended.exit_code == 0, ended.output
    said = json.loads(ended.stdout)
    assert (said["rows"], said["queued"], said["bad"]) == (25, 25, 0)
    assert titles(ours) == [(str(n), f"Song {n}") for n in range(1, 26)]
    assert rows(ours, "SELECT count(*) AS n FROM tracks WHERE undecided") == [{"n": 0}]


def test_a_second_run_goes_on_behind_the_last_key_and_restart_reads_all(run: Run, source: Path, ours: Path) -> None:
    add(source, numbered(1, 2, 3))
    assert "3 queued" in run("--key", "id").stdout
    add(source, numbered(4, 5))
    again = run("--key", "id")
    assert "2 rows, 2 queued" in again.stdout
    assert "goes on behind key 3" in again.output
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("UPDATE songs SET name = 'Renamed' WHERE id = 2")
        connection.commit()
    assert "0 rows" in run("--key", "id").stdout
    assert "5 rows, 1 queued, 0 bad, 4 already known" in run("--key", "id", "--restart").stdout
    assert ("2", "Renamed") in titles(ours)
    assert "0 rows" in run("--key", "id").stdout


def test_an_import_that_is_cut_off_goes_on_with_the_page_it_was_at(
    run: Run, source: Path, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(source, numbered(*range(1, 31)))
    pages = SqlSource.pages

    def cut_off(self: SqlSource, after: Sequence[Any] | None = None) -> Any:
        for number, page in enumerate(pages(self, after)):
            if number == 2:
                raise SourceError("the connection is gone")
            yield page

    with monkeypatch.context() as patch:
        patch.setattr(SqlSource, "pages", cut_off)
        ended = run("--key", "id", "--page", 10)
    assert ended.exit_code == 1
    assert "the connection is gone" in ended.output
    assert len(titles(ours)) == 20
    assert "10 rows, 10 queued" in run("--key", "id", "--page", 10).stdout
    assert len(titles(ours)) == 30


@pytest.mark.parametrize("page", [1, 2, 3, 4, 100])
def test_rows_that_share_a_key_all_come_whatever_the_pages(run: Run, source: Path, ours: Path, page: int) -> None:
    keys = [1, 2, 2, 2, 2, 3, 4, 4]
    add(source, [(key, f"Song {number}", "Somebody") for number, key in enumerate(keys)])
    ended = run("--key", "id", "--page", page)
    assert ended.exit_code == 0, ended.output
    assert "6 rows share their key with others" in ended.output
    assert sorted(titles(ours), key=lambda row: row[1]) == [
        ("1" if n == 0 else "3" if n == 5 else None, f"Song {n}") for n in range(len(keys))
    ]


def test_text_keys_that_the_database_takes_for_equal_are_not_lost_between_pages(
    run: Run, source: Path, ours: Path
) -> None:
    names = ["a", "A", "á", "b", "B", "c", "C", "d"]
    add(source, [(name, f"Song {name}", "Somebody") for name in names])
    folded = "SELECT id COLLATE NOCASE AS id, name AS title FROM songs"
    for page in (2, 3, 1):
        assert "8 rows" in run("--key", "id", "--page", page, "--restart", query=folded).stdout
        assert sorted(key for key, _ in titles(ours) if key) == sorted(names)


def test_rows_without_a_key_come_at_the_end_and_fold_when_they_come_again(run: Run, source: Path, ours: Path) -> None:
    add(source, [(None, "Keyless", "A"), (1, "Keyed", "A"), (None, "Keyless too", "A")])
    assert "2 rows have no key" in run("--key", "id").output
    expected = [("1", "Keyed"), (None, "Keyless"), (None, "Keyless too")]
    assert titles(ours) == expected
    assert "2 rows, 0 queued, 0 bad, 2 already known" in run("--key", "id").stdout
    assert titles(ours) == expected


def test_a_key_may_be_of_several_columns(run: Run, source: Path, ours: Path) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("CREATE TABLE tracks (album, number, title)")
        connection.executemany(
            "INSERT INTO tracks VALUES (?, ?, ?)", [(a, n, f"{a}{n}") for a in "yx" for n in (3, 1, 2)]
        )
        connection.commit()
    for page in (1, 2, 4):
        ended = run("--key", "album", "--key", "number", "--page", page, "--restart",
                    query="SELECT * FROM tracks")  # fmt: skip
        assert ended.exit_code == 0, ended.output
        assert titles(ours) == [(f'["{a}", {n}]', f"{a}{n}") for a in "xy" for n in (1, 2, 3)]


def test_a_column_key_of_the_query_is_the_rows_key_and_the_one_to_go_along(run: Run, source: Path, ours: Path) -> None:
    add(source, numbered(2, 1))
    assert run(query="SELECT 'song-' || id AS key, name AS title FROM songs").exit_code == 0
    assert titles(ours) == [("song-1", "Song 1"), ("song-2", "Song 2")]


def test_rows_that_cannot_be_used_are_named_by_their_key_and_stop_nothing(run: Run, source: Path, ours: Path) -> None:
    add(source, [(1, None, "Somebody"), (2, "Song", "Somebody")])
    ended = run("--key", "id", query="SELECT id, name AS title, artist, 'x' AS isrc, 7 AS rating FROM songs")
    assert ended.exit_code == 1, "row 1 has nothing to look up"
    assert "key 1: nothing in this row can be looked up" in ended.output
    assert "key 2: isrc 'x' is not an ISRC" in ended.output
    assert "columns that are not used: rating" in ended.output
    ended = run("--key", "id", "--restart")
    assert ended.exit_code == 1
    assert "key 1: neither a title nor an identifier" in ended.output
    assert "2 rows, " in ended.stdout


def test_a_row_with_nothing_to_look_up_is_bad_and_not_queued(run: Run, source: Path, ours: Path) -> None:
    add(source, [(1, None, "Somebody"), (2, "Song", "Somebody")])
    ended = run("--key", "id", query="SELECT id, name AS title, artist, 'x' AS isrc FROM songs")
    assert "2 rows, 1 queued, 1 bad" in ended.stdout


def test_what_stands_in_a_query_reaches_the_database_as_it_is(run: Run, source: Path, ours: Path) -> None:
    add(source, [(1, "12:30 at 100%", "A"), (2, "Other", "A")])
    query = "SELECT id, name AS title FROM songs WHERE name LIKE '%:30 at 100%' -- the half past;"
    assert run("--key", "ID", query=query + " \n").exit_code == 0
    assert titles(ours) == [("1", "12:30 at 100%")]
    assert run("--key", "id", query="WITH x AS (SELECT * FROM songs) SELECT id, name title FROM x;").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (("--key", "nope"), {}, "the query has no column 'nope' to use as the key; it has id, title, artist"),
        ((), {}, "the query has no column 'key' to use as the key"),
        (("--key", "id"), {"query": "SELECT id, name FROM songs"}, "none of its columns is known: id, name"),
        (("--key", "id"), {"query": "SELECT name FROM nowhere"}, "no such table: nowhere"),
        (("--key", "id"), {"query": "SELEC 1"}, "syntax error"),
        (("--key", "id"), {"query": "DELETE FROM songs"}, "syntax error"),
        (("--key", "id"), {"query": " ; "}, "the query is empty"),
        (("--key", "id"), {"query": "SELECT id, id, name AS title FROM songs"}, "id"),
        ((), {"url": None}, "--query needs a database: give its URL with --from-sql, or in SOULSPOT_IMPORT_SQL_URL"),
        ((), {"url": "sqlite:////nowhere/there.db"}, "/nowhere/there.db: there is no such file"),
        ((), {"url": "no url"}, "that is no URL of a database such as postgresql://"),
        ((), {"url": "nosuchdb://host/x"}, "SQLAlchemy knows no database 'nosuchdb'"),
        ((), {"url": "postgresql://me:secret@host/x"}, "pip install psycopg[binary]"),
        ((), {"url": "mysql+pymysql://me:secret@host/x"}, "pip install PyMySQL"),
        ((), {"url": "mssql+pyodbc://me:secret@host/x"}, "pip install pyodbc"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_in_words_and_nothing_is_begun(
    run: Run, source: Path, ours: Path, arguments: tuple[str, ...], options: dict[str, Any], said: str
) -> None:
    add(source, numbered(1))
    ended = run(*arguments, **options)
    assert said in ended.output
    assert "secret" not in ended.output
    if "SELECT id, id" not in options.get("query", ""):  # SQLite numbers them; others refuse
        assert ended.exit_code == 2
        assert not ours.exists()


def test_a_file_and_a_database_are_not_imported_at_once(run: Run, source: Path) -> None:
    ended = run(source, "--key", "id")
    assert ended.exit_code == 2
    assert "not both at once" in ended.output


def test_the_source_is_only_read(run: Run, source: Path) -> None:
    add(source, numbered(1))
    before = source.read_bytes()
    found = SqlSource(f"sqlite:///{source}", SQL, ["id"], 10)
    found.read_columns()
    with pytest.raises(SourceError, match="readonly"), found._connected() as connection:
        connection.exec_driver_sql("DELETE FROM songs")
    assert run("--key", "id").exit_code == 0
    assert source.read_bytes() == before


def test_the_url_may_come_from_the_environment_and_its_password_is_nowhere(
    run: Run, source: Path, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(source, numbered(1))
    monkeypatch.setenv("SOULSPOT_IMPORT_SQL_URL", f"sqlite:///{source}?timeout=17")
    ended = run("--key", "id", "--json", url=None)
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["source"] == f"sqlite:///{source}"
    [position] = rows(ours, "SELECT name, position, rows FROM sql_imports")
    assert position == {"name": f"sqlite:///{source}", "position": "[1]", "rows": 1}


PASSWORD = "s3cr:t/@"
URLS = [
    "postgresql://me:s3cr%3At%2F%40@host/x",
    "mysql+pymysql://me@host/x?password=s3cr:t/@",
    "mssql+pyodbc:///?odbc_connect=DRIVER=x;SERVER=y;UID=me;PWD={s3cr:t/@};",
]


@pytest.mark.parametrize("url", URLS)
def test_a_password_is_neither_shown_nor_part_of_what_is_remembered(url: str) -> None:
    one = parse_url(url)
    assert "s3cr" not in display_url(one)
    said = error_text(RuntimeError(f"cannot connect to {url} with {PASSWORD} (PWD={PASSWORD})"), one)
    assert "s3cr" not in said
    other = parse_url(url.replace("s3cr", "changed"))
    assert source_digest(one, SQL, ["id"]) == source_digest(other, SQL, ["id"])
    assert source_digest(one, SQL, ["id"]) != source_digest(one, SQL + " WHERE 1", ["id"])


def compiled(source: Path, dialect: Any, after: tuple[Any, ...] | None, *keys: str) -> str:
    found = SqlSource(f"sqlite:///{source}", SQL + " WHERE name LIKE '%:x%'", keys, 10)
    return re.sub(r"\s+", " ", str(found.statement(after, 10).compile(dialect=dialect)))


DIALECTS = [postgresql, mysql, mssql, oracle, sqlite]


@pytest.mark.parametrize("module", DIALECTS, ids=lambda one: one.__name__.rpartition(".")[2])
def test_a_page_is_asked_for_by_key_and_without_offset_in_every_dialect(source: Path, module: Any) -> None:
    said = compiled(source, module.dialect(), ("x", 1), "trackId", "order")
    quoted = {mysql: "`trackId`", mssql: "[trackId]"}.get(module, '"trackId"')
    assert f"soulspot_rows.{quoted} > " in said
    assert "IS NOT NULL" in said
    assert said.index("WHERE soulspot_rows") < said.index("ORDER BY soulspot_rows")
    assert re.search(r"LIMIT|TOP|FETCH FIRST", said)
    assert "%:x%" in said.replace("%%", "%")
    if module is not sqlite:  # which says OFFSET 0
        assert "OFFSET" not in said


KEYS = [
    (1,), ("x",), (1.5,), (2**62,), (datetime(2024, 1, 2, 3, 4, 5, 6, UTC),), (date(2024, 1, 2),),
    (datetime.fromisoformat("2024-01-02T03:04:05"),), (Decimal("1.10"),), (uuid.UUID(int=7),), (b"\x00\xff",),
    ("a", 1),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_every_kind_of_key_is_remembered_as_it_was(key: tuple[Any, ...]) -> None:
    kept = key_from_json(json.loads(json.dumps(key_to_json(key))))
    assert kept == key
    assert [type(one) for one in kept] == [type(one) for one in key]
    assert display_key(key)


def test_memory_is_bounded_by_the_page(source: Path) -> None:
    add(source, [(n, f"Song {n}", "A") for n in range(1000)] + [(1000, f"Same {n}", "A") for n in range(500)])
    found = SqlSource(f"sqlite:///{source}", SQL, ["id"], 50)
    found.read_columns()
    sizes = [len(page.rows) for page in found.pages()]
    assert sum(sizes) == 1500
    assert max(sizes) == 50
