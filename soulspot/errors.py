"""Every exception that SoulSpot raises on purpose; its docstring says what it means to a caller.

SoulSpotError
├── ConfigError                  the configuration cannot be used (exit 78)
├── DatabaseError
│   ├── DatabaseOwned            another process works on this database (exit 75)
│   ├── DatabaseDamaged          the file is not a sound SQLite database
│   ├── DatabaseTooNew           a newer SoulSpot wrote the schema
│   ├── DatabaseFull             the disk (or page limit) is full; nothing was written
│   └── DatabaseBusy             another program holds the write lock; nothing was written
├── ExportError                  an export cannot be written or read
│   └── SchemaError              the schema for checking release messages is unusable
├── ReleaseRefused               a release cannot be written as a message
├── CatalogueError               a dump cannot be built into a catalogue, or a catalogue not be read
├── UnreadableFile               an audio file that no tag could be read from
├── ProcessorClosed              an item came after BatchProcessor.close()
├── LookupFailed                 one lookup was answered with a failure
│   └── LookupPostponed          one lookup could not be asked for now
└── ProviderError                a failure between SoulSpot and an upstream service
    ├── Limited                  the service, or our own gate, asks us to wait: not an attempt
    ├── Unavailable              no usable connection or a 5xx: the service's trouble
    ├── Refused                  401, 403: asking again changes nothing until a person acts
    ├── BatchRejected            the request failed as a whole because of one of its lookups
    │   └── TooLong              ... or because it is longer than the service takes
    └── BadAnswer                the service answered with something that cannot be understood
"""

import errno
from collections.abc import Sequence
from typing import Any

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SoulSpotError(Exception):
    """The root of all failures that SoulSpot foresees."""


class ConfigError(SoulSpotError):
    """The configuration cannot be used; `problems` names every fault with its key."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DatabaseError(SoulSpotError):
    """The database cannot be used."""


class DatabaseOwned(DatabaseError):
    """Another process works on this database."""


class DatabaseDamaged(DatabaseError):
    """The file is not a sound SQLite database; it is left as it is."""


class DatabaseTooNew(DatabaseError):
    """A newer SoulSpot wrote this database."""


class DatabaseFull(DatabaseError):
    """The disk is full; the transaction was rolled back."""


class DatabaseBusy(DatabaseError):
    """Another program has held the lock of the database for too long; nothing was changed."""


class ExportError(SoulSpotError):
    """An export cannot be made; whatever stood in its place before is as it was."""


class SchemaError(ExportError):
    """The schema at the configured place is unusable; the message says why and what to do."""


class ReleaseRefused(SoulSpotError):
    """A release cannot be written as a message; `errors` has every reason."""

    def __init__(self, errors: Sequence[Any]) -> None:
        self.errors: tuple[Any, ...] = tuple(errors)
        # The arguments of an exception are what a worker process sends back of it.
        super().__init__(self.errors)

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


class CatalogueError(SoulSpotError):
    """A dump cannot be made into a catalogue, or a catalogue cannot be read."""


class UnreadableFile(SoulSpotError):
    """An audio file whose tags cannot be read; `reason` is for a person."""

    def __init__(self, path: bytes | str, reason: str) -> None:
        self.path = path
        self.reason = reason
        shown = path.decode("utf-8", "backslashreplace") if isinstance(path, bytes) else path
        super().__init__(f"{shown}: {reason}")


class ProcessorClosed(SoulSpotError):
    """An item came after BatchProcessor.close()."""


class BatchCancelled(SoulSpotError):
    """The call that should have answered this item was cancelled or interrupted; `__cause__` says
    by what.

    No item fails with the CancelledError itself: its awaiter would take it for his own
    cancellation."""


class LookupFailed(SoulSpotError):
    """One lookup was answered with a failure."""


class LookupPostponed(LookupFailed):
    """One lookup could not be asked for now; the durable queue keeps it."""


class ProviderError(SoulSpotError):
    """Something went wrong between us and an upstream service; `status` is the HTTP status, if
    any."""

    def __init__(
        self, message: str, *, status: int | None = None, words: str | None = None, is_structured: bool = False
    ) -> None:
        self.status = status
        self.words = words  # the service's own message, if it sent one
        self.is_structured = is_structured  # the message came in an error object
        super().__init__(message)


class Limited(ProviderError):
    """Wait until `until` (seconds since the epoch) before the next request to this host; `why` says
    what for."""

    def __init__(self, host: str, until: float, why: str, *, status: int | None = None) -> None:
        self.host = host
        self.until = until
        self.why = why
        super().__init__(f"{host}: {why}", status=status)


class Unavailable(ProviderError):
    """The service did not answer, or answered that it cannot serve now (connection, timeout, 5xx).

    `answered` is True when an HTTP response came back: only then is the failure an attempt of the
    lookup."""

    def __init__(self, message: str, *, status: int | None = None, answered: bool = False) -> None:
        self.answered = answered
        super().__init__(message, status=status)


class Refused(ProviderError):
    """The service refuses this account or client (401, 403); asking again changes nothing until a
    person acts."""


class BatchRejected(ProviderError):
    """The request failed as a whole because of one of its lookups (400, 422); halve it to find
    which."""


class TooLong(BatchRejected):
    """The request is longer than the service, or a proxy before it, takes (413, 414, 431).

    That says nothing about the lookups in it; halves of it may be short enough."""


class BadAnswer(ProviderError):
    """The service's answer cannot be understood: not JSON, wrong shape, too large."""


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that there is no room left to write: on the disk, in a quota, or below
    the size that a file of this process may have."""
    return isinstance(error, DatabaseFull) or (isinstance(error, OSError) and error.errno in _NO_ROOM)
