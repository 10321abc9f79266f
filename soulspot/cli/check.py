"""`soulspot check`: look at everything that a long run needs. No service is asked."""

import asyncio
import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import islice, takewhile
from time import monotonic, time
from typing import Annotated, Any

import typer

from soulspot.assembly import catalogue_path, library_rules
from soulspot.cli.options import ConfigOption, JsonOption, PathsArgument
from soulspot.cli.plan import print_plan
from soulspot.cli.running import BAD_CONFIG, INCOMPLETE, database_problem, exit_on_error, load_or_exit, refuse
from soulspot.client.daemon_client import describe_owner
from soulspot.client.daemon_search import read_daemon_status
from soulspot.config import ALL_OFF, SPOTIFY_OFF, Config, require_means
from soulspot.errors import CatalogueError, ConfigError, DatabaseError, SoulSpotError
from soulspot.library.scan import Walk
from soulspot.library.watches import command_to_allow, folders_to_watch, tightest_limit
from soulspot.operations.reports.results import describe_links
from soulspot.providers.catalogue import Catalogue
from soulspot.store import library_counts
from soulspot.store.database import Database
from soulspot.store.file_systems import network_file_system
from soulspot.store.migrations import migrations
from soulspot.store.opening import check_within
from soulspot.terminal.console import print_answer, print_result
from soulspot.version import __version__

# enough to tell an empty library from a large one; a walk over all of it can take minutes
COUNTED_FILES = 1000
NAMED_PROBLEMS = 5
CHECK_SECONDS = 10.0  # for the look at the database, which takes minutes for a very large one
NO_SPACE, LITTLE_SPACE = 16 << 20, 500 << 20  # bytes; below these nothing can be begun, or not much
LIBRARIES = ("aiohttp", "aiolimiter", "APScheduler", "mutagen", "sqlite-utils",
             "RapidFuzz")  # fmt: skip
# earlier releases can damage a WAL database when two processes write to it and checkpoint at once
WAL_RESET_FIXED = (3, 51, 3)


def check(
    paths: PathsArgument = None,
    plan: Annotated[bool, typer.Option("--plan",
        help="Only estimate what the music in PATH would cost to enrich.")] = False,
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Check configuration, database, library and versions.

    Says whether each service has its credentials, but asks none. Exit code 1 when work could not
    begin.

    Example: soulspot check --config /etc/soulspot/config.toml"""
    if paths and not plan:
        refuse("PATH goes with --plan")
    loaded = load_or_exit(config)
    if plan:
        print_plan(loaded, paths, as_json=json_)
        return
    daemon, problem = None, None
    try:
        daemon = asyncio.run(read_daemon_status(loaded))
    except SoulSpotError as error:
        problem = error
    if not daemon:
        exit_on_error(lambda: require_means(loaded, library=True))
    # in the order in which a person would ask
    found = [
        Check("configuration", True, str(loaded.source or "no file; defaults and environment")),
        *_database_checks(loaded, daemon),
        Check("daemon", problem is None, str(problem or _at_work(loaded, daemon))),
        *_place_checks(loaded, daemon),
        *_library_checks(loaded),
        *_credential_checks(loaded),
        *(
            Check("secrets", False, f"{why}; only the daemon's user can work with it", fatal=False)
            for why in loaded.withheld
        ),
        *_version_checks(),
    ]
    lines = (f"{'ok  ' if one.ok else 'FAIL' if one.fatal else 'note'}  {one.subject}: {one.words}" for one in found)
    print_answer([asdict(one) for one in found], json_, *lines)
    if isinstance(problem, ConfigError):
        raise typer.Exit(BAD_CONFIG)
    if any(one.fatal and not one.ok for one in found):
        raise typer.Exit(INCOMPLETE)
    if not json_:
        print_result("all well; next: soulspot enrich")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; work cannot begin where it is `fatal` and not `ok`."""

    subject: str
    ok: bool
    words: str
    fatal: bool = True


def _at_work(config: Config, daemon: Mapping[str, Any] | None) -> str:
    if daemon:
        return f"process {daemon['pid']} works on this database, at {daemon['daemon']}"
    owner = describe_owner(config.database.path)
    return f"does not run, but {owner} works on this database" if owner else "does not run"


def _database_checks(config: Config, daemon: Mapping[str, Any] | None) -> Iterator[Check]:
    path = config.database.path
    if daemon and not os.access(path, os.R_OK):
        yield Check("database", True, f"{path}: {daemon['tracks']['total']} tracks, says the daemon")
    elif not os.path.exists(path):
        problem = database_problem(path)
        yield Check("database", problem is None, problem or f"{path}: will be made")
    else:
        known = len(migrations())
        try:
            with closing(Database.open_read_only(path)) as connection:
                schema = connection.execute("PRAGMA user_version").fetchone()[0]
                total = library_counts.count_tracks_by_status(connection)["total"] if schema else 0
                depth = "sound" if check_within(connection, path, CHECK_SECONDS) else "sound as far as it was looked at"
        except (DatabaseError, sqlite3.Error) as error:
            yield Check("database", False, str(error))
        else:
            yield Check("database", schema <= known, f"{path}: schema {schema} of {known}, {total} tracks, {depth}")
        # a daemon says itself when it cannot write, and may be of another user
        if not daemon and (problem := database_problem(path)):
            yield Check("database", False, problem)
        if os.stat(path).st_mode & 0o007:
            yield Check("database", False, f"every user of this machine can read it: chmod o= {path}", fatal=False)
    # locks of network file systems are unreliable, and WAL needs shared memory that they lack
    if kind := network_file_system(path):
        words = f"lies on a network file system ({kind}), where SQLite can lose data"
        yield Check("database", False, words, fatal=False)


def _place_checks(config: Config, daemon: Mapping[str, Any] | None) -> Iterator[Check]:
    """Yield whether there is room for the database, and whether the log can be written."""
    folder = config.database.path.parent
    # not Path.is_dir: a folder that is closed to this user counts as its parent, of the same disk
    while not os.path.isdir(folder) and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    yield Check("disk", free >= LITTLE_SPACE, f"{free >> 20:,} MiB free at {folder}", free < NO_SPACE)
    log = config.log.file
    # a daemon that logs has opened its file, which may be closed to this user
    if log is not None and not daemon:
        try:
            if log.exists():
                os.close(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC))
            else:
                with tempfile.TemporaryFile(dir=log.parent):
                    pass
        except OSError as error:
            yield Check("log", False, f"log.file: {log} cannot be written: {error.strerror}")
        else:
            yield Check("log", True, str(log))


def _library_checks(config: Config) -> Iterator[Check]:
    rules = library_rules(config)
    if not rules.roots:
        yield Check("library", False, "library.paths is empty: nothing is scanned by itself", fatal=False)
        return
    files = Walk(rules.roots, include=rules.include, exclude=rules.exclude, follow_symlinks=rules.follow_symlinks)
    count = sum(1 for _ in islice(files, COUNTED_FILES))
    at_least = "at least " if count == COUNTED_FILES else ""
    words = f"{at_least}{count} audio files in {', '.join(map(str, config.library.paths))}"
    yield Check("library", count > 0, words, fatal=False)
    for reason, links in files.links.items():
        if links.count:
            yield Check("library", True, describe_links(links, reason))
    for problem in files.problems[:NAMED_PROBLEMS]:
        words = f"{os.fsdecode(problem.path)}: {problem.reason}"
        # names that are no UTF-8 have surrogates, which no terminal and no JSON parser takes
        yield Check("library", False, words.encode("utf-8", "replace").decode(), fatal=False)
    if config.library.watch and (limit := tightest_limit()):
        yield _watch_check(rules.roots, *limit)


def _watch_check(roots: Sequence[bytes], sysctl: str, allowed: int) -> Check:
    end = monotonic() + CHECK_SECONDS
    # none is counted beyond the limit: a library can be larger than anybody wants to wait for
    folders = sum(1 for _ in takewhile(lambda _: monotonic() < end, islice(folders_to_watch(roots), allowed + 1)))
    if folders > allowed:
        words = f"more folders than the {allowed} that {sysctl} lets SoulSpot watch: {command_to_allow(folders)}"
        return Check("watch", False, f"{words}, else the library is looked through every minute", fatal=False)
    at_least = "at least " if monotonic() >= end else ""
    return Check("watch", True, f"{at_least}{folders} folders to watch, {allowed} allowed ({sysctl})")


def _credential_checks(config: Config) -> Iterator[Check]:
    providers = config.providers
    details = {
        "musicbrainz": f"contact {providers.musicbrainz.contact}",
        "spotify": "with a client id and secret",
        "listenbrainz": "with a token" if providers.listenbrainz.token else "no token (none is needed)",
    }
    on = [name for name in details if getattr(providers, name).enabled]
    yield from (Check(name, True, f"{getattr(providers, name).base_url}, {details[name]}") for name in on)
    why_off = {"spotify": next((one for one in config.warnings if one.startswith(SPOTIFY_OFF)), "").partition(": ")[2]}
    for name in details.keys() - on:
        why = why_off.get(name)
        yield Check(name, False, f"is off: {why}" if why else "is off", fatal=False)
    yield from (Check("providers", False, one) for one in config.warnings if one.startswith(ALL_OFF))
    if providers.catalogue.enabled:
        yield _catalogue_check(config)


def _catalogue_check(config: Config) -> Check:
    path = catalogue_path(config)
    try:
        with closing(Catalogue(path)) as catalogue:
            about = catalogue.about
    except CatalogueError as error:
        return Check("catalogue", False, f"{error}; until then the services are asked as if it were off", fatal=False)
    days = about.age(time()) / 86_400
    old = "" if about.age(time()) < config.providers.catalogue.fresh_for else ", too old to tell what is unknown"
    return Check("catalogue", True, f"{path}, {about.recordings:,} recordings, {days:.0f} days old{old}")


def _version_checks() -> Iterator[Check]:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield Check("versions", True, f"soulspot {__version__}, Python {platform.python_version()}, {libraries}")
    if sqlite3.sqlite_version_info < WAL_RESET_FIXED:
        words = f"{sqlite3.sqlite_version}: let no other program write to the database, not even a shell"
        yield Check("SQLite", False, words, fatal=False)
