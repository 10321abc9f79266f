"""The score that makes of what agrees and what contradicts."""

from __future__ import annotations

from soulspot.matching.albums.release import NEAR_ALBUM
from soulspot.matching.scoring.comparing import Marks

# A score is text * (BARE + (1 - BARE) * support): equal text alone is worth BARE, which is review and no more;
# support joins as independent evidence does: 1 - (1 - a)(1 - b)...
BARE = 0.7
DURATION, ALBUM, POSITION, ISRC, STRONG_ID = 0.75, 0.6, 0.45, 0.6, 0.85
ELSEWHERE_ON_ALBUM = 0.2  # the album, but another position on it
POSITION_ALONE = 0.35  # the same track number, of whatever album
ALONE = 0.68  # the only candidate of that name, and no length to contradict it
CONTRADICTED = 0.7  # the most a candidate can have that another version, length or number speaks against
NAMELESS = 0.85  # the most without titles that can be compared, unless place and length agree
UNNAMED_VERSION = 0.03  # "remix" beside "Kappa remix"
OTHER_GUESTS = 0.001  # between two recordings the one with the same guests
STRANGER = 0.5  # the most it can have when the artist or the title is another
EXACT = 0.97  # equal but for articles, word breaks and the like


def score(marks: Marks, *, alone: bool = False, left: bool = False) -> float:
    """0 to 1. `alone`: no other candidate has this name, so that equal text may be believed without a length.
    `left`: the other tracks of the album leave nothing else, so that no title is needed where place or length agree."""
    text = marks.text
    supports = []
    if marks.duration is not None and marks.duration > 0:
        supports.append(DURATION * marks.duration)
    if marks.on_album:
        supports.append(ELSEWHERE_ON_ALBUM if marks.position is False else ALBUM)
        if marks.position:
            supports.append(POSITION)
    if marks.isrc:
        supports.append(ISRC)
    if marks.recording_id:
        supports.append(STRONG_ID)
    if (alone or left) and (marks.apart_ms is None or marks.settled):
        supports += _without_rivals(marks)
    doubt = 1.0
    for support in supports:
        doubt *= 1.0 - support
    if text is None:
        # nothing but places and lengths: a hint for a person, when there are both
        return _capped(marks, 0.8 * (1.0 - doubt) if (marks.duration or 0.0) > 0 else min(0.5, 1.0 - doubt))
    return _capped(marks, text * (BARE + (1.0 - BARE) * (1.0 - doubt)), alone, left)


def _without_rivals(marks: Marks) -> list[float]:
    """What a name is worth that nothing else has, when there are no lengths to compare."""
    if marks.album is None:
        return [ALONE, POSITION_ALONE] if marks.position else [ALONE]
    if marks.on_album:
        return [] if marks.position is False and marks.repeatable else [ALONE]
    # a misspelt album: its position must speak for it
    return [ALONE, POSITION_ALONE] if marks.position and marks.album >= NEAR_ALBUM else []


def _located(marks: Marks, alone: bool, left: bool) -> bool:
    """Whether a track without a title that can be compared is told by where it stands and how long it is."""
    if marks.placed and marks.same_length:
        return True
    if (marks.artist or 0.0) < EXACT:  # albums of one name are many
        return False
    if marks.apart_ms is None:
        return marks.placed and (alone or left)
    return left and marks.on_album and marks.position is not False and marks.same_length


def _capped(marks: Marks, value: float, alone: bool = False, left: bool = False) -> float:
    """What contradicts sets a ceiling, however much else agrees."""
    ceilings = [1.0]
    identified = marks.isrc or marks.recording_id
    if marks.title is None and not (marks.on_album or marks.same_length or identified):
        ceilings.append(STRANGER)  # another track by the same artist, for all we know
    elif marks.title is None and not _located(marks, alone, left):
        ceilings.append(NAMELESS)
    elif marks.title is not None and marks.title < 0.75:
        ceilings.append(STRANGER if marks.title < 0.6 else CONTRADICTED)
    if marks.artist is None:
        if marks.album is not None and not marks.on_album and not marks.same_length:
            ceilings.append(STRANGER)
    elif marks.artist < 0.6:
        ceilings.append(CONTRADICTED if marks.placed or identified else STRANGER)
    if marks.duration == -1.0 or marks.version:
        ceilings.append(CONTRADICTED)
    value = min(value, *ceilings) * (0.9 if marks.video else 1.0)
    value -= (0.0 if marks.same_company else OTHER_GUESTS) + (UNNAMED_VERSION if marks.unnamed else 0.0)
    return max(0.0, value)
