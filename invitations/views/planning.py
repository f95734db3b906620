"""Planning workshops: the list of them, and everything that is decided about one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chapters.models import Chapter, Workshop
from chapters.queries import host_of
from invitations.forms.planning import (
    CancellingForm,
    TellingForm,
    WorkshopFilter,
    WorkshopForm,
    as_typed,
    moved,
)
from invitations.queries import audiences, overviews
from invitations.queries.audiences import Reach
from invitations.services import cancelling, messaging, planning
from invitations.views import doors
from logs.models import LIVE_LOG_STATUSES, Action, Audience, EntryStatus
from members.models import Member

WORKSHOPS_A_PAGE = 20
SHOW_OR_SAVE = ["GET", "HEAD", "POST"]
INVALID, REFUSED = 400, 409


@dataclass(frozen=True)
class Told:
    """Who reckons with it, and how many of them get a letter if they are told."""

    coming: Reach
    waiting: Reach
    unanswered: Reach

    @property
    def people(self) -> int:
        """Everybody who comes or waits, whether they can be written to or not."""
        return self.coming.subscribers + self.waiting.subscribers

    @property
    def always(self) -> int:
        """The letters to those who come or wait."""
        return self.coming.to_invite + self.waiting.to_invite

    @property
    def by_a_tick(self) -> int:
        """The letters to those who have not answered."""
        return self.unanswered.to_invite

    @property
    def out_of_reach(self) -> list[tuple[Reach, int]]:
        """Whom no letter reaches, and how many they are; only where there are any."""
        reaches = (self.coming, self.waiting, self.unanswered)
        return [(r, r.subscribers - r.to_invite) for r in reaches if r.left_out]


@login_required
@require_safe
def workshops(request: HttpRequest) -> HttpResponse:
    """Every workshop this person organises, coming or past, a page at a time."""
    doors.organiser_of_anything(request)
    now = timezone.now()
    mine = Workshop.objects.organised_by(request.user)
    chapters = Chapter.objects.filter(workshops__in=mine).distinct().order_by("name")
    chosen = WorkshopFilter(request.GET, chapters=chapters)
    found = chosen.found(mine)
    is_over = Q(ends_at__lte=now)
    counts = found.aggregate(past=Count("pk", filter=is_over), coming=Count("pk", filter=~is_over))
    shown = found.filter(is_over if chosen.is_past else ~is_over).select_related("chapter")
    order = ("-starts_at", "-pk") if chosen.is_past else ("starts_at", "pk")
    page = Paginator(shown.order_by(*order), WORKSHOPS_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "invitations/planning/workshops.html",
        {
            "filter": chosen,
            "counts": counts,
            "page": page,
            "overviews": overviews.overviews(list(page)),
            "invited": set(planning.invited(list(page))),
            "may_plan": Chapter.objects.organised_by(request.user).exists(),
        },
    )


@login_required
@require_http_methods(SHOW_OR_SAVE)
def workshop_new(request: HttpRequest) -> HttpResponse:
    """A form for a new workshop; `?chapter=` says for which chapter."""
    chapters = doors.chapters_of_organiser(request)
    if request.method == "POST":
        return _create(request, WorkshopForm(request.POST, chapters=chapters))
    wanted = request.GET.get("chapter", "")
    initial = {"chapter": wanted if wanted.isdecimal() else None, "place": "venue"}
    return _new_page(request, WorkshopForm(initial=initial, chapters=chapters))


@login_required
@require_http_methods(SHOW_OR_SAVE)
def workshop_copy(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """The form for a new workshop, filled in from this one, for the next day that suits."""
    source = doors.workshop_of_organiser(request, workshop_id)
    chapters = doors.chapters_of_organiser(request).filter(pk=source.chapter_id)
    doors.only_if(chapters.exists())
    if request.method == "POST":
        return _create(request, WorkshopForm(request.POST, chapters=chapters), source=source)
    day = planning.next_free_day(source, at=timezone.now())
    typed = moved(as_typed(source, planning.plan_of(source)), to=day)
    initial = typed | {"chapter": source.chapter_id}
    return _new_page(request, WorkshopForm(initial=initial, chapters=chapters), source=source)


@login_required
@require_http_methods(SHOW_OR_SAVE)
def workshop_edit(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Everything that is planned, to change; then the offer to tell those who knew it otherwise."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    plan = planning.plan_of(workshop)
    chapters = Chapter.objects.filter(pk=workshop.chapter_id)
    if request.method != "POST":
        form = WorkshopForm(initial=as_typed(workshop, plan), chapters=chapters, workshop=workshop)
        return _edit_page(request, workshop, form)
    form = WorkshopForm(request.POST, chapters=chapters, workshop=workshop)
    if not form.is_valid():
        return _edit_page(request, workshop, form, status=INVALID)
    try:
        saved = planning.change(
            workshop,
            form.plan(),
            by=_organiser(request),
            at=timezone.now(),
            seen=form.cleaned_data["seen"],
            accepts_fewer_places=form.cleaned_data["accepts_fewer_places"],
        )
    except planning.Refused as refusal:
        form.refuse(refusal, now=plan)
        return _edit_page(request, workshop, form, status=REFUSED)
    return after_a_change(request, saved)


@login_required
@require_http_methods(SHOW_OR_SAVE)
def workshop_tell(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """The offer to tell people that the workshop has moved."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    told = _told(workshop)
    if request.method != "POST":
        return _tell_page(request, workshop, TellingForm(unanswered=told.by_a_tick), told)
    form = TellingForm(request.POST, unanswered=told.by_a_tick)
    if not form.is_valid():
        return _tell_page(request, workshop, form, told, status=INVALID)
    logs = messaging.tell_change(
        workshop,
        initiator=_organiser(request),
        include_unanswered=bool(form.cleaned_data.get("include_unanswered")),
        at=timezone.now(),
        note=form.cleaned_data["note"],
    )
    if logs:
        messages.success(request, "The letters leave now, and each person gets one.")
    else:
        messages.warning(request, "There is nobody to tell.")
    return redirect("organiser_workshop", workshop.pk)


@login_required
@require_http_methods(SHOW_OR_SAVE)
def workshop_cancel(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Who reckons with the workshop, and the button that cancels it."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    told = _told(workshop)
    if request.method != "POST":
        return _cancel_page(request, workshop, CancellingForm(unanswered=told.by_a_tick), told)
    form = CancellingForm(request.POST, unanswered=told.by_a_tick)
    if not form.is_valid():
        return _cancel_page(request, workshop, form, told, status=INVALID)
    try:
        is_new = cancelling.cancel(
            workshop,
            reason=form.cleaned_data["reason"],
            include_unanswered=bool(form.cleaned_data.get("include_unanswered")),
            by=_organiser(request),
            at=timezone.now(),
        )
    except cancelling.Refused as refusal:
        form.add_error(None, refusal.message)
        return _cancel_page(request, workshop, form, told, status=REFUSED)
    if is_new:
        messages.success(request, "The workshop is cancelled.")
    else:
        messages.warning(request, "It was cancelled before.")
    return redirect("organiser_workshop", workshop.pk)


@login_required
@require_http_methods(SHOW_OR_SAVE)
def workshop_delete(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Whether it can be deleted, and the button that does; a second tap finds it gone."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    if request.method != "POST":
        return _delete_page(request, workshop, planning.why_not_deleted(workshop))
    try:
        planning.delete(workshop, by=_organiser(request))
    except planning.SomebodyWasInvited as refusal:
        return _delete_page(request, workshop, refusal.message, status=REFUSED)
    messages.success(request, f"The workshop of {workshop.local_start:%-d %B %Y} is deleted.")
    return redirect("workshops")


def after_a_change(request: HttpRequest, saved: planning.Saved) -> HttpResponse:
    """Say what came of it, and ask whom to tell where people knew the old plan."""
    workshop = saved.workshop
    messages.success(request, " ".join(["Saved.", *_moved_up(saved.moved_up)]))
    if saved.is_news and not workshop.has_begun(timezone.now()):
        return redirect("workshop_tell", workshop.pk)
    return redirect("organiser_workshop", workshop.pk)


def _moved_up(people: int) -> list[str]:
    if not people:
        return []
    who = "1 person" if people == 1 else f"{people} people"
    return [f"{who} got a place from the waiting list, and a letter."]


def _create(
    request: HttpRequest, form: WorkshopForm, *, source: Workshop | None = None
) -> HttpResponse:
    if not form.is_valid():
        return _new_page(request, form, source=source, status=INVALID)
    try:
        workshop, is_new = planning.create(
            form.cleaned_data["chapter"],
            form.plan(),
            by=_organiser(request),
            key=form.key,
            at=timezone.now(),
        )
    except planning.Refused as refusal:
        form.refuse(refusal)
        return _new_page(request, form, source=source, status=REFUSED)
    if is_new:
        messages.success(request, "The workshop is planned. Nobody is invited yet.")
    else:
        messages.warning(
            request,
            "This form came twice, and this is the workshop it made. To plan one more, copy it.",
        )
    return redirect("organiser_workshop", workshop.pk)


def _new_page(
    request: HttpRequest,
    form: WorkshopForm,
    *,
    source: Workshop | None = None,
    status: int = 200,
) -> HttpResponse:
    last = None if source else _last_workshop(form)
    context = {"form": form, "source": source, "last": last}
    return render(request, "invitations/planning/new.html", context, status=status)


def _edit_page(
    request: HttpRequest, workshop: Workshop, form: WorkshopForm, *, status: int = 200
) -> HttpResponse:
    mine = Chapter.objects.organised_by(request.user)
    may_copy = mine.filter(pk=workshop.chapter_id).exists()
    context = {"form": form, "workshop": workshop, "may_copy": may_copy}
    return render(request, "invitations/planning/edit.html", context, status=status)


def _tell_page(
    request: HttpRequest,
    workshop: Workshop,
    form: TellingForm,
    told: Told,
    *,
    status: int = 200,
) -> HttpResponse:
    logs = workshop.invitation_logs.filter(
        action=Action.CHANGE, occasion=str(workshop.sequence)
    ).order_by("pk")
    context = {
        "form": form,
        "workshop": workshop,
        "host": host_of(workshop),
        "last_move": planning.last_move(workshop),
        "told": told,
        "logs": logs,
        "has_begun": workshop.has_begun(timezone.now()),
    }
    return render(request, "invitations/planning/tell.html", context, status=status)


def _cancel_page(
    request: HttpRequest,
    workshop: Workshop,
    form: CancellingForm,
    told: Told,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "workshop": workshop,
        "told": told,
        "letters": workshop.log_entries.filter(status=EntryStatus.PENDING).count(),
        "live_logs": workshop.invitation_logs.filter(status__in=LIVE_LOG_STATUSES).count(),
        "has_begun": workshop.has_begun(timezone.now()),
        "why_not_deleted": planning.why_not_deleted(workshop),
    }
    return render(request, "invitations/planning/cancel.html", context, status=status)


def _delete_page(
    request: HttpRequest, workshop: Workshop, refusal: str, *, status: int = 200
) -> HttpResponse:
    context = {"workshop": workshop, "refusal": refusal}
    return render(request, "invitations/planning/delete.html", context, status=status)


def _told(workshop: Workshop) -> Told:
    return Told(
        coming=audiences.reach(workshop, Audience.ATTENDING),
        waiting=audiences.reach(workshop, Audience.WAITING),
        unanswered=audiences.reach(workshop, Audience.UNANSWERED),
    )


def _last_workshop(form: WorkshopForm) -> Workshop | None:
    """The newest of the chapter the form is for, or of all that can be chosen."""
    chosen: Any = form["chapter"].value()
    wanted = [c.pk for c in form.chapters if str(c.pk) == str(chosen)]
    chapters = wanted or [chapter.pk for chapter in form.chapters]
    newest = Workshop.objects.filter(chapter__in=chapters).select_related("chapter")
    return newest.order_by("-starts_at", "-pk").first()


def _organiser(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required
