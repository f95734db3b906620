"""C3, X2: mail scanners open every link, so a GET or HEAD changes nothing and signs nobody in."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test import Client

from chapters.models import Role
from invitations import mails, moulds
from invitations.models import Invitation
from logs.models import REPAIRS, Action, Audience
from tests.factories import BanFactory, InvitationFactory, WorkshopFactory

pytestmark = pytest.mark.django_db


ABOUT_THE_ACCOUNT = (Action.BAN, Action.WARNING, Action.ELIGIBILITY)
ABOUT_GROUPS = (Action.HELLO, Action.WELCOME)
WITHOUT_AN_ANSWER = (
    *(*ABOUT_THE_ACCOUNT, *ABOUT_GROUPS, *REPAIRS),
    *(Action.CANCELLATION, Action.TEST),
)


def _links(invitation: Invitation, action: Action, audience: Audience | None) -> set[str]:
    """Every address of ours in the headers and all parts of the letter."""
    letter = _draft(invitation, action, audience).letter_to(
        moulds.Recipient(
            member_id=invitation.member_id,
            address=invitation.member.email,
            name=invitation.member.name,
            token=invitation.token,
            message_id=uuid4(),
        )
    )
    message = message_from_bytes(letter, policy=default)
    parts = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    text = b" ".join(parts).decode().replace("\r\n ", "") + str(message["List-Unsubscribe"] or "")
    return set(re.findall(rf"{re.escape(settings.SITE_URL)}[^\s\"'<>)]+", text))


def _draft(invitation: Invitation, action: Action, audience: Audience | None) -> moulds.Draft:
    if action in ABOUT_THE_ACCOUNT:
        return mails.draft_to_a_member(action=action, occasion=str(BanFactory().pk))
    if action in ABOUT_GROUPS:
        return mails.draft_to_a_member(action=action, occasion=invitation.role)
    role = Role(invitation.role)
    return mails.draft(
        invitation.workshop,
        action=action,
        role=role,
        other_role=Role.COACH if role == Role.STUDENT else Role.STUDENT,
        audience=audience,
        subject="Bring a scarf" if action == Action.MESSAGE else "",
        note="It is cold.",
    )


def _all_rows() -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        rows = {}
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            rows[table] = [row[0] for row in cursor.fetchall()]
    return rows


@pytest.mark.parametrize("audience", [None, Audience.ATTENDING, Audience.UNANSWERED])
@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("kind", [{}, {"virtual": True}], ids=["at a venue", "in a call"])
def test_following_every_link_changes_nothing_and_signs_nobody_in(action, audience, kind):
    role = Role.COACH if kind else Role.STUDENT
    invitation = InvitationFactory(workshop=WorkshopFactory(**kind), role=role)
    links = _links(invitation, action, audience)
    assert action in WITHOUT_AN_ANSWER or any(invitation.token in link for link in links)
    before = _all_rows()

    for link in links:
        path = urlsplit(link).path
        for path_to_follow in {path, f"{path}/accept", f"{path}/reject"}:
            for method in ("get", "head", "options"):
                client = Client(enforce_csrf_checks=True)
                getattr(client, method)(path_to_follow, follow=method == "get")
                assert settings.SESSION_COOKIE_NAME not in client.cookies

    assert _all_rows() == before
