"""
Closing an account: the places it frees, and what is left of the person.

The row stays, so that every log keeps its numbers (DESIGN §4). Nothing in it leads to the person.
"""

from __future__ import annotations

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from invitations.models import FeedbackRequest, FormerToken, RandomToken
from invitations.services import rsvps
from logs.locks import lock_admins
from logs.services import activities
from members.models import Language, Member

NAME = "Former member"
QUOTED = "“"  # how the words of a mail server begin, which may name the person (services/smtp.py)
NOT_QUOTED = "The mail server gave a reason, which went with the account."


class Refused(Exception):
    """The account stays open; `message` tells the member why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LastAdmin(Refused): ...


@transaction.atomic
def close(member: Member, *, at: datetime) -> None:
    """
    Close the account for good. Twice, or beside an answer at the same moment, changes nothing more.

    Places at workshops to come go to the next in line in the same transaction. No letter goes to
    this person any more, also none that waits already: the claim skips closed accounts.

    :raises LastAdmin: when nobody would be left to look after the site
    """
    if member.is_superuser:
        lock_admins()
    rsvps.release_places(member, at=at, by=None)  # the member stays locked
    member = Member.objects.get(pk=member.pk)
    if member.closed_at:
        return
    check(member)
    activities.note("closed the account", by=member, member=member)
    _stop_organising(member)
    _leave_every_group(member)
    _forget_what_was_said(member)
    _replace_keys(member)
    _sign_out_everywhere(member)
    _replace_the_person(member, at=at)  # last: whoever refers to the member waits from here on


def check(member: Member) -> None:
    """:raises LastAdmin: when this member cannot close the account"""
    others = Member.objects.filter(is_superuser=True, closed_at=None).exclude(pk=member.pk)
    if member.is_superuser and not others.exists():
        raise LastAdmin(
            _(
                "You are the only admin. Make somebody else an admin first, or nobody can look"
                " after the site."
            )
        )


def address_of_nobody(member_id: int) -> str:
    """What stands for the address of a closed account; RFC 2606: nobody can ever read there."""
    return f"closed-{member_id}@codebar.invalid"


def _stop_organising(member: Member) -> None:
    """Also of the last organiser: an admin adds somebody else (the page says whom to tell)."""
    for chapter in member.organised_chapters.order_by("pk"):
        activities.note("stopped organising the chapter", by=member, chapter=chapter)
    member.organised_chapters.clear()
    member.organised_workshops.clear()


def _leave_every_group(member: Member) -> None:
    member.subscriptions.all().delete()
    member.departures.all().delete()


def _forget_what_was_said(member: Member) -> None:
    """By the member, or about them in words of one's own; that it happened stays."""
    member.invitations.update(note="", tutorial="", override_reason="")
    member.notes.all().delete()
    member.bans.update(note="", explanation="")
    member.activities.update(remark="", changes={})
    member.log_entries.filter(reason__contains=QUOTED).update(reason=NOT_QUOTED)
    staff_pages = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Member), object_id=str(member.pk)
    )
    staff_pages.update(object_repr=NAME, change_message="")


def _replace_keys(member: Member) -> None:
    """No link of an old letter opens anything any more."""
    member.invitations.update(token=RandomToken())
    FormerToken.objects.filter(invitation__member=member).delete()
    FeedbackRequest.objects.filter(invitation__member=member).update(token=RandomToken())


def _sign_out_everywhere(member: Member) -> None:
    """A session holds the address, and says whose it is only once it is read; expired ones, too."""
    EmailAddress.objects.filter(user=member).delete()
    SocialAccount.objects.filter(user=member).delete()
    theirs = [
        session.pk
        for session in Session.objects.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(member.pk)
    ]
    Session.objects.filter(pk__in=theirs).delete()


def _replace_the_person(member: Member, *, at: datetime) -> None:
    member.email = address_of_nobody(member.pk)
    member.name, member.surname, member.pronouns = NAME, "", ""
    member.about, member.skills = "", ""
    member.dietary_needs, member.other_dietary_needs = [], ""
    member.heard_from, member.heard_from_other = "", ""
    member.language = Language.ENGLISH
    member.address_unusable_at, member.address_unusable_reason = None, ""
    member.complained_at = None
    member.last_login = None
    member.is_superuser = False
    member.closed_at = at
    member.set_unusable_password()  # a session that is left over does not fit it
    member.save()
