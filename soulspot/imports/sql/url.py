"""The database that an import reads: its URL without secrets, its engine, its errors in words."""

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
# A driver's module -> the package to install, where the two names differ.
PACKAGES = {
    "psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient", "pymysql": "PyMySQL",
    "mysql": "mysql-connector-python", "cx_Oracle": "oracledb", "pymssql": "pymssql", "pyodbc": "pyodbc",
    "duckdb": "duckdb-engine",
}  # fmt: skip
_SECRET_OPTION = re.compile(r"(?i)pass|pwd|secret|token|key")
_ODBC_SECRET = re.compile(r"(?i)\b(pwd|password)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)")


class SourceError(SoulSpotError):
    """The other database, or the query, cannot be used; the message never holds the password."""


def parse_url(text: str) -> URL:
    """Return the URL, a SQLite file's path made absolute. Raises SourceError for no URL."""
    try:
        url = make_url(text)
    except ArgumentError:
        # The text is not repeated, because a password may stand in it.
        hint = f"; for a SQLite file, write sqlite:///{text}" if Path(text).is_file() else ""
        raise SourceError(f"that is no URL of a database such as {EXAMPLE}{hint}") from None
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        url = url.set(database=os.path.abspath(url.database))
    return url


def display_url(url: URL) -> str:
    """Return the URL as people may see it: without password and options."""
    return url.set(password=None, query={}).render_as_string()


def source_digest(url: URL, query: str, keys: Sequence[str]) -> str:
    """Return the SHA-256 that identifies an import: its database, query and key columns. Equal when
    only the password or the layout of the query differ."""
    options = {
        name: _ODBC_SECRET.sub("", str(value)) if name == "odbc_connect" else value
        for name, value in sorted(url.query.items())
        if not _SECRET_OPTION.search(name)
    }
    identity = [display_url(url), options, " ".join(query.split()), list(keys)]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def open_engine(url: URL) -> Engine:
    """Return an engine for reading. Raises SourceError for a missing driver or SQLite file."""
    backend = url.get_backend_name()
    if backend == "sqlite" and not (url.database and Path(url.database).is_file()):
        raise SourceError(f"{url.database or ':memory:'}: there is no such file")
    try:
        # Each page has a connection of its own, so that none stays open while its rows are queued.
        engine = create_engine(url, poolclass=NullPool)
    except NoSuchModuleError:
        raise SourceError(
            f"SQLAlchemy knows no database {url.drivername!r}; a URL looks like {EXAMPLE}, and some"
            " databases need a package of their own (SQLAlchemy lists them as external dialects)"
        ) from None
    except ModuleNotFoundError as error:
        name = str(error.name or "").partition(".")[0]
        raise SourceError(f"the driver for {backend} is missing: pip install {PACKAGES.get(name, name)}") from None
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise SourceError(error_text(error, url)) from None
    if engine.dialect.is_async:
        raise SourceError(f"{url.drivername} is an asynchronous driver; name a synchronous one, as {EXAMPLE}")
    if backend == "sqlite":
        event.listen(engine, "connect", _forbid_writing)
    return engine


def _forbid_writing(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only = ON")


def error_text(error: Exception, url: URL) -> str:
    """Return the database's message on one line, without statement, parameters and secrets."""
    text = str(error.orig if isinstance(error, DBAPIError) and error.orig else error)
    for secret in _secrets(url):
        text = text.replace(secret, "***")
    text = _ODBC_SECRET.sub(r"\1=***", text)
    return " ".join(text.split())[:1000] or type(error).__name__


def _secrets(url: URL) -> list[str]:
    found = [str(url.password)] if url.password else []
    found += [str(value) for name, value in url.query.items() if _SECRET_OPTION.search(name)]
    for value in map(str, url.query.values()):
        found += [secret.strip("{}") for _, secret in _ODBC_SECRET.findall(value)]
    # A driver may quote the URL, where the password is percent-encoded.
    whole = url.render_as_string(hide_password=False)
    if url.password and (encoded := re.search(r"://[^:/@]*:([^@]*)@", whole)):
        found.append(encoded[1])
    return sorted(filter(None, found), key=len, reverse=True)
