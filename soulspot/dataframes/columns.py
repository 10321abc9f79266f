"""The columns that an enriched data frame gains: one for each of `enriched_tracks`, and `error`; names and types."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import narwhals as nw

from soulspot.models import EnrichedTrack
from soulspot.pipeline.items import ItemOutcome

ERROR = "error"
_NUMBERS = frozenset({"track_id", "track_number", "disc_number", "duration_ms", "popularity"})
_LISTS = frozenset({"artists", "genres", "mb_artist_ids", "spotify_artist_ids"})
# what is not simply the field
_MADE: Mapping[str, Callable[[EnrichedTrack], Any]] = {
    "path": lambda track: track.path.decode("utf-8", "backslashreplace") if track.path is not None else None,
    "status": lambda track: track.status.value,
    "sources": lambda track: json.dumps(dict(track.sources), sort_keys=True),
}
NAMES = (*EnrichedTrack.__dataclass_fields__, ERROR)


class Results:
    """The values of these columns, row by row."""

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = {name: [] for name in NAMES}

    def add(self, outcomes: Iterable[ItemOutcome]) -> None:
        for outcome in outcomes:
            for name, values in self._values.items():
                values.append(_value(outcome, name))

    def series(self, names: Mapping[str, str], like: nw.DataFrame[Any]) -> list[nw.Series[Any]]:
        """As columns of a frame like this one, called what `names` says."""
        return [_series(name, names[name], values, like) for name, values in self._values.items()]


def names_beside(columns: Iterable[str], prefix: str) -> dict[str, str]:
    """What each column is called beside those that are there: its own name, with `prefix` while that is taken."""
    taken = set(columns)
    found = {}
    for name in NAMES:
        called = name
        while called in taken:
            called = prefix + called
        taken.add(called)
        found[name] = called
    return found


def _value(outcome: ItemOutcome, name: str) -> Any:
    if name == ERROR:
        words = [str(outcome.error) or type(outcome.error).__name__] if outcome.error else []
        return "; ".join(dict.fromkeys([*words, *outcome.remarks])) or None
    if outcome.track is None:
        return None
    if made := _MADE.get(name):
        return made(outcome.track)
    value = getattr(outcome.track, name)
    return list(value) if name in _LISTS else value


def _series(name: str, called: str, values: list[Any], like: nw.DataFrame[Any]) -> nw.Series[Any]:
    kind: Any = nw.String()
    if name in _LISTS:
        kind = nw.List(nw.String)
    elif name == "confidence":
        kind = nw.Float64()
    elif name in _NUMBERS or name == "explicit":
        whole = name in _NUMBERS
        if like.implementation.is_pandas_like():
            # what numpy has for these knows no missing values
            native = like.implementation.to_native_namespace()
            made = native.Series(values, name=called, dtype="Int64" if whole else "boolean")
            return nw.from_native(made, series_only=True)
        kind = nw.Int64() if whole else nw.Boolean()
    return nw.new_series(called, values, kind, backend=like.implementation)
