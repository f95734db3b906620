"""
The busiest pages while a large batch leaves, and the same pages when it is over.

`bin/bench --load`. Everything is what production runs: gunicorn with production's settings behind
what a proxy adds, one worker as it comes, beat, PostgreSQL, two Valkeys; only the mail server is
ours, as slow as a provider. `bench/visitors.py` comes twice: while letters leave, and afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import circumstances, ours, services, town
from bench.sink import LOOPBACK, Sink
from chapters.models import Workshop
from codebar.local import ports
from codebar.local.paths import CHECKOUT
from logs.models import Audience, EntryStatus, InvitationLog

LETTERS_ARRIVE_WITHIN = 60  # seconds; afterwards one is missing
WRONG_LINKS_ALLOWED = 60  # a minute from one address (members/limits.py)
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "bench.production",
    "SITE_URL": f"https://{town.HOST}",
    "ALLOWED_HOSTS": town.HOST,
    "BEHIND_PROXY": "on",
    "LOG_LEVEL": "INFO",
}


@dataclass(frozen=True)
class Seen:
    """What the visitors met in one part."""

    requests: list[tuple[str, float, float, str]]  # name, when answered, milliseconds, error
    answers: dict[str, float]  # by address: when it was given


def measure(folder: Path, sizes: town.Sizes) -> dict[str, Any]:
    """What `results-load.json` holds: all of it in numbers, rounded."""
    workshop = town.build(sizes)
    with Sink(accept_ms=sizes.letter_ms) as sink, _production(folder, sink) as port:
        coaches = ours.click(workshop, audience=Audience.COACHES)
        services.wait_until(lambda: ours.is_completed(coaches))
        _visit(folder, port, sizes, town.cast_of(sizes, workshop, coaches, part=0), warm_up=True)
        sink.forget()
        clicked_at = time.monotonic()
        log = ours.click(workshop)
        services.wait_until(sink.letters)
        busy = _visit(folder, port, sizes, town.cast_of(sizes, workshop, log, part=1))
        was_sending_to_the_end = not ours.is_completed(log)
        completed_at = services.wait_until(lambda: ours.is_completed(log))
        letters_busy = _waits(sink, busy)
        calm = _visit(folder, port, sizes, town.cast_of(sizes, workshop, log, part=2))
        return {
            "measured": circumstances.now(),
            "sizes": asdict(sizes),
            "batch": _batch(log, sink, workshop, seconds=completed_at - clicked_at)
            | {"was_sending_to_the_end": was_sending_to_the_end},
            "pages": [
                {"name": name, "busy": _times(busy, name), "calm": _times(calm, name)}
                for name in [*sorted({name for name, *_ in busy.requests}), ""]
            ],
            "errors": sorted({error for *_, error in busy.requests + calm.requests if error}),
            "letters": {"busy": letters_busy, "calm": _waits(sink, calm)},
            "limits_hold": _limits_hold(port),
        }


@contextmanager
def _production(folder: Path, sink: Sink) -> Iterator[int]:
    """Web, worker and beat as production runs them; the port of the web."""
    port = ports.pick()
    variables = PRODUCTION | {"BENCH_STATIC_ROOT": str(folder / "static"), "EMAIL_URL": sink.url}
    subprocess.run(
        [sys.executable, "-P", "-m", "django", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=CHECKOUT, env=os.environ | variables, check=True,
    )  # fmt: skip
    celery = ("celery", "-A", "codebar")
    address = f"{LOOPBACK}:{port}"
    web = ("codebar.wsgi", "--bind", address)
    beat = ("beat", "--schedule", str(folder / "beat"), "--pidfile=")
    with ExitStack() as stack:
        stack.enter_context(services.program(folder, "gunicorn", *web, **variables))
        stack.enter_context(services.program(folder, *celery, "worker", **variables))
        stack.enter_context(services.program(folder, *celery, *beat, **variables))
        services.wait_until(lambda: _status(port, "/readyz") == 200, seconds=60)
        yield port


def _visit(
    folder: Path, port: int, sizes: town.Sizes, cast: dict[str, Any], *, warm_up: bool = False
) -> Seen:
    """Let all of them come for as long as it takes; whoever is in the middle of a visit ends it."""
    told, found = folder / "cast.json", folder / "seen.json"
    told.write_text(json.dumps(cast))
    seconds = sizes.warm_up_seconds if warm_up else sizes.seconds
    subprocess.run(
        [
            sys.executable, "-P", "-m", "locust", "--locustfile", "bench/visitors.py",
            "--headless", "--only-summary", "--loglevel", "ERROR", "--exit-code-on-error", "0",
            "--users", str(sizes.visitors), "--spawn-rate", str(sizes.visitors / 4),
            "--run-time", f"{seconds}s", "--stop-timeout", "20s",
            "--host", f"http://{LOOPBACK}:{port}",
        ],
        cwd=CHECKOUT,
        env=os.environ | {"BENCH_CAST": str(told), "BENCH_SEEN": str(found)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # where it draws a table of its own
        check=True,
    )  # fmt: skip
    seen = json.loads(found.read_text())
    return Seen([tuple(request) for request in seen["requests"]], seen["answers"])


def _batch(log: InvitationLog, sink: Sink, workshop: Workshop, *, seconds: float) -> dict[str, Any]:
    """What became of it; `twice` counts people with two letters, besides those about answers."""
    students = workshop.chapter.groups.get(role="student").members
    arrivals = sink.arrivals()
    letters = [len(arrivals.get(email, [])) for email in students.values_list("email", flat=True)]
    return {
        "letters": log.entries.filter(status=EntryStatus.SUCCESS).count(),
        "seconds": round(seconds, 1),
        "missing": letters.count(0),
        "twice": sum(count > 1 for count in letters),
    }


def _times(seen: Seen, name: str) -> dict[str, float]:
    """Of the requests of one name, or of all of them: how many, how fast, how many wrong."""
    moments = [at for _, at, _, _ in seen.requests]
    mine = [request for request in seen.requests if name in ("", request[0])]
    return {
        "requests": len(mine),
        "per_second": round(len(mine) / (max(moments) - min(moments)), 2),
        "errors": sum(bool(error) for *_, error in mine),
    } | _spread([ms for _, _, ms, _ in mine], digits=0)


def _waits(sink: Sink, seen: Seen) -> dict[str, float]:
    """Seconds from each answer's POST until the mail server had taken the letter about it."""

    def waited() -> list[float]:
        arrivals = sink.arrivals()
        found = []
        for address, given_at in seen.answers.items():
            after = [at - given_at for at in arrivals.get(address, []) if at > given_at]
            found.extend(after[:1])
        return found

    ends_at = time.monotonic() + LETTERS_ARRIVE_WITHIN
    while len(waited()) < len(seen.answers) and time.monotonic() < ends_at:
        time.sleep(0.5)
    found = waited()
    missing = len(seen.answers) - len(found)
    return {"answers": len(seen.answers), "missing": missing} | _spread(found, digits=2)


def _spread(values: list[float], *, digits: int) -> dict[str, float]:
    """The median, what nineteen of twenty stay below, and the worst."""
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        name: round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], digits)
        for name, share in {"p50": 0.5, "p95": 0.95, "worst": 1}.items()
    }


def _limits_hold(port: int) -> bool:
    """Whether somebody who guesses links is still stopped at the 61st."""
    guess = [_status(port, f"/invitation/wrong{nr}") for nr in range(WRONG_LINKS_ALLOWED + 1)]
    return guess == [404] * WRONG_LINKS_ALLOWED + [429]


def _status(port: int, path: str) -> int:
    headers = {"Host": town.HOST, "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    request = urllib.request.Request(f"http://{LOOPBACK}:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
