"""What the provider tests share."""

from __future__ import annotations

import pytest

from soulspot.limits import backoff


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once; how long they wait is proved with the gates."""
    monkeypatch.setattr(backoff, "full_jitter", lambda *args, **kwargs: 0.0)
