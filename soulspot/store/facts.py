"""Facts: everything that a provider has said of an entity, united over the kinds of its answers."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from soulspot.models import Entity
from soulspot.store.sql import upsert

Reference = tuple[str, str, str]  # (provider, kind, entity_id)


def load(connection: sqlite3.Connection, reference: Reference) -> Entity | None:
    """Return an entity with all fields known of it; None when no answer has described it."""
    row = connection.execute(
        "SELECT fields FROM facts WHERE provider = ? AND kind = ? AND entity_id = ?", reference
    ).fetchone()
    return Entity(*reference, fields=json.loads(row[0])) if row else None


def merge(connection: sqlite3.Connection, entity: Entity, lookup_kind: str, stamp: str) -> None:
    """Merge an entity from an answer to a lookup of `lookup_kind` into its row of `facts`. The
    answer replaces every field that the same kind said before, so that what a service takes back
    goes. Fields that only other kinds said stay: an album's track has no ISRC. `stamp` is the time
    of the answer, as `times.iso` writes it."""
    row = connection.execute(
        "SELECT fields, said FROM facts WHERE provider = ? AND kind = ? AND entity_id = ?", entity.ref
    ).fetchone()
    fields, said = (json.loads(row[0]), json.loads(row[1])) if row else ({}, {})
    fresh = {name: value for name, value in entity.fields.items() if value is not None}
    if "releases" in fresh:
        fresh["releases"] = _unite_releases(fresh["releases"], fields.get("releases", []))
    for name in said.pop(lookup_kind, ()):
        del fields[name]
    said = {kind: left for kind, names in said.items() if (left := [name for name in names if name not in fresh])}
    said[lookup_kind] = sorted(fresh)
    text = json.dumps({**fields, **fresh}, ensure_ascii=False)
    key = dict(zip(("provider", "kind", "entity_id"), entity.ref, strict=True))
    upsert(connection, "facts", key, {"fields": text, "said": json.dumps(said), "fetched_at": stamp})


def _unite_releases(named: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the releases that this answer names, then those that only earlier answers named."""
    # A looked-up release names only itself, and a looked-up recording at most 25 of its releases.
    positions = {_position(release) for release in named}
    return [*named, *(release for release in earlier if _position(release) not in positions)]


def _position(release: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return where a release has the recording: (release id, disc, track)."""
    return release.get("id"), release.get("disc_number"), release.get("track_number")
