"""The flow tests read databases and the servers' own records; the log would only hide their failures."""

from __future__ import annotations

import pytest

from soulspot.telemetry import configure_logging


@pytest.fixture(autouse=True)
def _only_errors_are_logged(_the_log_is_for_one_test: None) -> None:
    configure_logging("console", "error")
