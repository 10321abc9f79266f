"""/metrics in the Prometheus text format: the counters of telemetry and the facts of status, and nothing counted here."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.status import status_of
from soulspot.store.times import seconds
from soulspot.telemetry import Distribution, Telemetry

POWERS = range(0, 21, 2)  # edges of the histograms: 1 ms, 4 ms ... 17 minutes

FILE_STATES = ("unreadable", "vanished")
NOT_STATUSES = ("total", *FILE_STATES)

Samples = Iterable[tuple[tuple[str, ...], float | Distribution]]


class Family(NamedTuple):
    """One metric: its kind (counter, gauge or histogram of seconds), its labels and what it tells."""

    kind: str
    labels: tuple[str, ...]
    help: str


FAMILIES = {
    "soulspot_info": Family("gauge", ("version",), "always 1"),
    "soulspot_uptime_seconds": Family("gauge", (), "since this process started to work"),
    "soulspot_events_total": Family(
        "counter", ("event", "level"), "lines of the log, also those that its level keeps back"
    ),
    "soulspot_requests_total": Family(
        "counter", ("provider", "status"), "HTTP requests to services; status none: no answer came"
    ),
    "soulspot_request_duration_seconds": Family("histogram", ("provider",), "how long they took"),
    "soulspot_requests_saved": Family(
        "gauge", (), "requests fewer than one for each track and service that answered for it"
    ),
    "soulspot_batches_total": Family(
        "counter", ("provider", "reason"), "batches that went out, and why they did"
    ),
    "soulspot_batch_items_total": Family("counter", ("provider",), "lookups in those batches"),
    "soulspot_batch_room_total": Family("counter", ("provider",), "lookups that would have fitted into them"),
    "soulspot_batch_waited_seconds": Family(
        "histogram", ("provider",), "how long the oldest of a batch waited"
    ),
    "soulspot_batch_duration_seconds": Family(
        "histogram", ("provider",), "from its start to its last answer"
    ),
    "soulspot_answers_total": Family("counter", ("provider", "outcome"), "lookups answered, by outcome"),
    "soulspot_tracks_served_total": Family(
        "counter", ("provider",), "tracks that a service answered for, each once a day"
    ),
    "soulspot_results_total": Family("counter", ("status",), "tracks that came to a result"),
    "soulspot_tracks": Family("gauge", ("status",), "tracks in the database"),
    "soulspot_files": Family("gauge", ("state",), "files that are unreadable or have vanished"),
    "soulspot_lookups": Family("gauge", ("provider", "state"), "lookups in the database"),
    "soulspot_oldest_waiting_seconds": Family(
        "gauge", (), "since the oldest lookup was queued; 0: none waits"
    ),
    "soulspot_in_flight": Family("gauge", ("provider",), "lookups that are being asked"),
    "soulspot_gathering": Family("gauge", ("provider",), "lookups that wait for company"),
    "soulspot_held": Family("gauge", ("provider",), "1 while nothing is asked of our own accord"),
    "soulspot_limited": Family("gauge", ("provider", "host"), "1 while a service is left alone"),
    "soulspot_limited_seconds": Family("gauge", ("provider", "host"), "how much longer"),
    "soulspot_breaker_open": Family("gauge", ("provider", "host"), "1 while a service does not answer"),
    "soulspot_budget_spent": Family("gauge", ("provider", "host"), "requests of the last 24 hours"),
    "soulspot_budget_limit": Family(
        "gauge", ("provider", "host"), "requests allowed in 24 hours, where limited"
    ),
    "soulspot_operations_total": Family("counter", ("kind", "status"), "operations that have ended"),
    "soulspot_deliveries_total": Family("counter", ("outcome",), "webhook deliveries tried"),
    "soulspot_alarm": Family("gauge", ("alarm",), "1 while this alarm is raised"),
    "soulspot_memory_bytes": Family("gauge", (), "resident memory"),
    "soulspot_memory_peak_bytes": Family("gauge", (), "the most resident memory seen"),
    "soulspot_batch_processing_time_ms": Family("gauge", (), "of the last batch of enrich_files_batch"),
    "soulspot_batch_items_processed": Family("gauge", (), "files in the last batch of enrich_files_batch"),
}


class Metrics:
    """The handler of GET /metrics over one service."""

    def __init__(self, service: EnrichmentService, version: str) -> None:
        self._service = service
        self._version = version

    async def handle(self, request: web.Request) -> web.Response:
        """Everything as it is now, in the form the scraper asks for."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Now(self._service.telemetry, await status_of(self._service), self._version))
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": kind})


class _Now(Collector):
    def __init__(self, telemetry: Telemetry, status: Mapping[str, Any], version: str) -> None:
        self._telemetry = telemetry
        self._status = status
        self._version = version

    def collect(self) -> Iterator[Metric]:
        samples = {**_of_telemetry(self._telemetry), **_of_status(self._status)}
        samples["soulspot_info"] = [((self._version,), 1)]
        for name, family in FAMILIES.items():
            yield _family(name, family, samples.get(name, ()))


def _of_telemetry(telemetry: Telemetry) -> dict[str, Samples]:
    own = {f"soulspot_{name}": [((), value)] for name, value in telemetry.gauges.items()}
    return {
        **{name: values for name, values in own.items() if name in FAMILIES},
        "soulspot_uptime_seconds": [((), time.monotonic() - telemetry.started)],
        "soulspot_events_total": telemetry.said().items(),
        "soulspot_requests_total": [
            ((provider, str(status or "none")), count)
            for (provider, status), count in telemetry.statuses.items()
        ],
        "soulspot_request_duration_seconds": _each(telemetry.request_ms),
        "soulspot_requests_saved": [((), telemetry.saved())],
        "soulspot_batches_total": telemetry.batches.items(),
        "soulspot_batch_items_total": _each(telemetry.batch_items),
        "soulspot_batch_room_total": _each(telemetry.batch_room),
        "soulspot_batch_waited_seconds": _each(telemetry.waited_ms),
        "soulspot_batch_duration_seconds": _each(telemetry.batch_ms),
        "soulspot_answers_total": telemetry.answers.items(),
        "soulspot_tracks_served_total": [
            ((name,), served.count) for name, served in telemetry.served.items()
        ],
        "soulspot_results_total": _each(telemetry.results),
        "soulspot_operations_total": telemetry.operations.items(),
        "soulspot_deliveries_total": _each(telemetry.deliveries),
        "soulspot_alarm": [((alarm,), 1) for alarm in telemetry.alarms],
        "soulspot_memory_bytes": [((), telemetry.rss())],
        "soulspot_memory_peak_bytes": [((), telemetry.peak_rss)],
    }


def _of_status(status: Mapping[str, Any]) -> dict[str, Samples]:
    now = time.time()
    oldest, gates, pumps = status["oldest_waiting"], status["gates"], status["pumps"]
    left = {
        (gate["provider"], gate["host"]): max(0.0, seconds(gate["limited_until"]) - now)
        for gate in gates
        if gate["limited_until"]
    }
    return {
        "soulspot_tracks": [((name,), n) for name, n in status["tracks"].items() if name not in NOT_STATUSES],
        "soulspot_files": [((name,), status["tracks"].get(name, 0)) for name in FILE_STATES],
        "soulspot_lookups": [
            ((provider, state), count)
            for provider, states in status["lookups"].items()
            for state, count in states.items()
        ],
        "soulspot_oldest_waiting_seconds": [((), max(0.0, now - seconds(oldest)) if oldest else 0)],
        "soulspot_in_flight": [((name,), pump["in_flight"]) for name, pump in pumps.items()],
        "soulspot_gathering": [((name,), pump["gathering"]) for name, pump in pumps.items()],
        "soulspot_held": [((name,), int(bool(pump["held"]))) for name, pump in pumps.items()],
        "soulspot_limited": [(_gate(gate), int(_gate(gate) in left)) for gate in gates],
        "soulspot_limited_seconds": [(_gate(gate), left.get(_gate(gate), 0)) for gate in gates],
        "soulspot_breaker_open": [(_gate(gate), int(gate["breaker"] != "closed")) for gate in gates],
        "soulspot_budget_spent": [(_gate(gate), gate["spent"]) for gate in gates],
        "soulspot_budget_limit": [
            (_gate(gate), gate["daily_budget"]) for gate in gates if gate["daily_budget"] is not None
        ],
    }


def _gate(gate: Mapping[str, Any]) -> tuple[str, str]:
    return gate["provider"], gate["host"]


def _each(values: Mapping[str, Any]) -> Samples:
    return [((name,), value) for name, value in values.items()]


def _family(name: str, family: Family, samples: Samples) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(name, family.help, labels=family.labels)
        for labels, values in samples:
            assert isinstance(values, Distribution)
            edges = [(f"{2.0**power / 1000:g}", float(values.at_most(power))) for power in POWERS]
            histogram.add_metric(labels, [*edges, ("+Inf", float(values.count))], values.total / 1000)
        return histogram
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(name, family.help, labels=family.labels)
    for labels, value in samples:
        assert not isinstance(value, Distribution)
        metric.add_metric(labels, value)
    return metric
