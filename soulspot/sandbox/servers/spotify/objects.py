"""Spotify's objects as JSON, with or without the fields that Development Mode lost in 2026."""

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Catalogue, SpotifyAlbum, SpotifyArtist, SpotifyTrack
from soulspot.sandbox.servers.service import Json

_MARKETS = ("AU", "BR", "DE", "FR", "GB", "JP", "KR", "SE", "US")


class SpotifyObjects:
    """Builds the objects of one answer; `base` is the API's URL without a slash at the end.

    Apps that are not `extended` lack available_markets, popularity, linked_from, label and more.
    A `market` adds `is_playable` and gives every `relink`-th track the id of a twin."""

    def __init__(self, catalogue: Catalogue, base: str, *, extended: bool, market: str | None, relink: int = 0) -> None:
        self.catalogue, self.base, self.extended, self.market = catalogue, base, extended, market
        self.relink = relink

    def _core(self, kind: str, spotify_id: str) -> Json:
        return {
            "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{spotify_id}"},
            "href": f"{self.base}/{kind}s/{spotify_id}", "id": spotify_id, "type": kind,
            "uri": f"spotify:{kind}:{spotify_id}",
        }  # fmt: skip

    def _for_extended(self, fields: Json) -> Json:
        return fields if self.extended else {}

    def _in_market(self) -> Json:
        if self.market:
            return {"is_playable": True}
        return self._for_extended({"available_markets": list(_MARKETS)})

    def _artist(self, artist: SpotifyArtist) -> Json:
        return {**self._core("artist", artist.id), "name": artist.name}

    def full_artist(self, artist: SpotifyArtist) -> Json:
        """Return an artist as its own route answers it."""
        luck = ids.number("followers", artist.id)
        followers = {"href": None, "total": luck % 1_000_000}
        more = self._for_extended({"followers": followers, "popularity": luck % 90})
        return {**self._artist(artist), "genres": [], "images": [], **more}

    def simple_album(self, album: SpotifyAlbum) -> Json:
        """Return an album as it stands inside a track or a search result."""
        # The host of the covers service serves these paths, too.
        image = f"https://i.scdn.co/image/ab67616d{ids.number('image', album.id) % 16**32:032x}"
        return {
            **self._core("album", album.id), "album_type": album.album_type,
            "artists": [self._artist(artist) for artist in album.artists],
            "images": [{"height": size, "width": size, "url": image} for size in (640, 300, 64)],
            "name": album.title, "release_date": album.date,
            "release_date_precision": {4: "year", 7: "month"}.get(len(album.date), "day"),
            "total_tracks": len(album.track_ids), **self._in_market(),
        }  # fmt: skip

    def album(self, album: SpotifyAlbum) -> Json:
        """Return a whole album with the first 50 of its tracks."""
        return {
            **self.simple_album(album),
            "copyrights": [{"text": f"{album.date[:4]} {album.label}", "type": "C"}],
            "external_ids": {"upc": album.upc} if album.upc else {},
            "genres": [],
            "tracks": self.album_tracks(album, 50, 0),
            **self._for_extended({"label": album.label, "popularity": album.popularity}),
        }

    def album_tracks(self, album: SpotifyAlbum, limit: int, offset: int) -> Json:
        """Return a page of an album's tracks."""
        page = album.track_ids[offset : offset + limit]
        items = [self._simple_track(self.catalogue.spotify_tracks_by_id[each]) for each in page]
        return self.paging(f"albums/{album.id}/tracks?", items, limit, offset, len(album.track_ids))

    def paging(self, route: str, items: list[Json], limit: int, offset: int, total: int) -> Json:
        """Return a paging object around `items`; `route` is its path with a start of the query."""

        def page(at: int) -> str:
            return f"{self.base}/{route}offset={at}&limit={limit}"

        return {
            "href": page(offset), "items": items, "limit": limit,
            "next": page(offset + limit) if offset + limit < total else None, "offset": offset,
            "previous": page(max(0, offset - limit)) if offset else None, "total": total,
        }  # fmt: skip

    def _simple_track(self, track: SpotifyTrack) -> Json:
        shown = {
            **self._core("track", track.id), "artists": [self._artist(artist) for artist in track.artists],
            "disc_number": track.disc_number, "duration_ms": track.duration_ms, "explicit": track.explicit,
            "is_local": False, "name": track.title, "preview_url": None, "track_number": track.track_number,
            **self._in_market(),
        }  # fmt: skip
        # Relinking: another id stands in the same place, and `linked_from` names the requested id.
        if self.market and self.relink and ids.number("relink", track.id) % self.relink == 0:
            shown |= self._for_extended({"linked_from": self._core("track", track.id)})
            shown |= self._core("track", ids.spotify_id("twin", self.market, track.id))
        return shown

    def track(self, track: SpotifyTrack) -> Json:
        """Return a whole track, with its album and its ISRC as Spotify spells it."""
        return {
            **self._simple_track(track),
            "album": self.simple_album(self.catalogue.spotify_albums_by_id[track.album_id]),
            "external_ids": {"isrc": track.isrc} if track.isrc else {},
            **self._for_extended({"popularity": track.popularity}),
        }
