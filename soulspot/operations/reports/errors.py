"""The error report: everything that failed for good, by category, with advice for each."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from soulspot.store import failures
from soulspot.store.failures import FailureGroup

EXAMPLES = 3
LONGEST = 200  # characters of an example
_REFUSAL = re.compile(r"\S+: (http \d{3})\b")  # as `providers.transport` words it: "host: HTTP 414 ..."


class Category(NamedTuple):
    """A category of failures. `pattern` is a regular expression for their lower-case words;
    `retryable` says whether `soulspot retry` may help."""

    name: str
    pattern: str
    what: str
    advice: str
    retryable: bool


# The first category that fits counts: special cases stand above general ones.
OF_LOOKUPS = (
    Category("refused", r"http 40[13]|refuses this app|gives no token|has premium", "the service refuses the account",
             "check the credentials of this service (soulspot check), then soulspot retry", True),
    Category("server_error", r"http 5\d\d", "the service answered with an error of its own",
             "wait until it is well again, then soulspot retry", True),
    Category(
        "unreachable", r"no connection|connection trouble|no answer|cannot connect|name resolution|timed? ?out|given up",
        "the service could not be reached", "check the network of this machine, then soulspot retry", True,
    ),
    Category("memory", r"not enough memory|memoryerror", "there was not enough memory",
             "close other programs or set smaller batch sizes, then soulspot retry", True),
    Category("storage", r"disk|database|readonly", "the answer could not be written",
             "make room on the database's disk, then soulspot retry", True),
    Category("too_long", r"http 4(13|14|31)", "the service takes no request as long as this lookup alone makes it",
             "shorten the title, artist or album in the tags, if they are that long, and scan again; or see whether a"
             " proxy before the service cuts requests short", False),
    Category("rejected", r"http 4(00|22)|spotify: |invalid|malformed", "the service refuses the lookup itself",
             "an identifier in the tags is probably wrong: correct it and scan again", False),
    Category("bad_answer", r"answer|redirect|http \d\d\d|decompressed", "the service's answer could not be understood",
             "soulspot retry later; if that fails too, look for a newer SoulSpot", True),
    Category("other", r"", "something else", "see the log for the reason; soulspot retry sends the lookups again", True),
)  # fmt: skip
OF_FILES = (
    Category("permission", r"permission denied|not permitted", "the file may not be read",
             "give the user that SoulSpot runs as read access (chmod -R a+rX), then soulspot scan", False),
    Category("too_large", r"max_file_size", "the file is larger than limits.max_file_size",
             "raise that limit, or leave the file out with library.exclude", False),
    Category("unsupported", r"cannot be read yet", "the format is not supported yet",
             "convert the file, or leave it out with library.exclude", False),
    Category("disk", r"input/output error|stale|no such device", "the disk or network share fails",
             "check the disk, then soulspot scan", False),
    Category("damaged", r"damaged|empty|not a |regular file", "the file is damaged or is no audio file",
             "replace it with an intact copy, or leave it out with library.exclude", False),
    Category("unreadable", r"", "the file could not be read", "the reason is with each example", False),
)  # fmt: skip
OF_TRACKS = (
    Category("unasked", r"", "they say too little to be asked for",
             "give them a title and an artist: in the tags, or as the folder and the name of the file", False),
)  # fmt: skip


def error_report(connection: sqlite3.Connection, track_ids: Sequence[int] | None = None) -> dict[str, Any]:
    """Return what has failed for good, of these tracks or of all: `lookups`, `files` and `tracks`,
    lists of categories, largest first. A category has `category` `what` `count` `advice`
    `retryable` `services` (counts by name) and `examples`. `retryable`, beside the lists, counts
    the lookups that `soulspot retry` may help."""
    lookups = _by_category(failures.group_failed_lookups(connection, track_ids), OF_LOOKUPS)
    files = _by_category(failures.group_unreadable_files(connection, track_ids), OF_FILES)
    unasked = _by_category(failures.group_unasked_tracks(connection, track_ids), OF_TRACKS)
    retryable = sum(category["count"] for category in lookups if category["retryable"])
    return {"lookups": lookups, "files": files, "tracks": unasked, "retryable": retryable}


def _by_category(found: Iterable[FailureGroup], categories: tuple[Category, ...]) -> list[dict[str, Any]]:
    groups: dict[Category, list[FailureGroup]] = {}
    for failure in found:
        groups.setdefault(category_of(failure.reason, categories), []).append(failure)
    described = [_describe(category, members) for category, members in groups.items()]
    return sorted(described, key=lambda category: -category["count"])


def _describe(category: Category, members: list[FailureGroup]) -> dict[str, Any]:
    services: Counter[str] = Counter()
    for failure in members:
        if failure.provider:
            services[failure.provider] += failure.count
    examples = [f"{one.example}: {one.reason or 'no reason was kept'}"[:LONGEST] for one in members[:EXAMPLES]]
    return {
        "category": category.name, "what": category.what, "count": sum(failure.count for failure in members),
        "advice": category.advice, "retryable": category.retryable, "services": dict(services),
        "examples": examples,
    }  # fmt: skip


def category_of(words: str, categories: tuple[Category, ...]) -> Category:
    """Return the first category whose pattern is in these words; the last takes everything. Of the
    refusal of a service only its status counts: the host's name and its words may say anything."""
    stated = _REFUSAL.match(words.lower())
    judged = stated[1] if stated else words.lower()
    return next(category for category in categories if re.search(category.pattern, judged))


def error_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield an error report as lines for people; nothing when nothing failed."""
    for title in ("lookups", "files", "tracks"):
        for category in report.get(title, ()):
            services = ", ".join(category["services"])
            yield f"{category['count']} {title}: {category['what']}{f' ({services})' if services else ''}"
            yield from (f"    {example}" for example in category["examples"])
            yield f"    what to do: {category['advice']}"
