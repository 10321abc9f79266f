"""The outcome of a release: its message, or a `ReleaseRefused` with every reason against it."""

from dataclasses import dataclass
from pathlib import Path

from soulspot.errors import ReleaseRefused


@dataclass(frozen=True, slots=True)
class ErnMessage:
    """The message of a release."""

    release_key: str  # the key that grouped its records
    release_id: str  # its barcode, catalogue number or own id
    message_id: str
    title: str
    tracks: int
    message: bytes  # empty when it was written to `path`
    path: Path | None = None
    remarks: tuple[str, ...] = ()  # sentences about changed and left out values


@dataclass(frozen=True, slots=True)
class ErnError:
    """A reason why a release has no message: a field (a column, an element) and words about it."""

    release_key: str
    field: str
    words: str
    retryable: bool = False  # the release is sound, and a second attempt may succeed
    title: str | None = None

    def __str__(self) -> str:
        return f"{self.release_key or 'no release'}: {self.field}: {self.words}"


Outcome = ErnMessage | ReleaseRefused
