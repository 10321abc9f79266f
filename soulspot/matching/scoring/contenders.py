"""Compared candidates beside each other: duplicates of one recording, and real rivals."""

from collections.abc import Sequence
from dataclasses import dataclass

from soulspot.matching.albums.release import album_similarity, same_position
from soulspot.matching.scoring.features import EQUAL, NAMED, Comparison
from soulspot.matching.scoring.identifiers import Standing
from soulspot.matching.scoring.rules import name_likeness
from soulspot.matching.scoring.unknown_words import find_unknown_words
from soulspot.matching.text.names import credit_similarity
from soulspot.matching.text.similarity import duration_support, title_similarity
from soulspot.matching.values import Candidate, ScoredCandidate
from soulspot.matching.views import View

_SAME_MS = 1_500  # up to here two lengths are the same


@dataclass(frozen=True, slots=True)
class Contender:
    """A candidate with everything that the decision looks at."""

    candidate: Candidate
    view: View
    comparison: Comparison
    standing: Standing
    score: float
    reasons: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.candidate.entity.id

    @property
    def name_likeness(self) -> float:
        """The likeness of title and artist, 0 to 1; 0 where neither can be compared."""
        return name_likeness(self.comparison) or 0.0

    @property
    def rank(self) -> tuple[bool, float, int, str]:
        """The sort key, best first: verified identifier, score, preferable release."""
        return (self.standing is not Standing.VERIFIED, -round(self.score, 6), self.preference, self.id)

    @property
    def preference(self) -> int:
        """The preference of its best release, 0 for an official album."""
        return min((album.preference for album in self.view.albums), default=3)

    @property
    def weight(self) -> int:
        """The number of releases and identifiers that stand behind it."""
        return len(self.view.albums) + len(self.view.isrcs) + len(self.view.spotify_ids)

    def public(self) -> ScoredCandidate:
        return ScoredCandidate(self.candidate, round(self.score, 4), self.reasons)


def prefer_official(ranked: list[Contender], margin: float) -> list[Contender]:
    """Return the contenders (at least one, best first) with another one first where it is the same
    recording as the best, scores within `margin` of it, and is on a better release: an official
    album before compilations and bootlegs."""
    best = ranked[0]
    duplicates = [
        one
        for one in ranked
        if one is best
        or (one.standing is best.standing and best.score - one.score < margin and _are_duplicates(best, one))
    ]
    first = min(duplicates, key=lambda one: (one.preference, -round(one.score, 6), -one.weight, one.id))
    return [first, *(one for one in ranked if one is not first)]


def _are_duplicates(a: Contender, b: Contender) -> bool:
    """Whether two are one recording entered twice: same title, artist, version, length."""
    ours, theirs = a.view, b.view
    if ours.credit.everybody != theirs.credit.everybody or ours.versions.hard != theirs.versions.hard:
        return False
    on_album, position = a.comparison.album.matches, a.comparison.album.position
    if on_album != b.comparison.album.matches or (on_album and position != b.comparison.album.position):
        return False
    if ours.artist_ids and theirs.artist_ids and not ours.artist_ids & theirs.artist_ids:
        return False
    # One unknown length may hide another take; where both are unknown, nothing speaks against it.
    length = duration_support(ours.duration_ms, theirs.duration_ms)
    if length is None and (ours.duration_ms or theirs.duration_ms):
        return False
    if length is not None and length < 0.9:
        return False
    if (title_similarity(ours.title, theirs.title) or 0.0) < EQUAL:
        return False
    if find_unknown_words(ours.title, theirs.title, ours, theirs):
        return False
    return (credit_similarity(ours.credit, theirs.credit) or 0.0) >= EQUAL


def are_rivals(best: Contender, other: Contender) -> bool:
    """Whether `other` could be meant instead of `best`.

    A verified identifier has only verified rivals. No rivals are: the version with a guest that the
    tags do not name, where the best has exactly the named ones; a duplicate on a less preferable
    release, or of the same release or ISRC; on Spotify, a copy with the same ISRC."""
    if best.standing is Standing.VERIFIED and other.standing is not Standing.VERIFIED:
        return False
    has_named_guests = best.comparison.artist.has_same_names and not other.comparison.artist.has_same_names
    if has_named_guests and best.score > other.score:
        return False
    # Spotify has a track anew for each release, with the ISRC of the recording.
    if best.candidate.entity.kind == "track" and best.view.isrcs & other.view.isrcs:
        return False
    if not _are_duplicates(best, other):
        return True
    return best.preference >= other.preference and not _is_entered_twice(best, other)


def _is_entered_twice(a: Contender, b: Contender) -> bool:
    """Whether two duplicates are surely one recording: of one ISRC, or at one place of one album.
    Lengths are equal to the second, and no ISRC contradicts."""
    ours, theirs = a.view, b.view
    if abs((ours.duration_ms or 0) - (theirs.duration_ms or 0)) > _SAME_MS:
        return False
    if ours.isrcs and theirs.isrcs:
        return bool(ours.isrcs & theirs.isrcs)
    return any(
        album_similarity(one, other) >= EQUAL and same_position(one, other) is not False
        for one in ours.albums
        for other in theirs.albums
    )


def find_closer_edit(best: Contender, others: Sequence[Contender]) -> Contender | None:
    """Return the single version or edit whose length fits the file clearly better than that of the
    ordinary version `best`; None for none. For files without version words. On the file's own album
    the ordinary version is meant."""
    chosen = best.comparison
    apart = chosen.length.apart_ms
    if apart is None or apart <= _SAME_MS or chosen.album.matches or best.standing is Standing.VERIFIED:
        return None
    for other in others:
        c = other.comparison
        is_named = c.title.reaches(EQUAL) and c.artist.reaches(EQUAL) and c.version.is_unstated
        if is_named and c.length.apart_ms is not None and c.length.apart_ms * 4 <= apart:
            return other
    return None


def find_untimed_take(best: Contender, others: Sequence[Contender]) -> Contender | None:
    """Return a take of unknown length that may be meant as well as `best`; None for none. For live
    takes, karaoke and remixes. There are many of each, and among those whose length nobody knows,
    one that fits by length alone is chance."""
    chosen = best.comparison
    if not chosen.version.is_one_of_many or chosen.version.is_same_take or best.standing is Standing.VERIFIED:
        return None
    album = chosen.album
    for other in others:
        c = other.comparison
        may_be_meant = other.name_likeness >= NAMED and not c.version.conflict and c.length.apart_ms is None
        is_farther = (album.matches and not c.album.matches) or (album.is_placed and not c.album.is_placed)
        says_less = c.version.is_half_named and not chosen.version.is_half_named
        if may_be_meant and not is_farther and not says_less:
            return other
    return None
