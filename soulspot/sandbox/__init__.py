"""Local Spotify, MusicBrainz and ListenBrainz servers over an invented catalogue, that answer as the real."""

from soulspot.sandbox.behaviour import Behaviour, Faults
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
from soulspot.sandbox.server import Sandbox
from soulspot.sandbox.service import RecordedRequest

__all__ = [
    "Artist",
    "Behaviour",
    "Catalogue",
    "Credit",
    "CreditedName",
    "Faults",
    "Medium",
    "Place",
    "RecordedRequest",
    "Recording",
    "Release",
    "Sandbox",
    "SpotifyAlbum",
    "SpotifyArtist",
    "SpotifyTrack",
    "Track",
    "credit_text",
]
