"""Two views compared: what agrees, what contradicts, and the score that makes of it."""

from __future__ import annotations

from dataclasses import dataclass

from soulspot.matching.names import credit_similarity, name_similarity
from soulspot.matching.releases import album_similarity, same_position
from soulspot.matching.similarity import duration_support, title_similarity
from soulspot.matching.trimming import Trimmed, trim
from soulspot.matching.versions import shown
from soulspot.matching.views import SAME_ALBUM, View
from soulspot.matching.vocabulary import NEAR_VERSIONS

# A score is text * (BARE + (1 - BARE) * support): equal text alone is worth BARE, which is review and no more;
# support joins as independent evidence does: 1 - (1 - a)(1 - b)...
BARE = 0.7
DURATION, ALBUM, POSITION, ISRC, STRONG_ID = 0.75, 0.6, 0.45, 0.6, 0.85
ALONE = 0.67  # the only candidate of that name, and no length to contradict it
CONTRADICTED = 0.7  # the most a candidate can have that another version, length or number speaks against
STRANGER = 0.5  # the most it can have when the artist or the title is another


@dataclass(frozen=True, slots=True)
class Marks:
    """How a candidate compares with the tags; None where a side does not say. Similarities are 0 to 1."""

    title: float | None
    artist: float | None
    duration: float | None  # -1 contradicts, 0..1 supports
    apart_ms: int | None
    album: float | None
    position: bool | None
    isrc: bool
    recording_id: bool
    version: str = ""  # what the version words contradict, in words; empty when they do not
    foreign: bool = False  # the titles are in scripts that cannot be compared
    video: bool = False

    @property
    def text(self) -> float | None:
        """Title and artist in one number; one missing costs a little, both missing is None."""
        title = self.title
        if title is None:
            return None if self.artist is None else 0.93 * self.artist
        if title >= 0.75 and self.album is not None and self.album >= SAME_ALBUM:
            # on the same place of the same album a slip of the pen is one
            title += (1.0 - title) * (0.5 if self.position else 0.3 if (self.duration or 0.0) >= 0.9 else 0.0)
        return 0.93 * title if self.artist is None else 0.6 * title + 0.4 * self.artist


def compare(tags: View, candidate: View, identified: frozenset[str] = frozenset()) -> Marks:
    """Compare the library's view of a track with a provider's."""
    title, here, there = _title(tags, candidate)
    artist = _artist(tags, candidate)
    if artist is None and (here.artist or there.artist):
        artist = 1.0
    album, position = _album(tags, candidate)
    if album is None and (here.album or there.album):
        album = 1.0
        position = (
            None if tags.number is None or candidate.number is None else tags.number == candidate.number
        )
    if artist is not None and artist < 0.75 and "artist" in tags.guessed:
        artist = None
    if album is not None and album < SAME_ALBUM and "album" in tags.guessed:
        album = None
    lengths = (tags.duration_ms, candidate.duration_ms)
    return Marks(
        title=title,
        artist=artist,
        duration=duration_support(*lengths),
        apart_ms=abs(lengths[0] - lengths[1]) if lengths[0] and lengths[1] else None,
        album=album,
        position=position,
        isrc=bool(tags.isrcs & candidate.isrcs) or bool(identified & {"isrc", "spotify link"}),
        recording_id=bool(tags.ids & candidate.ids)
        or bool(tags.spotify_ids & candidate.spotify_ids)
        or bool(identified & {"recording id", "spotify id"}),
        version=_version_conflict(tags, candidate, here, there, album is not None and album >= SAME_ALBUM),
        foreign=title is None and bool(tags.title.segments) and bool(candidate.title.segments),
        video=candidate.video and not tags.video,
    )


def _title(tags: View, candidate: View) -> tuple[float | None, Trimmed, Trimmed]:
    """The titles' similarity without the pieces of them that are the other's (or their own) artist or album."""
    here, there = trim(tags, candidate), trim(candidate, tags)
    if not here.title.segments or not there.title.segments:
        return None, here, there
    trimmed = title_similarity(here.title, there.title)
    if here.title is tags.title and there.title is candidate.title:
        return trimmed, here, there
    simple = title_similarity(tags.title, candidate.title)
    if simple is not None and (trimmed is None or simple > trimmed):
        return simple, Trimmed(tags.title), Trimmed(candidate.title)
    return trimmed, here, there


def _artist(tags: View, candidate: View) -> float | None:
    """The artists' similarity; the album artist may stand in for a track's artist."""
    if tags.artist_ids and tags.artist_ids & candidate.artist_ids:
        return 1.0
    similarity = credit_similarity(tags.credit, candidate.credit)
    if similarity is not None and similarity < 0.9:
        crossed = credit_similarity(tags.album_credit, candidate.credit) or 0.0
        similarity = max(similarity, crossed * 0.9)
    if similarity is None and tags.album_credit.known:
        similarity = credit_similarity(tags.album_credit, candidate.credit)
        if similarity is not None and similarity < 0.75:
            return None
    return similarity


def _album(tags: View, candidate: View) -> tuple[float | None, bool | None]:
    """The best similarity among the candidate's albums and whether the position agrees there."""
    if not tags.albums or not candidate.albums:
        return None, None
    own = tags.albums[0]
    best: tuple[float, int, bool | None] = (-1.0, 0, None)
    for album in candidate.albums:
        place = same_position(own, album)
        similarity = album_similarity(own, album)
        rank = (similarity if similarity < SAME_ALBUM else 1.0, {True: 2, None: 1, False: 0}[place], place)
        if rank[:2] > best[:2]:
            best = (
                (*rank[:2], place)
                if similarity < SAME_ALBUM
                else (max(similarity, SAME_ALBUM), rank[1], place)
            )
            best = (rank[0], rank[1], place)
    return best[0], best[2] if best[0] >= SAME_ALBUM else None


def _version_conflict(tags: View, candidate: View, here: Trimmed, there: Trimmed, same_album: bool) -> str:
    """What the version words contradict, in words; empty when nothing."""
    if tags.title.segments and tags.title.plain == candidate.title.plain and same_album:
        return ""
    our_versions = here.title.versions | tags.besides
    their_versions = there.title.versions | candidate.besides
    ours, theirs = our_versions.hard, their_versions.hard
    missing_there = ours - theirs - candidate.lent - candidate.implied
    missing_here = theirs - ours - tags.lent - tags.implied
    if not same_album:
        missing_there |= tags.implied - theirs - candidate.lent - ours
        missing_here |= candidate.implied - ours - tags.lent - tags.implied - theirs
    missing_there, missing_here = _forgiven(missing_there, theirs), _forgiven(missing_here, ours)
    if missing_there or missing_here:
        they = shown(theirs | (candidate.implied if missing_here & candidate.implied else frozenset()))
        we = shown(ours | (tags.implied if missing_there & tags.implied else frozenset()))
        return f"{they}, file says {we}"
    for kind in sorted(ours & theirs):
        we_say, they_say = our_versions.of(kind), their_versions.of(kind)
        if we_say and they_say and not _share(we_say, they_say):
            named = f"another {shown((kind,))}: {' '.join(sorted(they_say))}"
            return f"{named}, file says {' '.join(sorted(we_say))}"
    return ""


def _forgiven(missing: frozenset[str], there: frozenset[str]) -> frozenset[str]:
    """Without the kinds that come along with one the other side has ("acoustic" with "live acoustic")."""
    return frozenset(
        k for k in missing if not any(k in pair and pair & there - {k} for pair in NEAR_VERSIONS)
    )


def _share(here: frozenset[str], there: frozenset[str]) -> bool:
    if here & there:
        return True
    return any(name_similarity(a, b) >= 0.8 for a in here for b in there if len(a) > 3 and not a.isdecimal())


def score(marks: Marks, *, alone: bool = False) -> float:
    """0 to 1. `alone`: no other candidate has this name, so that equal text may be believed without a length."""
    text = marks.text
    supports = []
    if marks.duration is not None and marks.duration > 0:
        supports.append(DURATION * marks.duration)
    if marks.album is not None and marks.album >= SAME_ALBUM:
        supports.append(0.2 if marks.position is False else ALBUM)
    if marks.position and marks.album is not None:
        supports.append(POSITION)
    if marks.isrc:
        supports.append(ISRC)
    if marks.recording_id:
        supports.append(STRONG_ID)
    believed = marks.apart_ms is None and marks.position is not False
    if alone and believed and (marks.album is None or marks.album >= SAME_ALBUM):
        supports.append(ALONE)
    doubt = 1.0
    for support in supports:
        doubt *= 1.0 - support
    if text is None:
        # nothing but places and lengths: a hint for a person, when there are both
        return _capped(marks, 0.8 * (1.0 - doubt) if (marks.duration or 0.0) > 0 else min(0.5, 1.0 - doubt))
    return _capped(marks, text * (BARE + (1.0 - BARE) * (1.0 - doubt)))


def _capped(marks: Marks, value: float) -> float:
    if marks.title is not None and marks.title < 0.75:
        value = min(value, STRANGER if marks.title < 0.6 else CONTRADICTED)
    if marks.artist is not None and marks.artist < 0.6:
        placed = marks.position or marks.isrc or marks.recording_id
        value = min(value, CONTRADICTED if placed else STRANGER)
    if marks.foreign and not (marks.position and marks.duration is not None and marks.duration > 0.5):
        value = min(value, 0.85)
    if marks.duration == -1.0 or marks.version:
        value = min(value, CONTRADICTED)
    if marks.video:
        value *= 0.9
    return max(0.0, min(1.0, value))
