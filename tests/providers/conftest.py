"""The fixture that all tests of providers share."""

from __future__ import annotations

import pytest

from soulspot.limits import backoff


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make retries follow at once; tests/limits checks their waiting times."""
    monkeypatch.setattr(backoff, "full_jitter", lambda *args, **kwargs: 0.0)
