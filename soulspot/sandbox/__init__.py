"""Local Spotify, MusicBrainz and ListenBrainz servers over an invented catalogue, that answer as the real."""

from soulspot.sandbox.catalogue.from_csv import catalogue_from_csv
from soulspot.sandbox.catalogue.invent import invent_catalogue
from soulspot.sandbox.catalogue.values import (
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
from soulspot.sandbox.servers.behaviour import Behaviour, Faults
from soulspot.sandbox.servers.sandbox import Sandbox
from soulspot.sandbox.servers.service import RecordedRequest

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
    "catalogue_from_csv",
    "credit_text",
    "invent_catalogue",
    "library",
]
