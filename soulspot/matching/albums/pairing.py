"""Which recording of an edition is which of an album's tracks, decided for all of them together; pure.

What is plain is taken first: a name that one track and one recording have alone. For the few that remain (the same
title twice, tracks without a title, titles in another script) the pairing with the greatest sum of scores is found,
every recording used once. A track that has no good place takes none: albums are partial, and have extra tracks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soulspot.matching.scoring.comparing import compare
from soulspot.matching.scoring.score import score
from soulspot.matching.values import AlbumEvidence
from soulspot.matching.views import View, view_of_fields, views_of_tags
from soulspot.models import Entity, TrackTags

MOST = 16  # tracks or recordings that are not plain: to compare one with one takes 0.2 ms
_POSSIBLE = (
    0.71  # the least score of a pair that is thought of: nothing contradicts, and more than text agrees
)
_NEVER = -1000.0
_ENOUGH = 2  # plain pairs that say that it is this edition
_SURE = 0.04  # the least that a pairing must lose when one of its pairs is forbidden

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pairing:
    """The recordings of an edition by the track (its place in the list given) that each belongs to.

    `margins` say by how much the sum of scores falls when that pair is forbidden: 0 where another pairing is as good,
    and 1 for the plain ones. `plain` is how many those are, less the ones that stand at another place."""

    pairs: Mapping[int, str]
    margins: Mapping[int, float]
    plain: int = 0

    def claimed_by_others(self, track: int) -> frozenset[str]:
        """The recordings that clearly are another track's than this."""
        return frozenset(
            one for other, one in self.pairs.items() if other != track and self.margins[other] >= _SURE
        )

    def evidence_for(self, track: int) -> AlbumEvidence:
        """What the pairing leaves for this track."""
        others = self.plain - (self.margins.get(track) == 1.0)
        return AlbumEvidence(
            self.recording_of(track), self.claimed_by_others(track), confirmed=others >= _ENOUGH
        )

    def recording_of(self, track: int) -> str | None:
        """The recording that clearly is this track's; None when it is not clear."""
        return self.pairs.get(track) if self.margins.get(track, 0.0) >= _SURE else None


NO_PAIRING = Pairing({}, {})


def pair_tracks(tracks: Sequence[tuple[TrackTags, bytes | None]], recordings: Sequence[Entity]) -> Pairing:
    """Pair the tracks of an album (tags and path) with the recordings of an edition, both in any order.

    Nothing that is not plain is paired where there are more than 16 of it on either side."""
    ours = [views_of_tags(tags, path)[0] for tags, path in tracks]
    theirs = [view_of_fields(one) for one in recordings]
    pairs, placed = _plain(ours, theirs)
    margins = dict.fromkeys(pairs, 1.0)
    left = [t for t in range(len(ours)) if t not in pairs]
    used = set(pairs.values())
    free = [r for r in range(len(theirs)) if r not in used]
    if left and free and len(left) <= MOST and len(free) <= MOST:
        for track, recording, margin in _best(left, free, ours, theirs):
            pairs[track], margins[track] = recording, margin
    return Pairing({t: recordings[r].id for t, r in pairs.items()}, margins, placed)


def _plain(ours: Sequence[View], theirs: Sequence[View]) -> tuple[dict[int, int], int]:
    """Pairs whose name no other track and no other recording has, as far as lengths do not object, and how many of
    them do not stand at another place."""
    here, there = [_name(view) for view in ours], [_name(view) for view in theirs]
    often_here, often_there = Counter(here), Counter(there)
    places = {name: r for r, name in enumerate(there) if name and often_there[name] == 1}
    found = {}
    placed = 0
    for track, name in enumerate(here):
        recording = places.get(name) if name and often_here[name] == 1 else None
        if recording is not None:
            marks = compare(ours[track], theirs[recording])
            if marks.duration != -1.0 and not marks.version:
                found[track] = recording
                placed += marks.position is not False
    return found, placed


def _name(view: View) -> Key | None:
    """The title as written and the versions that it names; None without a title."""
    return (view.title.full, " ".join(sorted(view.versions.hard))) if view.title.segments else None


def _best(
    tracks: Sequence[int], recordings: Sequence[int], ours: Sequence[View], theirs: Sequence[View]
) -> list[tuple[int, int, float]]:
    """(track, recording, margin) of the best pairing."""
    gains = [[score(compare(ours[t], theirs[r])) for r in recordings] for t in tracks]
    gains = [[gain if gain >= _POSSIBLE else _NEVER for gain in row] for row in gains]
    chosen = pair_up(gains)
    total = _sum(gains, chosen)
    found = []
    for row, column in chosen.items():
        others = [list(line) for line in gains]
        others[row][column] = _NEVER
        margin = total - _sum(others, pair_up(others))
        found.append((tracks[row], recordings[column], round(margin, 4)))
    return found


def _sum(gains: Sequence[Sequence[float]], chosen: Mapping[int, int]) -> float:
    return sum(gains[row][column] for row, column in chosen.items())


def pair_up(gains: Sequence[Sequence[float]]) -> dict[int, int]:
    """Rows paired with columns, each at most once, so that the sum of gains is greatest; no pair has a gain of 0 or less.

    The Hungarian method by shortest augmenting paths, O(n²m). Solvers in libraries bring numpy along; what is paired
    here is at most 16 by 16. Every row may also stay alone, at a column of its own without gain."""
    if not gains:
        return {}
    rows, columns = len(gains), len(gains[0])
    wide = columns + rows
    cost = [
        [-gain for gain in line] + [0.0 if own == row else -_NEVER for own in range(rows)]
        for row, line in enumerate(gains)
    ]
    u, v = [0.0] * (rows + 1), [0.0] * (wide + 1)
    owner = [0] * (wide + 1)  # the row (from 1) that holds each column (from 1); column 0 is the row to place
    for row in range(1, rows + 1):
        owner[0] = row
        least, way, done = [float("inf")] * (wide + 1), [0] * (wide + 1), [False] * (wide + 1)
        column = 0
        while owner[column]:
            done[column] = True
            holder, step, following = owner[column], float("inf"), 0
            for j in range(1, wide + 1):
                if done[j]:
                    continue
                reduced = cost[holder - 1][j - 1] - u[holder] - v[j]
                if reduced < least[j]:
                    least[j], way[j] = reduced, column
                if least[j] < step:
                    step, following = least[j], j
            for j in range(wide + 1):
                if done[j]:
                    u[owner[j]] += step
                    v[j] -= step
                else:
                    least[j] -= step
            column = following
        while column:
            owner[column] = owner[way[column]]
            column = way[column]
    placed = {owner[j] - 1: j - 1 for j in range(1, columns + 1) if owner[j]}
    return {row: column for row, column in placed.items() if gains[row][column] > 0.0}
