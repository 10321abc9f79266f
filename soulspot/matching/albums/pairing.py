"""The tracks of an album paired with the recordings of an edition, all of them together.

Plain pairs come first: a name that one track and one recording have alone. For the few that remain
(a title twice, tracks without a title, titles in another script) the pairing with the greatest sum
of scores is found, every recording used once. A track without a good place takes none: albums are
partial, and have extra tracks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soulspot.matching.scoring.comparison import compare
from soulspot.matching.scoring.rules import score
from soulspot.matching.values import AlbumEvidence
from soulspot.matching.views import View, view_of_entity, views_of_tags
from soulspot.models import Entity, TrackTags

MOST = 16  # tracks or recordings that are not plain: one comparison takes 0.2 ms
# The least score of a pair: nothing contradicts, and more than the text agrees.
_POSSIBLE = 0.71
_NEVER = -1000.0
_ENOUGH = 2  # other plain pairs that confirm an edition
_SURE = 0.04  # the margin from which a pair is clear
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pairing:
    """The recordings of an edition by the index of the track that each belongs to."""

    pairs: Mapping[int, str]
    # The loss in the sum of scores without a pair: 0 where another is as good, 1 for plain pairs.
    margins: Mapping[int, float]
    plain: int = 0  # plain pairs, less those that stand at another place

    def evidence_for(self, track: int) -> AlbumEvidence:
        others = self.plain - (self.margins.get(track) == 1.0)
        claimed = self.claimed_by_others(track)
        return AlbumEvidence(self.recording_of(track), claimed, confirmed=others >= _ENOUGH)

    def recording_of(self, track: int) -> str | None:
        """Return the recording that clearly is this track's; None when it is not clear."""
        return self.pairs.get(track) if self.margins.get(track, 0.0) >= _SURE else None

    def claimed_by_others(self, track: int) -> frozenset[str]:
        """Return the recordings that clearly are another track's than this."""
        others = (other for other in self.pairs if other != track and self.margins[other] >= _SURE)
        return frozenset(self.pairs[other] for other in others)


def pair_tracks(tracks: Sequence[tuple[TrackTags, bytes | None]], recordings: Sequence[Entity]) -> Pairing:
    """Pair the tracks of an album (tags and path) with the recordings of an edition. Names that one
    track and one recording have alone are paired first; the rest by the best sum of scores, unless
    more than 16 tracks or recordings are left."""
    ours = [views_of_tags(tags, path)[0] for tags, path in tracks]
    theirs = [view_of_entity(recording) for recording in recordings]
    pairs, placed = _pair_by_name(ours, theirs)
    margins = dict.fromkeys(pairs, 1.0)
    left = [t for t in range(len(ours)) if t not in pairs]
    used = set(pairs.values())
    free = [r for r in range(len(theirs)) if r not in used]
    if left and free and len(left) <= MOST and len(free) <= MOST:
        for track, recording, margin in _pair_by_score(left, free, ours, theirs):
            pairs[track], margins[track] = recording, margin
    return Pairing({t: recordings[r].id for t, r in pairs.items()}, margins, placed)


def _pair_by_name(ours: Sequence[View], theirs: Sequence[View]) -> tuple[dict[int, int], int]:
    """Return the plain pairs, and the number of them that do not stand at another place. A pair is
    plain where nothing else has its name, and neither length nor version words object."""
    here, there = [_name(view) for view in ours], [_name(view) for view in theirs]
    often_here, often_there = Counter(here), Counter(there)
    places = {name: r for r, name in enumerate(there) if name and often_there[name] == 1}
    found = {}
    placed = 0
    for track, name in enumerate(here):
        recording = places.get(name) if name and often_here[name] == 1 else None
        if recording is not None:
            comparison = compare(ours[track], theirs[recording])
            if not comparison.length.contradicts and not comparison.version.conflict:
                found[track] = recording
                placed += comparison.album.position is not False
    return found, placed


def _name(view: View) -> Key | None:
    """Return the title as written with the versions that it names; None without a title."""
    return (view.title.full, " ".join(sorted(view.versions.hard))) if view.title.segments else None


def _pair_by_score(
    tracks: Sequence[int], recordings: Sequence[int], ours: Sequence[View], theirs: Sequence[View]
) -> list[tuple[int, int, float]]:
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
    """Pair rows with columns, each at most once, for the greatest sum of gains above 0."""
    # The Hungarian method by shortest augmenting paths, O(n²m). Solvers in libraries bring numpy
    # along; here 16 by 16 is the most. A row may also stay alone, at a column of its own.
    if not gains:
        return {}
    rows, columns = len(gains), len(gains[0])
    wide = columns + rows
    cost = [
        [-gain for gain in line] + [0.0 if own == row else -_NEVER for own in range(rows)]
        for row, line in enumerate(gains)
    ]
    u, v = [0.0] * (rows + 1), [0.0] * (wide + 1)
    # The row (from 1) that holds each column (from 1); column 0 is the row to place.
    owner = [0] * (wide + 1)
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
