"""Set-up of the flow tests: they read databases and servers, so the log is kept to errors."""

from __future__ import annotations

import pytest

from soulspot.telemetry import configure_logging


@pytest.fixture(autouse=True)
def _only_errors_are_logged(_the_log_is_for_one_test: None) -> None:
    configure_logging("console", "error")
