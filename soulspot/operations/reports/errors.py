"""The error report: what failed for good, by category, and what to do about each."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from soulspot.store import failures
from soulspot.store.failures import FailureGroup

EXAMPLES = 3
LONGEST = 200  # characters of an example


class Category(NamedTuple):
    """Troubles of one kind: how their words look, what it is, what to do, and whether `soulspot retry` may help."""

    name: str
    pattern: str
    what: str
    advice: str
    retryable: bool


OF_LOOKUPS = (
    Category(
        "refused", r"http 40[13]|refuses this app|gives no token|has premium", "the service refuses the account",
        "check the credentials of this service (soulspot check), then soulspot retry", True,
    ),
    Category(
        "server_error", r"http 5\d\d", "the service answered with an error of its own",
        "wait until it is well again, then soulspot retry", True,
    ),
    Category(
        "unreachable", r"no connection|connection trouble|no answer|cannot connect|name resolution|timed? ?out|given up",
        "the service could not be reached", "check the network of this machine, then soulspot retry", True,
    ),
    Category(
        "memory", r"not enough memory|memoryerror", "there was not enough memory",
        "close other programs or set smaller batch sizes, then soulspot retry", True,
    ),
    Category(
        "storage", r"disk|database|readonly", "the answer could not be written",
        "make room on the database's disk, then soulspot retry", True,
    ),
    Category(
        "rejected", r"http 4(00|13|14|22)|spotify: |invalid|malformed", "the service refuses the question itself",
        "an identifier in the tags is probably wrong: correct it and scan again", False,
    ),
    Category(
        "bad_answer", r"answer|redirect|http \d\d\d|decompressed", "the service's answer could not be understood",
        "soulspot retry later; if it stays so, look for a newer SoulSpot", True,
    ),
    Category("other", r"", "something else", "the log says more; soulspot retry asks again", True),
)  # fmt: skip
OF_FILES = (
    Category(
        "permission", r"permission denied|not permitted", "the file may not be read",
        "give the user that SoulSpot runs as read access (chmod -R a+rX), then soulspot scan", False,
    ),
    Category(
        "too_large", r"max_file_size", "the file is larger than limits.max_file_size",
        "raise that limit, or leave the file out with library.exclude", False,
    ),
    Category(
        "unsupported", r"cannot be read yet", "the format is not supported yet",
        "convert the file, or leave it out with library.exclude", False,
    ),
    Category(
        "disk", r"input/output error|stale|no such device", "the disk or network share fails",
        "check the disk, then soulspot scan", False,
    ),
    Category(
        "damaged", r"damaged|empty|not a |regular file", "the file is damaged or is no audio file",
        "replace it by a sound copy, or leave it out with library.exclude", False,
    ),
    Category("unreadable", r"", "the file could not be read", "the reason is with each example", False),
)  # fmt: skip


def error_report(connection: sqlite3.Connection) -> dict[str, Any]:
    """What has failed for good as it stands now: `lookups` and `files`, each a list of categories, largest first.

    A category has `category` `what` `count` `advice` `retryable` `services` (count by name) and some `examples`.
    `retryable` counts the lookups that `soulspot retry` asks again with some hope."""
    lookups = list(_grouped(failures.group_failed_lookups(connection), OF_LOOKUPS))
    files = list(_grouped(failures.group_unreadable_files(connection), OF_FILES))
    return {
        "lookups": lookups,
        "files": files,
        "retryable": sum(one["count"] for one in lookups if one["retryable"]),
    }


def _grouped(found: Iterable[FailureGroup], categories: tuple[Category, ...]) -> Iterator[dict[str, Any]]:
    groups: dict[str, list[FailureGroup]] = {}
    for trouble in found:
        groups.setdefault(category_of(trouble.reason, categories).name, []).append(trouble)
    by_name = {one.name: one for one in categories}
    for name, members in sorted(groups.items(), key=lambda one: -sum(t.count for t in one[1])):
        category = by_name[name]
        services: Counter[str] = Counter()
        for one in members:
            if one.provider:
                services[one.provider] += one.count
        yield {
            "category": name, "what": category.what, "count": sum(one.count for one in members),
            "advice": category.advice, "retryable": category.retryable, "services": dict(services),
            "examples": [f"{one.example}: {one.reason or 'no reason was kept'}"[:LONGEST] for one in members[:EXAMPLES]],
        }  # fmt: skip


def category_of(words: str, categories: tuple[Category, ...]) -> Category:
    """The first category whose pattern is in these words; the last one takes everything."""
    return next(one for one in categories if re.search(one.pattern, words.lower()))


def error_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The same for people; nothing when nothing failed."""
    for title, name in (("lookups", "lookups"), ("files", "files")):
        for one in report.get(name, ()):
            services = ", ".join(one["services"])
            yield f"{one['count']} {title}: {one['what']}{f' ({services})' if services else ''}"
            yield from (f"    {example}" for example in one["examples"])
            yield f"    what to do: {one['advice']}"
