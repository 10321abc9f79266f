"""The recordings of a catalogue that fit a file: the true one, its twins, and rivals.

SoulSpot's own matcher is not used here, because it is judged by this."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from soulspot.sandbox import Catalogue, Recording
from soulspot.sandbox.library.sample import PlannedFile
from soulspot.text import fold

TWIN_MS = 1000  # recordings of one title, artist and version whose lengths differ by no more are one to a listener
CLEAR_MS = 2000  # a rival must be this much further from the file's length than the true recording

_BRACKET = re.compile(r"\s*[(\[]([^)\]]*)[)\]]\s*$")
_GUEST = re.compile(r"^(?:feat|ft|featuring)\b", re.IGNORECASE)
_KINDS = (
    ("karaoke", ("karaoke", "in the style of")),
    ("rerecording", ("re-recording", "re-recorded", "version)")),
    ("remaster", ("remaster",)),
    ("single version", ("single version",)),
    ("instrumental", ("instrumental",)),
    ("acoustic", ("acoustic",)),
    ("extended", ("extended",)),
    ("edit", ("edit",)),
    ("remix", ("remix",)),
    ("demo", ("demo",)),
    ("live", ("live",)),
)


@dataclass(frozen=True, slots=True)
class Said:
    """The statements of a file before it was spelled badly. `album` is None where it names none.

    `version` holds the kinds of version that its title tells, `detail` a place or a year.
    `duration_ms` is None when unknown. `sure`: it carries an identifier that a service knows as
    this recording's alone."""

    version: frozenset[str] = frozenset()
    detail: str = ""
    album: str | None = None
    duration_ms: int | None = None
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """A file still to be written, and the truth about it.

    `recording` is None when the catalogue lacks it. `twins` are MBIDs that nothing in the file
    tells from the true one; accepting a twin is right. A file is `findable` unless it fits several
    recordings alike. `traits` name its difficulties."""

    file: PlannedFile
    recording: Recording | None = None
    twins: frozenset[str] = frozenset()
    findable: bool = False
    traits: tuple[str, ...] = field(default=())


def base_title(title: str) -> str:
    """Return the title without the brackets behind it (guests, versions)."""
    while (found := _BRACKET.search(title)) and found.start() > 0:
        title = title[: found.start()]
    return fold(title)


def title_version(title: str) -> frozenset[str]:
    """Return the kinds of version in the brackets behind a title, a remix with its remixer."""
    kinds: set[str] = set()
    while (found := _BRACKET.search(title)) and found.start() > 0:
        if not _GUEST.match(found[1]):
            kinds |= version_kinds(found[1])
        title = title[: found.start()]
    return frozenset(kinds)


def version_kinds(phrase: str) -> frozenset[str]:
    """Return the kinds of version that a phrase names; for a remix the whole phrase."""
    lower = phrase.casefold()
    return frozenset(
        fold(phrase) if kind == "remix" else kind for kind, words in _KINDS if any(word in lower for word in words)
    )


def hidden_version(recording: Recording) -> frozenset[str]:
    """Return the kinds of version that only the comment on MusicBrainz tells."""
    return version_kinds(recording.disambiguation)


class Truth:
    """Judges the statements of files by one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._named: dict[tuple[str, str], list[Recording]] = defaultdict(list)
        for recording in catalogue.recordings:
            for name in {fold(recording.credit[0].name), fold(recording.artist)}:
                self._named[base_title(recording.title), name].append(recording)

    def namesakes(self, title: str, artist: str) -> list[Recording]:
        """Return all recordings of this title, in any version, by artists of this name."""
        return self._named.get((base_title(title), fold(artist)), [])

    def judge(self, recording: Recording, said: Said) -> tuple[frozenset[str], bool]:
        """Return (twins, findable) for a file of `recording` with these statements."""
        if said.sure:
            return frozenset(), True
        rivals = [one for one in self._rivals(recording, said) if one.mbid != recording.mbid]
        twins = frozenset(one.mbid for one in rivals if _alike(one.duration_ms, recording.duration_ms))
        others = [one for one in rivals if one.mbid not in twins]
        return twins, all(_told_apart(recording, other, said.duration_ms) for other in others)

    def _rivals(self, recording: Recording, said: Said) -> Iterable[Recording]:
        hidden = hidden_version(recording) - said.version
        for one in self.namesakes(recording.title, recording.credit[0].name):
            if said.album is not None and not self._is_on(one, said.album):
                continue
            if fold(said.detail) not in fold(f"{one.title} {one.disambiguation}"):
                continue
            if said.album is not None or hidden:  # nothing in the file tells hidden versions apart
                if title_version(one.title) == title_version(recording.title):
                    yield one
            elif title_version(one.title) | hidden_version(one) == said.version:
                yield one

    def _is_on(self, recording: Recording, album: str) -> bool:
        return any(fold(place.release.title) == fold(album) for place in self.catalogue.places(recording.mbid))


def _alike(a: int | None, b: int | None) -> bool:
    return a is not None and b is not None and abs(a - b) <= TWIN_MS


def _told_apart(true: Recording, other: Recording, heard_ms: int | None) -> bool:
    """Whether the length of the file fits the true recording clearly better than the other."""
    if heard_ms is None or (other.duration_ms is None and true.duration_ms is None):
        return False
    if other.duration_ms is None:
        return True
    off = abs(true.duration_ms - heard_ms) if true.duration_ms is not None else TWIN_MS
    return abs(other.duration_ms - heard_ms) > off + CLEAR_MS
