"""Release messages as an operation: its options, and a zip file with one message a release."""

import asyncio
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from soulspot.errors import ConfigError
from soulspot.export.ddex.library import DdexReport, export_releases, grouping_columns
from soulspot.export.ddex.settings import ErnSettings
from soulspot.export.tables import parse_filters
from soulspot.export.target import messages_folder, replacing
from soulspot.models import Status
from soulspot.operations.progress import OnProgress

SUFFIX = ".zip"
# The oldest time that a zip file can store: equal messages make an equal file at any time.
OLDEST = (1980, 1, 1, 0, 0, 0)


def check_options(
    section: Any, *, validate: bool, group_by: Sequence[str] | None, status: Sequence[str] = (),
    limit: int | None = None,
) -> None:  # fmt: skip
    """Raise ValueError for options that do not fit, or a faulty `section` export.ddex."""
    if limit is not None:
        raise ValueError("limit goes with tables, not with ddex")
    if set(status) - {Status.ACCEPTED}:
        raise ValueError("only accepted tracks go into release messages: leave out status")
    grouping_columns(group_by or ())
    try:
        ErnSettings.of(section)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    if validate and section.schema is None:
        raise ValueError("validate needs the schema: set export.ddex.schema in the configuration")


def write_messages(
    database: Path, path: Path, options: Mapping[str, Any], section: Any, on_progress: OnProgress
) -> DdexReport:
    """Write the zip file, whole or not at all. This blocks: call it in a thread of its own."""
    folder = messages_folder(path)
    # A process that was killed may have left the folder behind.
    shutil.rmtree(folder, ignore_errors=True)
    schema = section.schema if options["validate"] else None
    wanted = parse_filters(options["status"], options["since"], options["query"])
    try:
        report = asyncio.run(
            export_releases(
                database, folder, ErnSettings.of(section), schema=schema, group_by=options["group_by"] or (),
                wanted=wanted, max_failures=options["max_failures"], on_progress=on_progress,
                processes=1,  # the daemon's memory is limited, and it has other work
            )
        )  # fmt: skip
        _pack(folder, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def _pack(folder: Path, path: Path) -> None:
    with replacing(path) as sink, zipfile.ZipFile(sink.file, "w", zipfile.ZIP_DEFLATED) as packed:
        for message in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(message.name, OLDEST)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with message.open("rb") as source, packed.open(entry, "w") as target:
                shutil.copyfileobj(source, target)
