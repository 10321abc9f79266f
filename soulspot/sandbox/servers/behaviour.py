"""The behaviour of the local servers: limits, quotas and faults, all changeable while they run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

SERVICES = ("musicbrainz", "spotify", "token", "listenbrainz", "labs", "covers")
Malformed = Literal[
    "truncated", "html", "wrong_types", "wrong_length", "empty", "nan", "deep", "huge_number", "surrogate"
]


@dataclass(slots=True)
class Faults:
    """Faults of one service. Shares are 0 to 1 of its requests, times are seconds.

    A dropped request has no answer, an error an HTML page with `error_status`, a malformed answer
    status 200 and a spoilt body. `retry_after` replaces that header of every 429 and 503; ""
    removes it."""

    __pydantic_config__ = ConfigDict(extra="forbid")

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
    """All settings of the servers. The defaults are the services of late 2026, without faults."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    seed: int = 0
    limits: bool = True
    musicbrainz: Faults = field(default_factory=Faults)
    spotify: Faults = field(default_factory=Faults)
    token: Faults = field(default_factory=Faults)
    listenbrainz: Faults = field(default_factory=Faults)
    labs: Faults = field(default_factory=Faults)
    covers: Faults = field(default_factory=Faults)
    # MusicBrainz. The public server allows one request a second on average.
    mb_rate: float = 1.0  # requests a second on average
    mb_search_busy_share: float = 0.0  # searches refused with the "busy" 503
    mb_lookup_busy_share: float = 0.0  # lookups refused with the "busy" 503
    mb_search_cut_share: float = 0.0  # searches that silently see only part of the index
    mb_unindexed_share: float = 0.0  # recordings that the search index does not have yet
    mb_line_bytes: int = 7168  # longest request line
    # Spotify. An extended app keeps what others lost in 2026: batches, fields, long pages.
    spotify_mode: Literal["extended", "development"] = "extended"
    spotify_window_limit: int = 100  # requests in any 30 s; Spotify publishes no number
    spotify_burst_retry_after: int | None = 3  # seconds
    spotify_quota: int | None = None  # requests until QUOTA_EXCEEDED; None for no quota
    # Seconds until a spent quota is whole again. None: it never is, and the 429 has no Retry-After.
    spotify_quota_retry_after: int | None = 52531
    spotify_premium_required: bool = False
    spotify_clients: dict[str, str] = field(default_factory=dict)  # id -> secret; empty admits everybody
    spotify_markets_relink: int = 0  # with a market, every n-th track has another id; 0 for none
    token_lifetime: int = 3600  # seconds
    # ListenBrainz and labs. Any token is right while `lb_token` is None.
    lb_limit: int = 30  # requests in each 10 s
    lb_token: str | None = None
    lb_missing_share: float = 0.0  # recordings that are not in ListenBrainz' cache
    labs_wrong_share: float = 0.02  # labs answers that are wrong or dead

    def update(self, changes: Mapping[str, Any]) -> None:
        """Set fields by name: `{"mb_rate": 5, "labs": {"latency": 2}}` changes two of all.

        Raises ValueError, and changes nothing, when a name or the type of a value is wrong."""
        if not isinstance(changes, Mapping):
            raise ValueError(f"a behaviour is a JSON object of fields, not {changes!r}")
        # Validate everything before anything changes.
        wanted = asdict(self) | dict(changes)
        for name in SERVICES:
            if isinstance(wanted[name], Mapping):
                wanted[name] = asdict(getattr(self, name)) | dict(wanted[name])
        try:
            # strict validation takes an object for a dataclass from JSON only
            checked = _ADAPTER.validate_json(json.dumps(wanted), strict=True)
        except ValidationError as error:
            wrong = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise ValueError(f"cannot change the behaviour: {'; '.join(wrong)}") from None
        # Copy into this object: the servers hold it.
        for each in fields(self):
            setattr(self, each.name, getattr(checked, each.name))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


_ADAPTER = TypeAdapter(Behaviour)
