"""Frozen values that matching takes and returns: policy, candidate, album evidence, decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soulspot.models import Entity, Verdict


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """Limits between accepting, asking a person and dropping, on the scale of a score (0 to 1).
    Raises ValueError unless 0 <= review <= accept <= 1 and 0 <= margin <= 1."""

    accept: float = 0.9  # from this score on a match is accepted without a person
    review: float = 0.6  # from this score on a match is put up for review
    margin: float = 0.04  # the lead over the next different recording that accepting needs

    def __post_init__(self) -> None:
        if not 0 <= self.review <= self.accept <= 1:
            raise ValueError(f"expected 0 <= review <= accept <= 1, got review={self.review} accept={self.accept}")
        if not 0 <= self.margin <= 1:
            raise ValueError(f"expected 0 <= margin <= 1, got {self.margin}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A MusicBrainz or ListenBrainz "recording", or a Spotify "track", proposed for a track."""

    entity: Entity
    # The lookups that led here: "recording id", "isrc", "spotify id", "spotify link", "text".
    identified_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AlbumEvidence:
    """Conclusions on one track from pairing its whole album with the recordings of an edition."""

    own_id: str | None = None  # the recording paired with the track; None when that is not clear
    claimed_ids: frozenset[str] = frozenset()  # recordings that clearly belong to other tracks
    # Several other tracks stand where the edition has them, so that a position says something.
    confirmed: bool = False


NO_EVIDENCE = AlbumEvidence()


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """A candidate with its score (0 to 1) and the reasons for it, in words for a person."""

    candidate: Candidate
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one track, with the candidates that led to it."""

    verdict: Verdict
    best: ScoredCandidate | None  # the nearest candidate whatever the verdict; None without candidates
    confidence: float  # the score of the best
    margin: float  # its lead over the next different recording; its whole score without one
    reasons: tuple[str, ...]  # first the obstacle to accepting, if any, then the reasons of the best
    ranked: tuple[ScoredCandidate, ...]  # at most ten, best first
    # The entry of the best's `releases` that the file belongs to; None when that is unclear.
    release: Mapping[str, Any] | None = None
    # In review only because the tags leave out version words ("single version") that files often
    # leave out: a search for every length of this name may settle it.
    version_unstated: bool = False
    # Accepted by nothing but its length, as one of many takes (live, karaoke): a take whose length
    # the search could not know may fit as well.
    rests_on_length: bool = False
    # In review although it is the only recording of this name, some seconds off: `accept_by_name`
    # accepts it for a caller that has seen every recording of the name, of any length.
    acceptable_by_name: bool = False
    # The best's title could not be compared: one is missing, or the scripts differ.
    title_uncompared: bool = False
