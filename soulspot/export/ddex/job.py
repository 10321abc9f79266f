"""The work on a batch of releases: build, validate, write into a folder. Runs in any process."""

import errno
import hashlib
import os
import re
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from soulspot.errors import ConfigError, ReleaseRefused
from soulspot.export.ddex import cells
from soulspot.export.ddex.grouping import Group
from soulspot.export.ddex.message import Header, message_id, write_message
from soulspot.export.ddex.outcome import ErnError, ErnMessage, Outcome
from soulspot.export.ddex.release import read_release
from soulspot.export.ddex.schema import ErnSchema
from soulspot.export.ddex.settings import SECTION, ErnSettings
from soulspot.export.ddex.tracks import Fault

_RETRYABLE = frozenset(
    {errno.EAGAIN, errno.EBUSY, errno.EDQUOT, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM,
     errno.ENOSPC, errno.ESTALE, errno.ETIMEDOUT}
)  # fmt: skip
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")
# The schema faults that a refusal names; later ones mostly follow from the first.
_SHOWN = 5

_SAMPLE = {
    "title": "T", "artist": "A", "album": "A", "isrc": "QZAAA2600001", "duration_ms": 1000, "label": "L",
    "genres": "Pop", "release_date": "2026-01-01", "barcode": "000000000017",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """The terms on which the releases of one run are built."""

    settings: ErnSettings
    created_at: datetime
    schema: Path | None = None  # None: messages are not validated
    folder: Path | None = None  # None: messages stay in memory


class Builder:
    """Builds the releases of a run. Parses the schema once; raises SchemaError for a bad one."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._schema = ErnSchema(job.schema, job.settings.namespace) if job.schema else None

    def build(self, group: Group) -> Outcome:
        """Build the message of a release, and write it into the folder of the job, if any."""
        outcome = self.build_message(group)
        if self._job.folder is None or isinstance(outcome, ReleaseRefused):
            return outcome
        path = self._job.folder / file_name(outcome.release_id, group.key)
        try:
            write_whole(path, outcome.message)
        except OSError as error:
            retryable = error.errno in _RETRYABLE
            return _refusal(group, [("file", f"{path}: {error.strerror or error}")], retryable=retryable)
        # The bytes are on the disk, so they need not travel back from a worker process.
        return replace(outcome, message=b"", path=path)

    def build_message(self, group: Group) -> Outcome:
        """Return the message of a release in memory, or every reason against it."""
        job = self._job
        faults: list[Fault] = []
        remarks: list[str] = []
        release = read_release(group, job.settings, faults, remarks)
        if release is None:
            return _refusal(group, faults)
        ident = message_id(job.settings, group.key, job.created_at)
        message = write_message(release, job.settings, Header(ident, job.created_at))
        if self._schema and (invalid := self._schema.faults(message)):
            return _refusal(group, [(at, f"the schema refuses it: {words}") for at, words in invalid[:_SHOWN]])
        return ErnMessage(
            group.key, release.ident, ident, release.title, len(release.tracks), message,
            remarks=tuple(dict.fromkeys(remarks)),
        )  # fmt: skip

    def refuse_wrong_settings(self) -> None:
        """Raise ConfigError when the settings make even the message of a sample release invalid."""
        outcome = self.build_message(Group("probe", (_SAMPLE,), 1))
        if isinstance(outcome, ReleaseRefused):
            raise ConfigError([f"{SECTION}: {error.field}: {error.words}" for error in outcome.errors])


def _refusal(group: Group, faults: Sequence[Fault], *, retryable: bool = False) -> ReleaseRefused:
    title = next((found for record in group.records if (found := cells.text(record.get("album")))), None)
    return ReleaseRefused([ErnError(group.key, at, words, retryable, title) for at, words in dict.fromkeys(faults)])


def file_name(ident: str, key: str) -> str:
    """Return a file name that is safe on every system, and the same for the same release.

    A hash of the key keeps two releases with one barcode apart: "094631432057-1f2e3d4c.xml"."""
    safe = _UNSAFE.sub("-", ident).strip("-")[:60] or "release"
    return f"{safe}-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}.xml"


def write_whole(path: Path, content: bytes) -> None:
    """Write a temporary file and rename it: a reader finds the old file, the new one, or none."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


# In a worker process: one builder, made when the process starts.
_builder: Builder | None = None


def start_worker(job: Job) -> None:
    """Prepare a worker process: parse the schema, and ignore Ctrl-C."""
    global _builder
    # The terminal sends Ctrl-C to every process; a release that is begun here must be finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _builder = Builder(job)


def build_groups(groups: Sequence[Group]) -> list[Outcome]:
    """Build the releases of a batch in a prepared worker; return their outcomes in order."""
    assert _builder is not None
    return [_builder.build(group) for group in groups]
