"""Candidates believed for the others' sake: the only one of a name or length, or left over."""

from collections.abc import Sequence
from dataclasses import replace

from soulspot.matching.scoring.contenders import Contender, are_rivals, prefer_official
from soulspot.matching.scoring.features import EQUAL, NAMED, Comparison
from soulspot.matching.scoring.identifiers import Standing
from soulspot.matching.scoring.rules import WITH_ONE_DOUBT, Situation, score
from soulspot.matching.text.names import has_one_word_more
from soulspot.matching.text.scripts import differ_in_script
from soulspot.matching.values import AlbumEvidence
from soulspot.matching.views import View

_HEARD = 0.95  # from this likeness on a title in another script sounds the same
_NEAR = 0.7  # from this likeness on a candidate may be meant
# Another mastering or a pause changes a length by this at most, in ms and as its share.
_MASTERING_MS, _MASTERING_SHARE = 6_000, 0.04
_CLEARLY_MS = 5_000  # from here on another length tells two versions apart
_SAME_MS = 1_000  # up to here two lengths are the same


def raise_sole_candidate(contenders: Sequence[Contender], ours: View) -> list[Contender]:
    """Return the contenders with the score raised of the one that the others single out, if any."""
    named = [one for one in contenders if one.name_likeness >= NAMED]
    raised = (
        _only_of_its_name(named, ours.duration_ms)
        or _only_edit_of_its_length(named)
        or _only_miswritten(contenders, ours)
    )
    return [raised if raised and one.candidate is raised.candidate else one for one in contenders]


def _only_of_its_name(named: Sequence[Contender], length_ms: int | None) -> Contender | None:
    """Return the only candidate of the name, raised, where no length speaks or the album agrees."""
    if len(named) > 1:
        named = _meant_by_name(named, length_ms)
    if len(named) != 1:
        return None
    only, c = named[0], named[0].comparison
    if only.standing is not Standing.ABSENT or c.version.conflict:
        return None
    if length_ms is not None:
        is_enough = c.is_settled or (c.length.apart_ms is None and _is_exact(c))
        if c.title.likeness is None or not is_enough:
            return None
    return _raise(only, score(c, Situation.ONLY_OF_ITS_NAME), "the only candidate of this name")


def _meant_by_name(named: Sequence[Contender], length_ms: int | None) -> Sequence[Contender]:
    """Return the one of several candidates that the name alone means, in a list; none, or several,
    where it may be another. That is the only one on the file's album where the file has no length,
    or where the candidate has none and all others are longer or shorter; duplicates are one."""
    on_album = [one for one in named if one.comparison.album.matches]
    if length_ms is None:
        found = [one for one in on_album if not one.comparison.version.conflict] or list(named)
        # An album that has "Kite" and "Kite (Piano)" has both: the very words tell them apart.
        found = [one for one in found if one.comparison.title.is_equal_as_written] if on_album else found
    else:
        found = [one for one in on_album if one.comparison.length.apart_ms is None]
        if any(not one.comparison.length.contradicts for one in named if one not in found):
            return ()
    if not found:
        return ()
    first, *others = prefer_official(sorted(found, key=lambda one: one.rank), margin=1.0)
    c = first.comparison
    if not (_is_exact(c) and _is_plain(c)) or (c.album.matches and c.album.position is False):
        return ()
    return [first, *(one for one in others if are_rivals(first, one))]


def _only_edit_of_its_length(named: Sequence[Contender]) -> Contender | None:
    """Return the single version or radio edit that a file without version words must be, raised.
    The ordinary version is known and clearly longer or shorter, and so is all else of that name."""
    for one in named:
        c = one.comparison
        if not (c.version.is_unstated and _is_exact(c) and _is_same_length(c)) or c.needs_album:
            continue
        others = [other.comparison for other in named if other is not one]
        has_ordinary = any(not other.version.conflict for other in others)
        all_apart = all((other.length.apart_ms or 0) >= _CLEARLY_MS for other in others)
        is_on_album = c.album.matches or not any(other.album.matches for other in others)
        is_open = one.standing in (Standing.ABSENT, Standing.UNSURE)
        if has_ordinary and all_apart and is_on_album and is_open:
            return _raise(one, WITH_ONE_DOUBT, "the only one of this length")
    return None


def _only_miswritten(contenders: Sequence[Contender], ours: View) -> Contender | None:
    """Return the only candidate with nearly this name, raised, where the length is the same.

    Title or artist is equal; the other has a slip, or sounds the same in another script (Japanese,
    Korean, Russian, Arabic titles). A single word with a letter changed is another word, and a
    number another number: such titles prove nothing. Nor is "Alex" a slip of "Alex G"."""
    near = [one for one in contenders if one.name_likeness >= _NEAR and one.comparison.title.likeness is not None]
    if len(near) != 1:
        return None
    only, c = near[0], near[0].comparison
    theirs = only.view.title.core
    is_heard = c.title.reaches(_HEARD) and differ_in_script(ours.title.core, theirs)
    if not is_heard and any(_may_be_meant(one.comparison) for one in contenders):
        return None
    lower, higher = sorted((c.title.likeness or 0.0, c.artist.likeness or 0.0))
    if lower < NAMED or higher < EQUAL or not _is_plain(c) or not _is_on_any_album(c):
        return None
    if has_one_word_more(ours.credit, only.view.credit):
        return None
    apart = c.length.apart_ms if c.length.apart_ms is not None else _CLEARLY_MS
    is_exact = apart <= _SAME_MS and c.length.support == 1.0
    if not is_exact and not (is_heard and apart <= 2 * _SAME_MS and c.length.agrees):
        return None
    says_enough = len(theirs.split()) > 1 and not any(map(str.isdigit, theirs + ours.title.full))
    if only.standing is not Standing.ABSENT or not (c.title.reaches(EQUAL) or says_enough):
        return None
    return _raise(only, WITH_ONE_DOUBT, "nothing else is called nearly so, and the length is the same")


def _is_exact(c: Comparison) -> bool:
    return c.title.reaches(EQUAL) and c.artist.reaches(EQUAL)


def _may_be_meant(c: Comparison) -> bool:
    is_as_long = c.length.apart_ms is None or _is_same_length(c)
    return c.title.likeness is None and c.artist.reaches(NAMED) and is_as_long


def _is_same_length(c: Comparison) -> bool:
    return c.length.apart_ms is not None and c.length.apart_ms <= _SAME_MS


def _is_plain(c: Comparison) -> bool:
    """Whether it is an ordinary version of a whole song: no live take, remix, video or part."""
    is_ordinary = not (c.version.conflict or c.version.is_one_of_many or c.is_video or c.needs_album)
    return is_ordinary and not c.title.is_repeatable and c.title.has_same_parts


def _is_on_any_album(c: Comparison) -> bool:
    return c.album.likeness is None or c.album.matches


def find_only_of_its_name(contenders: Sequence[Contender], length_ms: int | None) -> Contender | None:
    """Return the only recording of exactly this name, some seconds off; None for none.

    So differ another mastering, and a rip with a pause. Versions that the file does not mention are
    clearly longer or shorter. Who accepts it has to have seen all of the name, of any length."""
    named = [one for one in contenders if one.name_likeness >= NAMED]
    agreeing = [one for one in named if not one.comparison.version.conflict]
    # A recording entered twice, and a copy on another release, are no second recording.
    if not agreeing or any(are_rivals(agreeing[0], one) for one in agreeing[1:]):
        return None
    only, c = agreeing[0], agreeing[0].comparison
    if only.standing is not Standing.ABSENT:
        return None
    most = min(_MASTERING_MS, _MASTERING_SHARE * (length_ms or 0))
    if c.length.apart_ms is None or c.length.apart_ms > most or c.length.contradicts:
        return None
    is_exact = _is_exact(c) and c.artist.has_same_names
    is_placed = _is_on_any_album(c) and not (c.album.matches and c.album.position is False)
    clear = c.length.apart_ms + _CLEARLY_MS
    others = [one.comparison.length.apart_ms for one in named if one not in agreeing]
    all_apart = all(apart is not None and apart >= clear for apart in others)
    return only if is_exact and _is_plain(c) and not c.version.is_half_named and is_placed and all_apart else None


def raise_left_over(one: Contender, evidence: AlbumEvidence) -> Contender:
    """Return the contender, raised where the album's other tracks leave it over for this track. For
    titles that cannot be compared (in two scripts, or missing): place or length are enough where
    there is nothing else that the track could be."""
    is_left = one.id == evidence.own_id and evidence.confirmed
    if not is_left or one.comparison.title.likeness is not None or one.standing is not Standing.ABSENT:
        return one
    left_over = score(one.comparison, Situation.LEFT_OVER)
    return _raise(one, left_over, "what the other tracks of the album leave over") or one


def prefer_own(ranked: list[Contender], evidence: AlbumEvidence, margin: float) -> list[Contender]:
    """Return the contenders headed by the track's own where the best is another track's. Its own
    must be as close as the best, within `margin`."""
    best = ranked[0]
    if best.id not in evidence.claimed_ids or best.standing is Standing.VERIFIED:
        return ranked
    own = next((one for one in ranked if one.id == evidence.own_id and best.score - one.score < margin), None)
    return [own, *(one for one in ranked if one is not own)] if own else ranked


def _raise(one: Contender, value: float, reason: str) -> Contender | None:
    return replace(one, score=value, reasons=(*one.reasons, reason)) if value > one.score else None
