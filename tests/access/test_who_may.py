"""
Who may open and press what: every address of the site, asked by everybody.

A new address without a row here fails. An address that only takes POST is asked by POST without a
single field, since whether somebody may is decided before what they typed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from chapters.models import Role
from invitations.guides import GUIDES
from invitations.models import Answer, FeedbackRequest
from invitations.services import unsubscribing
from logs.models import Action
from tests.factories import (
    BanFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    NoteFactory,
    SponsorFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

# What one is answered: the page, that there is no such page, or the way to sign in.
YES, NO, SIGN_IN = "yes", "no", "sign in"

PEOPLE = ("visitor", "member", "organiser", "organiser elsewhere", "workshop organiser", "admin")

# fmt: off
EVERYBODY = (YES,     YES, YES, YES, YES, YES)
SIGNED_IN = (SIGN_IN, YES, YES, YES, YES, YES)
ORGANISER = (SIGN_IN, NO,  YES, YES, YES, YES)
CHAPTERS  = (SIGN_IN, NO,  YES, YES, NO,  YES)
WORKSHOP  = (SIGN_IN, NO,  YES, NO,  YES, YES)
CHAPTER   = (SIGN_IN, NO,  YES, NO,  NO,  YES)
ADMIN     = (SIGN_IN, NO,  NO,  NO,  NO,  YES)
NOBODY    = (SIGN_IN,) * 6  # a way to the page where one signs in
# fmt: on

ROWS = {
    # Anybody
    "home": EVERYBODY,
    "moved": EVERYBODY,  # the page it leads to asks who it is
    "workshops_of_chapter": EVERYBODY,  # so does this one
    "gone": EVERYBODY,
    "workshop": EVERYBODY,
    "rsvp_here": SIGNED_IN,
    "events": EVERYBODY,
    "upcoming": EVERYBODY,
    "past": EVERYBODY,
    "chapter_page": EVERYBODY,
    "chapter_feed": EVERYBODY,
    **{guide.name: EVERYBODY for guide in GUIDES},
    "support_us": EVERYBODY,
    "donate": EVERYBODY,
    "robots": EVERYBODY,
    "sitemap": EVERYBODY,
    "choose_language": EVERYBODY,
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    "metrics": EVERYBODY,  # from this machine; docs/signals.md
    "bounces": (NO,) * 6,  # the mail provider's alone, by its secret
    "deadman": EVERYBODY,
    "account_login": EVERYBODY,
    "account_request_login_code": NOBODY,
    "account_confirm_login_code": SIGNED_IN,
    "account_logout": SIGNED_IN,
    "account_inactive": EVERYBODY,
    "account_signup": EVERYBODY,
    "login": NOBODY,
    "member_new": EVERYBODY,
    "github_login": SIGNED_IN,
    "github_callback": (NO, *EVERYBODY[1:]),
    "openid_connect_login": SIGNED_IN,
    "openid_connect_callback": (NO, *EVERYBODY[1:]),
    "terms": EVERYBODY,
    # Oneself
    "details": SIGNED_IN,
    "profile": SIGNED_IN,
    "profile_edit": SIGNED_IN,
    "address_change": SIGNED_IN,
    "address_confirm": SIGNED_IN,
    "staff_login": ADMIN,
    # Whoever has the token
    "invitation": EVERYBODY,
    "accept": EVERYBODY,
    "decline": EVERYBODY,
    "waiting_list": EVERYBODY,
    "leave_line": EVERYBODY,
    "calendar": EVERYBODY,
    "old_invitation": EVERYBODY,
    "unsubscribe": EVERYBODY,
    "fresh_link": EVERYBODY,
    "old_feedback": EVERYBODY,
    "feedback": EVERYBODY,
    # A member's own pages
    "dashboard": SIGNED_IN,
    "my_invitations": SIGNED_IN,
    "letters_again": SIGNED_IN,
    "my_data": SIGNED_IN,
    "account_close": SIGNED_IN,
    "subscriptions": SIGNED_IN,
    "subscribe": SIGNED_IN,
    "leave": SIGNED_IN,
    "leave_all": SIGNED_IN,
    # Chapters
    "chapters": ORGANISER,
    "chapter_new": ADMIN,
    "chapter": CHAPTER,
    "chapter_edit": CHAPTER,
    "chapter_history": CHAPTER,
    "chapter_groups": CHAPTER,
    "chapter_group": CHAPTER,
    "chapter_group_delete": CHAPTER,
    "chapter_organisers": CHAPTER,
    "chapter_organiser_remove": CHAPTER,
    "subscribers": CHAPTER,
    "subscriber_remove": CHAPTER,
    # What people said about workshops, which only those read who look after the chapter
    "workshop_feedback": CHAPTER,
    "chapter_feedback": CHAPTER,
    # Members; a note is deleted by its author, who is none of these
    "members": ORGANISER,
    "member": WORKSHOP,
    "member_history": WORKSHOP,
    "member_ban": CHAPTER,
    "ban_lift": CHAPTER,
    "notice_send": CHAPTER,
    "note_add": CHAPTER,
    "note_delete": ADMIN,
    # Workshops, and the companies that host and sponsor them
    "portal": SIGNED_IN,
    "search": ORGANISER,
    "workshops": ORGANISER,
    "workshop_new": CHAPTERS,
    "organiser_workshop": WORKSHOP,
    "workshop_edit": WORKSHOP,
    "workshop_copy": CHAPTER,
    "workshop_tell": WORKSHOP,
    "workshop_cancel": WORKSHOP,
    "workshop_delete": WORKSHOP,
    "workshop_sponsors": WORKSHOP,
    "workshop_host": WORKSHOP,
    "workshop_sponsor_add": WORKSHOP,
    "workshop_sponsor_remove": WORKSHOP,
    "sponsors": ORGANISER,
    "sponsor_new": ORGANISER,
    "sponsor_edit": ORGANISER,
    # Who comes; addresses leave the house with whoever looks after the chapter only
    "attendance": WORKSHOP,
    "rsvp": WORKSHOP,
    "rsvp_member": WORKSHOP,
    "changes": WORKSHOP,
    "door": WORKSHOP,
    "mark": WORKSHOP,
    "attendees_checklist": WORKSHOP,
    "attendees_emails": CHAPTER,
    "pairing_csv": WORKSHOP,
    "labels_csv": WORKSHOP,
    # Writing to people, and what became of it
    "send_invites": WORKSHOP,
    "invite": WORKSHOP,
    "left_out": WORKSHOP,
    "letter": WORKSHOP,
    "send_test": WORKSHOP,
    "nudge": WORKSHOP,
    "nudge_letter": WORKSHOP,
    "write": WORKSHOP,
    "write_letter": WORKSHOP,
    "write_test": WORKSHOP,
    "invitation_logs": WORKSHOP,
    "invitation_log": WORKSHOP,
    "log_progress": WORKSHOP,
    "log_top_up": WORKSHOP,
    "log_csv": WORKSHOP,
    "log_pause": WORKSHOP,
    "log_resume": WORKSHOP,
    "log_cancel": WORKSHOP,
    "log_retry": WORKSHOP,
    "log_send_again": WORKSHOP,
    "log_arrived": WORKSHOP,
    "letter_retry": WORKSHOP,
    "repair": WORKSHOP,
    "repair_letter": WORKSHOP,
    # The proof that nobody is missing
    "workshop_audit": WORKSHOP,
    "audits": ADMIN,
    # Whether everything works, and what only a person can decide
    "operations": ADMIN,
    "runbook": ORGANISER,
    "in_doubt": ORGANISER,
    "doubt_decide": WORKSHOP,
    "doubts_decide": WORKSHOP,
    "audit_now": ADMIN,
    # Stopping what is being sent
    "delivery": ADMIN,
    "delivery_stop": ADMIN,
    "delivery_resume": ADMIN,
    "purge": ADMIN,
    "chapter_stop": CHAPTER,
    "chapter_resume": CHAPTER,
}


@pytest.fixture
def people() -> dict[str, Client]:
    """Everybody who may ask, around one workshop of one chapter."""
    chapter = chapter_with(students=2, coaches=1, name="Here")
    workshop = WorkshopFactory(chapter=chapter)
    beside = MemberFactory(name="Workshop organiser")
    workshop.organisers.add(beside)
    members = {
        "member": subscribe(MemberFactory(name="Member"), chapter, Role.STUDENT),
        "organiser": organiser_of(chapter),
        "organiser elsewhere": organiser_of(WorkshopFactory().chapter),
        "workshop organiser": beside,
        "admin": MemberFactory(name="Admin", superuser=True),
    }
    clients = {"visitor": Client()}
    for name, member in members.items():
        clients[name] = Client()
        clients[name].force_login(member)
    return clients


@pytest.fixture
def somebodys(people: dict[str, Client]) -> dict[str, object]:
    """What stands in an address, by its name there."""
    from chapters.models import Workshop

    workshop = Workshop.objects.get(chapter__name="Here")
    invitation = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    log = InvitationLogFactory(workshop=workshop)
    entry = InvitationLogEntryFactory(log=log, member=invitation.member)
    single = InvitationLogEntryFactory(
        log=None, workshop=workshop, member=invitation.member, action=Action.CONFIRMATION
    )
    asked = FeedbackRequest.objects.create(invitation=invitation)
    return {
        "workshop_id": workshop.pk,
        "chapter_id": workshop.chapter_id,
        "log_id": log.pk,
        "entry_id": entry.pk,
        "letter_retry entry_id": single.pk,
        "invitation_id": invitation.pk,
        "member_id": invitation.member_id,
        "ban_id": BanFactory(member=invitation.member).pk,
        "note_id": NoteFactory(member=invitation.member).pk,
        "sponsor_id": SponsorFactory().pk,
        "group_id": workshop.chapter.groups.get(role=Role.STUDENT).pk,
        "slug": workshop.chapter.slug,
        "token": invitation.token,
        "role": Role.STUDENT.value,
        "provider_id": "codebar",
        "decision": "arrived",
        "provider": "postmark",
        "rest": "attend",
        "feedback token": asked.token,
        "old_feedback token": asked.token,
        "unsubscribe token": unsubscribing.token_for(
            member_id=invitation.member_id, chapter_id=workshop.chapter_id, role=Role.STUDENT
        ),
    }


# What a page must be asked for, besides its address.
QUERIES = {"left_out": {"for": "students"}}


def addresses() -> dict[str, set[str]]:
    """Every address by its name, with what stands in it; /staff/ beyond its door is Django's."""
    return dict(_walk(get_resolver().url_patterns, set()))


def _walk(
    patterns: list[URLPattern | URLResolver], above: set[str]
) -> Iterator[tuple[str, set[str]]]:
    for pattern in patterns:
        inside = above | pattern.pattern.converters.keys()
        if isinstance(pattern, URLPattern):
            assert pattern.name, f"{pattern.pattern} has no name"
            yield pattern.name, inside
        elif pattern.namespace is None:
            yield from _walk(pattern.url_patterns, inside)


def test_every_address_has_a_row():
    assert not settings.MAIL_CATCHER_DIRECTORY, "the mail catcher's pages exist in bin/dev only"
    assert addresses().keys() == ROWS.keys()


@pytest.mark.parametrize("name", ROWS)
def test_who_may(name, people, somebodys):
    address = reverse(
        name, kwargs={key: _fitting(somebodys, key, name) for key in addresses()[name]}
    )

    answered = [_ask(people[person], address, QUERIES.get(name)) for person in PEOPLE]

    assert dict(zip(PEOPLE, answered, strict=True)) == dict(zip(PEOPLE, ROWS[name], strict=True))


def test_nobody_but_a_superuser_enters_the_staff_pages(people):
    answered = [_ask(people[person], reverse("admin:index")) for person in PEOPLE]

    assert answered == [SIGN_IN] * 5 + [YES]


def _fitting(somebodys: dict[str, object], key: str, name: str) -> object:
    """A link to unsubscribe has a token of its own kind, and a letter of no log is its own."""
    return somebodys[f"{name} {key}"] if f"{name} {key}" in somebodys else somebodys[key]


def _ask(client: Client, address: str, query: dict[str, str] | None = None) -> str:
    """Whatever one person's click changes is undone before the next one asks."""
    with transaction.atomic():
        response = client.get(address, query)
        if response.status_code == 405:
            response = client.post(address)
        transaction.set_rollback(True)
    return _in_words(response)


def _in_words(response: HttpResponse) -> str:
    if response.status_code == 302 and "/login/" in response.headers["Location"]:
        return SIGN_IN
    return NO if response.status_code in (403, 404) else YES
