"""
A fresh link to stop letters, mailed to whoever has one that works no more.

It leaves like a sign-in code and not as an entry (DESIGN §2): somebody waits for it, and a stranger
to whom it would be written is no member. So the page answers everybody alike.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.urls import reverse

from chapters.models import Role
from invitations.services.unsubscribing import EVERY_CHAPTER, token_for
from members.models import Member

LETTER = "invitations/emails/fresh_link"


def send(email: str) -> None:
    """
    Write to this address: with a link for each role of the member who has it, or, where nobody
    has, that no letters of ours go there.

    :raises members.adapter.LetterNotSent: when the mail server refuses it, or stays silent for 5 s
    """
    member = Member.objects.filter(email=email, closed_at=None).first()
    roles = _roles(member) if member else []
    links = {role.value: _link(member, role) for role in roles if member}
    get_adapter().send_mail(LETTER, email, {"links": links})


def _roles(member: Member) -> list[Role]:
    roles = set(member.groups.values_list("role", flat=True))
    return [role for role in Role if role in roles]


def _link(member: Member, role: Role) -> str:
    token = token_for(member_id=member.pk, chapter_id=EVERY_CHAPTER, role=role)
    return settings.SITE_URL + reverse("unsubscribe", args=[token])
