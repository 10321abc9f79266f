"""The gates: one for each provider and upstream host, passed once by every HTTP request.

A gate spaces requests at its rate. It refuses them while the service asked us to wait (429, 503),
while the daily budget is spent, and while the host is down; the `StatePort` keeps that across
restarts. Providers and covers send through gates; assembly builds them:

    gates = Gates(port)
    gate = gates.open("musicbrainz", "https://musicbrainz.org/ws/2", rate=1.0)
    await gates.restore()
    await gate.admit()                      # waits for the rate, or raises errors.Limited at once
    ...                                     # exactly one HTTP request
    await gate.observe(status, headers)     # status None when no response came
"""

from soulspot.limits.backoff import call_with_retries, full_jitter, parse_retry_after
from soulspot.limits.gate import Gate
from soulspot.limits.pace import Pace
from soulspot.limits.registry import Gates, host_of
from soulspot.limits.values import GateSnapshot, LimitEvent, MemoryPort, RequestRecord, StatePort
