"""Catalogues under construction. Numbers called `luck` are hashes of ids: traits decided by them
need no random generator, so that a new trait changes no other."""

import gc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

from soulspot.sandbox.catalogue import ids, values
from soulspot.sandbox.catalogue.values import (
    Artist,
    Credit,
    Recording,
    Release,
    SpotifyAlbum,
    SpotifyArtist,
    SpotifyTrack,
)

_RECORDING_FIELDS = [each.name for each in fields(Recording)]
_ALBUM_TYPES = {"Album": "album", "EP": "single", "Single": "single"}


@dataclass(slots=True, eq=False)
class Draft:
    """A recording that still grows; the fields without a comment are those of Recording."""

    mbid: str
    title: str
    credit: Credit
    true_ms: int  # the real length, which MusicBrainz may not know
    isrc: str | None  # the ISRC that Spotify has
    isrcs: list[str]  # the ISRCs that MusicBrainz knows
    has_length: bool = True  # MusicBrainz knows the length
    version: str = ""  # behind the title after a dash at Spotify: "Live at Leeds", "2011 Remaster"
    disambiguation: str = ""
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, int], ...] = ()
    merged_mbids: list[str] = field(default_factory=list)
    spotify_ids: list[str] = field(default_factory=list)
    url_ids: list[str] = field(default_factory=list)
    dead_ids: list[str] = field(default_factory=list)
    video: bool = False
    first_release_date: str = ""
    spotify_title: str | None = None  # where it is not the usual one

    def title_at_spotify(self) -> str:
        """Return the title as Spotify writes it, with featured artists and version in it."""
        if self.spotify_title is not None:
            return self.spotify_title
        title = self.title
        featured = [part.name for part in self.credit[1:]]
        if featured and "feat" in self.credit[0].join and "feat" not in title:
            title = f"{title} (feat. {' & '.join(featured)})"
        return f"{title} - {self.version}" if self.version else title

    @property
    def duration_ms(self) -> int | None:
        return self.true_ms if self.has_length else None

    def frozen(self) -> Recording:
        cells: dict[str, Any] = {name: getattr(self, name) for name in _RECORDING_FIELDS}
        cells |= {name: tuple(value) for name, value in cells.items() if isinstance(value, list)}
        return Recording(**cells)


@dataclass(frozen=True, slots=True)
class ReleaseDraft:
    """A release to be added. `key` and `group` are names from which its MBIDs are made."""

    key: object
    title: str
    credit: Credit
    discs: Sequence[Sequence[Draft]]
    date: str
    primary_type: str = "Album"
    secondary_types: tuple[str, ...] = ()
    group: object = None  # the `key` of the first release in the group, None for this one
    group_first_date: str = ""
    format: str = "CD"
    country: str | None = None
    label: str | None = None
    disambiguation: str = ""
    tags: tuple[tuple[str, int], ...] = ()
    spotify_id: str | None = None  # None where Spotify does not have it


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Suspend garbage collection: there is no garbage, and the search takes half of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Builder:
    """Collects the parts of a catalogue; `space` keeps the ids of different catalogues apart."""

    def __init__(self, *space: object) -> None:
        self.space = space
        self.artists: list[Artist] = []
        self.releases: list[Release] = []
        self.drafts: list[Draft] = []
        self.spotify_albums: list[SpotifyAlbum] = []
        self.spotify_tracks: list[SpotifyTrack] = []
        self.cases: dict[str, list[str]] = defaultdict(list)
        self.spotify_artists: dict[str, SpotifyArtist] = {}  # by the artist's MBID
        various = Artist(
            values.VARIOUS_ARTISTS_MBID, values.VARIOUS_ARTISTS_SPOTIFY_ID, "Various Artists", "Various Artists",
            ("V.A.", "Various"), "add compilations to this artist", type="Other",
        )  # fmt: skip
        self.add_artist(various)
        self.various = sole_credit(various)

    def mbid(self, *names: object) -> str:
        return ids.mbid(*self.space, *names)

    def add_artist(self, artist: Artist, spotify_name: str | None = None) -> Artist:
        """Add an artist; Spotify may know them by another spelling."""
        self.artists.append(artist)
        if artist.spotify_id:
            self.spotify_artists[artist.mbid] = SpotifyArtist(artist.spotify_id, spotify_name or artist.name)
        return artist

    def add_recording(self, draft: Draft) -> Draft:
        self.drafts.append(draft)
        return draft

    def credit_at_spotify(self, credit: Credit) -> tuple[SpotifyArtist, ...]:
        known = self.spotify_artists
        return tuple(known[part.artist.mbid] for part in credit if part.artist.mbid in known)

    def add_release(self, draft: ReleaseDraft) -> Release:
        """Add a release to MusicBrainz and note its date in the drafts of its recordings."""
        mbid, label, date = self.mbid("release", draft.key), draft.label, draft.date
        # Six in ten at Spotify have a URL relation; an eighth has no barcode, a fifth no cover.
        luck = ids.number(mbid)
        media = tuple(
            values.Medium(disc, draft.format, self._tracks(mbid, disc, recordings, draft.format))
            for disc, recordings in enumerate(draft.discs, 1)
        )
        for recordings in draft.discs:
            for recording in recordings:
                if date and date < (recording.first_release_date or "9999"):
                    recording.first_release_date = date
        release = Release(
            mbid, self.mbid("group", draft.key if draft.group is None else draft.group), draft.title,
            draft.credit, date, draft.primary_type, draft.secondary_types, media, spotify_id=draft.spotify_id,
            linked=draft.spotify_id is not None and luck % 10 < 6, country=draft.country, label=label,
            label_mbid=ids.mbid("label", label) if label else None,
            catno=f"{label[:3].upper()} {luck % 9000 + 1000}" if label else None,
            barcode=ids.barcode(mbid) if luck % 8 else None, disambiguation=draft.disambiguation,
            cover_id=luck % 40_000_000_000 if luck % 5 else None,
            group_first_date=draft.group_first_date or date, tags=draft.tags,
        )  # fmt: skip
        self.releases.append(release)
        return release

    @staticmethod
    def _tracks(release: str, disc: int, recordings: Sequence[Draft], format: str) -> tuple[values.Track, ...]:
        def number(at: int) -> str:
            return f"{'AB'[at > 6]}{(at - 1) % 6 + 1}" if "Vinyl" in format else str(at)

        return tuple(
            values.Track(ids.mbid(release, disc, at), at, number(at), draft.title, draft.duration_ms, draft.mbid)
            for at, draft in enumerate(recordings, 1)
        )

    def publish(self, draft: ReleaseDraft, spotify_only: Sequence[SpotifyTrack] = ()) -> None:
        """Add a release and, with a Spotify id, its album, which has `spotify_only` tracks too."""
        release, album_id = self.add_release(draft), draft.spotify_id
        if album_id is None:
            return
        tracks = [
            self._spotify_track(recording, album_id, disc, position)
            for disc, recordings in enumerate(draft.discs, 1)
            for position, recording in enumerate(recordings, 1)
        ]
        tracks += spotify_only
        is_compilation = "Compilation" in release.secondary_types
        album = SpotifyAlbum(
            album_id, release.title, self.credit_at_spotify(release.credit), release.date,
            "compilation" if is_compilation else _ALBUM_TYPES[release.primary_type],
            tuple(track.id for track in tracks), label=release.label or "", upc=release.barcode,
            popularity=ids.number(album_id) % 80, release_mbid=release.mbid,
        )  # fmt: skip
        self.add_album(album, tracks)

    def add_album(self, album: SpotifyAlbum, tracks: Sequence[SpotifyTrack]) -> None:
        self.spotify_albums.append(album)
        self.spotify_tracks += tracks

    def _spotify_track(self, draft: Draft, album_id: str, disc: int, position: int) -> SpotifyTrack:
        track_id = ids.spotify_id(album_id, disc, position)
        # Spotify's masters differ from MusicBrainz' lengths by up to a second and a half
        length = max(1000, draft.true_ms + ids.number("luck", track_id) % 3001 - 1500)
        title, artists = draft.title_at_spotify(), self.credit_at_spotify(draft.credit)
        track = SpotifyTrack(track_id, title, artists, album_id, length, draft.isrc, position, disc)
        return self.with_traits(track, draft)

    def with_traits(self, track: SpotifyTrack, draft: Draft | None) -> SpotifyTrack:
        """Return a Spotify track with the traits of its id, and note it in the draft, if any.

        About 1% of the ISRCs become lower-case or hyphenated; a third get URL relations."""
        luck, isrc = ids.number("luck", track.id), track.isrc
        if draft:
            draft.spotify_ids.append(track.id)
            if luck // 7 % 3 == 0:
                draft.url_ids.append(track.id)
        if isrc and luck // 11 % 100 == 0:
            self.cases["spotify_odd_isrc"].append(track.id)
            isrc = isrc.lower() if luck // 1100 % 2 else ids.hyphenated_isrc(isrc)
        return replace(
            track, isrc=isrc, explicit=luck % 9 == 0, popularity=luck % 90, recording_mbid=draft.mbid if draft else None
        )

    def finish(self) -> values.Catalogue:
        return values.Catalogue(
            self.artists, self.releases, [draft.frozen() for draft in self.drafts], self.spotify_albums,
            self.spotify_tracks, {name: tuple(mbids) for name, mbids in sorted(self.cases.items())},
        )  # fmt: skip


def sole_credit(artist: Artist) -> Credit:
    return (values.CreditedName(artist, artist.name),)
