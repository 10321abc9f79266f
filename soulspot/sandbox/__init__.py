"""Local MusicBrainz, Spotify and ListenBrainz servers over a catalogue, and sample libraries.

The catalogue is invented from a seed, or made from a CSV file of Spotify ids."""

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

__all__ = ["library"]
