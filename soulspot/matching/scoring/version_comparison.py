"""The version words of two tracks beside each other: their contradiction, and its weight."""

from soulspot.matching.scoring.features import VersionFeature
from soulspot.matching.scoring.title_trimming import TrimmedTitle
from soulspot.matching.text.names import name_similarity
from soulspot.matching.versions import phrases
from soulspot.matching.versions.parsing import Versions, describe_versions
from soulspot.matching.views import View


def find_conflict(
    tags: View, candidate: View, here: TrimmedTitle, there: TrimmedTitle, same_album: bool
) -> VersionFeature:
    """Return the conflict between both sides' version words; `here` and `there` are trimmed titles.
    "Paper Boats" beside "Paper Boats (live)" gives "live, file says studio". On the `same_album`,
    versions that an album implies ("Unplugged") contradict nothing."""
    our_versions = here.title.versions | tags.beside_title
    their_versions = there.title.versions | candidate.beside_title
    ours, theirs = our_versions.hard, their_versions.hard
    # Words cut off as an album's name contradict nothing, but excuse the other side's words.
    we_excuse = ours | tags.title.versions.hard | tags.explained | tags.implied
    they_excuse = theirs | candidate.title.versions.hard | candidate.explained
    missing_there = ours - they_excuse - candidate.implied
    missing_here = theirs - we_excuse
    if not same_album:
        missing_there |= tags.implied - they_excuse - ours
        missing_here |= candidate.implied - we_excuse - theirs
    shared = we_excuse & (they_excuse | candidate.implied)
    missing_there = _drop_forgiven(missing_there, theirs, shared)
    missing_here = _drop_forgiven(missing_here, ours, shared)
    if not (missing_there or missing_here):
        return _compare_takes(our_versions, their_versions)
    they = describe_versions(theirs | (candidate.implied if missing_here & candidate.implied else frozenset()))
    we = describe_versions(ours | (tags.implied if missing_there & tags.implied else frozenset()))
    return VersionFeature(
        f"{they}, file says {we}",
        is_packaging=(missing_there | missing_here) <= phrases.PACKAGING,
        is_unstated=not missing_there and missing_here <= phrases.UNSTATED and not ours,
    )


def _compare_takes(ours: Versions, theirs: Versions) -> VersionFeature:
    """Compare the words that say which live take, remix or edit it is, where both have some."""
    same_take = False
    for kind in sorted(ours.hard & theirs.hard):
        we_say, they_say = ours.details_of(kind), theirs.details_of(kind)
        if not (we_say and they_say):
            continue
        if not _share_a_word(we_say, they_say):
            another = f"another {describe_versions((kind,))}: {' '.join(sorted(they_say))}"
            return VersionFeature(f"{another}, file says {' '.join(sorted(we_say))}")
        same_take = True
    return VersionFeature(is_same_take=same_take)


def _drop_forgiven(missing: frozenset[str], there: frozenset[str], shared: frozenset[str]) -> frozenset[str]:
    """Return the kinds without those that another kind on the other side stands for. "edit" and
    "single" are used for each other. "acoustic" may be missing beside "live" where both sides say
    live; but live alone is not acoustic alone."""
    return frozenset(
        kind
        for kind in missing
        if not any(kind in pair and pair & there - {kind} for pair in phrases.NEAR)
        and not any(kind in pair and pair & shared - {kind} for pair in phrases.ALONGSIDE)
    )


def _share_a_word(here: frozenset[str], there: frozenset[str]) -> bool:
    if here & there:
        return True
    return any(name_similarity(a, b) >= 0.8 for a in here for b in there if len(a) > 3 and not a.isdecimal())
