"""The table of rules that turn a comparison into a score of 0 to 1.

    score = name * (0.7 + 0.3 * support), below every ceiling, less every deduction

`name` is the likeness of title and artist, 0 to 1. An equal name alone is worth 0.7: enough for
review, and no more. `support` joins independent evidence as probabilities do: 1 - (1 - a)(1 - b)...
A ceiling is the most that a candidate can have against which something speaks, however much else
agrees. The rules stand in RULES, each with its value, its condition and its reason."""

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from soulspot.matching.albums.release import NEAR_ALBUM
from soulspot.matching.scoring.features import ALIKE, EQUAL, NAMED, OTHER, Comparison


class Situation(Enum):
    """The rivals of a candidate while it is scored."""

    CONTESTED = auto()  # others may have the name: the ordinary case
    ONLY_OF_ITS_NAME = auto()  # no other candidate has the name
    LEFT_OVER = auto()  # the other tracks of the album leave no other recording


class Effect(Enum):
    """The ways in which a rule changes a score."""

    SUPPORT = auto()  # adds evidence of this weight, times the strength that the condition returns
    CEILING = auto()  # keeps the score at or below this value
    FACTOR = auto()  # multiplies the score
    DEDUCTION = auto()  # takes this much off the score


class Rule(NamedTuple):
    """One row of the table; `strength` returns 0 or False where the rule does not apply."""

    name: str
    effect: Effect
    value: float
    strength: Callable[[Comparison, Situation], float]
    why: str


BARE = 0.7  # the worth of an equal name with no support
# Bounds of candidates that an identifier led to, by its standing (see `identifiers`), and of those
# that the other candidates single out (see `sole_candidates`).
VERIFIED_AT_LEAST = 0.93
WITH_ONE_DOUBT = 0.91
UNVERIFIED_AT_MOST = 0.85
CONTRADICTED_AT_MOST = 0.7


def _has_no_rival_by_name(c: Comparison, situation: Situation) -> bool:
    """Whether the name may be believed without a length, because nothing else has it."""
    if situation is Situation.CONTESTED or not (c.length.apart_ms is None or c.is_settled):
        return False
    if c.album.likeness is None:
        return not c.album.is_other_by_folder
    if c.album.matches:
        return not (c.album.position is False and c.title.is_repeatable)
    return _has_near_album(c)


def _has_near_album(c: Comparison) -> bool:
    return bool(c.album.position) and c.album.reaches(NEAR_ALBUM)


def _is_told_by_its_place(c: Comparison, situation: Situation) -> bool:
    """Whether a track whose titles cannot be compared is identified without them: by place and
    length. With an equal artist also by place alone where no length is known and no rival scores,
    or by album and length where it is left over."""
    if c.album.is_placed and c.length.agrees:
        return True
    if not c.artist.reaches(EQUAL):  # albums of one name are many
        return False
    if c.length.apart_ms is None:
        return c.album.is_placed and situation is not Situation.CONTESTED
    left_over = situation is Situation.LEFT_OVER
    return left_over and c.album.matches and c.album.position is not False and c.length.agrees


S, C, F, D = Effect.SUPPORT, Effect.CEILING, Effect.FACTOR, Effect.DEDUCTION

RULES = (
    Rule("length", S, 0.75, lambda c, _: max(c.length.support or 0.0, 0.0),
         "two songs of one name rarely have one length to the second"),
    Rule("album", S, 0.6, lambda c, _: c.album.matches and c.album.position is not False,
         "the candidate is on the album that the tags name"),
    Rule("elsewhere on the album", S, 0.2, lambda c, _: c.album.matches and c.album.position is False,
         "another place on it may be a reprise, or another edition's order"),
    Rule("position", S, 0.45, lambda c, _: c.album.is_placed,
         "the place on the album is hard to hit by chance"),
    Rule("ISRC", S, 0.6, lambda c, _: c.identifiers.isrc,
         "versions, and movements of classical works, may share an ISRC"),
    Rule("recording id", S, 0.85, lambda c, _: c.identifiers.recording_id,
         "a MusicBrainz or Spotify id names one recording, and is rarely wrong"),
    Rule("the only one of its name", S, 0.68, _has_no_rival_by_name,
         "equal text may be believed without a length where nothing else has that name"),
    Rule("track number without rivals", S, 0.35,
         lambda c, s: _has_no_rival_by_name(c, s) and c.album.position is True and not c.album.matches,
         "the same track number of no album, or of one misspelt"),
    Rule("nothing but the artist", C, 0.5,
         lambda c, _: c.title.likeness is None
         and not (c.album.matches or c.length.agrees or c.identifiers.is_any),
         "it may be any track by that artist"),
    Rule("titles not compared", C, 0.85,
         lambda c, s: c.title.likeness is None and not _is_told_by_its_place(c, s),
         "Japanese, Korean and Arabic titles beside translated ones, and files without a title, need "
         "both place and length"),
    Rule("doubtful title", C, 0.7, lambda c, _: c.title.is_below(ALIKE), "it may be another song"),
    Rule("another title", C, 0.5, lambda c, _: c.title.is_below(OTHER), "it is another song"),
    Rule("no artist, another album", C, 0.5,
         lambda c, _: c.artist.likeness is None and c.album.likeness is not None
         and not c.album.matches and not c.length.agrees,
         "songs of one title are many"),
    Rule("another artist", C, 0.7, lambda c, _: c.artist.is_below(OTHER),
         "it is a cover, unless place or identifier speak for a wrong tag"),
    Rule("another artist, and no more", C, 0.5,
         lambda c, _: c.artist.is_below(OTHER) and not (c.album.is_placed or c.identifiers.is_any),
         "it is a cover: karaoke, a tribute, another band"),
    Rule("another length", C, 0.7, lambda c, _: c.length.contradicts, "it is another edit or take"),
    Rule("another version", C, 0.7, lambda c, _: bool(c.version.conflict),
         "live takes, remixes, karaoke and demos are recordings of their own"),
    Rule("needs its album", C, 0.85, lambda c, _: c.needs_album and not c.identifiers.is_any,
         "unknown words in brackets are a version until proven otherwise; each album has its intro; "
         "half of a duo, or the guest as lead, is another act"),
    Rule("music video", F, 0.9, lambda c, _: c.is_video, "its sound often differs from the recording's"),
    Rule("other guests", D, 0.001, lambda c, _: not c.artist.has_same_names,
         "of two recordings the one with the guests that the tags name is meant"),
    Rule("half-named remix", D, 0.03, lambda c, _: c.version.is_half_named,
         'a "remix" may be the "Kappa remix" or another; so may an edit'),
)  # fmt: skip

_SUPPORTS, _CEILINGS, _FACTORS, _DEDUCTIONS = (
    [(rule.value, rule.strength) for rule in RULES if rule.effect is effect] for effect in Effect
)


def score(c: Comparison, situation: Situation = Situation.CONTESTED) -> float:
    """Return the score of a comparison, 0 to 1, by the table of rules."""
    doubt = 1.0
    for value, strength in _SUPPORTS:
        if found := strength(c, situation):
            doubt *= 1.0 - value * found
    name = name_likeness(c)
    if name is not None:
        total = name * (BARE + (1.0 - BARE) * (1.0 - doubt))
    elif (c.length.support or 0.0) > 0:
        total = 0.8 * (1.0 - doubt)
    else:
        # Without names, a place alone is a hint for a person at most.
        total = min(0.5, 1.0 - doubt)
    for value, applies in _CEILINGS:
        if value < total and applies(c, situation):
            total = value
    for value, applies in _FACTORS:
        if applies(c, situation):
            total *= value
    return max(0.0, total - sum(value for value, applies in _DEDUCTIONS if applies(c, situation)))


def name_likeness(c: Comparison) -> float | None:
    """Return the likeness of title and artist in one number; None where neither can be compared.

    A missing side costs a little. At the same place of the same album, half of a difference is
    taken for a slip of the pen; in a title also where the length agrees, or where an equal artist
    has it at the same track number."""
    title, artist = c.title.likeness, c.artist.likeness
    if title is None:
        return None if artist is None else 0.93 * artist
    if title >= ALIKE and c.album.matches:
        forgiven = 0.5 if c.album.position else 0.3 if (c.length.support or 0.0) >= 0.9 else 0.0
        title += (1.0 - title) * forgiven
    elif title >= NAMED and c.album.likeness is None and c.album.position and c.artist.reaches(EQUAL):
        title += (1.0 - title) * 0.5
    if artist is None:
        return (0.94 if title >= EQUAL and c.album.matches else 0.93) * title
    if artist >= ALIKE and c.album.is_placed:
        artist += (1.0 - artist) * 0.5
    return 0.6 * title + 0.4 * artist
