"""Spotify's objects as JSON, with and without the fields that Development Mode lost in February 2026."""

from __future__ import annotations

from typing import Any

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Catalogue, SpotifyAlbum, SpotifyArtist, SpotifyTrack

Json = dict[str, Any]
MARKETS = ("AU", "BR", "DE", "FR", "GB", "JP", "KR", "SE", "US")


class Shapes:
    """Builds objects for one request. `base` is the API's own URL, without a slash at the end.

    `extended` apps get all fields, others lack available_markets, popularity, linked_from, label and the
    like. With a `market` come `is_playable` and, for every n-th track (`relink`), the id of a twin."""

    def __init__(
        self, catalogue: Catalogue, base: str, *, extended: bool, market: str | None, relink: int = 0
    ) -> None:
        self.catalogue, self.base, self.extended, self.market = catalogue, base, extended, market
        self.relink = relink

    def _core(self, kind: str, spotify_id: str) -> Json:
        return {
            "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{spotify_id}"},
            "href": f"{self.base}/{kind}s/{spotify_id}",
            "id": spotify_id,
            "type": kind,
            "uri": f"spotify:{kind}:{spotify_id}",
        }

    def artist(self, artist: SpotifyArtist) -> Json:
        return {**self._core("artist", artist.id), "name": artist.name}

    def full_artist(self, artist: SpotifyArtist) -> Json:
        shown = {**self.artist(artist), "genres": [], "images": []}
        if self.extended:
            luck = ids.number("followers", artist.id)
            shown["followers"] = {"href": None, "total": luck % 1_000_000}
            shown["popularity"] = luck % 90
        return shown

    def _album(self, album: SpotifyAlbum) -> Json:
        """An album as it stands inside a track or a search result."""
        image = f"ab67616d{ids.number('image', album.id) % 16**32:032x}"
        shown = {
            **self._core("album", album.id),
            "album_type": album.album_type,
            "artists": [self.artist(artist) for artist in album.artists],
            "images": [
                {"height": size, "width": size, "url": f"https://i.scdn.co/image/{image}"}
                for size in (640, 300, 64)
            ],
            "name": album.title,
            "release_date": album.date,
            "release_date_precision": {4: "year", 7: "month"}.get(len(album.date), "day"),
            "total_tracks": len(album.track_ids),
        }
        self._market(shown)
        return shown

    def _market(self, shown: Json) -> None:
        if self.market:
            shown["is_playable"] = True
        elif self.extended:
            shown["available_markets"] = list(MARKETS)

    def simple_album(self, album: SpotifyAlbum) -> Json:
        return self._album(album)

    def album(self, album: SpotifyAlbum) -> Json:
        """A whole album with the first 50 of its tracks."""
        shown = {
            **self._album(album),
            "copyrights": [{"text": f"{album.date[:4]} {album.label}", "type": "C"}],
            "external_ids": {"upc": album.upc} if album.upc else {},
            "genres": [],
            "tracks": self.album_tracks(album, 50, 0),
        }
        if self.extended:
            shown["label"] = album.label
            shown["popularity"] = album.popularity
        return shown

    def album_tracks(self, album: SpotifyAlbum, limit: int, offset: int) -> Json:
        page = album.track_ids[offset : offset + limit]
        items = [self._track(self.catalogue.spotify_tracks_by_id[each]) for each in page]
        return self.paging(f"albums/{album.id}/tracks?", items, limit, offset, len(album.track_ids))

    def paging(self, route: str, items: list[Json], limit: int, offset: int, total: int) -> Json:
        def page(at: int) -> str:
            return f"{self.base}/{route}offset={at}&limit={limit}"

        return {
            "href": page(offset),
            "items": items,
            "limit": limit,
            "next": page(offset + limit) if offset + limit < total else None,
            "offset": offset,
            "previous": page(max(0, offset - limit)) if offset else None,
            "total": total,
        }

    def _track(self, track: SpotifyTrack) -> Json:
        """A track as it stands inside an album: no album, no external ids, no popularity."""
        shown = {
            **self._core("track", track.id),
            "artists": [self.artist(artist) for artist in track.artists],
            "disc_number": track.disc_number,
            "duration_ms": track.duration_ms,
            "explicit": track.explicit,
            "is_local": False,
            "name": track.title,
            "preview_url": None,
            "track_number": track.track_number,
        }
        self._market(shown)
        if self.market and self.relink and ids.number("relink", track.id) % self.relink == 0:
            twin = ids.spotify_id("twin", self.market, track.id)
            if self.extended:
                shown["linked_from"] = self._core("track", track.id)
            shown.update(self._core("track", twin))
        return shown

    def track(self, track: SpotifyTrack) -> Json:
        """A whole track, with its album and its ISRC as Spotify spells it."""
        album = self.catalogue.spotify_albums_by_id[track.album_id]
        shown = {**self._track(track), "album": self._album(album)}
        shown["external_ids"] = {"isrc": track.isrc} if track.isrc else {}
        if self.extended:
            shown["popularity"] = track.popularity
        return shown
