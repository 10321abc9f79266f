"""Tools of the tests of the whole flow: configurations for a sandbox, real commands, database
rows."""

from __future__ import annotations

import csv
import gzip
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soulspot.sandbox import Sandbox
from tests.support.forks import Process, forked

FAST = 1000.0
# As in a container: the tests may run as root, which the daemon refuses otherwise.
AS_ROOT = {"SOULSPOT_DAEMON__ALLOW_ROOT": "true"}


def settings(sandbox: Sandbox, database: Path, **more: Any) -> dict[str, Any]:
    """Return dotted settings for a sandbox without limits.

    `more` overrides them, with "__" for ".": `providers__spotify__rate=1.0`."""
    values: dict[str, Any] = {
        "database.path": str(database),
        "http.listen": "127.0.0.1:0",
        "providers.musicbrainz.base_url": sandbox.musicbrainz_url,
        "providers.musicbrainz.contact": "tests@example.org",
        "providers.musicbrainz.rate": FAST,
        "providers.listenbrainz.base_url": sandbox.listenbrainz_url,
        "providers.listenbrainz.labs_url": sandbox.labs_url,
        "providers.listenbrainz.rate": FAST,
        "providers.spotify.base_url": sandbox.spotify_url,
        "providers.spotify.token_url": sandbox.token_url,
        "providers.spotify.client_id": "tests",
        "providers.spotify.client_secret": "tests-secret",
        "providers.spotify.rate": FAST,
        "export.covers.base_url": sandbox.covers_url,
        "export.covers.spotify_url": sandbox.covers_url,
        "export.covers.rate": FAST,
    }
    return values | {name.replace("__", "."): value for name, value in more.items()}


def write_config(path: Path, values: Mapping[str, Any]) -> Path:
    """Write dotted settings as a config.toml and return its path."""
    lines = []
    for key, value in values.items():
        text = str(value).lower() if isinstance(value, bool) else json.dumps(value)
        lines.append(f"{key} = {text}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Ended:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def soulspot(*arguments: str | Path, cwd: Path | None = None, **variables: str) -> Ended:
    """Run a soulspot command as a real process to its end; `variables` join the environment."""
    process = await start(*arguments, cwd=cwd, **variables)
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def start(*arguments: str | Path, cwd: Path | None = None, **variables: str) -> Process:
    """Start a soulspot command as a real process.

    Its environment is that of the tests without SOULSPOT_ variables, and with these `variables`."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("SOULSPOT_") and key != "INVOCATION_ID"
    }
    return await forked([str(one) for one in arguments], cwd, environment | AS_ROOT | variables)


@contextmanager
def looking_at(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection to a database that can only read."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def rows(database: Path, sql: str = "SELECT * FROM enriched_tracks ORDER BY track_id") -> list[dict[str, Any]]:
    """Return all rows of a query, by default the enriched tracks in order."""
    with looking_at(database) as connection:
        return [dict(row) for row in connection.execute(sql)]


def write_rows(path: Path, found: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows as a CSV file to import, and return its path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=sorted({name for row in found for name in row}))
        writer.writeheader()
        writer.writerows(found)
    return path


def distinct_ids(catalogue: Path, column: str, count: int) -> list[str]:
    """Return the first `count` distinct values of a column of a gzipped CSV."""
    found: dict[str, None] = {}
    with gzip.open(catalogue, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row[column])
            if len(found) == count:
                break
    return list(found)


def most_in_any_window(times: Iterable[float], seconds: float) -> int:
    """Return the most `times` (seconds) that fall within any window of `seconds`."""
    ordered = sorted(times)
    most = first = 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] > seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
