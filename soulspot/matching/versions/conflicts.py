"""The version words of two tracks beside each other: what they contradict, and how much that says."""

from __future__ import annotations

from dataclasses import dataclass

from soulspot.matching.text.names import name_similarity
from soulspot.matching.text.trimming import Trimmed
from soulspot.matching.versions.phrases import ALONGSIDE_VERSIONS, NEAR_VERSIONS, PACKAGING, UNSTATED
from soulspot.matching.versions.words import Versions, describe_versions
from soulspot.matching.views import View


@dataclass(frozen=True, slots=True)
class Compared:
    """`conflict` in words, empty when there is none. `packaging`, `unstated`, `told` as in Marks."""

    conflict: str = ""
    packaging: bool = False
    unstated: bool = False
    told: bool = False


AGREEING = Compared()


def compare_versions(
    tags: View, candidate: View, here: Trimmed, there: Trimmed, same_album: bool
) -> Compared:
    """Compare what both sides say of the version; `here` and `there` are their trimmed titles."""
    our_versions = here.title.versions | tags.besides
    their_versions = there.title.versions | candidate.besides
    ours, theirs = our_versions.hard, their_versions.hard
    # words that were taken off as an album's name contradict nothing, but explain what the other side says
    we_excuse = ours | tags.title.versions.hard | tags.lent | tags.implied
    they_excuse = theirs | candidate.title.versions.hard | candidate.lent
    missing_there = ours - they_excuse - candidate.implied
    missing_here = theirs - we_excuse
    if not same_album:
        missing_there |= tags.implied - they_excuse - ours
        missing_here |= candidate.implied - we_excuse - theirs
    shared = we_excuse & (they_excuse | candidate.implied)
    missing_there, missing_here = (
        _forgiven(missing_there, theirs, shared),
        _forgiven(missing_here, ours, shared),
    )
    if missing_there or missing_here:
        they = describe_versions(
            theirs | (candidate.implied if missing_here & candidate.implied else frozenset())
        )
        we = describe_versions(ours | (tags.implied if missing_there & tags.implied else frozenset()))
        return Compared(
            f"{they}, file says {we}",
            packaging=(missing_there | missing_here) <= PACKAGING,
            unstated=not missing_there and missing_here <= UNSTATED and not ours,
        )
    return _same_take(our_versions, their_versions)


def _same_take(ours: Versions, theirs: Versions) -> Compared:
    """Whether both say which live take, remix or edit it is, and whether it is the same."""
    told = False
    for kind in sorted(ours.hard & theirs.hard):
        we_say, they_say = ours.of(kind), theirs.of(kind)
        if not (we_say and they_say):
            continue
        if not _share(we_say, they_say):
            named = f"another {describe_versions((kind,))}: {' '.join(sorted(they_say))}"
            return Compared(f"{named}, file says {' '.join(sorted(we_say))}")
        told = True
    return Compared(told=told)


def _forgiven(missing: frozenset[str], there: frozenset[str], shared: frozenset[str]) -> frozenset[str]:
    """Without the kinds that go by another name there ("edit" and "single"), and those that come along with one that
    both sides name ("acoustic" with "live acoustic" beside "live"; but live alone is not acoustic alone)."""
    return frozenset(
        k
        for k in missing
        if not any(k in pair and pair & there - {k} for pair in NEAR_VERSIONS)
        and not any(k in pair and pair & shared - {k} for pair in ALONGSIDE_VERSIONS)
    )


def _share(here: frozenset[str], there: frozenset[str]) -> bool:
    if here & there:
        return True
    return any(name_similarity(a, b) >= 0.8 for a in here for b in there if len(a) > 3 and not a.isdecimal())
