"""
Letters that came back: which, why, and what comes of it for the address.

One that does not exist, and one where a letter was marked as unwanted, gets no more letters of
those to many people from now on. What only did not work is counted: once a day at most, and the
fifth day within thirty means the same; not what a policy of theirs refused, which says nothing of
the address. Told twice, it counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import TruncDate

from logs.models import Activity, Bounce, InvitationLogEntry
from logs.reports import POLICY, Report
from logs.return_paths import ReturnPath
from logs.services import activities
from members.models import FAILING, Member, normalize_email
from members.services import addresses

SOFT_DAYS = 5
WITHIN = timedelta(days=30)
GAVE_UP = "stopped sending invitations, since letters came back or were unwanted"


class Refused(Exception):
    """Nothing was kept."""


class UnknownLetter(Refused):
    """We sent no such letter, or to nobody we know."""


class ToldBefore(Refused):
    """The same was told already."""


@dataclass(frozen=True)
class _About:
    """Whom and what a report is about; the address is theirs, or was when the letter left."""

    member_id: int
    address: str
    entry: InvitationLogEntry | None


@transaction.atomic
def take_from_mail(report: Report, *, path: ReturnPath, at: datetime) -> Bounce:
    """
    Keep what a mail server reported about the letter of this return path; a letter comes back once.

    :raises UnknownLetter: when its entry is gone
    :raises ToldBefore: when it was reported already
    """
    entry = InvitationLogEntry.objects.select_related("member").filter(pk=path.entry_id).first()
    if entry is None:
        raise UnknownLetter
    email = entry.member.email
    about = _About(entry.member_id, email if path.is_of(email) else "", entry)
    told_by = "feedback loop" if report.kind == Bounce.Kind.COMPLAINT else "mail server"
    return _keep(report, about, told_by=told_by, event=str(entry.message_id), at=at)


@transaction.atomic
def take_from_provider(
    report: Report, *, recipient: str, message_id: str, told_by: str, event: str, at: datetime
) -> Bounce:
    """
    Keep what the provider told about a letter to this address.

    :param message_id: the uuid of the letter, where the provider repeats it, or ""
    :raises UnknownLetter: when nobody has this address now
    :raises ToldBefore: when this event was told already
    """
    member = Member.objects.filter(email=normalize_email(recipient), closed_at=None).first()
    if member is None:
        raise UnknownLetter
    entry = member.log_entries.filter(message_id=message_id).first() if message_id else None
    about = _About(member.pk, member.email, entry)
    return _keep(report, about, told_by=told_by, event=event, at=at)


@transaction.atomic
def want_letters_again(member: Member) -> None:
    """Send them all letters again, although one was marked as unwanted. Twice is once."""
    if addresses.forget_complaint(member):
        activities.note("asked for letters again", by=member, member=member)


def _keep(report: Report, about: _About, *, told_by: str, event: str, at: datetime) -> Bounce:
    member = Member.objects.select_for_update(no_key=True).get(pk=about.member_id)
    bounce, is_new = Bounce.objects.get_or_create(
        told_by=told_by,
        event=event,
        defaults={
            "member": member,
            "entry": about.entry,
            "kind": report.kind,
            "code": report.code,
            "at": at,
        },
    )
    if not is_new:
        raise ToldBefore
    if _gives_up(report, member, address=about.address, at=at):
        activities.note(GAVE_UP, by=None, member=member)
    return bounce


def _gives_up(report: Report, member: Member, *, address: str, at: datetime) -> bool:
    """Whether this report was the one too many for this address."""
    match report.kind:
        case Bounce.Kind.HARD:
            reason = f"A letter came back: there is no such address ({report.code or '5.1'})."
            return addresses.mark_unusable(member.pk, address, reason=reason)
        case Bounce.Kind.COMPLAINT:
            return addresses.note_complaint(member.pk, address)
        case _:
            is_failing = _days_of_failing(member, at=at) >= SOFT_DAYS
            return is_failing and addresses.mark_unusable(member.pk, address, reason=FAILING)


def _days_of_failing(member: Member, *, at: datetime) -> int:
    """Since we last gave up on an address of theirs, which they have mended since."""
    gave_up = Activity.objects.filter(member=member, did=GAVE_UP).order_by("-at").first()
    since = max(at - WITHIN, gave_up.at) if gave_up else at - WITHIN
    soft = member.bounces.filter(kind=Bounce.Kind.SOFT, at__gt=since, at__lte=at)
    soft = soft.exclude(code__regex=POLICY)
    return soft.annotate(day=TruncDate("at")).values("day").distinct().count()
