"""Release messages as an operation: what may be asked for, and the zip file with a message for each release."""

from __future__ import annotations

import asyncio
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from soulspot.errors import ConfigError
from soulspot.export.ddex.library import DdexReport, export_releases, grouping_columns
from soulspot.export.ddex.settings import ErnSettings
from soulspot.export.tables import parse_filters
from soulspot.export.target import messages_folder, replacing
from soulspot.models import Status

SUFFIX = ".zip"
OLDEST = (1980, 1, 1, 0, 0, 0)  # that a zip file can say: when a message was made stands in the message

Tell = Callable[[int, int, int], None]
"""tell(releases done, releases there are, releases failed). What it raises ends the export."""


def refuse_wrong(
    terms: Any,
    *,
    validate: bool,
    group_by: Sequence[str] | None,
    status: Sequence[str] = (),
    limit: int | None = None,
) -> None:
    """ValueError says what is wrong with what is asked, or with `terms`, the section export.ddex."""
    if limit is not None:
        raise ValueError("limit goes with tables, not with ddex")
    if set(status) - {Status.ACCEPTED}:
        raise ValueError("only accepted tracks go into release messages: leave out status")
    grouping_columns(group_by or ())
    try:
        ErnSettings.of(terms)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    if validate and terms.schema is None:
        raise ValueError("validate needs the schema: set export.ddex.schema in the configuration")


def write_messages(
    database: Path, path: Path, asked: Mapping[str, Any], terms: Any, tell: Tell
) -> DdexReport:
    """Write the zip file, whole or not at all. It blocks: for a thread of its own."""
    folder = messages_folder(path)
    shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
    try:
        report = asyncio.run(
            export_releases(
                database, folder, ErnSettings.of(terms), schema=terms.schema if asked["validate"] else None,
                group_by=asked["group_by"] or (), wanted=parse_filters(asked["status"], asked["since"], asked["query"]),
                processes=1,  # the daemon's memory is limited, and it has other work
                max_failures=asked["max_failures"], on_progress=tell,
            )
        )  # fmt: skip
        _pack(folder, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def _pack(folder: Path, path: Path) -> None:
    """Equal messages are an equal file."""
    with replacing(path) as sink, zipfile.ZipFile(sink.file, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(one.name, OLDEST)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with one.open("rb") as source, packed.open(entry, "w") as target:
                shutil.copyfileobj(source, target)
