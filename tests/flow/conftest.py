"""The flow tests read databases and the servers' own records; the log would only hide their failures."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from soulspot.telemetry import configure_logging


@pytest.fixture(autouse=True)
def _only_errors_are_logged() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    configure_logging("console", "error")
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
