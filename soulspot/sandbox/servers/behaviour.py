"""How the local servers behave: limits, quotas and faults, all changeable while they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Literal, get_type_hints

SERVICES = ("musicbrainz", "spotify", "token", "listenbrainz", "labs", "covers")
Malformed = Literal[
    "truncated", "html", "wrong_types", "wrong_length", "empty", "nan", "deep", "huge_number", "surrogate"
]


@dataclass(slots=True)
class Faults:
    """What goes wrong at one service. Shares are 0 to 1 of its requests, times are seconds.

    A dropped request is closed without an answer; a malformed one has status 200 and a body spoilt as
    `malformed` says; an error answers `error_status` with an HTML page, as a proxy in front of it does.
    `retry_after` stands in the Retry-After header of every 429 and 503 instead of what the service would say
    (a date, nonsense, a negative number); "" takes the header away."""

    latency: float = 0.0
    slow_share: float = 0.0
    slow_seconds: float = 30.0
    drop_share: float = 0.0
    error_share: float = 0.0
    error_status: int = 502
    malformed_share: float = 0.0
    malformed: Malformed = "truncated"
    retry_after: str | None = None


@dataclass(slots=True)
class Behaviour:
    """All the knobs. What is not said otherwise is as apis of late 2026 are: public limits on, no faults.

    `mb_*`: requests a second on average, shares of searches and lookups shed with the busy 503, share of
    searches cut silently after part of the index, share of recordings the index does not have yet, longest
    request line in bytes.
    `spotify_window_limit`: requests in any 30 s (Spotify publishes no number). `spotify_quota`: requests
    until QUOTA_EXCEEDED, None for no quota; the quota is whole again `spotify_quota_retry_after` seconds
    later, and with that None the answer has no Retry-After and it never is. `spotify_clients`: client id
    -> secret when only those may have a token. `spotify_markets_relink`: answers a request that names a
    market with another id for every n-th track, 0 for none.
    `lb_limit` requests in each 10 s. `lb_missing_share` of the recordings are not in ListenBrainz' cache.
    `labs_wrong_share`: share of labs answers that are wrong or dead."""

    seed: int = 0
    limits: bool = True
    musicbrainz: Faults = field(default_factory=Faults)
    spotify: Faults = field(default_factory=Faults)
    token: Faults = field(default_factory=Faults)
    listenbrainz: Faults = field(default_factory=Faults)
    labs: Faults = field(default_factory=Faults)
    covers: Faults = field(default_factory=Faults)
    mb_rate: float = 1.0
    mb_search_busy_share: float = 0.0
    mb_lookup_busy_share: float = 0.0
    mb_search_cut_share: float = 0.0
    mb_unindexed_share: float = 0.0
    mb_line_bytes: int = 7168
    spotify_mode: Literal["extended", "development"] = "extended"
    spotify_window_limit: int = 100
    spotify_burst_retry_after: int | None = 3
    spotify_quota: int | None = None
    spotify_quota_retry_after: int | None = 52531
    spotify_premium_required: bool = False
    spotify_clients: dict[str, str] = field(default_factory=dict)
    spotify_markets_relink: int = 0
    token_lifetime: int = 3600
    lb_limit: int = 30
    lb_token: str | None = None
    lb_missing_share: float = 0.0
    labs_wrong_share: float = 0.02

    def update(self, changes: Mapping[str, Any]) -> None:
        """Set fields by name; a nested mapping changes the Faults of that service.

        Raises ValueError, and changes nothing, when a name or the type of a value is wrong."""
        _check(self, changes, "")
        _apply(self, changes)

    def as_dict(self) -> dict[str, Any]:
        """All fields, JSON-ready."""
        return asdict(self)


def _check(target: Any, changes: Mapping[str, Any], where: str) -> None:
    hints, known = get_type_hints(type(target)), {each.name for each in fields(target)}
    for name, value in changes.items():
        if name not in known:
            raise ValueError(f"no such behaviour: {where}{name}")
        current = getattr(target, name)
        if is_dataclass(current):
            if not isinstance(value, Mapping):
                raise ValueError(f"{where}{name} takes an object, not {value!r}")
            _check(current, value, f"{where}{name}.")
        elif not _fits(value, hints[name]):
            raise ValueError(f"{where}{name} cannot be {value!r}")


def _fits(value: Any, hint: Any) -> bool:
    choices = getattr(hint, "__args__", ())
    if getattr(hint, "__origin__", None) is Literal:
        return value in choices
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(hint, type):
        return isinstance(value, hint)
    if getattr(hint, "__origin__", None) is dict:
        return isinstance(value, dict) and all(isinstance(x, str) for pair in value.items() for x in pair)
    return any(_fits(value, choice) for choice in choices)


def _apply(target: Any, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if is_dataclass(getattr(target, name)):
            _apply(getattr(target, name), value)
        else:
            setattr(target, name, value)
