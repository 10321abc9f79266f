"""Grows a catalogue: drafts of recordings gather releases and Spotify tracks until `finish` freezes all."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypedDict

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import (
    VARIOUS_ARTISTS_MBID,
    VARIOUS_ARTISTS_SPOTIFY_ID,
    Artist,
    Credit,
    CreditedName,
    Medium,
    Recording,
    Release,
    SpotifyAlbum,
    SpotifyArtist,
    SpotifyTrack,
    Track,
)

_ALBUM_TYPES = {"Album": "album", "EP": "single", "Single": "single"}


class Parts(TypedDict):
    """The keyword arguments of Catalogue."""

    artists: list[Artist]
    releases: list[Release]
    recordings: list[Recording]
    spotify_albums: list[SpotifyAlbum]
    spotify_tracks: list[SpotifyTrack]
    cases: dict[str, tuple[str, ...]]


@dataclass(slots=True, eq=False)
class Draft:
    """A recording that still grows. `isrc` is the one Spotify has; `isrcs` those MusicBrainz knows.

    `true_ms` is how long it plays; MusicBrainz may not know (`timed` False). `version` is what Spotify puts
    behind the title after a dash ("Live at Leeds", "2011 Remaster")."""

    mbid: str
    title: str
    credit: Credit
    true_ms: int
    isrc: str | None
    isrcs: list[str]
    timed: bool = True
    version: str = ""
    disambiguation: str = ""
    aliases: tuple[str, ...] = ()
    tags: tuple[tuple[str, int], ...] = ()
    merged: list[str] = field(default_factory=list)
    spotify_ids: list[str] = field(default_factory=list)
    url_ids: list[str] = field(default_factory=list)
    dead_ids: list[str] = field(default_factory=list)
    video: bool = False
    first_date: str = ""
    spotify_title: str | None = None

    def title_at_spotify(self) -> str:
        """The title with the featured artists and the version in it, as Spotify's are."""
        if self.spotify_title is not None:
            return self.spotify_title
        title = self.title
        featured = [part.name for part in self.credit[1:]]
        if featured and "feat" in self.credit[0].join and "feat" not in title:
            title = f"{title} (feat. {' & '.join(featured)})"
        return f"{title} - {self.version}" if self.version else title


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection inside: nothing becomes garbage there, and looking for it takes half the time of a
    large catalogue."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Builder:
    """Collects what a catalogue is made of; `space` keeps the ids of different catalogues apart."""

    def __init__(self, *space: object) -> None:
        self.space = space
        self.artists: list[Artist] = []
        self.releases: list[Release] = []
        self.drafts: list[Draft] = []
        self.spotify_albums: list[SpotifyAlbum] = []
        self.spotify_tracks: list[SpotifyTrack] = []
        self.cases: dict[str, list[str]] = defaultdict(list)
        self.spotify_artists: dict[str, SpotifyArtist] = {}
        various = Artist(
            VARIOUS_ARTISTS_MBID,
            VARIOUS_ARTISTS_SPOTIFY_ID,
            "Various Artists",
            "Various Artists",
            ("V.A.", "Various"),
            "add compilations to this artist",
            type="Other",
        )
        self.add_artist(various)
        self.various: Credit = (CreditedName(various, various.name),)

    def mbid(self, *names: object) -> str:
        return ids.mbid(*self.space, *names)

    def add_artist(self, artist: Artist, spotify_name: str | None = None) -> Artist:
        """Take in an artist; Spotify may know them by another spelling."""
        self.artists.append(artist)
        if artist.spotify_id:
            self.spotify_artists[artist.mbid] = SpotifyArtist(artist.spotify_id, spotify_name or artist.name)
        return artist

    def add_recording(self, draft: Draft) -> Draft:
        self.drafts.append(draft)
        return draft

    def at_spotify(self, credit: Credit) -> tuple[SpotifyArtist, ...]:
        return tuple(
            self.spotify_artists[part.artist.mbid]
            for part in credit
            if part.artist.mbid in self.spotify_artists
        )

    def add_release(
        self,
        key: object,
        title: str,
        credit: Credit,
        discs: Sequence[Sequence[Draft]],
        *,
        date: str,
        primary_type: str = "Album",
        secondary_types: tuple[str, ...] = (),
        group: object = None,
        group_first_date: str = "",
        format: str = "CD",
        country: str | None = None,
        label: str | None = None,
        disambiguation: str = "",
        tags: tuple[tuple[str, int], ...] = (),
        spotify_id: str | None = None,
    ) -> Release:
        """A release of `discs`; the drafts learn their first date. `spotify_id` when Spotify has it."""
        mbid = self.mbid("release", key)
        luck = ids.number(mbid)
        media = tuple(
            Medium(
                disc,
                format,
                tuple(self._track(mbid, disc, at, draft, format) for at, draft in enumerate(drafts, 1)),
            )
            for disc, drafts in enumerate(discs, 1)
        )
        for drafts in discs:
            for draft in drafts:
                if date and (not draft.first_date or date < draft.first_date):
                    draft.first_date = date
        release = Release(
            mbid,
            self.mbid("group", group if group is not None else key),
            title,
            credit,
            date,
            primary_type,
            secondary_types,
            media,
            spotify_id=spotify_id,
            linked=spotify_id is not None and luck % 10 < 6,
            country=country,
            label=label,
            label_mbid=ids.mbid("label", label) if label else None,
            catno=f"{label[:3].upper()} {luck % 9000 + 1000}" if label else None,
            barcode=ids.barcode(mbid) if luck % 8 else None,
            disambiguation=disambiguation,
            cover_id=luck % 40_000_000_000 if luck % 5 else None,
            group_first_date=group_first_date or date,
            tags=tags,
        )
        self.releases.append(release)
        return release

    def _track(self, release: str, disc: int, position: int, draft: Draft, format: str) -> Track:
        number = f"{'AB'[position > 6]}{(position - 1) % 6 + 1}" if "Vinyl" in format else str(position)
        length = draft.true_ms if draft.timed else None
        return Track(ids.mbid(release, disc, position), position, number, draft.title, length, draft.mbid)

    def press_at_spotify(
        self, release: Release, discs: Sequence[Sequence[Draft]], extra: Sequence[SpotifyTrack] = ()
    ) -> None:
        """Put a release's album and tracks at Spotify; `extra` are tracks that only Spotify has on it."""
        album_id = release.spotify_id
        if album_id is None:
            return
        tracks: list[SpotifyTrack] = []
        for disc, drafts in enumerate(discs, 1):
            for position, draft in enumerate(drafts, 1):
                tracks.append(
                    self._spotify_track(
                        ids.spotify_id(album_id, disc, position), album_id, disc, position, draft
                    )
                )
        self.add_album(
            SpotifyAlbum(
                album_id,
                release.title,
                self.at_spotify(release.credit),
                release.date,
                "compilation"
                if "Compilation" in release.secondary_types
                else _ALBUM_TYPES[release.primary_type],
                tuple(track.id for track in (*tracks, *extra)),
                label=release.label or "",
                upc=release.barcode,
                popularity=ids.number(album_id) % 80,
                release_mbid=release.mbid,
            ),
            (*tracks, *extra),
        )

    def add_album(self, album: SpotifyAlbum, tracks: Sequence[SpotifyTrack]) -> None:
        self.spotify_albums.append(album)
        self.spotify_tracks.extend(tracks)

    def _spotify_track(
        self, track_id: str, album_id: str, disc: int, position: int, draft: Draft
    ) -> SpotifyTrack:
        luck = ids.number("luck", track_id)
        self.link(draft, track_id, luck)
        return SpotifyTrack(
            track_id,
            draft.title_at_spotify(),
            self.at_spotify(draft.credit),
            album_id,
            max(1000, draft.true_ms + luck % 3001 - 1500),
            self.careless(draft.isrc, track_id, luck),
            position,
            disc,
            explicit=luck % 9 == 0,
            popularity=luck % 90,
            recording_mbid=draft.mbid,
        )

    def link(self, draft: Draft, track_id: str, luck: int) -> None:
        """Note that this Spotify track is this recording; MusicBrainz has a URL relation to one in three."""
        draft.spotify_ids.append(track_id)
        if luck // 7 % 3 == 0:
            draft.url_ids.append(track_id)

    def careless(self, isrc: str | None, track_id: str, luck: int) -> str | None:
        """The ISRC as Spotify shows it: about 1% are lower-case or hyphenated_isrc."""
        if isrc is None or luck // 11 % 100:
            return isrc
        self.cases["spotify_odd_isrc"].append(track_id)
        return isrc.lower() if luck // 1100 % 2 else ids.hyphenated_isrc(isrc)

    def finish(self) -> Parts:
        """Everything frozen, as the arguments of a Catalogue."""
        recordings = [
            Recording(
                d.mbid,
                d.title,
                d.credit,
                d.true_ms if d.timed else None,
                tuple(d.isrcs),
                tuple(d.merged),
                d.first_date,
                d.disambiguation,
                d.aliases,
                d.tags,
                tuple(d.spotify_ids),
                tuple(d.url_ids),
                tuple(d.dead_ids),
                d.video,
            )
            for d in self.drafts
        ]
        cases = {name: tuple(found) for name, found in sorted(self.cases.items())}
        return Parts(
            artists=self.artists,
            releases=self.releases,
            recordings=recordings,
            spotify_albums=self.spotify_albums,
            spotify_tracks=self.spotify_tracks,
            cases=cases,
        )
