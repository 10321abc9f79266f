"""What became of a release: its message, or every reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ErnMessage:
    """A release that was written. `release_id` is its barcode, catalogue number or own id.

    Written to a folder, it has a `path` and an empty `message`. `remarks` say what was changed or left out."""

    release_key: str
    release_id: str
    message_id: str
    title: str
    tracks: int
    message: bytes
    path: Path | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErnError:
    """One reason why a release was not written: the field (a column, an element), and words for a person.

    `retryable`: the release itself is sound, and the same again may succeed."""

    release_key: str
    field: str
    words: str
    retryable: bool = False
    title: str | None = None

    def __str__(self) -> str:
        return f"{self.release_key or 'no release'}: {self.field}: {self.words}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A release that was not written."""

    errors: tuple[ErnError, ...]

    @property
    def retryable(self) -> bool:
        return all(error.retryable for error in self.errors)


Outcome = ErnMessage | Refusal
