"""Reads the rows of a query from another database, page by page along a key and never by OFFSET."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    column,
    false,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import NullType

from soulspot.imports import cells
from soulspot.imports.sql.keys import Key, display_key, key_from_json, key_to_json, signature
from soulspot.imports.sql.url import SourceError, digest, opened, parsed, shown, words

ALIAS = "soulspot_rows"
AT_ONCE = 1000  # rows that a driver fetches ahead
SHOWN = 30  # columns named in a message


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, each with its key as people read it ("" without one) and its cells in plain values, by our columns.

    `position` is where the next page begins, as JSON can have it: None while rows of one key, or rows without key,
    are still coming. `shared` rows have a key that others have too."""

    rows: list[tuple[str, dict[str, Any]]]
    position: list[Any] | None
    shared: int = 0


class SqlSource:
    """One query over one database. SourceError, in the database's own words, when it cannot be read."""

    def __init__(self, url: str, query: str, keys: Sequence[str], page: int) -> None:
        self._url = parsed(url)
        self._query = query.strip().rstrip(";").rstrip()
        if not self._query:
            raise SourceError("the query is empty")
        if page < 1:
            raise SourceError(f"a page has at least 1 row, not {page}")
        self.name = shown(self._url)
        self.digest = digest(self._url, self._query, keys)
        self._keys, self._page = list(keys), page
        self._columns: dict[str, str] = {}
        self.unknown_columns: list[str] = []
        self._engine = opened(self._url)
        self._table = self._made()

    def _made(self) -> Subquery:
        # a colon in it is no parameter, and a comment at its end must not swallow what follows
        query = text(self._query.replace(":", r"\:") + "\n")
        return query.columns(*(column(name) for name in self._keys)).subquery(ALIAS)

    def read_columns(self) -> None:
        """Ask for the columns of the query, and check them."""
        with self._connected() as connection:
            found = [str(name) for name in connection.execute(self._all().where(false())).keys()]  # noqa: SIM118
        if twice := [name for name, count in Counter(found).items() if count > 1]:
            raise SourceError(f"the query has more than one column {twice[0]!r}; name each with AS")
        self._keys = [_found(key, found) for key in self._keys]
        self._table = self._made()
        self._columns = cells.known_columns(found)
        self._columns.pop(cells.PATH_COLUMN, None)
        used = {*self._columns.values(), *self._keys}
        self.unknown_columns = [one for one in found if one not in used]
        if not self._columns.keys() - {"key"}:
            known = ", ".join(one for one in cells.KNOWN_COLUMNS if one != cells.PATH_COLUMN)
            raise SourceError(
                f"none of its columns is known: {', '.join(found[:SHOWN])}; known are {known}."
                " Say which is which with AS: SELECT name AS title, ..."
            )

    def pages(self, after: Sequence[Any] | None = None) -> Iterator[Page]:
        """The pages behind a position, and at the end the rows without a key.

        Each is read in a transaction of its own, so that a source in use is not held up: what changes meanwhile is
        read as it is then."""
        last = None if after is None else key_from_json(after)
        while True:
            with self._connected() as connection:
                found = _fetched(connection, self.statement(last, self._page + 1))
            if len(found) <= self._page:
                if found:
                    yield self._as_page(found, self._key(found[-1]))
                break
            if whole := self._whole(found):
                last = self._key(found[whole - 1])
                yield self._as_page(found[:whole], last)
            else:  # more rows than a page takes share a key
                last = self._key(found[0])
                yield from self._of_one_key(last)
        for part in self._streamed(self._without_key()):
            yield Page([self._row(row, True) for row in part], None)

    def statement(self, after: Key | None, limit: int) -> Select[Any]:
        """The SQL of a page: rows behind `after` in the order of the key."""
        columns = self._key_columns()
        asked = self._all().where(*(one.is_not(None) for one in columns))
        if after is not None:
            bound = [_bound(value) for value in after]
            asked = asked.where(
                or_(
                    *(
                        and_(*(columns[i] == bound[i] for i in range(n)), columns[n] > bound[n])
                        for n in range(len(columns))
                    )
                )
            )
        return asked.order_by(*columns).limit(limit)

    def close(self) -> None:
        self._engine.dispose()

    def _all(self) -> Select[Any]:
        return select(literal_column("*")).select_from(self._table)

    def _equal(self, key: Key) -> Select[Any]:
        return self._all().where(
            *(one == _bound(value) for one, value in zip(self._key_columns(), key, strict=True))
        )

    def _without_key(self) -> Select[Any]:
        return self._all().where(or_(*(one.is_(None) for one in self._key_columns())))

    def _key_columns(self) -> list[ColumnElement[Any]]:
        return [self._table.c[name] for name in self._keys]

    def _key(self, row: RowMapping) -> Key:
        return tuple(row[name] for name in self._keys)

    def _whole(self, rows: Sequence[RowMapping]) -> int:
        """How many of these rows, which are one more than a page, end where a key ends; 0 when that is nowhere."""
        return next((n for n in range(self._page, 0, -1) if self._differ(rows[n - 1], rows[n])), 0)

    def _differ(self, one: RowMapping, other: RowMapping) -> bool:
        """Whether the database is sure to take their keys for different ones."""
        return signature(self._key(one)) != signature(self._key(other))

    def _as_page(self, rows: Sequence[RowMapping], last: Key) -> Page:
        counts = Counter(display_key(self._key(row)) for row in rows)
        made = [self._row(row, counts[display_key(self._key(row))] > 1) for row in rows]
        return Page(made, key_to_json(last), sum(count for count in counts.values() if count > 1))

    def _row(self, row: RowMapping, shared: bool) -> tuple[str, dict[str, Any]]:
        key = self._key(row)
        record = cells.import_record({name: row[one] for name, one in self._columns.items()})
        told = "" if None in key else display_key(key)
        if "key" not in self._columns and told and not shared:
            record["key"] = told
        return told, record

    def _of_one_key(self, key: Key) -> Iterator[Page]:
        parts = self._streamed(self._equal(key))
        first, part = next(parts, []), next(parts, None)
        if part is None:
            yield self._as_page(first, key)
            return
        yield Page([self._row(row, True) for row in first], None, len(first))
        while part is not None:
            yield Page([self._row(row, True) for row in part], None, len(part))
            part = next(parts, None)
        yield Page([], key_to_json(key))

    def _streamed(self, asked: Select[Any]) -> Iterator[Sequence[RowMapping]]:
        """Rows that no key parts, a page at a time, by a cursor of the server where the driver has one."""
        with self._connected() as connection:
            result = connection.execution_options(yield_per=min(self._page, AT_ONCE)).execute(asked)
            yield from result.mappings().partitions(self._page)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection that is rolled back at the end."""
        try:
            with self._engine.connect() as connection:
                if self._url.get_backend_name() == "postgresql":
                    connection = connection.execution_options(postgresql_readonly=True)
                yield connection
        except SQLAlchemyError as error:
            raise SourceError(f"{self.name}: {words(error, self._url)}") from None


def _fetched(connection: Connection, asked: Select[Any]) -> Sequence[RowMapping]:
    return connection.execution_options(yield_per=AT_ONCE).execute(asked).mappings().fetchall()


def _bound(value: Any) -> Any:
    # without a type of SQLAlchemy's: the database is to compare it with the column as it has handed it out
    return bindparam(None, value, type_=NullType())


def _found(key: str, columns: Sequence[str]) -> str:
    same = [one for one in columns if one == key]
    same = same or [one for one in columns if one.lower() == key.lower()]
    if len(same) != 1:
        raise SourceError(
            f"the query has no column {key!r} to go along; it has {', '.join(columns[:SHOWN])}."
            " Name one that is unique, and has an index, with --key"
        )
    return same[0]
