"""GET /metrics in the Prometheus text format: the counters of telemetry and the facts of status."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.status import status_of
from soulspot.store.times import epoch_seconds
from soulspot.telemetry import Distribution, Telemetry
from soulspot.web.routing import Handlers, route

POWERS = range(0, 21, 2)  # edges of the histograms as powers of two: 1 ms, 4 ms ... 17 minutes

FILE_STATES = ("unreadable", "vanished")
NOT_STATUSES = ("total", *FILE_STATES)

# (values of the labels, value) of each series of a metric
Samples = Iterable[tuple[tuple[str, ...], float | Distribution]]


class Family(NamedTuple):
    """A metric: its kind (counter, gauge or histogram of seconds), its labels and its help text."""

    kind: str
    labels: tuple[str, ...]
    help: str


FAMILIES = {
    "soulspot_info": Family("gauge", ("version",), "always 1"),
    "soulspot_uptime_seconds": Family("gauge", (), "seconds since the process started to work"),
    "soulspot_events_total": Family("counter", ("event", "level"), "log lines, with those below the log level"),
    "soulspot_requests_total": Family("counter", ("provider", "status"), "HTTP requests; status none: no answer"),
    "soulspot_request_duration_seconds": Family("histogram", ("provider",), "duration of a request"),
    "soulspot_requests_saved": Family("gauge", (), "requests fewer than one for each track and service"),
    "soulspot_batches_total": Family("counter", ("provider", "reason"), "batches sent, by what triggered them"),
    "soulspot_batch_items_total": Family("counter", ("provider",), "lookups in those batches"),
    "soulspot_batch_room_total": Family("counter", ("provider",), "capacity of those batches in lookups"),
    "soulspot_batch_waited_seconds": Family("histogram", ("provider",), "wait of the oldest lookup of a batch"),
    "soulspot_batch_duration_seconds": Family("histogram", ("provider",), "time from a batch's start to its last answer"),
    "soulspot_answers_total": Family("counter", ("provider", "outcome"), "lookups answered, by outcome"),
    "soulspot_tracks_served_total": Family("counter", ("provider",), "tracks answered for, each once a day"),
    "soulspot_results_total": Family("counter", ("status",), "tracks finished, by status"),
    "soulspot_tracks": Family("gauge", ("status",), "tracks in the database"),
    "soulspot_files": Family("gauge", ("state",), "files that are unreadable or have vanished"),
    "soulspot_lookups": Family("gauge", ("provider", "state"), "lookups in the database"),
    "soulspot_oldest_waiting_seconds": Family("gauge", (), "age of the oldest queued lookup; 0 when none is queued"),
    "soulspot_in_flight": Family("gauge", ("provider",), "lookups in requests that run now"),
    "soulspot_gathering": Family("gauge", ("provider",), "lookups in a batch that is not full yet"),
    "soulspot_held": Family("gauge", ("provider",), "1 while SoulSpot pauses a provider on its own account"),
    "soulspot_limited": Family("gauge", ("provider", "host"), "1 while the gate of a host is closed"),
    "soulspot_limited_seconds": Family("gauge", ("provider", "host"), "seconds until that gate opens"),
    "soulspot_breaker_open": Family("gauge", ("provider", "host"), "1 while a host does not answer"),
    "soulspot_budget_spent": Family("gauge", ("provider", "host"), "requests of the last 24 hours"),
    "soulspot_budget_limit": Family("gauge", ("provider", "host"), "requests allowed in 24 hours, where limited"),
    "soulspot_operations_total": Family("counter", ("kind", "status"), "operations that have ended"),
    "soulspot_deliveries_total": Family("counter", ("outcome",), "attempts to deliver a webhook"),
    "soulspot_alarm": Family("gauge", ("alarm",), "1 while this alarm is raised"),
    "soulspot_memory_bytes": Family("gauge", (), "resident memory"),
    "soulspot_memory_peak_bytes": Family("gauge", (), "the most resident memory seen"),
    "soulspot_batch_processing_time_ms": Family("gauge", (), "duration of the last enrich_files_batch"),
    "soulspot_batch_items_processed": Family("gauge", (), "files in the last enrich_files_batch"),
}  # fmt: skip


class MetricsRoute(Handlers):
    """The handler of GET /metrics over one service."""

    def __init__(self, service: EnrichmentService, version: str) -> None:
        self._service = service
        self._version = version

    @route("GET", "/metrics", {200: "text/plain"})
    async def show(self, request: web.Request) -> web.Response:
        """Show every metric as it is now, in the format that the scraper asks for."""
        registry = CollectorRegistry(auto_describe=False)
        samples = {**_of_telemetry(self._service.telemetry), **_of_status(await status_of(self._service))}
        registry.register(_Snapshot({**samples, "soulspot_info": [((self._version,), 1)]}))
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": kind})


class _Snapshot(Collector):
    def __init__(self, samples: Mapping[str, Samples]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        return (_metric(name, family, self._samples.get(name, ())) for name, family in FAMILIES.items())


def _of_telemetry(telemetry: Telemetry) -> dict[str, Samples]:
    # The gauges of Python programs (enrich_files_batch) have free names: only known ones are shown.
    own = {f"soulspot_{name}": [((), value)] for name, value in telemetry.gauges.items()}
    return {
        **{name: values for name, values in own.items() if name in FAMILIES},
        "soulspot_uptime_seconds": [((), time.monotonic() - telemetry.started)],
        "soulspot_events_total": telemetry.line_counts().items(),
        "soulspot_requests_total": [
            ((provider, str(status or "none")), count) for (provider, status), count in telemetry.statuses.items()
        ],
        "soulspot_request_duration_seconds": _each(telemetry.request_ms),
        "soulspot_requests_saved": [((), telemetry.requests_saved())],
        "soulspot_batches_total": telemetry.batches.items(),
        "soulspot_batch_items_total": _each(telemetry.batch_items),
        "soulspot_batch_room_total": _each(telemetry.batch_room),
        "soulspot_batch_waited_seconds": _each(telemetry.waited_ms),
        "soulspot_batch_duration_seconds": _each(telemetry.batch_ms),
        "soulspot_answers_total": telemetry.answers.items(),
        "soulspot_tracks_served_total": [((name,), served.count) for name, served in telemetry.served.items()],
        "soulspot_results_total": _each(telemetry.results),
        "soulspot_operations_total": telemetry.operations.items(),
        "soulspot_deliveries_total": _each(telemetry.deliveries),
        "soulspot_alarm": [((alarm,), 1) for alarm in telemetry.alarms],
        "soulspot_memory_bytes": [((), telemetry.rss_bytes())],
        "soulspot_memory_peak_bytes": [((), telemetry.peak_rss_bytes)],
    }


def _of_status(status: Mapping[str, Any]) -> dict[str, Samples]:
    now = time.time()
    tracks, oldest, pumps = status["tracks"], status["oldest_waiting"], status["pumps"]
    return {
        "soulspot_tracks": [((name,), count) for name, count in tracks.items() if name not in NOT_STATUSES],
        "soulspot_files": [((name,), tracks.get(name, 0)) for name in FILE_STATES],
        "soulspot_lookups": [
            ((provider, state), count)
            for provider, states in status["lookups"].items()
            for state, count in states.items()
        ],
        "soulspot_oldest_waiting_seconds": [((), max(0.0, now - epoch_seconds(oldest)) if oldest else 0)],
        "soulspot_in_flight": [((name,), pump["in_flight"]) for name, pump in pumps.items()],
        "soulspot_gathering": [((name,), pump["gathering"]) for name, pump in pumps.items()],
        "soulspot_held": [((name,), int(bool(pump["held"]))) for name, pump in pumps.items()],
        **_of_gates(status["gates"], now),
    }


def _of_gates(gates: Iterable[Mapping[str, Any]], now: float) -> dict[str, Samples]:
    samples: dict[str, list[tuple[tuple[str, ...], float | Distribution]]] = {}
    for gate in gates:
        until = gate["limited_until"]
        values = {
            "limited": int(bool(until)),
            "limited_seconds": max(0.0, epoch_seconds(until) - now) if until else 0,
            "breaker_open": int(gate["breaker"] != "closed"),
            "budget_spent": gate["spent"],
            "budget_limit": gate["daily_budget"],
        }
        for name, value in values.items():
            if value is not None:
                samples.setdefault(f"soulspot_{name}", []).append(((gate["provider"], gate["host"]), value))
    return dict(samples)


def _each(values: Mapping[str, Any]) -> Samples:
    return [((name,), value) for name, value in values.items()]


def _metric(name: str, family: Family, samples: Samples) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(name, family.help, labels=family.labels)
        for labels, values in samples:
            assert isinstance(values, Distribution)
            edges = [(f"{2.0**power / 1000:g}", float(values.count_up_to_power(power))) for power in POWERS]
            histogram.add_metric(labels, [*edges, ("+Inf", float(values.count))], values.total / 1000)
        return histogram
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(name, family.help, labels=family.labels)
    for labels, value in samples:
        assert not isinstance(value, Distribution)
        metric.add_metric(labels, value)
    return metric
