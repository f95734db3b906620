"""
X5: a chapter's things are its organisers'. Who may open which page, `tests/access` asks of every
address; here, that a number from elsewhere does not fit into an address of one's own.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role, Workshop
from invitations.models import Answer
from logs.models import Action
from tests.access.test_who_may import addresses
from tests.factories import (
    BanFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    NoteFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
)
from tests.support.database import sums_of_all_tables

pytestmark = pytest.mark.django_db

# What stands in an address below something else that decides whose it is.
WITHIN = {
    "log_id": "workshop_id",
    "entry_id": "workshop_id",
    "invitation_id": "workshop_id",
    "group_id": "chapter_id",
    "ban_id": "member_id",
    "note_id": "member_id",
}

# What is not there was deleted already, as a second tap finds it.
GONE_ALREADY = {"chapter_group_delete"}


def things_of(workshop: Workshop) -> dict[str, object]:
    invitation = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    log = InvitationLogFactory(workshop=workshop)
    single = InvitationLogEntryFactory(
        log=None, workshop=workshop, member=invitation.member, action=Action.CONFIRMATION
    )
    return {
        "workshop_id": workshop.pk,
        "chapter_id": workshop.chapter_id,
        "member_id": invitation.member_id,
        "log_id": log.pk,
        "entry_id": InvitationLogEntryFactory(log=log).pk,
        "letter_retry entry_id": single.pk,
        "invitation_id": invitation.pk,
        "group_id": workshop.chapter.groups.get(role=Role.STUDENT).pk,
        "ban_id": BanFactory(member=invitation.member).pk,
        "note_id": NoteFactory(member=invitation.member).pk,
    }


CASES = sorted(
    (name, inner)
    for name, inside in addresses().items()
    for inner in inside & WITHIN.keys()
    if WITHIN[inner] in inside
)


def test_x05_there_are_such_addresses():
    assert {inner for _, inner in CASES} >= {"log_id", "entry_id", "invitation_id", "group_id"}


@pytest.mark.parametrize(("name", "inner"), CASES, ids=[f"{n}, {i}" for n, i in CASES])
def test_x05_a_number_from_elsewhere_does_not_fit(name: str, inner: str):
    here, elsewhere = (WorkshopFactory(chapter=chapter_with(students=1)) for _ in range(2))
    ours, theirs = things_of(here), things_of(elsewhere)
    inside = addresses()[name]
    mixed = {key: ours.get(f"{name} {key}", ours.get(key)) for key in inside}
    mixed[inner] = theirs.get(f"{name} {inner}", theirs[inner])
    browser = Client()
    browser.force_login(organiser_of(here.chapter, elsewhere.chapter))
    before = sums_of_all_tables()

    path = reverse(name, kwargs=mixed)
    answers = {browser.get(path).status_code, browser.post(path).status_code}

    assert answers <= {404, 405} or name in GONE_ALREADY
    assert sums_of_all_tables() == before
