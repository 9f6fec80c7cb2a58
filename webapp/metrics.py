"""Numbers for Prometheus: what each process counts by itself, and what the database knows.

prometheus-client is imported only where METRICS_TOKEN is set (requirements-metrics.txt). With
PROMETHEUS_MULTIPROC_DIR every process keeps its counts in a file there, and whichever of them is
asked adds them up."""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask, Response, current_app

from webapp import logs
from webapp.actions.gauges import Gauge
from webapp.config import Config

# Seconds: a page takes some milliseconds, a large file some seconds.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


def install(app: Flask) -> None:
    settings: Config = app.config["SETTINGS"]
    if settings.metrics_token:
        app.extensions["metrics"] = Counts(settings.metrics_folder)
        app.after_request(_count)


def text(gauges: Iterable[Gauge]) -> bytes:
    """All counts and these gauges, as Prometheus reads them."""
    counts: Counts = current_app.extensions["metrics"]
    return counts.text(gauges)


def count(app: Flask, route: str, method: str, status: int, seconds: float) -> None:
    """One answer, where anybody counts them."""
    counts: Counts | None = app.extensions.get("metrics")
    if counts is not None:
        counts.requests.labels(route, method, f"{status // 100}xx").observe(seconds)


def _count(response: Response) -> Response:
    # Routes, methods and classes of statuses are few: whoever asks can make up no more of them.
    said = (logs.route(), logs.method(), response.status_code, logs.seconds_so_far())
    count(current_app, *said)
    return response


class Counts:
    def __init__(self, folder: str) -> None:
        import prometheus_client

        self._client = prometheus_client
        self._folder = folder
        self._own = prometheus_client.CollectorRegistry()
        self.requests = prometheus_client.Histogram(
            "affluent_request_seconds",
            "Seconds until a request was answered, by route, method and class of the status.",
            ("route", "method", "status"),
            registry=self._own,
            buckets=BUCKETS,
        )

    def text(self, gauges: Iterable[Gauge]) -> bytes:
        own: Any = self._own
        if self._folder:
            from prometheus_client.multiprocess import MultiProcessCollector

            own = self._client.CollectorRegistry()
            MultiProcessCollector(own, path=self._folder)  # type: ignore[no-untyped-call]
        known = self._client.CollectorRegistry()
        known.register(_Known(gauges))
        return bytes(self._client.generate_latest(own) + self._client.generate_latest(known))


class _Known:
    """Gauges as prometheus-client wants to collect them."""

    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        for gauge in self._gauges:
            family = GaugeMetricFamily(f"affluent_{gauge.name}", gauge.meaning, labels=gauge.labels)
            for labels, number in gauge.numbers.items():
                family.add_metric(labels, number)
            yield family
