"""Spotify: `Spotify` answers 50 tracks a request where the app may, else by the cheapest route left."""

from soulspot.providers.spotify.provider import Spotify

__all__ = ["Spotify", "capability", "provider"]
