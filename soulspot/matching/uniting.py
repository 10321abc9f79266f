"""Candidates of one id put together: what MusicBrainz and ListenBrainz say of a recording is one candidate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from soulspot.matching.values import Candidate
from soulspot.models import LISTENBRAINZ, MUSICBRAINZ, Entity


def united(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates of one id are one: what MusicBrainz and ListenBrainz say of a recording is put together.

    MusicBrainz' values go first, lists are united; the result does not depend on the order given."""
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault((candidate.entity.kind, candidate.entity.id), []).append(candidate)
    return [group[0] if len(group) == 1 else _one(group) for _, group in sorted(groups.items())]


_ORDER = {MUSICBRAINZ: 0, LISTENBRAINZ: 1}


def _one(group: Sequence[Candidate]) -> Candidate:
    ordered = sorted(
        group,
        key=lambda c: (
            _ORDER.get(c.entity.provider, 2),
            c.entity.provider,
            repr(sorted(c.entity.fields.items())),
        ),
    )
    fields: dict[str, Any] = {}
    for candidate in ordered:
        for name, value in candidate.entity.fields.items():
            if name == "releases" and name in fields:
                known = {entry.get("id") for entry in fields[name]}
                fields[name] = [*fields[name], *(entry for entry in value if entry.get("id") not in known)]
            elif name in ("isrcs", "artist_aliases", "spotify_track_ids", "genres") and name in fields:
                fields[name] = list(dict.fromkeys((*fields[name], *value)))
            else:
                fields.setdefault(name, value)
    first = ordered[0].entity
    reached = frozenset().union(*(c.identified_by for c in group))
    return Candidate(Entity(first.provider, first.kind, first.id, fields), reached)
