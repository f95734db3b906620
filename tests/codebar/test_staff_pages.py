"""Django's admin: everything can be seen by superusers, the ledger is not written by hand."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from logs.models import Hold, InvitationLog, InvitationLogEntry, Pace, Slot
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db

LEDGER = [InvitationLog, InvitationLogEntry, Slot, Hold, Pace]


def address(model, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(MemberFactory(superuser=True))
    return client


def test_every_list_opens(superuser):
    InvitationFactory()
    InvitationLogEntryFactory()
    SubscriptionFactory()

    opened = {model: superuser.get(address(model, "changelist")) for model in admin.site._registry}

    assert {response.status_code for response in opened.values()} == {200}


@pytest.mark.parametrize("model", LEDGER)
def test_the_ledger_is_for_reading(superuser, model):
    assert superuser.get(address(model, "add")).status_code == 403


def test_an_entry_cannot_be_changed_or_deleted(superuser):
    entry = InvitationLogEntryFactory()

    assert superuser.get(address(InvitationLogEntry, "change", entry.pk)).status_code == 200
    for page in ("change", "delete"):
        url = address(InvitationLogEntry, page, entry.pk)
        assert superuser.post(url, {"status": "success"}).status_code == 403


def test_nobody_reads_the_key_to_a_members_page(superuser):
    invitation = InvitationFactory()
    invitation.refresh_from_db()

    page = superuser.get(address(type(invitation), "change", invitation.pk)).content.decode()

    assert invitation.token not in page


def test_an_account_is_never_deleted(superuser):
    member = MemberFactory()

    assert superuser.post(address(type(member), "delete", member.pk)).status_code == 403


def test_a_new_member_has_no_password(superuser):
    superuser.post(
        address(type(MemberFactory()), "add"),
        {
            "email": "new@people.example",
            "name": "New",
            "created_at_0": "2026-01-01",
            "created_at_1": "12:00",
        },
    )

    assert not type(MemberFactory()).objects.get(email="new@people.example").has_usable_password()
