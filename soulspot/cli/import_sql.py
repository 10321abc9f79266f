"""`soulspot import --from-sql`: the options, and what is said at the end."""

from __future__ import annotations

import json
import os
from typing import Any

import typer

from soulspot.cli.console import complain, out
from soulspot.cli.running import INCOMPLETE, USAGE, log_quietly, run, say_next
from soulspot.config import Config

URL_VARIABLE = "SOULSPOT_IMPORT_SQL_URL"
KEY = "key"
PAGE = 5000


def import_from_sql(
    config: Config, url: str | None, query: str | None, keys: list[str] | None, page: int, *, restart: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Import the rows of a query. Exits 2 when it cannot be asked, 1 when rows cannot be used."""
    from soulspot.cli.sql_transfer import import_sql
    from soulspot.imports.sql.reader import SqlSource  # SQLAlchemy is only for those who want it
    from soulspot.imports.sql.url import SourceError

    url = url or os.environ.get(URL_VARIABLE)
    if not url and not query:
        complain("name a FILE to import, or a database with --from-sql URL --query SQL")
        raise typer.Exit(USAGE)
    if not url:
        complain(f"--query needs a database: give its URL with --from-sql, or in {URL_VARIABLE}")
        raise typer.Exit(USAGE)
    if not query:
        complain("--from-sql needs a --query: SELECT id, name AS title, artist FROM songs")
        raise typer.Exit(USAGE)
    try:
        source = SqlSource(url, query, keys or [KEY], page)
        source.read_columns()
    except SourceError as error:
        complain(str(error))
        raise typer.Exit(USAGE) from None
    log_quietly(config)
    report = run(
        lambda bars: import_sql(config, source, bars, restart=restart),
        quiet=as_json,
        database=config.database.path,
    )
    counts: dict[str, Any] = {"rows": report.rows, "queued": report.queued, "bad": report.bad}
    if as_json:
        print(json.dumps(counts | {"source": source.name, "notes": report.notes}))
    else:
        for note in report.notes:
            complain(note)
        known = report.rows - report.queued - report.bad
        words = ", ".join(f"{count} {name}" for name, count in counts.items())
        out.print(words + (f", {known} already known" if known > 0 else ""), markup=False)
        if report.queued:
            say_next(config.database.path)
    if report.bad:
        raise typer.Exit(INCOMPLETE)
