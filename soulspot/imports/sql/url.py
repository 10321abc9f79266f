"""The database that an import reads from: its URL, what may be shown of it, and why it cannot be opened, in words."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from soulspot.errors import SoulSpotError

EXAMPLE = "postgresql://user@host/database, mysql+pymysql://user@host/database or sqlite:///file.db"
# the package to install for the module that a dialect asks for, where they are not of one name
PACKAGES = {
    "psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient", "pymysql": "PyMySQL",
    "mysql": "mysql-connector-python", "cx_Oracle": "oracledb", "pymssql": "pymssql", "pyodbc": "pyodbc",
    "duckdb": "duckdb-engine",
}  # fmt: skip
_SECRET = re.compile(r"(?i)pass|pwd|secret|token|key")
_ODBC_SECRET = re.compile(r"(?i)\b(pwd|password)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)")


class SourceError(SoulSpotError):
    """The other database, or the query, cannot be used; the message never has the password in it."""


def parsed(text: str) -> URL:
    """The URL. SourceError when it is none; what was given is not repeated, there may be a password in it."""
    try:
        url = make_url(text)
    except ArgumentError:
        here = f"; for a file of SQLite say sqlite:///{text}" if Path(text).is_file() else ""
        raise SourceError(f"that is no URL of a database, as {EXAMPLE}{here}") from None
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        url = url.set(database=os.path.abspath(url.database))
    return url


def shown(url: URL) -> str:
    """The URL as people may see it: without password and without options."""
    return url.set(password=None, query={}).render_as_string()


def digest(url: URL, query: str, keys: Sequence[str]) -> str:
    """What tells one import from another: equal when only the password or the layout of the query differ."""
    options = {
        name: _ODBC_SECRET.sub("", str(value)) if name == "odbc_connect" else value
        for name, value in sorted(url.query.items())
        if not _SECRET.search(name)
    }
    told = [shown(url), options, " ".join(query.split()), list(keys)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def opened(url: URL) -> Engine:
    """An engine that reads. SourceError when its driver is missing, or a file is not there."""
    backend = url.get_backend_name()
    if backend == "sqlite" and not (url.database and Path(url.database).is_file()):
        raise SourceError(f"{url.database or ':memory:'}: there is no such file")
    try:
        # a connection a page: none is kept open while rows are taken in
        engine = create_engine(url, poolclass=NullPool)
    except NoSuchModuleError:
        raise SourceError(
            f"SQLAlchemy knows no database {url.drivername!r}; a URL looks like {EXAMPLE}, and some"
            " databases need a package of their own (SQLAlchemy lists them as external dialects)"
        ) from None
    except ModuleNotFoundError as error:
        name = str(error.name or "").partition(".")[0]
        raise SourceError(
            f"the driver for {backend} is missing: pip install {PACKAGES.get(name, name)}"
        ) from None
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise SourceError(words(error, url)) from None
    if engine.dialect.is_async:
        raise SourceError(f"{url.drivername} is an asynchronous driver; name a plain one, as {EXAMPLE}")
    if backend == "sqlite":
        event.listen(engine, "connect", _only_read)
    return engine


def _only_read(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only = ON")


def words(error: Exception, url: URL) -> str:
    """What the database says, on one line, without statement, parameters and secrets."""
    said = str(error.orig if isinstance(error, DBAPIError) and error.orig else error)
    for secret in _secrets(url):
        said = said.replace(secret, "***")
    said = _ODBC_SECRET.sub(r"\1=***", said)
    return " ".join(said.split())[:1000] or type(error).__name__


def _secrets(url: URL) -> list[str]:
    found = [str(url.password)] if url.password else []
    whole = url.render_as_string(hide_password=False)
    found += [str(value) for name, value in url.query.items() if _SECRET.search(name)]
    for value in map(str, url.query.values()):
        found += [secret.strip("{}") for _, secret in _ODBC_SECRET.findall(value)]
    if url.password and (encoded := re.search(r"://[^:/@]*:([^@]*)@", whole)):
        found.append(encoded[1])
    return sorted((one for one in found if one), key=len, reverse=True)
