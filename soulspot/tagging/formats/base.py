"""One file's tags as fields to read and to set, whatever the format: what is not set stays as it was."""

# mutagen has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from soulspot.library import values
from soulspot.tagging.formats import names

_NUMBER = re.compile(r"\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as tags hold it."""

    data: bytes
    mime: str


class FileTags(ABC):
    """The tags of one opened file. Values are lists of text; [] stands for a field that is not there."""

    kind: str  # the format of the tags, as people call it

    def __init__(self, file: Any) -> None:
        self.file = file

    @property
    def tags(self) -> Any:
        return self.file.tags

    def get(self, field: str) -> list[str]:
        """The values of a field, cleaned; a position without its total."""
        found = values.split_values(self._get(field))
        if field in names.POSITIONS:
            found = [str(number) for one in found[:1] if (number := values.parse_position(one)[0])]
        return found

    def as_kept(self, field: str, wanted: Sequence[str]) -> list[str]:
        """What `get` will say after `set` of these: some formats keep less."""
        return list(wanted)

    def set(self, field: str, wanted: Sequence[str]) -> None:
        """Put these values in place of what the field has."""
        if self.tags is None:
            self.file.add_tags()
        if field in names.POSITIONS:
            total = self._total(field)
            wanted = [f"{wanted[0]}/{total}" if total else wanted[0]]
        self._set(field, wanted)

    def _total(self, field: str) -> int | None:
        """The total behind the number ("3/12"), which stays when the number changes."""
        return next((total for one in self._get(field) if (total := values.parse_position(one)[1])), None)

    @abstractmethod
    def _get(self, field: str) -> list[str]: ...

    @abstractmethod
    def _set(self, field: str, wanted: Sequence[str]) -> None: ...

    @abstractmethod
    def names(self, field: str) -> frozenset[str]:
        """The native names that `set` of a field may touch."""

    @abstractmethod
    def everything(self) -> dict[str, str]:
        """All native tags by name, in a form to compare: what was not to be touched must be there again."""

    @abstractmethod
    def front(self) -> Picture | None:
        """The front cover in the tags."""

    @abstractmethod
    def set_front(self, picture: Picture) -> None:
        """Put this picture in place of the front cover; other pictures stay."""

    def save(self, file: IO[bytes]) -> None:
        """Write the tags into `file`, which holds what was opened."""
        file.seek(0)
        self.file.save(file)


def differs(field: str, there: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether writing `wanted` over `there` would change what is said; a date is never made less exact."""
    if list(there) == list(wanted):
        return False
    if field in names.DATES and there and wanted:
        known = values.parse_date(there[0])
        return known is None or not (known == wanted[0] or known.startswith(f"{wanted[0]}-"))
    if field in names.POSITIONS and there and wanted:
        number = _NUMBER.match(there[0])
        return number is None or int(number[1]) != int(wanted[0])
    return True
