"""Candidates that are believed because of what the others are: the only one of its name, the only one of its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from soulspot.matching.scoring.identified import WITH_ONE_DOUBT, Standing
from soulspot.matching.scoring.rivals import Judged
from soulspot.matching.scoring.score import score
from soulspot.matching.text.scripts import foreign
from soulspot.matching.values import AlbumEvidence
from soulspot.matching.views import View

_NAMED = 0.85  # from here on title and artist are the file's
_EQUAL = 0.97
_HEARD = 0.95  # from here on a title in another script is heard to be the same
_NEAR = 0.7  # from here on it may be meant
_MASTERING_MS, _MASTERING_SHARE = (
    6_000,
    0.04,
)  # at most: what another mastering, or a pause at the end, makes of a length
_CLEARLY_MS = 5_000  # another length, for a version that is told by nothing else


def singled_out(judged: Sequence[Judged], ours: View) -> list[Judged]:
    """`judged` with the score of the one that the others single out raised, if there is one."""
    named = [j for j in judged if (j.marks.text or 0.0) >= _NAMED]
    raised = _only(named, ours.duration_ms) or _of_this_length(named) or _miswritten(judged, ours)
    return [raised if raised and j.candidate is raised.candidate else j for j in judged]


def _only(named: Sequence[Judged], length_ms: int | None) -> Judged | None:
    """The only candidate of this name, where no length is to be compared, on our side or theirs, or the album speaks
    for it."""
    if len(named) != 1:
        return None
    only = named[0]
    if only.standing is not Standing.ABSENT or only.marks.version:
        return None
    equal = (only.marks.title or 0.0) >= _EQUAL and (only.marks.artist or 0.0) >= _EQUAL
    if length_ms is not None and (
        only.marks.title is None or not (only.marks.settled or (only.marks.apart_ms is None and equal))
    ):
        return None
    return _raised(only, score(only.marks, alone=True), "the only candidate of this name")


def _of_this_length(named: Sequence[Judged]) -> Judged | None:
    """The single version or edit that a file without version words must be: the ordinary version is known to be
    clearly longer or shorter, and so is everything else of that name."""
    for one in named:
        marks = one.marks
        exact = (marks.title or 0.0) >= _EQUAL and (marks.artist or 0.0) >= _EQUAL
        if not (marks.unstated and exact and marks.apart_ms is not None and marks.apart_ms <= 1000):
            continue
        others = [j for j in named if j is not one]
        ordinary = any(not j.marks.version for j in others)
        apart = all(j.marks.apart_ms is not None and j.marks.apart_ms >= _CLEARLY_MS for j in others)
        placed = marks.on_album or not any(j.marks.on_album for j in others)
        if ordinary and apart and placed and one.standing in (Standing.ABSENT, Standing.UNSURE):
            return _raised(one, WITH_ONE_DOUBT, "the only one of this length")
    return None


def _miswritten(judged: Sequence[Judged], ours: View) -> Judged | None:
    """The only candidate that is called nearly so, where one of title and artist is equal, the other has a slip or is
    heard in another script, and the length is the same. A single word is another word with a letter
    changed, and a number another number."""
    near = [j for j in judged if (j.marks.text or 0.0) >= _NEAR and j.marks.title is not None]
    if len(near) != 1:
        return None
    marks = near[0].marks
    heard = (marks.title or 0.0) >= _HEARD and foreign(ours.title.core, near[0].view.title.core)
    if not heard and any(_as_long(j) for j in judged):
        return None
    alike = sorted((marks.title or 0.0, marks.artist or 0.0))
    plain = not (marks.version or marks.taken or marks.video or marks.repeatable) and marks.counted
    placed = marks.album is None or marks.on_album
    apart = marks.apart_ms if marks.apart_ms is not None else _CLEARLY_MS
    exact = (apart <= 1000 and marks.duration == 1.0) or (heard and apart <= 2000 and marks.same_length)
    if not (alike[0] >= _NAMED and alike[1] >= _EQUAL and plain and placed and exact):
        return None
    title = near[0].view.title.core
    telling = len(title.split()) > 1 and not any(map(str.isdigit, title + ours.title.full))
    if near[0].standing is not Standing.ABSENT or ((marks.title or 0.0) < _EQUAL and not telling):
        return None
    return _raised(near[0], WITH_ONE_DOUBT, "nothing else is called nearly so, and the length is the same")


def _as_long(one: Judged) -> bool:
    """Whether it may be meant for all one can tell: by the artist, as long, and with a title that cannot be compared."""
    marks = one.marks
    near = marks.apart_ms is None or marks.apart_ms <= 1000
    return marks.title is None and (marks.artist or 0.0) >= _NAMED and near


def only_of_its_name(judged: Sequence[Judged], length_ms: int | None) -> Judged | None:
    """The only recording of exactly this name, as another mastering or a rip with a pause has it; versions that the
    file does not mention are clearly longer or shorter. Whoever accepts it has to have seen what else is called like
    this, however long."""
    named = [j for j in judged if (j.marks.text or 0.0) >= _NAMED]
    told = [j for j in named if not j.marks.version]
    if len(told) != 1 or told[0].standing is not Standing.ABSENT:
        return None
    only, marks = told[0], told[0].marks
    exact = (marks.title or 0.0) >= _EQUAL and (marks.artist or 0.0) >= _EQUAL and marks.same_company
    plain = not (marks.taken or marks.unnamed or marks.video or marks.repeatable) and marks.counted
    placed = marks.album is None or (marks.on_album and marks.position is not False)
    most = min(_MASTERING_MS, _MASTERING_SHARE * (length_ms or 0))
    if marks.apart_ms is None or marks.apart_ms > most or marks.duration == -1.0:
        return None
    clear = marks.apart_ms + _CLEARLY_MS
    others = [j.marks.apart_ms for j in named if j is not only]
    apart = all(other is not None and other >= clear for other in others)
    return only if exact and plain and placed and apart else None


def remaining(one: Judged, evidence: AlbumEvidence) -> Judged:
    """What the other tracks of the album leave over is believed for its place or its length, where no titles can be
    compared: nothing else is left that it could be."""
    marks = one.marks
    if (
        one.id != evidence.own_id
        or not evidence.confirmed
        or marks.title is not None
        or one.standing is not Standing.ABSENT
    ):
        return one
    return _raised(one, score(marks, left=True), "what the other tracks of the album leave over") or one


def left_over(judged: list[Judged], evidence: AlbumEvidence, margin: float) -> list[Judged]:
    """`judged` (best first), headed by the one that is left for this track where the head is another's and no closer."""
    best = judged[0]
    if best.id not in evidence.claimed_ids or best.standing is Standing.VERIFIED:
        return judged
    own = next((j for j in judged if j.id == evidence.own_id and best.score - j.score < margin), None)
    return [own, *(j for j in judged if j is not own)] if own else judged


def _raised(one: Judged, value: float, reason: str) -> Judged | None:
    return replace(one, score=value, reasons=(*one.reasons, reason)) if value > one.score else None
