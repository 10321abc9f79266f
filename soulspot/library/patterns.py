"""Glob patterns of `include` and `exclude`, matched against paths relative to a library root."""

import fnmatch
import os
import re
from collections.abc import Sequence
from unicodedata import normalize


class Patterns:
    """Patterns that each name a file or a folder, by its name alone or by its path below the root.

    However its accents are composed, a name is the same name. `*` also crosses "/", a leading "**/"
    means any depth, and a folder stands for everything in it. Case counts. Bytes that are not UTF-8
    take part as surrogate escapes. Without patterns an instance is false, and matches nothing."""

    def __init__(self, patterns: Sequence[str]) -> None:
        wanted = [p.rstrip("/").removeprefix("./") for p in patterns]
        wanted += [p.removeprefix("**/") for p in wanted if p.startswith("**/")]
        parts = [fnmatch.translate(normalize("NFC", p)) for p in wanted if p]
        self._match = re.compile("|".join(parts)).match if parts else None

    def __bool__(self) -> bool:
        return self._match is not None

    def match(self, relative: bytes) -> bool:
        """Whether a pattern names this very file or folder; its parent folders do not count."""
        if self._match is None:
            return False
        text = normalize("NFC", os.fsdecode(relative))
        return bool(self._match(text) or self._match(text.rpartition("/")[2]))

    def match_parents(self, relative: bytes) -> bool:
        parts = relative.split(b"/")
        return any(self.match(b"/".join(parts[:n])) for n in range(1, len(parts)))
