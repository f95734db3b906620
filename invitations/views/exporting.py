"""Lists that organisers take along: who comes, pairs, labels, and addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import wraps
from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from chapters.models import Role, Workshop
from invitations.exports import csv_response
from invitations.models import Invitation
from invitations.queries import attendance, overviews
from invitations.services import attending
from invitations.views import doors
from members.models import Member

View = Callable[[HttpRequest, int], HttpResponseBase]
PAIRING_HEAD = ("New attendee", "Name", "Role", "Tutorial", "Note", "Skills")
NOT_FOR_THIS_ROLE = "N/A"  # planner's word
A_LINE_TO_WRITE_ON = "_" * 30


def for_one_reader(view: View) -> View:
    """Names and addresses are kept by no cache on their way, nor by the browser."""
    return login_required(never_cache(wraps(view)(view)))


@for_one_reader
@require_safe
def attendees_checklist(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Who comes, as plain text to print: a box to tick, and a line where nothing is noted."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    coming = list(overviews.coming(workshop))
    new = attendance.newcomers(coming, workshop=workshop)
    parts = []
    for role, heading in ((Role.STUDENT, "Students"), (Role.COACH, "Coaches")):
        people = [invitation for invitation in coming if invitation.role == role]
        parts.append(f"{heading}\n\n{''.join(_ticks(people, role=role, new=new))}")
    start = f"{workshop.local_start:%A %-d %B %Y, %H:%M}"
    text = f"{workshop.chapter}, {start}\nI__ is here for the first time.\n\n" + "\n\n".join(parts)
    return _text(text, filename=f"checklist-{workshop.pk}.txt")


@for_one_reader
@require_POST
def attendees_emails(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """
    The addresses of who comes, for those who organise the chapter; the history says who took them.

    A POST, since it writes that line.
    """
    workshop = doors.workshop_of_organiser(request, workshop_id)
    doors.chapter_of_organiser(request, workshop.chapter_id)
    attending.note_export_of_addresses(workshop, by=cast("Member", request.user))
    addresses = overviews.coming(workshop).values_list("member__email", flat=True)
    return _text(", ".join(addresses), filename=f"addresses-{workshop.pk}.txt")


@for_one_reader
@require_safe
def pairing_csv(request: HttpRequest, workshop_id: int) -> HttpResponseBase:
    """Who comes with what to learn and what to teach, for pairing; planner's columns."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    coming = list(overviews.coming(workshop))
    new = attendance.newcomers(coming, workshop=workshop)
    rows = [PAIRING_HEAD, *(_pairing(i, is_new=i.member_id in new) for i in coming)]
    return csv_response(rows, filename=f"pairing-{_day(workshop)}.csv")


@for_one_reader
@require_safe
def labels_csv(request: HttpRequest, workshop_id: int) -> HttpResponseBase:
    """A name label each for who comes and for the organisers; no head, as label printers want."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    return csv_response(_labels(workshop), filename=f"labels-{_day(workshop)}.csv")


def _ticks(people: list[Invitation], *, role: Role, new: set[int]) -> Iterator[str]:
    for nr, invitation in enumerate(people, start=1):
        box = "I__" if invitation.member_id in new else "___"
        line = f"{box} {nr}.\t{_one_line(invitation.member.full_name)}"
        if role == Role.STUDENT:
            line += f"\t\t\t{_one_line(invitation.note) or A_LINE_TO_WRITE_ON}"
        yield f"{line}\n\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _pairing(invitation: Invitation, *, is_new: bool) -> tuple[str, ...]:
    member = invitation.member
    is_student = invitation.role == Role.STUDENT
    return (
        "true" if is_new else "false",
        member.full_name,
        invitation.get_role_display(),
        invitation.tutorial if is_student else NOT_FOR_THIS_ROLE,
        invitation.note,
        NOT_FOR_THIS_ROLE if is_student else member.skills,
    )


def _labels(workshop: Workshop) -> list[tuple[str, str]]:
    organisers = list(attendance.organisers_of(workshop))
    ids = {organiser.pk for organiser in organisers}
    guests = [
        (invitation.member.full_name, invitation.get_role_display().upper())
        for invitation in overviews.coming(workshop)
        if invitation.member_id not in ids
    ]
    return [*guests, *((organiser.full_name, "ORGANISER") for organiser in organisers)]


def _day(workshop: Workshop) -> str:
    start: datetime = workshop.local_start
    return f"{workshop.chapter.slug}-{start:%Y-%m-%d}"


def _text(text: str, *, filename: str) -> HttpResponse:
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'inline; filename="{filename}"'},
    )
