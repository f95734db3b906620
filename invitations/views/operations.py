"""Whether everything works: the pictures, the alerts, and what to do about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from zlib import crc32

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chapters.models import Chapter
from invitations import pictures, policies
from invitations.forms.operations import SpanForm
from invitations.queries import operations as queries
from invitations.runbook import runbook as rendered_runbook
from invitations.services import telling
from invitations.views import doors
from logs import instruments
from logs.queries import Obstacles, obstacles
from logs.services import heartbeats
from members.models import Member


@login_required
@require_safe
def operations(request: HttpRequest) -> HttpResponse:
    """
    What is wrong now, what was lately, and the last hours or days as pictures.

    A page that is open asks again, and is told only what is new.
    """
    doors.only_if(cast("Member", request.user).is_superuser)  # by login_required
    form = SpanForm(request.GET)
    form.is_valid()
    now = timezone.now()
    span = queries.span(form.chosen, at=now)
    steps = queries.steps(span)
    releases = queries.went_live(span)
    context = _health(now)
    state = str(crc32(repr((_signs(context), steps, releases)).encode()))
    if request.GET.get("seen") == state:
        return HttpResponse(status=204)
    return render(
        request,
        "invitations/operations/operations.html",
        context
        | {
            "state": state,
            "form": form,
            "spans": [(key, word) for key, (word, _) in queries.SPANS.items()],
            "span_in_words": queries.SPANS[form.chosen][0],
            "releases": releases,
            "is_measured": any(step.readings for step in steps),
            "pictures": pictures.pictures(span, steps, releases),
        },
    )


@login_required
@require_safe
def runbook(request: HttpRequest) -> HttpResponse:
    """What to do about each alert: `docs/runbook.md`, for everybody who organises anything."""
    user = cast("Member", request.user)  # by login_required
    doors.only_if(user.is_superuser or policies.organises_anything(user))
    return render(request, "invitations/operations/runbook.html", {"book": rendered_runbook()})


def _health(now: datetime) -> dict[str, Any]:
    return {
        "alerts": list(queries.current_alerts()),
        "past_alerts": list(queries.past_alerts(at=now)),
        "sweep": queries.pulse(heartbeats.SWEEP, at=now),
        "bell": queries.pulse(heartbeats.BEAT, at=now),
        "sending": obstacles(Chapter.objects.all()),
        "in_doubt": instruments.in_doubt(),
        "audit": queries.last_audit(),
        "unheard": telling.unheard(),
        "now": now,
    }


def _signs(health: dict[str, Any]) -> list[object]:
    """What is worth telling a page that is open; not that the sweep came by once more."""
    sending: Obstacles = health["sending"]
    return [
        [(alert.pk, alert.numbers) for alert in health["alerts"]],
        [alert.pk for alert in health["past_alerts"]],
        health["sweep"].is_silent,
        health["bell"].is_silent,
        sending.is_stopped,
        sending.stopped_chapters,
        sending.hold and sending.hold.since,
        health["in_doubt"],
        health["audit"],
    ]
