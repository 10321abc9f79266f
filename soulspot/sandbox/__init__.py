"""Local Spotify, MusicBrainz and ListenBrainz servers over an invented catalogue, that answer as the real."""

from soulspot.sandbox.catalogue import (
    Artist,
    Catalogue,
    Credit,
    CreditedName,
    Medium,
    Place,
    Recording,
    Release,
    SpotifyAlbum,
    SpotifyArtist,
    SpotifyTrack,
    Track,
    credit_text,
)

__all__ = [
    "Artist",
    "Catalogue",
    "Credit",
    "CreditedName",
    "Medium",
    "Place",
    "Recording",
    "Release",
    "SpotifyAlbum",
    "SpotifyArtist",
    "SpotifyTrack",
    "Track",
    "credit_text",
]
