"""The frozen values matching takes and gives: policy, candidate, score and decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soulspot.models import Entity, Verdict

RECORDING_ID = "recording id"
ISRC = "isrc"
SPOTIFY_ID = "spotify id"
SPOTIFY_LINK = "spotify link"
TEXT = "text"


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """Where the lines are drawn, all on the scale of a score (0 to 1).

    From `accept` on a match is taken without asking, from `review` on a person is asked. The best candidate must
    lead the next different recording by `margin`. Raises ValueError unless 0 <= review <= accept <= 1."""

    accept: float = 0.9
    review: float = 0.6
    margin: float = 0.04

    def __post_init__(self) -> None:
        if not 0 <= self.review <= self.accept <= 1:
            raise ValueError(
                f"expected 0 <= review <= accept <= 1, got review={self.review} accept={self.accept}"
            )
        if not 0 <= self.margin <= 1:
            raise ValueError(f"expected 0 <= margin <= 1, got {self.margin}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing a provider proposed: a MusicBrainz or ListenBrainz "recording", or a Spotify "track".

    `identified_by` says how it was reached: any of "recording id", "isrc", "spotify id", "spotify link", "text"."""

    entity: Entity
    identified_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Share:
    """What the other tracks of its album leave for a track: the recording that is its `own` when all are paired, None
    when that is not clear, and those `taken` by the others.

    `confirmed`: several others stand where the edition has them, so that a place on it says something."""

    own: str | None = None
    taken: frozenset[str] = frozenset()
    confirmed: bool = False


ALL_FREE = Share()


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its score (0 to 1) and why, in words for a person."""

    candidate: Candidate
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one track.

    `best` is the nearest candidate whatever the verdict, None without any; `confidence` is its score, `margin` its
    lead over the next different recording (all of the score when there is none). `ranked` has at most ten, best
    first. `release` is the entry of the best's `releases` the file belongs to; None when that is not clear or the
    verdict is NONE. `unstated`: nothing but version words that files often leave unsaid keeps the best from being
    accepted, which what else has this name could settle. `lone_take`: accepted as one of many takes (live, karaoke
    ...) for its length alone, as far as those of unknown length have not been seen. `by_name`: as the only
    one of its name, some seconds off, it can be accepted by who has seen what else is called so. `nameless`: the title of
    the best could not be compared. `reasons` starts with what stood in the way of accepting, then has the best's own."""

    verdict: Verdict
    best: Scored | None
    confidence: float
    margin: float
    reasons: tuple[str, ...]
    ranked: tuple[Scored, ...]
    release: Mapping[str, Any] | None = None
    unstated: bool = False
    lone_take: bool = False
    by_name: bool = False
    nameless: bool = False
