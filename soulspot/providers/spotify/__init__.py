"""Spotify: `Spotify` answers 50 tracks a request, or by the cheapest routes the app may use."""

from soulspot.providers.spotify.client import SpotifyApp
from soulspot.providers.spotify.provider import Spotify

__all__ = ["capability", "provider"]
