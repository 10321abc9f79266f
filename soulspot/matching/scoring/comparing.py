"""Two views compared: what agrees, what contradicts, and what is not said."""

from __future__ import annotations

from dataclasses import dataclass

from soulspot.matching.albums.belonging import album_similarity, same_position
from soulspot.matching.albums.release import NEAR_ALBUM, SAME_ALBUM
from soulspot.matching.text.names import credit_similarity, key
from soulspot.matching.text.similarity import duration_support, title_similarity
from soulspot.matching.text.slips import credit_slip, title_slip
from soulspot.matching.text.titles import Title, counted
from soulspot.matching.text.trimming import Trimmed, trim
from soulspot.matching.text.vocabulary import REPEATED_TITLES
from soulspot.matching.versions.conflicts import AGREEING, compare_versions
from soulspot.matching.versions.phrases import MANY_VERSIONS, PACKAGING
from soulspot.matching.views import View

_SLIP = 0.8  # what a name is worth that may be the other one miswritten
_PLACES = {True: 2, None: 1, False: 0}


@dataclass(frozen=True, slots=True)
class Marks:
    """How a candidate compares with the tags; None where a side does not say. Similarities are 0 to 1."""

    title: float | None
    artist: float | None
    duration: float | None  # -1 contradicts, 0..1 supports
    apart_ms: int | None
    album: float | None
    position: bool | None  # on the album that is most alike, or without one of the track
    isrc: bool
    recording_id: bool
    version: str = ""  # what the version words contradict, in words; empty when they do not
    packaging: bool = False  # they contradict in words alone that shops and taggers often leave out
    commented: bool = (
        False  # the titles are equal as written: they contradict in a comment or an album's name alone
    )
    unstated: bool = (
        False  # the candidate says "single version" or "edit", the tags say nothing, and no more differs
    )
    taken: bool = False  # they agree on a version of which there are many: live, karaoke, remix ...
    told: bool = False  # both say which take, remix or edit it is, and the same one
    foreign: bool = False  # the titles are in scripts that cannot be compared
    counted: bool = True  # the titles count the same part ("Part 2"), or both none
    video: bool = False
    unnamed: bool = False  # one says which remix or edit it is, the other does not
    same_company: bool = True  # both name the same artists, guests included
    repeatable: bool = False  # a name that an album may well have twice

    @property
    def text(self) -> float | None:
        """Title and artist in one number; one missing costs a little, both missing is None."""
        title = self.title
        if title is None:
            return None if self.artist is None else 0.93 * self.artist
        if title >= 0.75 and self.on_album:
            # on the same place of the same album a slip of the pen is one
            title += (1.0 - title) * (0.5 if self.position else 0.3 if (self.duration or 0.0) >= 0.9 else 0.0)
        elif title >= 0.85 and self.album is None and self.position and (self.artist or 0.0) >= 0.97:
            title += (
                1.0 - title
            ) * 0.5  # nor is it at the same number of the same artist's, whatever the album
        artist = self.artist
        if artist is None:
            return (0.94 if title >= 0.97 and self.on_album else 0.93) * title
        if artist >= 0.75 and self.placed:
            artist += (1.0 - artist) * 0.5
        return 0.6 * title + 0.4 * artist

    @property
    def on_album(self) -> bool:
        """Whether the candidate is on the album the tags name."""
        return self.album is not None and self.album >= SAME_ALBUM

    @property
    def placed(self) -> bool:
        """Whether it stands on that album where the tags say."""
        return self.on_album and self.position is True

    @property
    def settled(self) -> bool:
        """Whether the album agrees and neither length nor place contradicts: enough for the only one of its name."""
        return self.on_album and self.position is not False and self.duration != -1.0 and not self.version

    @property
    def same_length(self) -> bool:
        return self.duration is not None and self.duration >= 0.5


def compare(tags: View, candidate: View, identified: frozenset[str] = frozenset()) -> Marks:
    """Compare the library's view of a track with a provider's."""
    title, here, there = _title(tags, candidate)
    artist = _artist(tags, candidate)
    if artist is None and (here.artist or there.artist):
        artist = 1.0
    album, position = _album(tags, candidate)
    if album is None:
        album = 1.0 if here.album or there.album else None
        position = tags.number == candidate.number if tags.number and candidate.number else None
    if artist is not None and artist < 0.75 and "artist" in tags.guessed:
        artist = None
    if album is not None and album < SAME_ALBUM and "album" in tags.guessed:
        album = None
    lengths = (tags.duration_ms, candidate.duration_ms)
    same_album = album is not None and album >= SAME_ALBUM
    as_written = bool(tags.title.segments) and tags.title.plain == candidate.title.plain and same_album
    if album is not None and 0.0 < album < NEAR_ALBUM and position and _album_slip(tags, candidate):
        album = NEAR_ALBUM
    if same_album and position:
        title, artist = _slips(title, artist, tags, candidate, here, there)
        # where no title is, none says which version
        as_written = as_written or not (tags.title.segments and candidate.title.segments)
    versions = AGREEING if as_written else compare_versions(tags, candidate, here, there, same_album)
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
        version=versions.conflict,
        packaging=versions.packaging,
        commented=bool(tags.title.segments) and tags.title.plain == candidate.title.plain,
        unstated=versions.unstated,
        taken=bool((candidate.versions.hard | candidate.implied) - PACKAGING) and not versions.conflict,
        told=versions.told,
        foreign=title is None and bool(tags.title.segments) and bool(candidate.title.segments),
        counted=counted(here.title.full).parts == counted(there.title.full).parts,
        video=candidate.video and not tags.video,
        unnamed=any(
            bool(here.title.versions.of(kind)) != bool(there.title.versions.of(kind))
            for kind in MANY_VERSIONS & here.title.versions.kinds & there.title.versions.kinds
        ),
        same_company=tags.credit.company == candidate.credit.company,
        repeatable=_repeatable(here.title, candidate),
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


def _album_slip(tags: View, candidate: View) -> bool:
    """Whether an album on which the candidate stands at the same place may be the tags' own, miswritten."""
    own = tags.albums[0]
    return any(
        same_position(own, one) and album_similarity(own, one) > 0.0 and title_slip(own.title, one.title)
        for one in candidate.albums
    )


def _slips(
    title: float | None, artist: float | None, tags: View, candidate: View, here: Trimmed, there: Trimmed
) -> tuple[float | None, float | None]:
    """The likeness of title and artist at one place of one album: where either agrees, the other may be miswritten.

    Titles that count differently stay different, and so do the artists of an imitation."""
    same_title, same_artist = (title or 0.0) >= 0.9, (artist or 0.0) >= 0.9
    if same_artist and title is not None and 0.0 < title < _SLIP:
        if title_slip(here.title, there.title):
            title = _SLIP
        elif _says_nothing(tags) != _says_nothing(candidate) and not (
            tags.duration_ms and candidate.duration_ms
        ):
            title = None
    if same_title and artist is not None and artist < _SLIP and credit_slip(tags.credit, candidate.credit):
        artist = _SLIP
    return title, artist


def _says_nothing(view: View) -> bool:
    """Whether the name of the album or of the artist stands where the title should."""
    names = (key(view.credit.whole), *(album.title.core for album in view.albums))
    return view.title.core in names


def _repeatable(title: Title, candidate: View) -> bool:
    """A name that many tracks have ("Intro"), or the album's own: title track and its reprise."""
    if title.versions.details:
        return False
    return title.core in REPEATED_TITLES or any(title.core == album.title.core for album in candidate.albums)


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
    """The best similarity among the candidate's albums and whether the position agrees there.

    Several editions of one album compete by the position."""
    if not tags.albums or not candidate.albums:
        return None, None
    own = tags.albums[0]
    best: tuple[float, int, bool | None] = (-1.0, 0, None)
    for album in candidate.albums:
        similarity = album_similarity(own, album)
        place = same_position(own, album)
        found = (1.0 if similarity >= SAME_ALBUM else similarity, _PLACES[place], place)
        if found[:2] > best[:2]:
            best = found
    return best[0], best[2]
