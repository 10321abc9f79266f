"""Rows of a query from another database, page by page along a key and never by OFFSET."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import NullType

from soulspot.imports import cells
from soulspot.imports.sql.keys import Key, collation_key, display_key, key_from_json, key_to_json
from soulspot.imports.sql.url import SourceError, display_url, error_text, open_engine, parse_url, source_digest

ALIAS = "soulspot_rows"
FETCH_AHEAD = 1000  # rows that a driver fetches at once
MAX_NAMED = 30  # columns named in a message


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of the query, in the order of their keys."""

    rows: list[tuple[str, dict[str, Any]]]
    """(key as people read it, "" without one; plain cells by import column) of each row."""
    position: list[Any] | None
    """The key behind which the next page begins, as JSON can have it. None while more rows of the
    same key, or rows without key, follow."""
    shared: int = 0
    """The number of rows that share their key with another row."""


class SqlSource:
    """One query over one database, read along the key columns `keys`, `page` rows at a time. Every
    method raises SourceError, in the database's own words, when the query cannot be read."""

    def __init__(self, url: str, query: str, keys: Sequence[str], page: int) -> None:
        self._url = parse_url(url)
        self._query = query.strip().rstrip(";").rstrip()
        if not self._query:
            raise SourceError("the query is empty")
        if page < 1:
            raise SourceError(f"a page has at least 1 row, not {page}")
        self.name = display_url(self._url)
        self.digest = source_digest(self._url, self._query, keys)
        self._keys, self._page = list(keys), page
        self._columns: dict[str, str] = {}  # import column -> column of the query
        self.unknown_columns: list[str] = []
        self._engine = open_engine(self._url)
        self._table = self._subquery()

    def _subquery(self) -> sa.Subquery:
        # A colon is no parameter here, and a last comment must not swallow what follows.
        query = sa.text(self._query.replace(":", r"\:") + "\n")
        return query.columns(*(sa.column(name) for name in self._keys)).subquery(ALIAS)

    def read_columns(self) -> None:
        """Read the names of the query's columns and check them; to be called before `pages`."""
        with self._connected() as connection:
            found = [str(name) for name in connection.execute(self._all().where(sa.false())).keys()]  # noqa: SIM118
        if twice := [name for name, count in Counter(found).items() if count > 1]:
            raise SourceError(f"the query has more than one column {twice[0]!r}; name each with AS")
        self._keys = [_find_column(key, found) for key in self._keys]
        self._table = self._subquery()
        self._columns = cells.known_columns(found)
        self._columns.pop(cells.PATH_COLUMN, None)
        used = {*self._columns.values(), *self._keys}
        self.unknown_columns = [name for name in found if name not in used]
        if not self._columns.keys() - {"key"}:
            known = ", ".join(name for name in cells.KNOWN_COLUMNS if name != cells.PATH_COLUMN)
            raise SourceError(
                f"none of its columns is known: {', '.join(found[:MAX_NAMED])}; known are {known}."
                " Say which is which with AS: SELECT name AS title, ..."
            )

    def pages(self, after: Sequence[Any] | None = None) -> Iterator[Page]:
        """Yield the pages behind a `position` (None: from the beginning), then rows without key.

        Each page is read in a transaction of its own, so that a database in use is not held up;
        rows that change meanwhile come as they are when their page is read."""
        last = None if after is None else key_from_json(after)
        while True:
            with self._connected() as connection:
                statement = self.statement(last, self._page + 1)
                options = connection.execution_options(yield_per=FETCH_AHEAD)
                found = options.execute(statement).mappings().fetchall()
            if len(found) <= self._page:
                if found:
                    yield self._page_of(found)
                break
            if count := self._rows_of_whole_keys(found):
                last = self._key(found[count - 1])
                yield self._page_of(found[:count])
            else:
                # More rows than a page takes share a key.
                last = self._key(found[0])
                yield from self._pages_of_key(last)
        without_key = self._all().where(sa.or_(*(column.is_(None) for column in self._key_columns())))
        for part in self._streamed(without_key):
            yield Page([self._row(row, True) for row in part], None)

    def statement(self, after: Key | None, limit: int) -> sa.Select[Any]:
        """Return the SQL of at most `limit` rows whose key is behind `after`, in its order."""
        columns = self._key_columns()
        selected = self._all().where(*(column.is_not(None) for column in columns))
        if after is not None:
            bound = [_bind(value) for value in after]
            # Not every database compares tuples: (a, b) > (1, 2) is a > 1 OR (a = 1 AND b > 2).
            equal = [column == value for column, value in zip(columns, bound, strict=True)]
            steps = (sa.and_(*equal[:n], columns[n] > bound[n]) for n in range(len(columns)))
            selected = selected.where(sa.or_(*steps))
        return selected.order_by(*columns).limit(limit)

    def close(self) -> None:
        self._engine.dispose()

    def _all(self) -> sa.Select[Any]:
        return sa.select(sa.literal_column("*")).select_from(self._table)

    def _key_columns(self) -> list[sa.ColumnElement[Any]]:
        return [self._table.c[name] for name in self._keys]

    def _key(self, row: RowMapping) -> Key:
        return tuple(row[name] for name in self._keys)

    def _rows_of_whole_keys(self, rows: Sequence[RowMapping]) -> int:
        """Return how many of `rows`, one more than a page, end where a key surely ends, or 0."""
        keys = [collation_key(self._key(row)) for row in rows]
        return next((n for n in range(self._page, 0, -1) if keys[n - 1] != keys[n]), 0)

    def _page_of(self, rows: Sequence[RowMapping]) -> Page:
        counts = Counter(display_key(self._key(row)) for row in rows)
        made = [self._row(row, counts[display_key(self._key(row))] > 1) for row in rows]
        position = key_to_json(self._key(rows[-1]))
        return Page(made, position, sum(count for count in counts.values() if count > 1))

    def _row(self, row: RowMapping, shared: bool) -> tuple[str, dict[str, Any]]:
        key = self._key(row)
        record = cells.import_record({name: row[column] for name, column in self._columns.items()})
        displayed = "" if None in key else display_key(key)
        if "key" not in self._columns and displayed and not shared:
            record["key"] = displayed
        return displayed, record

    def _pages_of_key(self, key: Key) -> Iterator[Page]:
        equal = (column == _bind(value) for column, value in zip(self._key_columns(), key, strict=True))
        parts = self._streamed(self._all().where(*equal))
        first, part = next(parts, []), next(parts, None)
        if part is None:
            yield self._page_of(first)
            return
        for rows in chain((first, part), parts):
            yield Page([self._row(row, True) for row in rows], None, len(rows))
        yield Page([], key_to_json(key))

    def _streamed(self, selected: sa.Select[Any]) -> Iterator[Sequence[RowMapping]]:
        with self._connected() as connection:
            result = connection.execution_options(yield_per=min(self._page, FETCH_AHEAD)).execute(selected)
            yield from result.mappings().partitions(self._page)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Open a connection that is rolled back at the end; errors become a SourceError."""
        try:
            with self._engine.connect() as connection:
                if self._url.get_backend_name() == "postgresql":
                    connection = connection.execution_options(postgresql_readonly=True)
                yield connection
        except SQLAlchemyError as error:
            raise SourceError(f"{self.name}: {error_text(error, self._url)}") from None


def _bind(value: Any) -> Any:
    # Without a type of SQLAlchemy's, so that the database compares the value as it has returned it.
    return sa.bindparam(None, value, type_=NullType())


def _find_column(key: str, columns: Sequence[str]) -> str:
    same = [key] if columns.count(key) else [name for name in columns if name.lower() == key.lower()]
    if len(same) != 1:
        raise SourceError(
            f"the query has no column {key!r} to use as the key; it has {', '.join(columns[:MAX_NAMED])}."
            " Name one that is unique, and has an index, with --key"
        )
    return same[0]
