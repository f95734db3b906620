"""Letters in doubt, wherever they are: one decision about each, or one about all of a log."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chapters.models import Workshop
from invitations import policies, tasks
from invitations.forms.counts import TypedCount
from invitations.forms.doubts import Decision, DecisionForm
from invitations.queries import doubts as queries
from invitations.views import doors
from logs.models import InvitationLog, InvitationLogEntry
from logs.services import steering
from members.models import Member

LOGS_A_PAGE = 10
NOT_ANY_MORE = "Nothing is in doubt there any more."
ONE = {
    Decision.AGAIN: (steering.send_again, "The letter to {} is sent again."),
    Decision.ARRIVED: (steering.take_as_arrived, "Noted: the letter to {} arrived."),
}
ALL = {
    Decision.AGAIN: (steering.send_all_again, "Letters that are sent again: {:,}."),
    Decision.ARRIVED: (steering.take_all_as_arrived, "Noted as arrived: {:,}."),
}


@login_required
@require_safe
def in_doubt(request: HttpRequest) -> HttpResponse:
    """Every letter in doubt that is the reader's to decide about, log by log."""
    user = _user(request)
    doors.only_if(user.is_superuser or policies.organises_anything(user))
    letters = queries.in_doubt(queries.decidable_by(user))
    counts = queries.counted(letters)
    page = Paginator(counts, LOGS_A_PAGE).get_page(request.GET.get("page"))
    doubts = queries.with_people(list(page), letters, at=timezone.now())
    people = [doubt.entry.member_id for each in doubts for doubt in each.first]
    visible = policies.members_visible_to(user).filter(pk__in=people)
    return render(
        request,
        "invitations/operations/in_doubt.html",
        {
            "letters": sum(count for _, count in counts),
            "page": page,
            "doubts": doubts,
            "with_page": set(visible.values_list("pk", flat=True)),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, entry_id: int) -> HttpResponse:
    """One letter. Decided twice, or opened as a page, it leads to those that are left."""
    user = _user(request)
    letters = queries.decidable_by(user).select_related("member", "log__chapter", "workshop")
    entry = get_object_or_404(letters, pk=entry_id)
    if request.method == "POST":
        form = DecisionForm(request.POST)
        if form.is_valid():
            _settle(request, entry, form.chosen, by=user)
        else:
            messages.error(request, str(form.errors["decision"][0]))
    return redirect("in_doubt")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def decide_all(request: HttpRequest, log_id: int, decision: str) -> HttpResponse:
    """All letters in doubt of a log at once: how many, and with that number typed, the decision."""
    if decision not in Decision.values:
        raise Http404
    user = _user(request)
    log = get_object_or_404(_logs_of(user).select_related("workshop__chapter"), pk=log_id)
    if request.method != "POST":
        return _page(request, log, Decision(decision), TypedCount())
    form = TypedCount(request.POST)
    if form.count is None:
        return _page(request, log, Decision(decision), form, status=400)
    settle, words = ALL[Decision(decision)]
    try:
        settled = settle(log, seen=form.count, by=user)
    except steering.Refused as refusal:
        form.add_error("typed", refusal.message)
        return _page(request, log, Decision(decision), form, status=409)
    tasks.ring_for_all()
    messages.success(request, words.format(settled) if settled else NOT_ANY_MORE)
    return redirect("in_doubt")


def _settle(
    request: HttpRequest, entry: InvitationLogEntry, decision: Decision, *, by: Member
) -> None:
    settle, words = ONE[decision]
    name = entry.member.full_name
    try:
        is_new = settle(entry, by=by)
    except steering.Refused as refusal:
        messages.warning(request, refusal.message)
        return
    tasks.ring_for_all()
    if is_new:
        messages.success(request, words.format(name))
    else:
        messages.info(request, f"The letter to {name} is not in doubt any more.")


def _page(
    request: HttpRequest,
    log: InvitationLog,
    decision: Decision,
    form: TypedCount,
    *,
    status: int = 200,
) -> HttpResponse:
    letters = queries.in_doubt(log.entries.all()).count()
    form.ask(letters, why="So that nothing is decided about more letters than you looked at.")
    return render(
        request,
        "invitations/operations/decide_all.html",
        {
            "log": log,
            "letters": letters,
            "is_again": decision == Decision.AGAIN,
            "why_not_again": queries.why_not_again(log, at=timezone.now()),
            "form": form,
        },
        status=status,
    )


def _logs_of(user: Member) -> QuerySet[InvitationLog]:
    logs = InvitationLog.objects.all()
    if user.is_superuser:
        return logs
    return logs.filter(workshop__in=Workshop.objects.organised_by(user))


def _user(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required
