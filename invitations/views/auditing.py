"""The proof that everyone eligible has been invited, and the audit of everything."""

from __future__ import annotations

from itertools import islice
from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chapters.models import Workshop
from invitations import policies
from invitations.forms.once import OnceForm
from invitations.queries import auditing as queries
from invitations.services import auditing, inviting
from invitations.views import doors
from logs.models import LIVE_LOG_STATUSES, Action, Audience, AuditRun
from members.models import Member

PEOPLE_A_PAGE = 50
WRONG_SHOWN = 50
RUNS_SHOWN = 10


@login_required
@require_safe
def workshop_audit(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Whether everyone eligible has been invited; who is missing and why, and one click."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    with transaction.atomic():
        wrong = list(islice(queries.wrong_with(workshop.pk), WRONG_SHOWN))
    live = workshop.invitation_logs.filter(action=Action.INVITE, status__in=LIVE_LOG_STATUSES)
    return render(
        request,
        "invitations/audit.html",
        _missing(request, workshop)
        | {
            "workshop": workshop,
            "wrong": [(auditing.KINDS[breach.kind], breach) for breach in wrong],
            "live_log": live.order_by("pk").first(),
            "refusal": _refusal(workshop),
            "now": timezone.now(),
        },
    )


@login_required
@require_safe
def audits(request: HttpRequest) -> HttpResponse:
    """
    What the last audit of everything found, and the button for another one.

    A page that is open asks again while one is at work, and is told only what is new.
    """
    doors.only_if(_user(request).is_superuser)
    runs = list(AuditRun.objects.select_related("asked_by").order_by("-pk")[: RUNS_SHOWN + 1])
    running = next((run for run in runs if run.finished_at is None), None)
    if running and request.GET.get("seen") == _state(running):
        return HttpResponse(status=204)
    done = [run for run in runs if run.finished_at is not None]
    last = done[0] if done else None
    return render(
        request,
        "invitations/audits.html",
        {
            "running": running,
            "state": _state(running) if running else "",
            "last": last,
            "earlier": done[1:],
            "found": _counts(last) if last else [],
            "things": sum(last.found.values()) if last else 0,
            "is_broken": last is not None and not all(one["is_open"] for one in last.breaches),
            "named": [(_words(one["kind"]), one) for one in last.breaches] if last else [],
        },
    )


@login_required
@require_POST
def audit_now(request: HttpRequest) -> HttpResponse:
    """The button. Pressed twice, or while one is at work, it is one audit."""
    doors.only_if(_user(request).is_superuser)
    auditing.ask(by=_user(request))
    return redirect("audits")


def _state(running: AuditRun) -> str:
    return "begun" if running.started_at else "asked"


def _words(kind: str) -> str:
    """A kind as people say it; an old run may have found one that is not looked for any more."""
    return auditing.KINDS.get(kind, kind)


def _counts(run: AuditRun) -> list[tuple[str, int]]:
    """How many of each kind, in the order in which one looks at them."""
    order = list(auditing.KINDS)
    kinds = sorted(run.found, key=lambda kind: order.index(kind) if kind in order else len(order))
    return [(_words(kind), run.found[kind]) for kind in kinds]


def _missing(request: HttpRequest, workshop: Workshop) -> dict[str, object]:
    done = queries.audiences_done(workshop.pk)
    reasons = queries.why_missing(workshop.pk) if done else []
    people = sum(reason.people for reason in reasons)
    page = Paginator(range(people), PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    return {
        "done": done,
        "audience": _button(done),
        "reasons": reasons,
        "missing": people,
        "in_doubt": [reason for reason in reasons if reason.is_in_doubt],
        "to_invite": sum(reason.people for reason in reasons if not reason.is_in_doubt),
        "page": page,
        "people": _people(request, workshop, page) if people else [],
        "once": OnceForm(),
    }


def _people(
    request: HttpRequest, workshop: Workshop, page: Page[int]
) -> list[tuple[queries.Missing, bool]]:
    """Those of this page who are missing, each with whether the reader may open their page."""
    people = queries.missing(workshop.pk, start=page.start_index() - 1, most=PEOPLE_A_PAGE)
    visible = policies.members_visible_to(request.user).filter(
        pk__in=[person.member_id for person in people]
    )
    with_page = set(visible.values_list("pk", flat=True))
    return [(person, person.member_id in with_page) for person in people]


def _button(done: set[str]) -> str:
    """The one that writes to everybody whom these have written to."""
    (audience, *others) = done or {Audience.EVERYONE.value}
    return Audience.EVERYONE.value if others else audience


def _refusal(workshop: Workshop) -> str:
    try:
        inviting.check(workshop, at=timezone.now())
    except inviting.Refused as refusal:
        return refusal.message
    return ""


def _user(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required
