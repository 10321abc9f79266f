"""Review: a track beside its candidates, field by field, as JSON; ids as people write them."""

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from soulspot.library.identifiers import parse_mbids, parse_spotify_tracks
from soulspot.matching import describe_versions, parse_title, parse_versions
from soulspot.models import MUSICBRAINZ, SPOTIFY, Entity, TrackTags
from soulspot.store import review
from soulspot.store.browse import printable_path
from soulspot.text import fold

PROVIDERS = (MUSICBRAINZ, SPOTIFY)  # the providers whose ids identify a track
PAGE, LARGEST_PAGE = 50, 500  # tracks
NEAR_MS = 2_000  # two lengths that differ by no more than this count as equal
FIELDS = ("title", "version", "artist", "album", "position", "length", "date", "isrc")

# Fields that the JSON of a case takes over as they are.
TAGS = ("title", "artist", "album", "album_artist", "track_number", "disc_number", "duration_ms", "date")
SUMMARY_TAGS = ("title", "artist", "album", "duration_ms")
SUMMARY_FIELDS = ("title", "artist", "disambiguation", "duration_ms", "cover_url")


# --- ids as people write them ---------------------------------------------------------------------


def parse_entity(text: str, provider: str | None = None) -> tuple[str, str]:
    """Return (provider, id) of the MusicBrainz recording or Spotify track in an id, a URI or a web
    address. ValueError, with what to do, when it is neither, or not of `provider`."""
    text = text.strip()
    if provider not in (None, *PROVIDERS):
        raise ValueError(f"provider is {' or '.join(PROVIDERS)}, not {provider!r}")
    found = [(MUSICBRAINZ, mbid) for mbid in parse_mbids([text], "recording", "", [])]
    found += [(SPOTIFY, track) for track in parse_spotify_tracks([text], "", [])]
    if len(found) != 1:
        raise ValueError(f"{text!r} is no id: {_advise(text)}")
    if provider not in (None, found[0][0]):
        raise ValueError(f"{text!r} is an id of {found[0][0]}, not of {provider}")
    return found[0]


def _advise(text: str) -> str:
    address = urlsplit(text if "//" in text else f"//{text}")
    host, parts = (address.hostname or "").lower(), [part for part in address.path.split("/") if part]
    if host.endswith("musicbrainz.org") and parts and parts[0] != "recording":
        return f"it names a {parts[0]} of MusicBrainz; open the recording's own page and take its address"
    if host.endswith("spotify.com") and parts and "track" not in parts:
        return f"it names a {parts[-2] if len(parts) > 1 else parts[-1]} of Spotify; take the address of the track"
    return (
        "give a MusicBrainz recording id (8-4-4-4-12 hexadecimal digits), a Spotify track id (22 letters and digits),"
        " or the address of either's page"
    )


def _entity_summary(provider: str, entity_id: str) -> dict[str, Any]:
    page = "https://open.spotify.com/track" if provider == SPOTIFY else "https://musicbrainz.org/recording"
    return {"provider": provider, "entity_id": entity_id, "url": f"{page}/{entity_id}"}


# --- the JSON of the API and of `--json` ----------------------------------------------------------


def list_cases(connection: sqlite3.Connection, *, after: int = 0, limit: int = PAGE, words: str = "") -> dict[str, Any]:
    """Return a page of tracks in review: `{"review": [...], "next": track_id or None, "total": n}`.
    Lists tracks behind track_id `after` whose names or path have all of `words`. `next` is the
    `after` of the next page; `total` counts every track in review."""
    wanted = fold(words).split()

    def has_words(path: bytes | None, tags: TrackTags) -> bool:
        if not wanted:
            return True
        names = (tags.title, tags.artist, tags.album, tags.album_artist, printable_path(path))
        text = fold(" ".join(name for name in names if name))
        return all(word in text for word in wanted)

    # One track more than the page holds tells whether there is a next page.
    found = review.list_tracks(connection, after=after, limit=limit + 1, wanted=has_words)
    tracks = (review.load_track(connection, track_id) for track_id in found[:limit])
    return {
        "review": [_summary(track) for track in tracks if track],
        "next": found[limit - 1] if len(found) > limit else None,
        "total": review.count_tracks(connection),
    }


def load_case(connection: sqlite3.Connection, track_id: int) -> dict[str, Any] | None:
    """Return a track, whatever its status, with tags, candidates and decisions; None if unknown.
    Candidates come best first, each compared with the tags field by field."""
    track = review.load_track(connection, track_id)
    if track is None:
        return None
    tags = track.tags
    return {
        "track_id": track.track_id,
        "path": printable_path(track.path),
        "source_key": track.source_key,
        "status": track.status.value,
        "confidence": track.confidence,
        "accepted": dict(zip(PROVIDERS, track.ids, strict=True)),
        "waiting": track.waiting,
        "tags": {
            **{name: getattr(tags, name) for name in TAGS},
            "isrcs": list(tags.ids.isrcs),
            "mb_recording_ids": list(tags.ids.mb_recording_ids),
            "spotify_track_id": tags.ids.spotify_track_id,
            "shown": _texts_of_tags(tags),
        },
        "candidates": [
            {
                **_entity_summary(provider, entity_id),
                "score": round(score, 4),
                "verdict": verdict.value,
                "reasons": list(reasons),
                **_compare(tags, track.entities.get(entity_id)),
            }
            for provider, entity_id, score, verdict, reasons in track.candidates
        ],
        "decisions": [asdict(decision) for decision in track.decisions],
    }


def load_search(connection: sqlite3.Connection, track_id: int, lookup_id: int) -> dict[str, Any] | None:
    """Return the state of a search by a person, and its results compared with the track's tags.
    None when the track has no such search."""
    track, searched = (review.load_track(connection, track_id), review.load_search(connection, track_id, lookup_id))
    if track is None or searched is None:
        return None
    results = [
        {**_entity_summary(searched.provider, entity.id), **_compare(track.tags, entity)}
        for entity in searched.entities
    ]
    return {"provider": searched.provider, "state": searched.state.value, "answered": searched.answered,
            "due_at": searched.due_at, "error": searched.error, "results": results}  # fmt: skip


def _summary(track: review.ReviewedTrack) -> dict[str, Any]:
    best: dict[str, Any] | None = None
    if track.candidates:
        provider, entity_id, score, _, reasons = max(track.candidates, key=lambda candidate: candidate[2])
        fields = entity.fields if (entity := track.entities.get(entity_id)) else {}
        shown = {name: fields.get(name) for name in SUMMARY_FIELDS}
        best = {"provider": provider, "entity_id": entity_id, "score": round(score, 4), **shown,
                "reasons": list(reasons)}  # fmt: skip
    return {
        "track_id": track.track_id, "path": printable_path(track.path), "source_key": track.source_key,
        **{name: getattr(track.tags, name) for name in SUMMARY_TAGS},
        "confidence": track.confidence, "candidates": len(track.candidates), "best": best,
    }  # fmt: skip


# --- the comparison, field by field ---------------------------------------------------------------


def _compare(tags: TrackTags, entity: Entity | None) -> dict[str, Any]:
    """Return a candidate's fields as `shown`, and for each whether it is the `same` as the tag."""
    fields: Mapping[str, Any] = entity.fields if entity else {}
    ours, theirs = _texts_of_tags(tags), _texts_of_fields(fields, _release(tags, fields))
    return {
        "shown": theirs,
        "same": {name: _is_same(name, tags, fields, ours[name], theirs[name]) for name in FIELDS},
        "apart_ms": _length_difference(tags, fields),
        "releases": len(fields.get("releases") or ()),
        "disambiguation": fields.get("disambiguation"),
        "cover_url": fields.get("cover_url"),
    }


def _texts_of_tags(tags: TrackTags) -> dict[str, str | None]:
    return {
        "title": tags.title, "version": _version(tags.title, None), "artist": tags.artist, "album": tags.album,
        "position": position_text(tags.disc_number, tags.track_number), "length": length_text(tags.duration_ms),
        "date": tags.date, "isrc": ", ".join(tags.ids.isrcs) or None,
    }  # fmt: skip


def _texts_of_fields(fields: Mapping[str, Any], release: Mapping[str, Any]) -> dict[str, str | None]:
    return {
        "title": fields.get("title"), "version": _version(fields.get("title"), fields.get("disambiguation")),
        "artist": fields.get("artist"), "album": release.get("title"),
        "position": position_text(release.get("disc_number"), release.get("track_number")),
        "length": length_text(fields.get("duration_ms")), "date": release.get("date") or fields.get("original_date"),
        "isrc": ", ".join(fields.get("isrcs") or ()) or None,
    }  # fmt: skip


def _release(tags: TrackTags, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the release with the tags' album and position, with their album, or else the first."""
    releases: list[Mapping[str, Any]] = list(fields.get("releases") or ())
    # A Spotify track has one album, and its fields are the track's own.
    if fields.get("album"):
        place = {name: fields[name] for name in ("track_number", "disc_number") if name in fields}
        releases.append({"title": fields["album"], "date": fields.get("release_date"), **place})
    ours = [known for known in releases if tags.album and fold(known.get("title") or "") == fold(tags.album)]
    placed = [known for known in ours if tags.track_number and known.get("track_number") == tags.track_number]
    return next(iter([*placed, *ours, *releases]), {})


def _is_same(
    name: str, tags: TrackTags, fields: Mapping[str, Any], ours: str | None, theirs: str | None
) -> bool | None:
    """Whether tags and candidate agree in this field; None where one of them has no value."""
    if not ours or not theirs:
        return None
    match name:
        case "length":
            apart = _length_difference(tags, fields)
            return apart is not None and abs(apart) <= NEAR_MS
        case "date":
            return ours[:4] == theirs[:4]
        case "isrc":
            return not set(tags.ids.isrcs).isdisjoint(fields.get("isrcs") or ())
        case "version" | "position":
            return ours == theirs
    # A name of signs alone folds to nothing.
    return (fold(ours) or ours.strip()) == (fold(theirs) or theirs.strip())


def _length_difference(tags: TrackTags, fields: Mapping[str, Any]) -> int | None:
    theirs = fields.get("duration_ms")
    return int(theirs) - tags.duration_ms if theirs and tags.duration_ms else None


def _version(title: str | None, comment: str | None) -> str | None:
    """Return the kinds of version that title and comment name, for people; None without a title."""
    if not title:
        return None
    return describe_versions((parse_title(title).versions | parse_versions(comment or "")).kinds)


def position_text(disc: int | None, track: int | None) -> str | None:
    """Return the position on a release: "2-07" for the seventh track of the second disc."""
    return f"{disc or 1}-{track:02d}" if track else None


def length_text(milliseconds: int | None) -> str | None:
    """Return a length: "3:07", or "1:02:03" from an hour on."""
    if not milliseconds:
        return None
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
