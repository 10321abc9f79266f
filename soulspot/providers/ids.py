"""The identifiers of the three services: how they are spelled, and in whose URLs they stand."""

from __future__ import annotations

import re
from typing import Any

_MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", re.ASCII)
_SPOTIFY = re.compile(r"[0-9A-Za-z]{22}", re.ASCII)
_SPOTIFY_TRACK_URL = re.compile(
    r"https?://(?:open|play)\.spotify\.com/(?:intl-[a-z-]+/)?track/([0-9A-Za-z]{22})(?![0-9A-Za-z])", re.ASCII
)


def mbid(value: Any) -> str | None:
    """A MusicBrainz id in lower case, or None when `value` is not one."""
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if _MBID.fullmatch(text) else None


def isrc(value: Any) -> str | None:
    """An ISRC as twelve upper-case characters, or None.

    About one in a hundred comes from Spotify in lower case or with hyphens (GB-SMU-45-66095)."""
    text = re.sub(r"[\s-]+", "", value).upper() if isinstance(value, str) else ""
    return text if _ISRC.fullmatch(text) else None


def spotify_id(value: Any) -> str | None:
    """A Spotify id, 22 base62 characters, or None. Spotipy's own check lets any length pass."""
    text = value.strip() if isinstance(value, str) else ""
    return text if _SPOTIFY.fullmatch(text) else None


def spotify_track_url(track_id: str) -> str:
    """The URL that MusicBrainz' relations use for a Spotify track."""
    return f"https://open.spotify.com/track/{track_id}"


def spotify_track_in(url: Any) -> str | None:
    """The track id in a Spotify URL, or None."""
    found = _SPOTIFY_TRACK_URL.match(url) if isinstance(url, str) else None
    return found.group(1) if found else None
