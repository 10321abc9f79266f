"""Local MusicBrainz, Spotify and ListenBrainz servers over an invented catalogue, that answer as
the real.

A seed (`invent_catalogue`) or a CSV file of Spotify ids (`catalogue_from_csv`) comes in. URLs of
running servers (`Sandbox`) and folders of tagged audio files (`library`) go out. The demo, the
tests, the benchmarks and `python -m soulspot.sandbox` call it."""

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
