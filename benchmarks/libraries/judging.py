"""Comparison of an enriched library with the truth: counts, shares, and the commonest errors."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Literal

from benchmarks.libraries.truth import Labelled
from soulspot.models import EnrichedTrack, Status
from soulspot.sandbox import Catalogue, Recording

_NUMBER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+(?:\.\d+)?")
Result = Literal["right", "twin", "wrong", "missed", "open"]
"""Accepted: the true one, one that nobody could tell from it, another. Not accepted, although it
could be found, or because it could not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A file, the id that was accepted for it (None: none), and the reasons that SoulSpot gave."""

    label: Labelled
    status: Status
    result: Result
    accepted: str | None
    own: frozenset[str] = frozenset()  # the ids of the true one at this service
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """Counts for one kind of library. `twin` counts accepted recordings that nothing in the file
    tells from the true one."""

    tracks: int = 0
    findable: int = 0
    results: Counter[Result] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    found: int = 0  # right or twin, among the findable

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Tally:
        tally = cls()
        for one in findings:
            tally.tracks += 1
            tally.findable += one.label.findable
            tally.results[one.result] += 1
            tally.statuses[str(one.status)] += 1
            tally.found += one.label.findable and one.result in ("right", "twin")
        return tally

    @property
    def accepted(self) -> int:
        return self.results["right"] + self.results["twin"] + self.results["wrong"]

    @property
    def precision(self) -> float:
        """Share of right ids among the accepted; 1 when none was accepted."""
        return 1 - self.results["wrong"] / self.accepted if self.accepted else 1.0

    @property
    def recall(self) -> float:
        """Share of right ids among those that could be found; 1 when none could."""
        return self.found / self.findable if self.findable else 1.0


def recordings(
    catalogue: Catalogue, rows: Iterable[tuple[Labelled, EnrichedTrack, Sequence[str]]]
) -> Iterator[Finding]:
    """Judge `mb_recording_id`; a merged id counts as the id that it redirects to.

    Where the catalogue has no recording, an accepted Spotify track is wrong too."""
    for label, row, reasons in rows:
        accepted = row.mb_recording_id and catalogue.merged.get(row.mb_recording_id, row.mb_recording_id)
        if label.recording is None:
            accepted = accepted or row.spotify_track_id
        own = {label.recording.mbid} if label.recording else set()
        yield _finding(label, row.status, accepted, own, label.twins, reasons)


def spotify_tracks(
    catalogue: Catalogue, rows: Iterable[tuple[Labelled, EnrichedTrack, Sequence[str]]]
) -> Iterator[Finding]:
    """Judge `spotify_track_id`: right is every live track of the recording or of a twin."""
    for label, row, reasons in rows:
        own = set(label.recording.spotify_ids if label.recording else ())
        twins = [catalogue.recordings_by_mbid[mbid] for mbid in label.twins]
        alike = {spotify_id for twin in twins for spotify_id in twin.spotify_ids}
        shown = replace(label, findable=label.findable and bool(own | alike))
        yield _finding(shown, row.status, row.spotify_track_id, own, alike, reasons)


def _finding(
    label: Labelled,
    status: Status,
    accepted: str | None,
    own: Set[str],
    alike: Set[str],
    reasons: Sequence[str],
) -> Finding:
    if not accepted:
        result: Result = "missed" if label.findable else "open"
    else:
        result = "right" if accepted in own else "twin" if accepted in alike else "wrong"
    return Finding(label, status, result, accepted or None, frozenset(own), tuple(reasons))


def shown_reasons(candidates: Iterable[tuple[str, float, str, str]]) -> list[str]:
    """Return candidates, each (id, score, verdict, reasons as JSON), in words."""
    return [
        f"{score:.3f} {verdict} {entity}: " + "; ".join(json.loads(reasons))
        for entity, score, verdict, reasons in candidates
    ]


def explained(catalogues: Sequence[Catalogue], findings: Sequence[Finding], examples: int) -> Iterator[str]:
    """Return lines on wrong and missed files: counts by trait, and examples with reasons."""
    traits = Counter(trait for one in findings for trait in one.label.traits or ("plain",))
    outcomes: tuple[Result, ...] = ("wrong", "missed")
    for result in outcomes:
        bad = [one for one in findings if one.result == result]
        by_trait = Counter(trait for one in bad for trait in one.label.traits or ("plain",))
        by_status = Counter(str(one.status) for one in bad)
        yield f"{result}: {len(bad)} ({', '.join(f'{n} {name}' for name, n in by_status.most_common())})"
        yield from (f"  {trait}: {n} of {traits[trait]}" for trait, n in by_trait.most_common())
        said = Counter(phrase for one in bad for phrase in set(_said_of_the_true_one(one)))
        yield from (f"  said of the true one: {phrase}: {n}" for phrase, n in said.most_common(20))
        for one in bad[:: max(1, len(bad) // examples)][:examples] if examples else ():
            yield from _example(catalogues, one)


def _said_of_the_true_one(one: Finding) -> Iterable[str]:
    """Return SoulSpot's reasons about the true entity, with numbers left out."""
    line = next((line for line in one.reasons if any(known in line for known in one.own)), None)
    if line is None:
        return ["not among the candidates"]
    return [_NUMBER.sub("N", phrase) for phrase in line.partition(": ")[2].split("; ")]


def _example(catalogues: Sequence[Catalogue], one: Finding) -> Iterator[str]:
    tags, true = one.label.file.tags, one.label.recording
    yield f"  - {one.label.file.path} ({', '.join(one.label.traits)})"
    yield (
        f"    tags: {tags.title!r} / {tags.artist!r} / {tags.album!r} / {tags.duration_ms} ms / #{tags.track_number}"
        f" {tags.ids.mb_recording_ids} {tags.ids.isrcs}"
    )
    if true:
        yield f"    true: {_shown(true)}"
    accepted = one.accepted or ""
    found = next(
        filter(None, (c.recording(accepted) or c.recording_of_spotify_track(accepted) for c in catalogues)),
        None,
    )
    yield f"    {one.status}, accepted: {_shown(found) if found else one.accepted}"
    yield from (f"      {reason}" for reason in one.reasons[:4])


def _shown(recording: Recording) -> str:
    names = ("mbid", "title", "artist", "duration_ms", "disambiguation", "isrcs")
    return " / ".join(str(getattr(recording, name)) for name in names)
