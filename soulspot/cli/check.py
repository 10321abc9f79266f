"""`soulspot check`: is everything there that a long run needs? No service is asked."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice

from soulspot.assembly import library_rules
from soulspot.config import Config
from soulspot.errors import DatabaseError
from soulspot.library.scan import Walk
from soulspot.store import library_counts
from soulspot.store.database import Database, migrations
from soulspot.store.ownership import read_owner
from soulspot.version import __version__

LOOKED_AT = 1000
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "ceph"})
LIBRARIES = (
    "aiohttp",
    "aiolimiter",
    "APScheduler",
    "musicbrainzngs",
    "mutagen",
    "spotipy",
    "sqlite-utils",
    "RapidFuzz",
)
WAL_RESET_FIXED = (3, 51, 3)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. Not `fatal`: worth knowing, but work can go on."""

    subject: str
    ok: bool
    words: str
    fatal: bool = True


def checks(config: Config) -> list[Check]:
    """Everything, in the order a person would ask."""
    where = str(config.source) if config.source else "no file; defaults and environment"
    return [
        Check("configuration", True, where),
        *_database(config),
        *_library(config),
        *_credentials(config),
        *_versions(),
    ]


def _database(config: Config) -> Iterator[Check]:
    path = config.database.path
    if not path.exists():
        writable = _nearest_is_writable(path.parent)
        yield Check("database", writable, f"{path}: {'will be made' if writable else 'cannot be made there'}")
    else:
        try:
            connection = Database.open_read_only(path)
        except DatabaseError as error:
            yield Check("database", False, str(error))
        else:
            schema = connection.execute("PRAGMA user_version").fetchone()[0]
            counts = library_counts.count_tracks_by_status(connection) if schema else {"total": 0}
            connection.close()
            known = len(migrations())
            yield Check(
                "database", schema <= known, f"{path}: schema {schema} of {known}, {counts['total']} tracks"
            )
    if (kind := _file_system(path)) in NETWORK_FILE_SYSTEMS:
        yield Check(
            "database",
            False,
            f"lies on a network file system ({kind}), where SQLite can lose data",
            fatal=False,
        )
    owner = read_owner(path)
    if owner:
        yield Check(
            "daemon", True, f"process {owner.pid} works on this database, at {owner.address or 'no address'}"
        )
    else:
        yield Check("daemon", True, "does not run")


def _nearest_is_writable(folder: os.PathLike[str]) -> bool:
    place = os.path.abspath(folder)
    while not os.path.isdir(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    return os.access(place, os.W_OK | os.X_OK)


def _file_system(path: os.PathLike[str]) -> str:
    """The type of the file system that holds this path, as /proc/mounts names it; empty where that cannot be read."""
    wanted, best = os.path.realpath(path), ("", "")
    try:
        with open("/proc/mounts", encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                _, point, kind, *_ = line.split()
                if (wanted == point or wanted.startswith(point.rstrip("/") + "/")) and len(point) >= len(
                    best[0]
                ):
                    best = (point, kind)
    except (OSError, ValueError):
        return ""
    return best[1]


def _library(config: Config) -> Iterator[Check]:
    rules = library_rules(config)
    if not rules.roots:
        yield Check("library", False, "library.paths is empty: nothing is scanned by itself", fatal=False)
        return
    looked_at = Walk(
        rules.roots, include=rules.include, exclude=rules.exclude, follow_symlinks=rules.follow_symlinks
    )
    count = sum(1 for _ in islice(looked_at, LOOKED_AT))
    more = "at least " if count == LOOKED_AT else ""
    yield Check(
        "library",
        count > 0,
        f"{more}{count} audio files in {', '.join(map(str, config.library.paths))}",
        fatal=False,
    )
    for problem in looked_at.problems[:5]:
        yield Check(
            "library",
            False,
            f"{os.fsdecode(problem.path)}: {problem.reason}".encode("utf-8", "replace").decode(),
            fatal=False,
        )


def _credentials(config: Config) -> Iterator[Check]:
    providers = config.providers
    if providers.musicbrainz.enabled:
        yield Check(
            "musicbrainz", True, f"{providers.musicbrainz.base_url}, contact {providers.musicbrainz.contact}"
        )
    if providers.spotify.enabled:
        yield Check("spotify", True, f"{providers.spotify.base_url}, with a client id and secret")
    if providers.listenbrainz.enabled:
        has = "with a token" if providers.listenbrainz.token else "no token (none is needed)"
        yield Check("listenbrainz", True, f"{providers.listenbrainz.base_url}, {has}")
    for name in ("musicbrainz", "spotify", "listenbrainz"):
        if not getattr(providers, name).enabled:
            yield Check(name, False, "is off", fatal=False)


def _versions() -> Iterator[Check]:
    parts = [f"{name} {version(name)}" for name in LIBRARIES]
    yield Check(
        "versions", True, f"soulspot {__version__}, Python {platform.python_version()}, {', '.join(parts)}"
    )
    if sqlite3.sqlite_version_info < WAL_RESET_FIXED:
        words = f"{sqlite3.sqlite_version}: let no other program write to the database, not even a shell"
        yield Check("SQLite", False, words, fatal=False)
