"""Members, as organisers see them: who they are, what became of them, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chapters.models import Chapter, Subscription
from invitations import policies
from invitations.forms.members import BanForm, MemberSearchForm, NoteForm, NoticeForm
from invitations.models import Answer
from invitations.queries import histories, searches
from invitations.queries.audiences import why_not_eligible
from invitations.services import banning, noticing, noting
from invitations.views import doors
from members.models import DietaryNeed, Member, Notice

MOST_FOUND = 20
LATEST = 5
A_PAGE = 50
USUAL_ZONE = ZoneInfo("Europe/London")
HISTORIES = ("invitations", "letters", "changes")


@dataclass(frozen=True)
class Offer:
    """One kind of letter that an organiser can send, and when the last one was."""

    kind: Notice.Kind
    last: Notice | None
    form: NoticeForm


@login_required
@require_safe
def members(request: HttpRequest) -> HttpResponse:
    """The first members who fit, each with why they get no letters; nobody without a search."""
    doors.organiser_of_anything(request)
    form = MemberSearchForm(request.GET if request.GET.get("q", "").strip() else None)
    context: dict[str, object] = {"form": form, "most": MOST_FOUND}
    if form.is_valid():
        found = searches.members_found(_user(request), text=form.text)
        people = found.count()
        context |= {
            "text": form.text,
            "people": people,
            "more": max(people - MOST_FOUND, 0),
            "found": _with_subscriptions(request, found)[:MOST_FOUND],
        }
    status = 400 if form.errors else 200
    return render(request, "invitations/members/members.html", context, status=status)


@login_required
@require_safe
def member(request: HttpRequest, member_id: int) -> HttpResponse:
    """Who somebody is, whether they get letters, what became of them, notes and suspensions."""
    return _member_page(request, doors.member_of_organiser(request, member_id))


@login_required
@require_safe
def member_history(request: HttpRequest, member_id: int) -> HttpResponse:
    """All invitations, letters or changes of one member, page by page."""
    member = doors.member_of_organiser(request, member_id)
    shown = request.GET.get("show", HISTORIES[0])
    if shown not in HISTORIES:
        raise Http404
    seen = histories.seen_of(member, by=_user(request))
    page = Paginator(getattr(seen, shown), A_PAGE).get_page(request.GET.get("page"))
    counts = [
        (name, page.paginator.count if name == shown else getattr(seen, name).count())
        for name in HISTORIES
    ]
    return render(
        request,
        "invitations/members/history.html",
        {
            "member": member,
            "shown": shown,
            "now": timezone.now(),
            "counts": counts,
            "page": page,
            "zone": _zone(request, member),
        },
    )


@login_required
def note_add(request: HttpRequest, member_id: int) -> HttpResponse:
    """Write a note. Opened as a page it leads to the member."""
    member = doors.member_looked_after(request, member_id)
    if request.method != "POST":
        return redirect("member", member.pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _member_page(request, member, note_form=form, status=400)
    noting.add(
        member,
        author=_user(request),
        text=form.cleaned_data["text"],
        at=timezone.now(),
        request_key=form.key_for(member),
    )
    messages.success(request, "The note is kept.")
    return redirect("member", member.pk)


@login_required
def note_delete(request: HttpRequest, member_id: int, note_id: int) -> HttpResponse:
    """Forget a note, by whoever wrote it."""
    member = doors.member_looked_after(request, member_id)
    user = _user(request)
    note = get_object_or_404(policies.notes_deletable_by(user), pk=note_id, member=member)
    if request.method == "POST":
        noting.delete(note, by=user)
        messages.success(request, "The note is deleted.")
    return redirect("member", member.pk)


@login_required
def notice_send(request: HttpRequest, member_id: int) -> HttpResponse:
    """Send an attendance warning or an eligibility question. Opened as a page it sends nothing."""
    member = doors.member_looked_after(request, member_id)
    if request.method != "POST":
        return redirect("member", member.pk)
    form = NoticeForm(request.POST)
    if not form.is_valid():
        problem = next(iter(form.errors.values()))[0]
        return _member_page(request, member, problem=str(problem), status=400)
    kind = Notice.Kind(form.cleaned_data["kind"])
    try:
        noticing.send(
            member,
            kind=kind,
            by=_user(request),
            at=timezone.now(),
            request_key=form.key_for(member),
        )
    except noticing.Refused as refusal:
        return _member_page(request, member, problem=refusal.message, status=409)
    messages.success(request, f"The {kind.label} to {member.full_name} is on its way.")
    return redirect("member", member.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def member_ban(request: HttpRequest, member_id: int) -> HttpResponse:
    """What a suspension would do, and the form for it."""
    member = doors.member_looked_after(request, member_id)
    user = _user(request)
    if not policies.can_ban(user, member):
        raise Http404
    zone, now = _zone(request, member), timezone.now()
    if request.method != "POST":
        return _ban_page(request, member, form=BanForm(zone=zone, at=now))
    form = BanForm(request.POST, zone=zone, at=now)
    if not form.is_valid():
        return _ban_page(request, member, form=form, status=400)
    try:
        banning.ban(
            member,
            by=user,
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
            explanation=form.cleaned_data["explanation"],
            expires_at=form.expires_at,
            at=now,
            request_key=form.key_for(member),
        )
    except banning.Refused as refusal:
        form.add_error(None, refusal.message)
        return _ban_page(request, member, form=form, status=409)
    messages.success(request, f"{member.full_name} is suspended. A letter tells why.")
    return redirect("member", member.pk)


@login_required
def ban_lift(request: HttpRequest, member_id: int, ban_id: int) -> HttpResponse:
    """End a suspension now. Opened as a page it leads to the member."""
    member = doors.member_looked_after(request, member_id)
    ban = get_object_or_404(member.bans.all(), pk=ban_id)
    if request.method != "POST":
        return redirect("member", member.pk)
    try:
        banning.lift(ban, by=_user(request), at=timezone.now())
    except banning.Refused as refusal:
        return _member_page(request, member, problem=refusal.message, status=409)
    messages.success(request, f"{member.full_name} is not suspended any more.")
    return redirect("member", member.pk)


def _member_page(
    request: HttpRequest,
    member: Member,
    *,
    note_form: NoteForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    user, now = _user(request), timezone.now()
    seen = histories.seen_of(member, by=user)
    is_looked_after = policies.can_look_after(user, member)
    context: dict[str, object] = {
        "member": member,
        "why_not": Member.objects.annotate(reason=why_not_eligible()).get(pk=member.pk).reason,
        "dietary_needs": _dietary_needs(member),
        "attendance": histories.attendance(member, seen_by=user, at=now),
        "subscriptions": histories.subscriptions_seen(member, by=user),
        "invitations": seen.invitations[: LATEST + 1],
        "letters": seen.letters[: LATEST + 1],
        "changes": seen.changes[: LATEST + 1],
        "latest": LATEST,
        "is_looked_after": is_looked_after,
        "problem": problem,
        "zone": _zone(request, member),
        "now": now,
    }
    if is_looked_after:
        context |= _looked_after(user, member) | {"note_form": note_form or NoteForm()}
    return render(request, "invitations/members/member.html", context, status=status)


def _dietary_needs(member: Member) -> list[str]:
    """In words; what they wrote themselves takes the place of "Other"."""
    known = [need for need in member.dietary_needs if need != DietaryNeed.OTHER]
    needs = [str(DietaryNeed(need).label) for need in known]
    return needs + ([member.other_dietary_needs] if member.other_dietary_needs else [])


def _looked_after(user: Member, member: Member) -> dict[str, object]:
    """What only those see who look after the member."""
    bans = list(member.bans.select_related("added_by").order_by("-created_at", "-pk"))
    now = timezone.now()
    return {
        "current_bans": [ban for ban in bans if ban.is_active_at(now)],
        "past_bans": [ban for ban in bans if not ban.is_active_at(now)],
        "notes": member.notes.select_related("author").order_by("-created_at", "-pk"),
        "offers": _offers(member),
        "can_ban": policies.can_ban(user, member),
        "can_lift": policies.can_lift_a_ban(user, member),
    }


def _offers(member: Member) -> list[Offer]:
    sent = list(member.notices.select_related("sent_by").order_by("-created_at", "-pk"))
    return [
        Offer(
            kind=kind,
            last=next((notice for notice in sent if notice.kind == kind), None),
            form=NoticeForm(initial={"kind": kind}),
        )
        for kind in Notice.Kind
    ]


def _ban_page(
    request: HttpRequest, member: Member, *, form: BanForm, status: int = 200
) -> HttpResponse:
    held = list(member.invitations.held(timezone.now()).values_list("answer", flat=True))
    return render(
        request,
        "invitations/members/ban.html",
        {
            "member": member,
            "form": form,
            "places": held.count(Answer.ATTENDING),
            "waits": held.count(Answer.WAITING),
            "is_banned": member.bans.active().exists(),
            "zone": form.zone,
        },
        status=status,
    )


def _with_subscriptions(request: HttpRequest, members: QuerySet[Member]) -> QuerySet[Member]:
    """Each with why they get no letters, and the groups of one's own chapters they are in."""
    own = Subscription.objects.filter(
        group__chapter__in=Chapter.objects.organised_by(request.user)
    ).select_related("group__chapter")
    return members.annotate(reason=why_not_eligible()).prefetch_related(
        Prefetch("subscriptions", own.order_by("group__chapter__name", "-group__role"))
    )


def _zone(request: HttpRequest, member: Member) -> ZoneInfo:
    """The clocks of the chapter in which one meets the member; of most chapters, without one."""
    own = Chapter.objects.organised_by(request.user).filter(groups__members=member)
    chapter = own.order_by("name").first()
    return chapter.time_zone if chapter else USUAL_ZONE


def _user(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required
