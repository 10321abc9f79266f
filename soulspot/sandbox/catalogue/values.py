"""The truth the sandbox serves: artists, releases, recordings of MusicBrainz; tracks, albums of Spotify."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

# Two ids that clients know by heart: MusicBrainz' special purpose artist, and its counterpart at Spotify.
VARIOUS_ARTISTS_MBID = "89ad4ac3-39f7-470e-966a-56509c546377"
VARIOUS_ARTISTS_SPOTIFY_ID = "0LyfQWJT6nXafLPZqxe9Of"


@dataclass(frozen=True, slots=True)
class Artist:
    """One artist in MusicBrainz. `aliases` has other spellings, Latin ones of non-Latin names among them."""

    mbid: str
    spotify_id: str | None
    name: str
    sort_name: str
    aliases: tuple[str, ...] = ()
    disambiguation: str = ""
    country: str | None = None
    type: str = "Person"
    tags: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CreditedName:
    """One artist in a credit: the name as credited, and the phrase that follows it."""

    artist: Artist
    name: str
    join: str = ""


Credit = tuple[CreditedName, ...]


def credit_text(credit: Credit) -> str:
    """A credit as one string, join phrases included."""
    return "".join(part.name + part.join for part in credit)


@dataclass(frozen=True, slots=True)
class Track:
    """A recording's place on a medium; `position` counts from 1, `number` is what is printed ("A1")."""

    mbid: str
    position: int
    number: str
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
    """One release in MusicBrainz. Dates are YYYY, YYYY-MM or YYYY-MM-DD, or "" when unknown.

    `spotify_id` is the album at Spotify that is this release; `linked`: whether a URL relation names it."""

    mbid: str
    group_mbid: str
    title: str
    credit: Credit
    date: str
    primary_type: str
    secondary_types: tuple[str, ...]
    media: tuple[Medium, ...]
    spotify_id: str | None = None
    linked: bool = False
    status: str = "Official"
    country: str | None = None
    label: str | None = None
    label_mbid: str | None = None
    catno: str | None = None
    barcode: str | None = None
    disambiguation: str = ""
    cover_id: int | None = None
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
    """One recording in MusicBrainz. `isrcs` are those MusicBrainz knows; `merged_mbids` redirect to `mbid`.

    `spotify_ids` are the living Spotify tracks of it, the truth; `url_ids` the Spotify ids MusicBrainz' URL
    relations name, and `dead_ids` those of them (and of labs) that Spotify no longer knows."""

    mbid: str
    title: str
    credit: Credit
    duration_ms: int | None
    isrcs: tuple[str, ...] = ()
    merged_mbids: tuple[str, ...] = ()
    first_release_date: str = ""
    disambiguation: str = ""
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, int], ...] = ()
    spotify_ids: tuple[str, ...] = ()
    url_ids: tuple[str, ...] = ()
    dead_ids: tuple[str, ...] = ()
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
    """A track at Spotify. `isrc` is as Spotify spells it (1% lower-case or hyphenated_isrc), None when absent.

    `recording_mbid` is the truth; None for a track MusicBrainz does not have."""

    id: str
    title: str
    artists: tuple[SpotifyArtist, ...]
    album_id: str
    duration_ms: int
    isrc: str | None
    track_number: int
    disc_number: int = 1
    explicit: bool = False
    popularity: int = 0
    recording_mbid: str | None = None


@dataclass(frozen=True, slots=True)
class SpotifyAlbum:
    """An album at Spotify; `release_mbid` is the release it is, None when MusicBrainz has none."""

    id: str
    title: str
    artists: tuple[SpotifyArtist, ...]
    date: str
    album_type: str
    track_ids: tuple[str, ...]
    label: str = ""
    upc: str | None = None
    popularity: int = 0
    release_mbid: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a recording stands on a release."""

    release: Release
    medium: Medium
    track: Track


@dataclass(frozen=True)
class Catalogue:
    """Everything the servers know, with the look-ups that tests compare results by.

    `cases` names the awkward ones: "merged", "no_length", "shared_isrc" ... -> ids of recordings (of Spotify
    tracks for the cases that begin with "spotify_", of artists for those that begin with "artist_")."""

    artists: Sequence[Artist]
    releases: Sequence[Release]
    recordings: Sequence[Recording]
    spotify_albums: Sequence[SpotifyAlbum]
    spotify_tracks: Sequence[SpotifyTrack]
    cases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def recording(self, mbid: str) -> Recording | None:
        """The recording of this MBID, which may be a merged one."""
        return self.recordings_by_mbid.get(self.merged.get(mbid, mbid))

    def release(self, mbid: str) -> Release | None:
        return self.releases_by_mbid.get(mbid)

    def artist(self, mbid: str) -> Artist | None:
        return self.artists_by_mbid.get(mbid)

    def recordings_with_isrc(self, isrc: str) -> tuple[Recording, ...]:
        """The recordings MusicBrainz has for a canonical ISRC."""
        return tuple(self.recordings_by_isrc.get(isrc, ()))

    def recording_of_spotify_track(self, spotify_id: str) -> Recording | None:
        """The recording a living Spotify track is."""
        track = self.spotify_track(spotify_id)
        return self.recording(track.recording_mbid) if track and track.recording_mbid else None

    def spotify_track(self, spotify_id: str) -> SpotifyTrack | None:
        return self.spotify_tracks_by_id.get(spotify_id)

    def spotify_album(self, spotify_id: str) -> SpotifyAlbum | None:
        return self.spotify_albums_by_id.get(spotify_id)

    def places(self, mbid: str) -> tuple[Place, ...]:
        """Where a recording (by its own MBID) stands, in the order of the releases."""
        return tuple(self.places_by_recording.get(mbid, ()))

    @cached_property
    def recordings_by_mbid(self) -> dict[str, Recording]:
        return {recording.mbid: recording for recording in self.recordings}

    @cached_property
    def merged(self) -> dict[str, str]:
        """Merged MBID -> the MBID it redirects to."""
        return {old: recording.mbid for recording in self.recordings for old in recording.merged_mbids}

    @cached_property
    def releases_by_mbid(self) -> dict[str, Release]:
        return {release.mbid: release for release in self.releases}

    @cached_property
    def artists_by_mbid(self) -> dict[str, Artist]:
        return {artist.mbid: artist for artist in self.artists}

    @cached_property
    def recordings_by_isrc(self) -> dict[str, list[Recording]]:
        found: dict[str, list[Recording]] = defaultdict(list)
        for recording in self.recordings:
            for isrc in recording.isrcs:
                found[isrc].append(recording)
        return dict(found)

    @cached_property
    def recordings_by_url_id(self) -> dict[str, list[Recording]]:
        """Spotify track id -> the recordings with a URL relation to it, dead ids included."""
        found: dict[str, list[Recording]] = defaultdict(list)
        for recording in self.recordings:
            for spotify_id in recording.url_ids:
                found[spotify_id].append(recording)
        return dict(found)

    @cached_property
    def releases_by_url_id(self) -> dict[str, list[Release]]:
        """Spotify album id -> the releases with a URL relation to it."""
        found: dict[str, list[Release]] = defaultdict(list)
        for release in self.releases:
            if release.linked and release.spotify_id:
                found[release.spotify_id].append(release)
        return dict(found)

    @cached_property
    def places_by_recording(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = defaultdict(list)
        for release in self.releases:
            for medium in release.media:
                for track in medium.tracks:
                    found[track.recording_mbid].append(Place(release, medium, track))
        return dict(found)

    @cached_property
    def spotify_tracks_by_id(self) -> dict[str, SpotifyTrack]:
        return {track.id: track for track in self.spotify_tracks}

    @cached_property
    def spotify_albums_by_id(self) -> dict[str, SpotifyAlbum]:
        return {album.id: album for album in self.spotify_albums}
