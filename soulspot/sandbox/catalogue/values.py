"""The frozen values of a catalogue: MusicBrainz' artists, releases, recordings; Spotify's copies.

Dates are YYYY, YYYY-MM or YYYY-MM-DD, or "" when unknown. Tags are pairs of (name, count)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

T = TypeVar("T")
# Two ids that clients know by heart: MusicBrainz' special purpose artist, and Spotify's.
VARIOUS_ARTISTS_MBID = "89ad4ac3-39f7-470e-966a-56509c546377"
VARIOUS_ARTISTS_SPOTIFY_ID = "0LyfQWJT6nXafLPZqxe9Of"


@dataclass(frozen=True, slots=True)
class Artist:
    """One artist in MusicBrainz."""

    mbid: str
    spotify_id: str | None
    name: str
    sort_name: str
    aliases: tuple[str, ...] = ()  # other spellings, Latin ones of non-Latin names among them
    disambiguation: str = ""
    country: str | None = None
    type: str = "Person"
    tags: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CreditedName:
    """An artist in a credit: the name as credited, and the phrase that joins it to the next."""

    artist: Artist
    name: str
    join: str = ""


Credit = tuple[CreditedName, ...]


def credit_text(credit: Credit) -> str:
    """Return a credit as one string, join phrases included."""
    return "".join(part.name + part.join for part in credit)


@dataclass(frozen=True, slots=True)
class Track:
    """A recording's place on a medium."""

    mbid: str
    position: int  # from 1
    number: str  # as printed, "A1" on vinyl
    title: str
    duration_ms: int | None
    recording_mbid: str


@dataclass(frozen=True, slots=True)
class Medium:
    """One disc, side or download of a release; `position` counts from 1."""

    position: int
    format: str
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """One release in MusicBrainz."""

    mbid: str
    group_mbid: str
    title: str
    credit: Credit
    date: str
    primary_type: str
    secondary_types: tuple[str, ...]
    media: tuple[Medium, ...]
    spotify_id: str | None = None  # the album at Spotify that is this release
    linked: bool = False  # a URL relation names that album
    status: str = "Official"
    country: str | None = None
    label: str | None = None
    label_mbid: str | None = None
    catno: str | None = None
    barcode: str | None = None
    disambiguation: str = ""
    cover_id: int | None = None  # of the front cover in the Cover Art Archive
    group_first_date: str = ""
    tags: tuple[tuple[str, int], ...] = ()

    @property
    def artist(self) -> str:
        return credit_text(self.credit)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All tracks in order, over all media."""
        return tuple(track for medium in self.media for track in medium.tracks)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording in MusicBrainz, and the truth about it at Spotify."""

    mbid: str
    title: str
    credit: Credit
    duration_ms: int | None
    isrcs: tuple[str, ...] = ()  # the ISRCs that MusicBrainz knows
    merged_mbids: tuple[str, ...] = ()  # old MBIDs that redirect to `mbid`
    first_release_date: str = ""
    disambiguation: str = ""
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, int], ...] = ()
    spotify_ids: tuple[str, ...] = ()  # the living Spotify tracks of this recording: the truth
    url_ids: tuple[str, ...] = ()  # the Spotify ids that MusicBrainz' URL relations name
    dead_ids: tuple[str, ...] = ()  # ids in URL relations and labs that Spotify no longer knows
    video: bool = False

    @property
    def artist(self) -> str:
        return credit_text(self.credit)


@dataclass(frozen=True, slots=True)
class SpotifyArtist:
    """An artist as Spotify names them."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class SpotifyTrack:
    """A track at Spotify."""

    id: str
    title: str
    artists: tuple[SpotifyArtist, ...]
    album_id: str
    duration_ms: int
    isrc: str | None  # as Spotify spells it: 1% are lower-case or hyphenated
    track_number: int
    disc_number: int = 1
    explicit: bool = False
    popularity: int = 0
    recording_mbid: str | None = None  # the truth; None for a track that MusicBrainz does not have


@dataclass(frozen=True, slots=True)
class SpotifyAlbum:
    """An album at Spotify."""

    id: str
    title: str
    artists: tuple[SpotifyArtist, ...]
    date: str
    album_type: str
    track_ids: tuple[str, ...]
    label: str = ""
    upc: str | None = None
    popularity: int = 0
    release_mbid: str | None = None  # None for an album that MusicBrainz does not have


@dataclass(frozen=True, slots=True)
class Place:
    """A recording's place on a release: the release, the medium in it, the track on that."""

    release: Release
    medium: Medium
    track: Track


@dataclass(frozen=True)
class Catalogue:
    """Everything that the servers know, with indexes by every identifier.

    `cases` names the awkward entries: "merged", "no_length" ... -> MBIDs of recordings; those that
    begin with "spotify_" have ids of Spotify tracks, those with "artist_" MBIDs of artists."""

    artists: Sequence[Artist]
    releases: Sequence[Release]
    recordings: Sequence[Recording]
    spotify_albums: Sequence[SpotifyAlbum]
    spotify_tracks: Sequence[SpotifyTrack]
    cases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def recording(self, mbid: str) -> Recording | None:
        """Return the recording of an MBID, which may be a merged one."""
        return self.recordings_by_mbid.get(self.merged.get(mbid, mbid))

    def release(self, mbid: str) -> Release | None:
        return self._releases_by_mbid.get(mbid)

    def artist(self, mbid: str) -> Artist | None:
        return self._artists_by_mbid.get(mbid)

    def recordings_with_isrc(self, isrc: str) -> tuple[Recording, ...]:
        """Return the recordings that MusicBrainz has for an ISRC in canonical spelling."""
        return tuple(self.recordings_by_isrc.get(isrc, ()))

    def recording_of_spotify_track(self, spotify_id: str) -> Recording | None:
        """Return the recording of a living Spotify track, or None if unknown or Spotify-only."""
        track = self.spotify_track(spotify_id)
        return self.recording(track.recording_mbid) if track and track.recording_mbid else None

    def spotify_track(self, spotify_id: str) -> SpotifyTrack | None:
        return self.spotify_tracks_by_id.get(spotify_id)

    def spotify_album(self, spotify_id: str) -> SpotifyAlbum | None:
        return self.spotify_albums_by_id.get(spotify_id)

    def places(self, mbid: str) -> tuple[Place, ...]:
        """Return the places of a recording (by its own MBID) in the order of the releases."""
        return tuple(self._places_by_recording.get(mbid, ()))

    # Large catalogues make these indexes costly: each is built when it is first used.

    @cached_property
    def merged(self) -> dict[str, str]:
        """Merged MBID -> the MBID that it redirects to."""
        return {old: recording.mbid for recording in self.recordings for old in recording.merged_mbids}

    @cached_property
    def recordings_by_mbid(self) -> dict[str, Recording]:
        return {recording.mbid: recording for recording in self.recordings}

    @cached_property
    def _releases_by_mbid(self) -> dict[str, Release]:
        return {release.mbid: release for release in self.releases}

    @cached_property
    def _artists_by_mbid(self) -> dict[str, Artist]:
        return {artist.mbid: artist for artist in self.artists}

    @cached_property
    def spotify_tracks_by_id(self) -> dict[str, SpotifyTrack]:
        return {track.id: track for track in self.spotify_tracks}

    @cached_property
    def spotify_albums_by_id(self) -> dict[str, SpotifyAlbum]:
        return {album.id: album for album in self.spotify_albums}

    @cached_property
    def recordings_by_isrc(self) -> dict[str, list[Recording]]:
        return _grouped((isrc, recording) for recording in self.recordings for isrc in recording.isrcs)

    @cached_property
    def recordings_by_url_id(self) -> dict[str, list[Recording]]:
        """Spotify track id -> the recordings with a URL relation to it, dead ids included."""
        return _grouped((url_id, recording) for recording in self.recordings for url_id in recording.url_ids)

    @cached_property
    def releases_by_url_id(self) -> dict[str, list[Release]]:
        """Spotify album id -> the releases with a URL relation to it."""
        return _grouped((r.spotify_id, r) for r in self.releases if r.linked and r.spotify_id)

    @cached_property
    def _places_by_recording(self) -> dict[str, list[Place]]:
        return _grouped(
            (track.recording_mbid, Place(release, medium, track))
            for release in self.releases
            for medium in release.media
            for track in medium.tracks
        )


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)
