"""Facts: what the services say of an entity, united over the kinds of questions that were answered with it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from soulspot.models import Entity


def merge(connection: sqlite3.Connection, entity: Entity, question: str, stamp: str) -> None:
    """Keep what an answer to this kind of question says of `entity`; the last answer of a kind replaces what the
    same kind said before, so that what a service takes back is gone.

    What one kind leaves out (an album's track has no ISRC, a hit no genres) another has perhaps answered: that
    stays. `stamp` is the time of the answer as `times.iso` gives it."""
    row = connection.execute(
        "SELECT fields, said FROM facts WHERE provider = ? AND kind = ? AND entity_id = ?", entity.ref
    ).fetchone()
    fields, said = (json.loads(row[0]), json.loads(row[1])) if row else ({}, {})
    fresh = {name: value for name, value in entity.fields.items() if value is not None}
    if "releases" in fresh:
        fresh["releases"] = _united(fresh["releases"], fields.get("releases", []))
    for name in said.pop(question, ()):
        del fields[name]
    said = {
        kind: left for kind, names in said.items() if (left := [one for one in names if one not in fresh])
    }
    said[question] = sorted(fresh)
    connection.execute(
        "INSERT INTO facts (provider, kind, entity_id, fields, said, fetched_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET fields = excluded.fields, said = excluded.said, fetched_at = excluded.fetched_at",
        (*entity.ref, json.dumps({**fields, **fresh}, ensure_ascii=False), json.dumps(said), stamp),
    )


def _united(named: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The releases that this answer names, and after them those that only earlier answers did: a looked-up release
    names itself alone, a looked-up recording 25 at most."""
    places = {_place(one) for one in named}
    return [*named, *(one for one in earlier if _place(one) not in places)]


def _place(release: Mapping[str, Any]) -> tuple[Any, ...]:
    return release.get("id"), release.get("disc_number"), release.get("track_number")
