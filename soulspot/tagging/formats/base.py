"""The tags of one file as fields to read and set, in any format; unset tags stay as they were."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from soulspot.library import values
from soulspot.tagging.formats.names import DATES, POSITIONS

_NUMBER = re.compile(r"\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as tags hold it; `mime` is "image/jpeg" or "image/png"."""

    data: bytes
    mime: str


class FileTags(ABC):
    """The tags of one opened file: a field's values are a list of texts, [] for an absent field.
    Fields are those of `names.FIELDS`. Native names and tags are the format's own."""

    def __init__(self, file: Any) -> None:
        self.file = file  # what mutagen opened

    @property
    def tags(self) -> Any:
        """mutagen's tags of the file; None for a file without."""
        return self.file.tags

    def get(self, field: str) -> list[str]:
        """Return the values of a field, cleaned; a position without its total."""
        found = values.split_values(self._get(field))
        if field in POSITIONS:
            found = [str(number) for value in found[:1] if (number := values.parse_position(value)[0])]
        return found

    def storable(self, field: str, wanted: Sequence[str]) -> list[str]:
        """Return what `get` will return after `set(field, wanted)`: some formats store less."""
        return list(wanted)

    def set(self, field: str, wanted: Sequence[str]) -> None:
        """Put the values `wanted` (at least one) in place of the field's values."""
        self._add_missing_tags()
        if field in POSITIONS:
            # The total behind the number ("3/12") stays when the number changes.
            totals = (values.parse_position(value)[1] for value in self._get(field))
            total = next(filter(None, totals), None)
            wanted = [f"{wanted[0]}/{total}" if total else wanted[0]]
        self._set(field, wanted)

    def set_front(self, picture: Picture) -> None:
        """Put this picture in place of the front cover; other pictures stay."""
        self._add_missing_tags()
        self._set_front(picture)

    def _add_missing_tags(self) -> None:
        if self.tags is None:
            self.file.add_tags()

    @abstractmethod
    def _get(self, field: str) -> list[str]: ...

    @abstractmethod
    def _set(self, field: str, wanted: Sequence[str]) -> None: ...

    @abstractmethod
    def _set_front(self, picture: Picture) -> None: ...

    @abstractmethod
    def native_names(self, field: str) -> frozenset[str]:
        """Return the native names that `set` (`set_front` for `names.COVER`) may touch."""

    @abstractmethod
    def native_tags(self) -> dict[str, str]:
        """Return all native tags by name, in a form for comparing them before and after."""

    @abstractmethod
    def front(self) -> Picture | None:
        """Return the front cover; None when there is none."""

    def save(self, file: IO[bytes]) -> None:
        """Write the tags into `file`, a copy of the opened file."""
        file.seek(0)
        self.file.save(file)


def differs(field: str, present: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether writing `wanted` over `present` would change the meaning of a field. A more exact
    date of the same day, month or year counts as equal, and so does "03" for "3"."""
    if list(present) == list(wanted):
        return False
    if field in DATES and present and wanted:
        known = values.parse_date(present[0])
        return known is None or not (known == wanted[0] or known.startswith(f"{wanted[0]}-"))
    if field in POSITIONS and present and wanted:
        number = _NUMBER.match(present[0])
        return number is None or int(number[1]) != int(wanted[0])
    return True
