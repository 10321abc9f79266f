"""The features of a comparison, each a small value that agrees, contradicts, or says nothing."""

from dataclasses import dataclass

from soulspot.matching.albums.release import SAME_ALBUM

# Levels of likeness, 0 to 1, that rules speak of.
EQUAL = 0.97  # but for articles, word breaks and the like
NAMED = 0.85  # the same name with a small slip
ALIKE = 0.75  # below it is another name
OTHER = 0.6  # below it nothing speaks for the same name


@dataclass(frozen=True, slots=True)
class Likeness:
    """A likeness of 0 to 1; None where a side says nothing, or the two cannot be compared."""

    likeness: float | None = None

    def reaches(self, level: float) -> bool:
        """Whether the likeness is known and at least `level`."""
        return self.likeness is not None and self.likeness >= level

    def is_below(self, level: float) -> bool:
        """Whether the likeness is known and less than `level`."""
        return self.likeness is not None and self.likeness < level


@dataclass(frozen=True, slots=True)
class TitleFeature(Likeness):
    """The titles, without version words, guests, and pieces that are artist or album."""

    is_equal_as_written: bool = False  # with every aside, so that versions differ in comments at most
    has_same_parts: bool = True  # both count the same part ("Part 2"), or none
    is_foreign: bool = False  # in two scripts that cannot be compared
    is_repeatable: bool = False  # "Intro", or the album's own name: an album may have it twice
    is_generic: bool = False  # "Intro", "Chapter 1": an artist has it on every album
    # The words that one side alone has in brackets or behind a dash: a version until proven
    # otherwise. Empty where the album proves that they are none.
    unknown_words: str = ""


@dataclass(frozen=True, slots=True)
class ArtistFeature(Likeness):
    """The artist credits."""

    has_same_names: bool = True  # both name the same artists, guests included
    is_another_act: bool = False  # they share an artist: half of a duo, or lead and guest swapped


@dataclass(frozen=True, slots=True)
class LengthFeature:
    """The lengths."""

    apart_ms: int | None = None
    support: float | None = None  # -1 contradicts, 0 to 1 supports

    @property
    def contradicts(self) -> bool:
        return self.support == -1.0

    @property
    def agrees(self) -> bool:
        return self.support is not None and self.support >= 0.5


@dataclass(frozen=True, slots=True)
class AlbumFeature(Likeness):
    """The tags' album and the candidate's most alike; without albums, the track numbers alone."""

    position: bool | None = None  # the same disc and track number
    is_other_by_folder: bool = False  # only the file's folder names an album, and it is another

    @property
    def matches(self) -> bool:
        """Whether the candidate is on the album that the tags name."""
        return self.likeness is not None and self.likeness >= SAME_ALBUM

    @property
    def is_placed(self) -> bool:
        """Whether the candidate stands on that album where the tags say."""
        return self.position is True and self.matches


@dataclass(frozen=True, slots=True)
class IdentifierFeature:
    """Identifiers that both sides share, or that led to the candidate."""

    recording_id: bool = False  # a MusicBrainz recording id or a Spotify id
    isrc: bool = False  # an ISRC or a link to Spotify, which several versions may share

    @property
    def is_any(self) -> bool:
        return self.recording_id or self.isrc


@dataclass(frozen=True, slots=True)
class VersionFeature:
    """The version words: live, remix, karaoke, radio edit."""

    conflict: str = ""  # the contradiction, in words for a person; empty for none
    is_packaging: bool = False  # conflict in words alone that shops and taggers often leave out
    # Conflict in nothing but "single version" or "edit", which only the candidate says.
    is_unstated: bool = False
    is_one_of_many: bool = False  # agreement on a version of which there are many: live, karaoke, remix
    is_same_take: bool = False  # both say which take, remix or edit it is, and the same one
    is_half_named: bool = False  # one says which remix or edit it is, and the other does not


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate compared with the tags, feature by feature."""

    title: TitleFeature = TitleFeature()
    artist: ArtistFeature = ArtistFeature()
    length: LengthFeature = LengthFeature()
    album: AlbumFeature = AlbumFeature()
    identifiers: IdentifierFeature = IdentifierFeature()
    version: VersionFeature = VersionFeature()
    is_video: bool = False  # the candidate is a music video, and the file is not

    @property
    def needs_album(self) -> bool:
        """Whether name and length prove nothing, however equal, unless the album or an identifier
        agrees."""
        if self.title.unknown_words:
            return True
        return (self.title.is_generic or self.artist.is_another_act) and not self.album.matches

    @property
    def is_settled(self) -> bool:
        return (
            self.album.matches
            and self.album.position is not False
            and not self.length.contradicts
            and not self.version.conflict
        )
