"""What a worker does with a batch of releases: build, validate, put into the folder. Runs in any process."""

from __future__ import annotations

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

from soulspot.errors import ConfigError
from soulspot.export.ddex import cells
from soulspot.export.ddex.grouping import Group
from soulspot.export.ddex.message import Header, message_id, write_message
from soulspot.export.ddex.outcome import ErnError, ErnMessage, Outcome, Refusal
from soulspot.export.ddex.release import read_release
from soulspot.export.ddex.schema import ErnSchema
from soulspot.export.ddex.settings import SECTION, ErnSettings
from soulspot.export.ddex.tracks import Fault

_RETRYABLE = frozenset(
    {errno.EAGAIN, errno.EBUSY, errno.EDQUOT, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM,
     errno.ENOSPC, errno.ESTALE, errno.ETIMEDOUT}
)  # fmt: skip
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")
_SHOWN = (
    5  # faults of one release that its schema found and that are named; the rest follows from them mostly
)

_MADE_UP = {
    "title": "T", "artist": "A", "album": "A", "isrc": "QZAAA2600001", "duration_ms": 1000, "label": "L",
    "genres": "Pop", "release_date": "2026-01-01", "barcode": "000000000017",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """How the releases of one run are made. `schema` None: they are not validated; `folder` None: not written."""

    settings: ErnSettings
    created_at: datetime
    schema: Path | None = None
    folder: Path | None = None


class Builder:
    """Builds the releases of one run, with the schema parsed once. Raises SchemaError when that is of no use."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._schema = ErnSchema(job.schema, job.settings.namespace) if job.schema else None

    def build(self, group: Group) -> Outcome:
        """`make`, and put the message into the folder if there is one."""
        made = self.make(group)
        if self._job.folder is None or isinstance(made, Refusal):
            return made
        path = self._job.folder / file_name(made.release_id, group.key)
        try:
            put(path, made.message)
        except OSError as error:
            again = error.errno in _RETRYABLE
            return _refusal(group, [("file", f"{path}: {error.strerror or error}")], retryable=again)
        return replace(made, message=b"", path=path)

    def make(self, group: Group) -> Outcome:
        """The release's message, or all that keeps it from being one."""
        job = self._job
        faults: list[Fault] = []
        remarks: list[str] = []
        release = read_release(group, job.settings, faults, remarks)
        if release is None:
            return _refusal(group, faults)
        ident = message_id(job.settings, group.key, job.created_at)
        message = write_message(release, job.settings, Header(ident, job.created_at))
        if self._schema and (said := self._schema.faults(message)):
            return _refusal(group, [(at, f"the schema refuses it: {words}") for at, words in said[:_SHOWN]])
        return ErnMessage(
            group.key, release.ident, ident, release.title, len(release.tracks), message,
            remarks=tuple(dict.fromkeys(remarks)),
        )  # fmt: skip

    def refuse_wrong_terms(self) -> None:
        """Raise ConfigError for settings that the schema does not know: they would spoil every message alike."""
        made = self.make(Group("probe", (_MADE_UP,), 1))
        if isinstance(made, Refusal):
            raise ConfigError([f"{SECTION}: {error.field}: {error.words}" for error in made.errors])


def _refusal(group: Group, faults: Sequence[Fault], *, retryable: bool = False) -> Refusal:
    title = next((found for one in group.records if (found := cells.text(one.get("album")))), None)
    return Refusal(
        tuple(ErnError(group.key, at, words, retryable, title) for at, words in dict.fromkeys(faults))
    )


def file_name(ident: str, key: str) -> str:
    """A name that is safe everywhere, the same each time, and nobody else's: two releases may share a barcode."""
    told = _UNSAFE.sub("-", ident).strip("-")[:60] or "release"
    return f"{told}-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}.xml"


def put(path: Path, content: bytes) -> None:
    """Write the file aside and rename it: whoever looks finds the old one, the new one, or none."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise


# In a worker process: one builder, made when the process starts.
_builder: Builder | None = None


def start(job: Job) -> None:
    """Make this process ready. Ctrl-C is for the process that hands out the work: what is begun here is finished."""
    global _builder
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _builder = Builder(job)


def work(groups: Sequence[Group]) -> list[Outcome]:
    """The outcomes of a batch, in its order."""
    assert _builder is not None
    return [_builder.build(group) for group in groups]
