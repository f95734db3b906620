"""The door: one tap, one person. Made for a phone in one hand and a network that comes and goes."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from chapters.models import Role, Workshop
from invitations.forms.attendance import DoorFilter, HereForm
from invitations.queries import attendance, overviews
from invitations.services import attending
from invitations.views import doors


@never_cache
@login_required
@require_safe
def door(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Everybody with a place, and who of them is here; fresh each time it is opened."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    chosen = DoorFilter(request.GET)
    chosen.is_valid()
    invitations = list(attendance.expected(workshop, role=chosen.shown, name=chosen.wanted_name))
    opens_at = attending.door_opens_at(workshop)
    return render(
        request,
        "invitations/attendance/door.html",
        {
            "workshop": workshop,
            "invitations": invitations,
            "new": attendance.newcomers(invitations, workshop=workshop),
            "arrived": attendance.arrived(workshop),
            "counts": _counts(workshop),
            "filter": chosen,
            "opens_at": opens_at,
            "is_open": timezone.now() >= opens_at and not workshop.is_cancelled,
        },
    )


@never_cache
def mark(request: HttpRequest, workshop_id: int, invitation_id: int) -> HttpResponse:
    """The tap. Opened as a page, for instance after signing in again, it leads to the door."""
    if not request.user.is_authenticated:
        return _sign_in_again(request, workshop_id)
    workshop = doors.workshop_of_organiser(request, workshop_id)
    found = get_object_or_404(workshop.invitations.all(), pk=invitation_id)
    if request.method != "POST":
        return redirect("door", workshop.pk)
    form = HereForm(request.POST)
    try:
        if not form.is_valid():
            raise attending.Refused("We could not read that tap. Tap the name again.")
        invitation = attending.mark(
            found,
            is_here=form.is_here,
            by=request.user,
            at=timezone.now(),
        )
    except attending.Refused as refusal:
        messages.error(request, refusal.message)
        return _back_to_the_list(request, workshop, anchor="main")
    if not request.headers.get("HX-Request"):
        return _back_to_the_list(request, workshop, anchor=f"p{invitation.pk}")
    return render(
        request,
        "invitations/attendance/_tapped.html",
        {
            "workshop": workshop,
            "invitation": invitation,
            "new": attendance.newcomers([invitation], workshop=workshop),
            "arrived": attendance.arrived(workshop),
            "is_open": True,
        },
    )


def _counts(workshop: Workshop) -> list[tuple[str, str, int]]:
    """Whom the list can show, with its word and how many they are."""
    places = overviews.places(workshop)
    students, coaches = places[Role.STUDENT].taken, places[Role.COACH].taken
    return [
        ("", "Everybody", students + coaches),
        (Role.STUDENT.value, "Students", students),
        (Role.COACH.value, "Coaches", coaches),
    ]


def _back_to_the_list(request: HttpRequest, workshop: Workshop, *, anchor: str) -> HttpResponse:
    chosen = DoorFilter(request.POST)
    chosen.is_valid()
    narrowed = {"role": chosen.shown or "", "name": chosen.wanted_name}
    query = urlencode({key: value for key, value in narrowed.items() if value})
    address = f"{reverse('door', args=[workshop.pk])}{'?' if query else ''}{query}#{anchor}"
    if request.headers.get("HX-Request"):
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return redirect(address)


def _sign_in_again(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """The session ended while the page was open: the whole page goes to sign in, and comes back."""
    answer = redirect_to_login(reverse("door", args=[workshop_id]))
    return HttpResponseClientRedirect(answer.url) if request.headers.get("HX-Request") else answer
