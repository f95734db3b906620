"""
/metrics: what Prometheus asks for, from PostgreSQL, so that every web process answers the same.

Each sample names the release that answers, so that "it began with that release" can be seen.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from django.conf import settings
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chapters.models import Chapter
from logs import instruments, queries
from logs.services import heartbeats, readings

Samples = Iterable[tuple[dict[str, str], float]]


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """
    The numbers of `docs/signals.md`, as text.

    With METRICS_TOKEN for whoever bears it; without one for this machine alone, and for nobody
    behind a proxy, since everybody comes from there.
    """
    if not settings.METRICS_TOKEN and not _is_from_here(request):
        raise Http404
    if settings.METRICS_TOKEN and not _bears_token(request):
        return HttpResponse(
            "Send METRICS_TOKEN as a bearer token.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": "Bearer"},
        )
    registry = CollectorRegistry(auto_describe=False)
    try:
        registry.register(_Ledger())
        text = generate_latest(registry)
    except Error:
        return HttpResponse(
            "The database does not answer.\n", status=503, content_type="text/plain"
        )
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _is_from_here(request: HttpRequest) -> bool:
    try:
        asker = ip_address(request.META["REMOTE_ADDR"])
    except ValueError:  # a socket file has no address
        return False
    return asker.is_loopback and not settings.SECURE_PROXY_SSL_HEADER


def _bears_token(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    fits = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return kind.lower() == "bearer" and fits


class _Ledger(Collector):
    """Asked once, when the text is written."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield _gauge("release", "The version that answers.", [({}, 1)])
        yield from _letters()
        yield from _passage()
        yield from _obstacles()
        yield from _what_goes_on()
        yield from _counted()


def _letters() -> Iterator[Metric]:
    lines = {priority.name.lower(): line for priority, line in instruments.lines().items()}
    yield _gauge(
        "letters_pending",
        "Letters that wait.",
        [({"line": name}, line.pending) for name, line in lines.items()],
    )
    yield _gauge(
        "letters_sending",
        "Letters that a sender has in hand.",
        [({"line": name}, line.sending) for name, line in lines.items()],
    )
    yield _gauge(
        "letters_overdue_seconds",
        "For how long the first letter in line could have left already.",
        [({"line": name}, line.overdue_seconds) for name, line in lines.items()],
    )
    yield _gauge(
        "letters_in_doubt",
        "Letters of which nobody knows whether they arrived; a person decides.",
        [({}, instruments.in_doubt())],
    )


def _passage() -> Iterator[Metric]:
    passage = instruments.passage()
    yield _gauge(
        "connections",
        "Places of SMTP connections.",
        [({"state": "free"}, passage.free), ({"state": "busy"}, passage.busy)],
    )
    yield _counter("letters_sent", "Letters that the mail server took.", [({}, passage.letters)])
    yield _counter(
        "smtp_seconds",
        "What the mail server needed to take them; divided by letters_sent, its latency.",
        [({}, passage.smtp_ms / 1000)],
    )
    yield _counter("leases_expired", "Senders that others had to settle.", [({}, passage.expired)])


def _obstacles() -> Iterator[Metric]:
    found = queries.obstacles(Chapter.objects.all())
    yield _gauge("sending_stopped", "1 while the switch is off.", [({}, found.is_stopped)])
    yield _gauge(
        "chapters_stopped", "Chapters whose switch is off.", [({}, len(found.stopped_chapters))]
    )
    yield _gauge(
        "sending_held", "1 while the mail server refuses us.", [({}, found.hold is not None)]
    )


def _what_goes_on() -> Iterator[Metric]:
    yield _gauge(
        "logs",
        "Batches in each state.",
        [({"state": state}, count) for state, count in instruments.logs_by_state().items()],
    )
    yield _gauge(
        "alerts",
        "Alerts that have not ended.",
        [({"kind": kind}, count) for kind, count in instruments.alerts_by_kind().items()],
    )
    yield _gauge(
        "heartbeat_age_seconds",
        "For how long the sweep, and whoever rings for it, have been silent.",
        [({"name": name}, age.total_seconds()) for name, age in heartbeats.ages().items()],
    )


def _counted() -> Iterator[Metric]:
    newest = readings.newest()
    totals = newest.totals if newest else {}
    yield _counter(
        "letters_not_delivered",
        "Letters that failed, or are in doubt for good; as of the last minute.",
        [({"outcome": outcome}, totals.get(outcome, 0)) for outcome in ("failed", "unknown")],
    )
    yield _counter(
        "happened",
        "What is only counted, such as answers of 500 and above; as of the last minute.",
        [({"what": name}, count) for name, count in totals.get("tallies", {}).items()],
    )


def _gauge(name: str, says: str, samples: Samples) -> Metric:
    return _filled(GaugeMetricFamily(f"codebar_{name}", says), samples)


def _counter(name: str, says: str, samples: Samples) -> Metric:
    return _filled(CounterMetricFamily(f"codebar_{name}", says), samples, suffix="_total")


def _filled(family: Metric, samples: Samples, *, suffix: str = "") -> Metric:
    for labels, value in samples:
        family.add_sample(
            family.name + suffix, labels | {"release": settings.RELEASE}, float(value)
        )
    return family
