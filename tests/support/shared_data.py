"""The real data for tests that are too large, or not ours, to be in the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parents[2]


def shared(*parts: str) -> Path:
    """Return the path of a file or folder of the shared data: below SOULSPOT_SHARED, or
    `../shared`.

    Skips the calling test, with the reason, where the data is absent; fails it when
    SOULSPOT_REQUIRE_SHARED is 1, so that a run that is meant to be complete cannot pass by
    skipping."""
    root = Path(os.environ.get("SOULSPOT_SHARED") or _CHECKOUT.parent / "shared")
    path = root.joinpath(*parts)
    if not path.exists():
        reason = f"shared data is absent: {'/'.join(parts)} (set SOULSPOT_SHARED to its folder)"
        if os.environ.get("SOULSPOT_REQUIRE_SHARED") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
