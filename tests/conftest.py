"""Fixtures of all tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from soulspot.telemetry.log_setup import PROCESSORS


@pytest.fixture(autouse=True)
def _the_log_is_for_one_test() -> Iterator[None]:
    """A command that runs in this process sets the log up for itself, which must not silence the
    tests after it."""
    root, ours = logging.getLogger(), logging.getLogger("soulspot")
    level, our_level, handlers = root.level, ours.level, root.handlers[:]
    # `structlog.testing.capture_logs` changes this list for a while, and so sees our events
    structlog.configure(processors=PROCESSORS)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.reset_defaults()
