"""Builders of tags and candidates: a test writes out only the values that it is about."""

from __future__ import annotations

from typing import Any

from soulspot.matching import Candidate, Decision, MatchPolicy, decide
from soulspot.models import Entity, Identifiers, TrackTags

POLICY = MatchPolicy()


def tags(title: str | None = None, artist: str | None = None, seconds: float | None = None, **more: Any) -> TrackTags:
    """Return the tags of a file; `mbid`, `isrc` and `spotify` are its identifiers."""
    ids = Identifiers(
        mb_recording_ids=tuple(filter(None, (more.pop("mbid", None),))),
        isrcs=tuple(filter(None, (more.pop("isrc", None),))),
        spotify_track_id=more.pop("spotify", None),
        mb_release_id=more.pop("release_id", None),
        mb_artist_ids=tuple(more.pop("artist_ids", ())),
    )
    return TrackTags(title=title, artist=artist, duration_ms=_ms(seconds), ids=ids, **more)


def release(title: str, number: int | None = None, **more: Any) -> dict[str, Any]:
    """Return an entry of a recording's releases, an official album by default."""
    entry = {
        "id": f"release of {title}",
        "title": title,
        "status": "Official",
        "primary_type": "Album",
        "track_number": number,
        **more,
    }
    return {name: value for name, value in entry.items() if value is not None}


def recording(
    id: str, title: str, artist: str, seconds: float | None = None, *, by: str = "text", **fields: Any
) -> Candidate:
    """Return a MusicBrainz recording, found by the lookups in `by` ("text+isrc" for two)."""
    known = {"title": title, "artist": artist, "artists": [artist], "duration_ms": _ms(seconds), **fields}
    provider = known.pop("provider", "musicbrainz")
    return Candidate(
        Entity(provider, "recording", id, {k: v for k, v in known.items() if v is not None}),
        frozenset(by.split("+")),
    )


def track(
    id: str, title: str, artist: str, seconds: float | None = None, *, by: str = "text", **fields: Any
) -> Candidate:
    """Return a Spotify track, found by the lookups in `by`."""
    known = {"title": title, "artist": artist, "artists": [artist], "duration_ms": _ms(seconds), **fields}
    return Candidate(
        Entity("spotify", "track", id, {k: v for k, v in known.items() if v is not None}),
        frozenset(by.split("+")),
    )


def decision(of: TrackTags, *candidates: Candidate, **more: Any) -> Decision:
    """Return the decision between the candidates, with the default policy."""
    return decide(of, candidates, more.pop("policy", POLICY), **more)


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
