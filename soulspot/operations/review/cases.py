"""Review as people and programs see it: a track beside its candidates, field by field, and ids as people write them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from soulspot.library.identifiers import parse_mbids, parse_spotify_tracks
from soulspot.matching import describe_versions, parse_title, parse_versions
from soulspot.models import MUSICBRAINZ, SPOTIFY, Entity, PersonDecision, TrackTags
from soulspot.store import review as rows
from soulspot.text import fold

PROVIDERS = (MUSICBRAINZ, SPOTIFY)  # those whose ids say what a track is
PAGE, LARGEST_PAGE = 50, 500  # tracks
NEAR_MS = 2_000  # lengths that are no further apart than this are one length
FIELDS = ("title", "version", "artist", "album", "position", "length", "date", "isrc")


# --- ids as people write them -------------------------------------------------------------------------------------


def parse_entity(text: str, provider: str | None = None) -> tuple[str, str]:
    """(provider, id) of a MusicBrainz recording or a Spotify track: an id, a URI or a web address.

    ValueError, with what to do, when it is neither, or not of `provider`."""
    said = text.strip()
    if provider not in (None, *PROVIDERS):
        raise ValueError(f"provider is {' or '.join(PROVIDERS)}, not {provider!r}")
    found = [(MUSICBRAINZ, one) for one in parse_mbids([said], "recording", "", [])]
    found += [(SPOTIFY, one) for one in parse_spotify_tracks([said], "", [])]
    if len(found) != 1:
        raise ValueError(f"{text!r} is no id: {_what_to_do(said)}")
    if provider not in (None, found[0][0]):
        raise ValueError(f"{text!r} is an id of {found[0][0]}, not of {provider}")
    return found[0]


def _what_to_do(said: str) -> str:
    address = urlsplit(said if "//" in said else f"//{said}")
    host, parts = (address.hostname or "").lower(), [part for part in address.path.split("/") if part]
    if host.endswith("musicbrainz.org") and parts and parts[0] != "recording":
        return f"it names a {parts[0]} of MusicBrainz; open the recording's own page and take its address"
    if host.endswith("spotify.com") and parts and "track" not in parts:
        return f"it names a {parts[-2] if len(parts) > 1 else parts[-1]} of Spotify; take the address of the track"
    return (
        "give a MusicBrainz recording id (8-4-4-4-12 hexadecimal digits), a Spotify track id (22 letters and digits),"
        " or the address of either's page"
    )


def address_of(provider: str, entity_id: str) -> str:
    """The web page of a recording or track, for a person."""
    if provider == SPOTIFY:
        return f"https://open.spotify.com/track/{entity_id}"
    return f"https://musicbrainz.org/recording/{entity_id}"


# --- what the API and `--json` say --------------------------------------------------------------------------------


def list_cases(
    connection: sqlite3.Connection, *, after: int = 0, limit: int = PAGE, words: str = ""
) -> dict[str, Any]:
    """Tracks in review behind `after`, whose names or path have all of `words`; `next` is the `after` of the next
    page, None when this is the last, and `total` counts all that are in review."""
    wanted = fold(words).split()

    def has_words(path: bytes | None, tags: TrackTags) -> bool:
        if not wanted:
            return True
        names = (tags.title, tags.artist, tags.album, tags.album_artist, _words(path))
        text = fold(" ".join(name for name in names if name))
        return all(word in text for word in wanted)

    found = rows.list_tracks(connection, after=after, limit=limit + 1, wanted=has_words)
    listed = [_in_short(one) for track_id in found[:limit] if (one := rows.load_track(connection, track_id))]
    return {
        "review": listed,
        "next": found[limit - 1] if len(found) > limit else None,
        "total": rows.count_tracks(connection),
    }


def load_case(connection: sqlite3.Connection, track_id: int) -> dict[str, Any] | None:
    """One track, whatever its status: its tags, its candidates best first, each compared field by field, and what
    persons said of it. None when there is none of this number."""
    one = rows.load_track(connection, track_id)
    if one is None:
        return None
    own = _own_texts(one.tags)
    return {
        "track_id": one.track_id,
        "path": _words(one.path),
        "source_key": one.source_key,
        "status": one.status.value,
        "confidence": one.confidence,
        "accepted": dict(zip(PROVIDERS, one.ids, strict=True)),
        "waiting": one.waiting,
        "tags": {
            "title": one.tags.title,
            "artist": one.tags.artist,
            "album": one.tags.album,
            "album_artist": one.tags.album_artist,
            "track_number": one.tags.track_number,
            "disc_number": one.tags.disc_number,
            "duration_ms": one.tags.duration_ms,
            "date": one.tags.date,
            "isrcs": list(one.tags.ids.isrcs),
            "mb_recording_ids": list(one.tags.ids.mb_recording_ids),
            "spotify_track_id": one.tags.ids.spotify_track_id,
            "shown": own,
        },
        "candidates": [
            {
                "provider": provider,
                "entity_id": entity_id,
                "url": address_of(provider, entity_id),
                "score": round(score, 4),
                "verdict": verdict.value,
                "reasons": list(reasons),
                **_described(one.tags, one.entities.get(entity_id)),
            }
            for provider, entity_id, score, verdict, reasons in one.candidates
        ],
        "decisions": [_said(decision) for decision in one.decisions],
    }


def load_search(connection: sqlite3.Connection, track_id: int, lookup_id: int) -> dict[str, Any] | None:
    """A search by hand as it stands, its finds compared with the track's tags; None when there is none of this
    number."""
    track, searched = rows.load_track(connection, track_id), rows.load_search(connection, track_id, lookup_id)
    if track is None or searched is None:
        return None
    return {
        "provider": searched.provider,
        "state": searched.state.value,
        "answered": searched.answered,
        "due_at": searched.due_at,
        "error": searched.error,
        "results": [
            {
                "provider": searched.provider,
                "entity_id": entity.id,
                "url": address_of(searched.provider, entity.id),
                **_described(track.tags, entity),
            }
            for entity in searched.entities
        ],
    }


def _in_short(one: rows.ReviewedTrack) -> dict[str, Any]:
    best = max(one.candidates, key=lambda candidate: candidate[2], default=None)
    short: dict[str, Any] | None = None
    if best:
        provider, entity_id, score, _, reasons = best
        fields = entity.fields if (entity := one.entities.get(entity_id)) else {}
        short = {
            "provider": provider,
            "entity_id": entity_id,
            "score": round(score, 4),
            "title": fields.get("title"),
            "artist": fields.get("artist"),
            "disambiguation": fields.get("disambiguation"),
            "duration_ms": fields.get("duration_ms"),
            "cover_url": fields.get("cover_url"),
            "reasons": list(reasons),
        }
    return {
        "track_id": one.track_id,
        "path": _words(one.path),
        "source_key": one.source_key,
        "title": one.tags.title,
        "artist": one.tags.artist,
        "album": one.tags.album,
        "duration_ms": one.tags.duration_ms,
        "confidence": one.confidence,
        "candidates": len(one.candidates),
        "best": short,
    }


def _said(decision: PersonDecision) -> dict[str, Any]:
    return {
        "provider": decision.provider,
        "entity_id": decision.entity_id,
        "verdict": decision.verdict.value,
        "by": decision.by,
        "at": decision.at,
        "reason": decision.reason,
    }


def _words(path: bytes | None) -> str | None:
    return path.decode("utf-8", "backslashreplace") if path is not None else None


# --- side by side -------------------------------------------------------------------------------------------------


def _described(tags: TrackTags, entity: Entity | None) -> dict[str, Any]:
    fields: Mapping[str, Any] = entity.fields if entity else {}
    release = _release(tags, fields)
    theirs = _their_texts(fields, release)
    own = _own_texts(tags)
    return {
        "shown": theirs,
        "same": {name: _same(name, tags, fields, own[name], theirs[name]) for name in FIELDS},
        "apart_ms": _apart(tags, fields),
        "releases": len(fields.get("releases") or ()),
        "disambiguation": fields.get("disambiguation"),
        "cover_url": fields.get("cover_url"),
    }


def _own_texts(tags: TrackTags) -> dict[str, str | None]:
    return {
        "title": tags.title,
        "version": _version(tags.title, None),
        "artist": tags.artist,
        "album": tags.album,
        "position": position_text(tags.disc_number, tags.track_number),
        "length": length_text(tags.duration_ms),
        "date": tags.date,
        "isrc": _listed(tags.ids.isrcs),
    }


def _their_texts(fields: Mapping[str, Any], release: Mapping[str, Any]) -> dict[str, str | None]:
    return {
        "title": fields.get("title"),
        "version": _version(fields.get("title"), fields.get("disambiguation")),
        "artist": fields.get("artist"),
        "album": release.get("title"),
        "position": position_text(release.get("disc_number"), release.get("track_number")),
        "length": length_text(fields.get("duration_ms")),
        "date": release.get("date") or fields.get("original_date"),
        "isrc": _listed(fields.get("isrcs") or ()),
    }


def _release(tags: TrackTags, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The release to show: the one that is called as our album, else the first."""
    known = list(fields.get("releases") or ())
    if fields.get("album"):
        known.append({"title": fields["album"], "date": fields.get("release_date")}
                     | {name: fields[name] for name in ("track_number", "disc_number") if name in fields})  # fmt: skip
    ours = [one for one in known if tags.album and fold(one.get("title") or "") == fold(tags.album)]
    placed = [one for one in ours if tags.track_number and one.get("track_number") == tags.track_number]
    first: Mapping[str, Any] = next(iter([*placed, *ours, *known]), {})
    return first


def _same(
    name: str, tags: TrackTags, fields: Mapping[str, Any], ours: str | None, theirs: str | None
) -> bool | None:
    """Whether the two agree in this field; None where one of them does not say."""
    if not ours or not theirs:
        return None
    match name:
        case "length":
            apart = _apart(tags, fields)
            return apart is not None and abs(apart) <= NEAR_MS
        case "date":
            return ours[:4] == theirs[:4]
        case "isrc":
            return not set(tags.ids.isrcs).isdisjoint(fields.get("isrcs") or ())
        case "version" | "position":
            return ours == theirs
    return (fold(ours) or ours.strip()) == (fold(theirs) or theirs.strip())


def _apart(tags: TrackTags, fields: Mapping[str, Any]) -> int | None:
    """Milliseconds by which the candidate is longer than ours."""
    theirs = fields.get("duration_ms")
    return int(theirs) - tags.duration_ms if theirs and tags.duration_ms else None


def _version(title: str | None, comment: str | None) -> str | None:
    """What kind of version a title and a comment say it is, in words; None without a title."""
    if not title:
        return None
    said = parse_title(title).versions | parse_versions(comment or "")
    return describe_versions(said.kinds)


def position_text(disc: int | None, track: int | None) -> str | None:
    """ "2-07" for the seventh track of the second disc."""
    if not track:
        return None
    return f"{disc or 1}-{track:02d}"


def length_text(milliseconds: int | None) -> str | None:
    """ "3:07", or "1:02:03" from an hour on."""
    if not milliseconds:
        return None
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return (
        f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}" if minutes >= 60 else f"{minutes}:{seconds:02d}"
    )


def _listed(values: Iterable[str]) -> str | None:
    return ", ".join(values) or None
