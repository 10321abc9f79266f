"""The columns that a data frame gains: those of `enriched_tracks`, and `error`."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import narwhals as nw

from soulspot.models import EnrichedTrack
from soulspot.pipeline.items import ItemOutcome

ERROR = "error"
_NUMBERS = frozenset({"track_id", "track_number", "disc_number", "duration_ms", "popularity"})
_LISTS = frozenset({"artists", "genres", "mb_artist_ids", "spotify_artist_ids"})
# Values that differ from the field of the track.
_CONVERTED: Mapping[str, Callable[[EnrichedTrack], Any]] = {
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
        """Append a row for each outcome."""
        for outcome in outcomes:
            for name, values in self._values.items():
                values.append(_value(outcome, name))

    def series(self, names: Mapping[str, str], like: nw.DataFrame[Any]) -> list[nw.Series[Any]]:
        """Return the columns for a frame of the kind of `like`, named as `names` says."""
        return [_series(name, names[name], values, like) for name, values in self._values.items()]


def column_names(taken: Iterable[str], prefix: str) -> dict[str, str]:
    """Return each column's name in the frame: its own, with `prefix` while that is taken."""
    taken = set(taken)
    names = {}
    for name in NAMES:
        free = name
        while free in taken:
            free = prefix + free
        taken.add(free)
        names[name] = free
    return names


def _value(outcome: ItemOutcome, name: str) -> Any:
    if name == ERROR:
        words = [str(outcome.error) or type(outcome.error).__name__] if outcome.error else []
        return "; ".join(dict.fromkeys([*words, *outcome.remarks])) or None
    if outcome.track is None:
        return None
    if convert := _CONVERTED.get(name):
        return convert(outcome.track)
    value = getattr(outcome.track, name)
    return list(value) if name in _LISTS else value


def _series(name: str, called: str, values: list[Any], like: nw.DataFrame[Any]) -> nw.Series[Any]:
    kind: Any = nw.String()
    if name in _LISTS:
        kind = nw.List(nw.String)
    elif name == "confidence":
        kind = nw.Float64()
    elif name in _NUMBERS or name == "explicit":
        is_number = name in _NUMBERS
        # The integers and booleans of numpy have no missing value; those of pandas itself do.
        if like.implementation.is_pandas_like():
            native = like.implementation.to_native_namespace()
            column = native.Series(values, name=called, dtype="Int64" if is_number else "boolean")
            return nw.from_native(column, series_only=True)
        kind = nw.Int64() if is_number else nw.Boolean()
    return nw.new_series(called, values, kind, backend=like.implementation)
