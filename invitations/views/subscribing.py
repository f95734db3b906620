"""The groups a member is in, and joining and leaving them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import cast
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from chapters.models import Chapter, Group, Subscription
from invitations.forms.subscribing import ChaptersFilter
from invitations.queries import subscribing as groups
from invitations.services import subscribing
from members import ways
from members.models import Member

ENOUGH_TO_SEARCH = 8

Tap = Callable[[HttpRequest, int], HttpResponse]


@never_cache
@login_required
@require_safe
def subscriptions(request: HttpRequest) -> HttpResponse:
    """What I am subscribed to first, then every chapter, by city."""
    chosen = ChaptersFilter(request.GET)
    chosen.is_valid()
    choices = groups.choices(_member(request))
    mine = [choice for choice in choices if choice.joined]
    others = [choice for choice in choices if not choice.joined]
    came_for = ways.wanted(request)  # before signing up led here
    first = _chapter_behind(came_for)
    others.sort(key=lambda choice: choice.chapter.pk != first)
    return render(
        request,
        "invitations/subscribing/subscriptions.html",
        {
            "mine": mine,
            "joined": sum(len(choice.joined) for choice in mine),
            "others": chosen.those(others),
            "filter": chosen,
            "can_search": len(others) >= ENOUGH_TO_SEARCH,
            "came_for": came_for,
        },
    )


def tap(view: Tap) -> Tap:
    """
    One tap on one group. Opened as a page, for instance after signing in again, it leads to the
    list.
    """

    @never_cache
    @wraps(view)
    def when_signed_in(request: HttpRequest, group_id: int) -> HttpResponse:
        if not request.user.is_authenticated:
            answer = redirect_to_login(reverse("subscriptions"))
            is_part = request.headers.get("HX-Request")
            return HttpResponseClientRedirect(answer.url) if is_part else answer
        if request.method != "POST":
            return redirect("subscriptions")
        return view(request, group_id)

    return when_signed_in


@tap
def subscribe(request: HttpRequest, group_id: int) -> HttpResponse:
    """I want the letters of this group."""
    group = _group(group_id)
    try:
        subscribing.join(_member(request), group)
    except subscribing.Refused as refusal:
        return _answer(request, group, refusal.message, is_refused=True)
    words = _("You are in %(group)s of %(chapter)s now. We invite you to its workshops.")
    return _answer(request, group, words % {"group": group.name, "chapter": group.chapter})


@tap
def leave(request: HttpRequest, group_id: int) -> HttpResponse:
    """I want no more letters of this group."""
    group = _group(group_id)
    theirs = Subscription.objects.filter(group=group)
    subscribing.leave(_member(request), theirs, at=timezone.now())
    words = _("You have left %(group)s of %(chapter)s.")
    return _answer(request, group, words % {"group": group.name, "chapter": group.chapter})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def leave_all(request: HttpRequest) -> HttpResponse:
    """Leaving every group, after a page that says what stays."""
    member = _member(request)
    if request.method != "POST":
        mine = [choice for choice in groups.choices(member) if choice.joined]
        context = {"mine": mine, "joined": sum(len(choice.joined) for choice in mine)}
        return render(request, "invitations/subscribing/leave_all.html", context)
    left = len(subscribing.leave(member, at=timezone.now()))
    words = ngettext(
        "You have left %(count)d group. We invite you to no more workshops.",
        "You have left %(count)d groups. We invite you to no more workshops.",
        left,
    )
    messages.success(request, words % {"count": left} if left else _("You are in no group."))
    return redirect("subscriptions")


def _chapter_behind(path: str) -> int | None:
    """The chapter that this page of ours is about, or whose workshop it is."""
    try:
        page = resolve(urlsplit(path).path)
    except Resolver404:
        return None
    chapters = Chapter.objects.all()
    if page.view_name == "workshop":
        chapters = chapters.filter(workshops=page.kwargs["workshop_id"])
    elif page.view_name == "chapter_page":
        chapters = chapters.filter(slug=page.kwargs["slug"])
    else:
        return None
    return chapters.values_list("pk", flat=True).first()


def _member(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required, or by tap


def _group(group_id: int) -> Group:
    return get_object_or_404(Group.objects.select_related("chapter"), pk=group_id)


def _answer(
    request: HttpRequest, group: Group, words: str, *, is_refused: bool = False
) -> HttpResponse:
    """The chapter's card with what happened, or else the page that was tapped on."""
    if request.headers.get("HX-Request") and not is_refused:
        member = _member(request)
        context = {
            "choice": groups.choice(member, group.chapter),
            "joined": member.subscriptions.count(),
            "said": words,
        }
        return render(request, "invitations/subscribing/_tapped.html", context)
    (messages.error if is_refused else messages.success)(request, words)
    address = _back(request, group)
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(address)
    return redirect(address)


def _back(request: HttpRequest, group: Group) -> str:
    """The page of ours that was tapped on, where it said which, or the list at this chapter."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    chosen = ChaptersFilter(request.POST)
    chosen.is_valid()
    query = f"?{urlencode({'name': chosen.wanted})}" if chosen.wanted else ""
    return f"{reverse('subscriptions')}{query}#chapter-{group.chapter_id}"
