"""The identifiers of the three services: their spelling, and the URLs that hold them."""

import re
from typing import Any

_MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", re.ASCII)
_SPOTIFY = re.compile(r"[0-9A-Za-z]{22}", re.ASCII)
_SPOTIFY_TRACK_URL = re.compile(
    r"https?://(?:open|play)\.spotify\.com/(?:intl-[a-z-]+/)?track/([0-9A-Za-z]{22})(?![0-9A-Za-z])", re.ASCII
)


def parse_mbid(value: Any) -> str | None:
    """Return a MusicBrainz id in lower case; None when `value` is not one."""
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if _MBID.fullmatch(text) else None


def parse_isrc(value: Any) -> str | None:
    """Return an ISRC as twelve upper-case characters; None when `value` is not one. About 1 % of
    Spotify's are in lower case or hyphenated (GB-SMU-45-66095)."""
    text = re.sub(r"[\s-]+", "", value).upper() if isinstance(value, str) else ""
    return text if _ISRC.fullmatch(text) else None


def parse_spotify_id(value: Any) -> str | None:
    """Return a Spotify id, 22 base62 characters; None when `value` is not one. One malformed id
    fails a whole batch."""
    text = value.strip() if isinstance(value, str) else ""
    return text if _SPOTIFY.fullmatch(text) else None


def spotify_track_url(track_id: str) -> str:
    """Return the URL that MusicBrainz' relations use for a Spotify track."""
    return f"https://open.spotify.com/track/{track_id}"


def parse_spotify_track_url(url: Any) -> str | None:
    """Return the track id in a Spotify URL; None when `url` is not one of a track."""
    match = _SPOTIFY_TRACK_URL.match(url) if isinstance(url, str) else None
    return match.group(1) if match else None
