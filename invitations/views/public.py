"""The pages that everybody may open: home, workshops, chapters and what there is to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_POST, require_safe

from chapters.models import Chapter, Role, Workshop, WorkshopQuerySet
from invitations import feeds
from invitations.forms.public import AskForm
from invitations.guides import GUIDES
from invitations.queries import public
from invitations.queries.audiences import roles_of
from invitations.services import asking, rules
from members.models import Member

INVALID, REFUSED = 400, 409
ON_HOME, A_PAGE = 8, 20
PAST_OF_CHAPTER, HOSTS_OF_CHAPTER = 4, 6
AN_HOUR = 3600

for_everybody = cache_control(public=True, max_age=AN_HOUR)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Who we are, what is on, and where."""
    now = timezone.now()
    chapters = list(public.active_chapters())
    days, there_are_more = public.next_days(at=now, most=ON_HOME)
    return render(
        request,
        "public/home.html",
        {
            "title": _("Free coding workshops"),
            "description": ngettext(
                "Free evenings at which volunteers teach programming to people who are"
                " underrepresented in technology, in %(count)d city.",
                "Free evenings at which volunteers teach programming to people who are"
                " underrepresented in technology, in %(count)d cities.",
                len(chapters),
            )
            % {"count": len(chapters)},
            "chapters": chapters,
            "days": days,
            "there_are_more": there_are_more,
        },
    )


@require_safe
def upcoming(request: HttpRequest) -> HttpResponse:
    """Every workshop to come, a page at a time, by day."""
    now = timezone.now()
    return _workshops(
        request,
        public.upcoming(at=now),
        at=now,
        is_past=False,
        title=_("Workshops to come"),
        description=_("Everybody who wants to learn or to coach is welcome. It costs nothing."),
    )


@require_safe
def past(request: HttpRequest) -> HttpResponse:
    """Every workshop that was held, the latest first."""
    now = timezone.now()
    return _workshops(
        request,
        public.past(at=now),
        at=now,
        is_past=True,
        title=_("Past workshops"),
        description=_("Where we met, and when."),
    )


@require_safe
def workshop(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """One workshop: when, where, and the way in."""
    return _workshop_page(request, _workshop(workshop_id), at=timezone.now())


@require_POST
def rsvp_here(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """ "Come as a student": leads to the member's own invitation, where they answer."""
    workshop = _workshop(workshop_id)
    page = reverse("workshop", args=[workshop.pk])
    if not isinstance(request.user, Member):
        return redirect_to_login(page)
    now = timezone.now()
    form = AskForm(request.POST)
    if not form.is_valid():
        return _workshop_page(
            request, workshop, at=now, problem=str(form.errors["role"][0]), status=INVALID
        )
    try:
        invitation = asking.ask(
            request.user, workshop, role=Role(form.cleaned_data["role"]), at=now
        )
    except rules.Refused as refusal:
        return _workshop_page(request, workshop, at=now, problem=refusal.message, status=REFUSED)
    return redirect(invitation)


@require_safe
def chapter_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What a chapter does, where it meets and how to join it."""
    chapter = _chapter(slug)
    now = timezone.now()
    coming = list(public.upcoming(at=now).filter(chapter=chapter))
    held = list(public.past(at=now).filter(chapter=chapter)[:PAST_OF_CHAPTER])
    listings = public.listed([*coming, *held], at=now)
    member = request.user if isinstance(request.user, Member) else None
    return render(
        request,
        "public/chapter.html",
        {
            "title": str(chapter),
            "description": chapter.description
            or _("Free coding workshops in %(city)s.") % {"city": chapter.city},
            "chapter": chapter,
            "coming": listings[: len(coming)],
            "held": listings[len(coming) :],
            "groups": chapter.groups.order_by("-role", "name"),
            "joined": public.joined_groups(member, chapter) if member else set(),
            "organisers": public.organisers_of(chapter),
            "hosts": public.recent_hosts(chapter, at=now, most=HOSTS_OF_CHAPTER),
        },
    )


@for_everybody
@conditional_page
@require_safe
def chapter_feed(request: HttpRequest, slug: str) -> HttpResponse:
    """The chapter's workshops as a calendar that can be subscribed to."""
    chapter = _chapter(slug)
    now = timezone.now()
    workshops = list(public.in_calendar(chapter, at=now))
    calendar = feeds.calendar_of(chapter, public.listed(workshops, at=now))
    return HttpResponse(
        calendar,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'inline; filename="codebar-{chapter.slug}.ics"'},
    )


@require_safe
def guide(request: HttpRequest, name: str) -> HttpResponse:
    """A page of text."""
    found = next(guide for guide in GUIDES if guide.name == name)
    context = {"title": found.title, "description": found.description}
    return render(request, f"public/guides/{name}.html", context)


@for_everybody
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What search engines should leave alone. Pages with a token say so by themselves."""
    return render(request, "public/robots.txt", content_type="text/plain; charset=utf-8")


def _workshop(workshop_id: int) -> Workshop:
    return get_object_or_404(Workshop.objects.select_related("chapter"), pk=workshop_id)


def _chapter(slug: str) -> Chapter:
    return get_object_or_404(public.active_chapters(), slug=slug)


def _workshops(
    request: HttpRequest,
    workshops: WorkshopQuerySet,
    *,
    at: datetime,
    is_past: bool,
    **about: str,
) -> HttpResponse:
    page = Paginator(workshops, A_PAGE).get_page(request.GET.get("page"))
    number = f"?page={page.number}" if page.number > 1 else ""
    return render(
        request,
        "public/workshops.html",
        {
            **about,
            "canonical": request.path + number,
            "page": page,
            "days": public.by_day(public.listed(list(page), at=at), latest_first=is_past),
            "is_past": is_past,
        },
    )


def _workshop_page(
    request: HttpRequest,
    workshop: Workshop,
    *,
    at: datetime,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    (listing,) = public.listed([workshop], at=at)
    member = request.user if isinstance(request.user, Member) else None
    sponsors = workshop.workshop_sponsors.filter(is_host=False).select_related("sponsor")
    return render(
        request,
        "public/workshop.html",
        {
            "title": _title(workshop, listing),
            "description": _("Free coding workshop of %(chapter)s, %(day)s at %(hour)s (%(zone)s).")
            % {
                "chapter": workshop.chapter,
                "day": date_format(workshop.local_start, "WEEKDAY_DATE_FORMAT"),
                "hour": date_format(workshop.local_start, "TIME_FORMAT"),
                "zone": date_format(workshop.local_start, "T"),
            },
            "workshop": workshop,
            "listing": listing,
            "host": listing.host,
            "sponsors": sponsors.order_by("sponsor__name"),
            "organisers": workshop.organisers.filter(closed_at__isnull=True).order_by("name", "pk"),
            "answers_until": rules.answers_until(workshop),
            "problem": problem,
            "is_mine_to_organise": public.is_organised_by(member, workshop) if member else False,
            **_way_in(member, workshop, listing, at=at),
        },
        status=status,
    )


def _way_in(
    member: Member | None, workshop: Workshop, listing: public.Listing, *, at: datetime
) -> Mapping[str, object]:
    """What this person can do here: answer, ask to come, join first, or why they cannot."""
    invitation = public.invitation_of(member, workshop) if member else None
    closed = _refusal(asking.check_open, workshop, at=at)
    if member is None or invitation or closed:
        return {"invitation": invitation, "closed": closed}
    roles = roles_of(member, workshop.chapter)
    offers = [places for places in listing.room.places if places.role in roles]
    return {
        "why_not_you": _refusal(rules.check_member, member, at=at),
        "offers": sorted(offers, key=lambda places: places.is_full),
    }


def _title(workshop: Workshop, listing: public.Listing) -> str:
    """What a tab, a search engine and a shared link show."""
    words = {
        "chapter": workshop.chapter.name,
        "host": listing.host,
        "day": date_format(workshop.local_start, "DATE_FORMAT"),
    }
    if workshop.is_virtual:
        return _("Workshop in a call, codebar %(chapter)s, %(day)s") % words
    if listing.host is None:
        return _("Workshop in %(chapter)s, %(day)s") % words
    return _("Workshop at %(host)s, %(chapter)s, %(day)s") % words


def _refusal(check: Callable[..., None], subject: Member | Workshop, *, at: datetime) -> str:
    """Why a check says no; empty when it does not."""
    try:
        check(subject, at=at)
    except rules.Refused as refusal:
        return refusal.message
    return ""
