"""A track of the library compared with a candidate: one function a feature, and `compare` for all.
In the examples, `sides(a, b)` stands for two tracks with the tags `a` and `b`."""

from dataclasses import replace
from typing import NamedTuple

from soulspot.matching.albums.release import NEAR_ALBUM, SAME_ALBUM, album_similarity, same_position
from soulspot.matching.scoring.features import (
    ALIKE,
    AlbumFeature,
    ArtistFeature,
    Comparison,
    IdentifierFeature,
    LengthFeature,
    TitleFeature,
    VersionFeature,
)
from soulspot.matching.scoring.title_trimming import TrimmedTitle, trim_title
from soulspot.matching.scoring.unknown_words import are_proved_by_album, find_unknown_words
from soulspot.matching.scoring.version_comparison import find_conflict
from soulspot.matching.text.names import credit_similarity, lacks_artists, name_key
from soulspot.matching.text.similarity import (
    duration_support,
    may_be_miswritten_credit,
    may_be_miswritten_title,
    title_similarity,
)
from soulspot.matching.text.titles import Title, count_parts, is_generic_title
from soulspot.matching.text.vocabulary import REPEATED_TITLES
from soulspot.matching.versions import phrases
from soulspot.matching.views import View

_SLIP = 0.8  # the likeness of a name that may be the other one miswritten
_PLACES = {True: 2, None: 1, False: 0}


class Sides(NamedTuple):
    """Both sides of a comparison, with their titles trimmed and the likeness of these."""

    tags: View
    candidate: View
    here: TrimmedTitle
    there: TrimmedTitle
    title_likeness: float | None


def compare(tags: View, candidate: View, identified: frozenset[str] = frozenset()) -> Comparison:
    """Compare the library's view of a track with a provider's, feature by feature. `identified` has
    the kinds of identifiers that led to the candidate ("isrc", "recording id")."""
    sides = trim_sides(tags, candidate)
    album = compare_albums(sides)
    title, artist = compare_titles(sides, album), compare_artists(sides)
    if album.is_placed:
        title, artist = forgive_slips(sides, title, artist)
    return Comparison(
        title=title,
        artist=artist,
        length=compare_lengths(sides),
        album=album,
        identifiers=compare_identifiers(sides, identified),
        version=compare_versions(sides, album),
        is_video=candidate.is_video and not tags.is_video,
    )


def trim_sides(tags: View, candidate: View) -> Sides:
    """Return both sides, artist and album cut from the titles where that makes them more alike."""
    here, there = trim_title(tags, candidate), trim_title(candidate, tags)
    if not here.title.segments or not there.title.segments:
        return Sides(tags, candidate, here, there, None)
    likeness = title_similarity(here.title, there.title)
    if here.title is tags.title and there.title is candidate.title:
        return Sides(tags, candidate, here, there, likeness)
    untrimmed = title_similarity(tags.title, candidate.title)
    if untrimmed is not None and (likeness is None or untrimmed > likeness):
        return Sides(tags, candidate, TrimmedTitle(tags.title), TrimmedTitle(candidate.title), untrimmed)
    return Sides(tags, candidate, here, there, likeness)


def compare_titles(sides: Sides, album: AlbumFeature) -> TitleFeature:
    """Compare the titles, without version words and guests.
    >>> both = sides({"title": "Kite, Pt. 2"}, {"title": "Kite, Part 1"})
    >>> compare_titles(both, AlbumFeature()).likeness
    0.0"""
    ours, theirs = sides.tags.title, sides.candidate.title
    here, there = sides.here.title, sides.there.title
    unknown = find_unknown_words(here, there, sides.tags, sides.candidate) if sides.title_likeness else ""
    is_on_album = album.matches and album.position is not False
    if unknown and is_on_album and are_proved_by_album(unknown, sides.tags, sides.candidate):
        unknown = ""
    return TitleFeature(
        likeness=sides.title_likeness,
        is_equal_as_written=bool(ours.segments) and ours.plain == theirs.plain,
        has_same_parts=count_parts(here.full).parts == count_parts(there.full).parts,
        is_foreign=sides.title_likeness is None and bool(ours.segments) and bool(theirs.segments),
        is_repeatable=_is_repeatable(here, sides.candidate),
        is_generic=is_generic_title(here.core),
        unknown_words=unknown,
    )


def _is_repeatable(title: Title, candidate: View) -> bool:
    """Whether an album may have the title twice: "Intro", or its own name, as a reprise has it."""
    if title.versions.details:
        return False
    return title.core in REPEATED_TITLES or any(title.core == album.title.core for album in candidate.albums)


def compare_artists(sides: Sides) -> ArtistFeature:
    """Compare the artist credits; a name in the other side's title is as good as a tag.
    >>> turned = compare_artists(sides({"artist": "Quill, Mara"}, {"artist": "Mara Quill ft. Oto"}))
    >>> turned.likeness, turned.has_same_names
    (0.99, False)"""
    likeness = _artist_likeness(sides.tags, sides.candidate)
    if likeness is None and (sides.here.has_other_artist or sides.there.has_other_artist):
        likeness = 1.0
    if likeness is not None and likeness < ALIKE and "artist" in sides.tags.guessed:
        likeness = None
    ours, theirs = sides.tags.credit, sides.candidate.credit
    return ArtistFeature(
        likeness,
        has_same_names=ours.everybody == theirs.everybody,
        is_another_act=not sides.tags.artist_ids & sides.candidate.artist_ids and lacks_artists(ours, theirs),
    )


def _artist_likeness(tags: View, candidate: View) -> float | None:
    """Return the likeness of the artists, 0 to 1; None where nothing can be compared. Equal artist
    ids are 1. The album artist may stand in for the artist, at a discount of a tenth where both can
    be compared: classical tags name composer and performer in either place."""
    if tags.artist_ids and tags.artist_ids & candidate.artist_ids:
        return 1.0
    likeness = credit_similarity(tags.credit, candidate.credit)
    if likeness is not None and likeness < 0.9:
        by_album_artist = credit_similarity(tags.album_credit, candidate.credit) or 0.0
        likeness = max(likeness, by_album_artist * 0.9)
    if likeness is None and tags.album_credit.is_known:
        likeness = credit_similarity(tags.album_credit, candidate.credit)
        # A compilation's or a festival's album artist that differs says nothing of the track's.
        if likeness is not None and likeness < ALIKE:
            return None
    return likeness


def compare_lengths(sides: Sides) -> LengthFeature:
    """Compare the lengths, by the tolerance that is usual for a track so long.
    >>> compare_lengths(sides({"duration_ms": 200_000}, {"duration_ms": 200_400}))
    LengthFeature(apart_ms=400, support=1.0)"""
    ours, theirs = sides.tags.duration_ms, sides.candidate.duration_ms
    return LengthFeature(abs(ours - theirs) if ours and theirs else None, duration_support(ours, theirs))


def compare_albums(sides: Sides) -> AlbumFeature:
    """Compare the tags' album with the most alike of the candidate's, and the places on them.
    >>> compare_albums(sides({"album": "Blue CD1"}, {"album": "Blue", "track_number": 3})).matches
    True"""
    tags, candidate = sides.tags, sides.candidate
    album = _most_alike_album(tags, candidate)
    if album is None:
        named = sides.here.has_other_album or sides.there.has_other_album
        position = tags.number == candidate.number if tags.number and candidate.number else None
        album = AlbumFeature(1.0 if named else None, position)
    if "album" in tags.guessed and album.is_below(SAME_ALBUM):
        return replace(album, likeness=None, is_other_by_folder=True)
    if album.likeness and album.likeness < NEAR_ALBUM and album.position and _has_album_slip(tags, candidate):
        return replace(album, likeness=NEAR_ALBUM)
    return album


def _most_alike_album(tags: View, candidate: View) -> AlbumFeature | None:
    """Return the best of the candidate's albums; editions of one album compete by position."""
    if not tags.albums or not candidate.albums:
        return None
    best: tuple[float, int, bool | None] = (-1.0, 0, None)
    for album in candidate.albums:
        similarity = album_similarity(tags.albums[0], album)
        place = same_position(tags.albums[0], album)
        found = (1.0 if similarity >= SAME_ALBUM else similarity, _PLACES[place], place)
        if found[:2] > best[:2]:
            best = found
    return AlbumFeature(best[0], best[2])


def _has_album_slip(tags: View, candidate: View) -> bool:
    """Whether an album with the candidate at the same place may be the tags' own, miswritten."""
    own = tags.albums[0]
    return any(
        same_position(own, album)
        and album_similarity(own, album) > 0.0
        and may_be_miswritten_title(own.title, album.title)
        for album in candidate.albums
    )


def compare_identifiers(sides: Sides, identified: frozenset[str]) -> IdentifierFeature:
    """Find the identifiers that both sides share, or that led to the candidate.
    >>> compare_identifiers(sides({}, {}), frozenset({"spotify link"}))
    IdentifierFeature(recording_id=False, isrc=True)"""
    tags, candidate = sides.tags, sides.candidate
    return IdentifierFeature(
        recording_id=bool(
            tags.ids & candidate.ids
            or tags.spotify_ids & candidate.spotify_ids
            or identified & {"recording id", "spotify id"}
        ),
        isrc=bool(tags.isrcs & candidate.isrcs or identified & {"isrc", "spotify link"}),
    )


def compare_versions(sides: Sides, album: AlbumFeature) -> VersionFeature:
    """Compare the version words of titles, comments, artists and albums.
    >>> both = sides({"title": "Slow Kite"}, {"title": "Slow Kite (live)"})
    >>> compare_versions(both, AlbumFeature()).conflict
    'live, file says studio'"""
    tags, candidate, here, there, _ = sides
    ours, theirs = tags.title, candidate.title
    has_titles = bool(ours.segments) and bool(theirs.segments)
    # On one album the same words mean the same version. Where no title is, none says which version.
    if (album.matches and ours.segments and ours.plain == theirs.plain) or (album.is_placed and not has_titles):
        found = VersionFeature()
    else:
        found = find_conflict(tags, candidate, here, there, album.matches)
    here_versions, there_versions = here.title.versions, there.title.versions
    return replace(
        found,
        is_one_of_many=not found.conflict and bool((candidate.versions.hard | candidate.implied) - phrases.PACKAGING),
        is_half_named=any(
            bool(here_versions.details_of(kind)) != bool(there_versions.details_of(kind))
            for kind in phrases.MANY & here_versions.kinds & there_versions.kinds
        ),
    )


def forgive_slips(sides: Sides, title: TitleFeature, artist: ArtistFeature) -> tuple[TitleFeature, ArtistFeature]:
    """Return title and artist at one place of one album, where either may have a slip of the pen.
    Where one agrees, the other may be miswritten. Titles that count differently stay different, and
    so do the artists of a karaoke imitation."""
    tags, candidate = sides.tags, sides.candidate
    likeness = title.likeness
    if artist.reaches(0.9) and likeness is not None and 0.0 < likeness < _SLIP:
        if may_be_miswritten_title(sides.here.title, sides.there.title):
            likeness = _SLIP
        # Lengths could still tell; without them a title that says nothing is no contradiction.
        elif _has_empty_title(tags) != _has_empty_title(candidate) and not (tags.duration_ms and candidate.duration_ms):
            likeness = None
        return replace(title, likeness=likeness, is_foreign=likeness is None), artist
    if title.reaches(0.9) and artist.is_below(_SLIP) and may_be_miswritten_credit(tags.credit, candidate.credit):
        return title, replace(artist, likeness=_SLIP)
    return title, artist


def _has_empty_title(view: View) -> bool:
    """Whether the name of the album or of the artist stands where the title should."""
    return view.title.core in (name_key(view.credit.whole), *(album.title.core for album in view.albums))
