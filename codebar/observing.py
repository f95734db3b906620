"""Each request has an id, which all its lines carry; and an answer that we owe is counted."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

from logs.services import tallies

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")

# What these answer says how somebody else is: the database, or the sweep.
PROBES = {"readyz", "deadman", "metrics"}


class Observed:
    """
    A proxy's X-Request-ID is kept, another is made where there is none or it is no good; it is
    answered, so that somebody who writes to us can name it. Answers from 500 on are counted as
    `server_errors`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked_as = request.headers.get(HEADER, "")
        request_id = asked_as if WELL_FORMED.fullmatch(asked_as) else uuid.uuid4().hex
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        if response.status_code >= 500 and not _is_probe(request):
            tallies.count(tallies.SERVER_ERRORS)
        response[HEADER] = request_id
        return response


@receiver(request_finished)
def name_no_more_lines(**_: object) -> None:
    """Django has its say about an answer after every middleware."""
    clear_contextvars()


def _is_probe(request: HttpRequest) -> bool:
    return request.resolver_match is not None and request.resolver_match.view_name in PROBES
