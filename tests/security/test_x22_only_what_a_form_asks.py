"""X22: what a form does not ask for cannot be sent along with it."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from django.forms import ModelForm
from django.test import Client
from django.utils import timezone

import invitations.forms
import members.forms
from chapters.models import Chapter, Workshop
from invitations.models import Invitation
from members.models import Member
from tests.factories import ChapterFactory, WorkshopFactory

pytestmark = pytest.mark.django_db

SMUGGLED = {
    "is_superuser": "on",
    "is_staff": "on",
    "is_active": "",
    "id": "1",
    "pk": "1",
    "email": "evil@people.example",
    "closed_at": "2026-01-01",
    "accepted_terms_at": "2026-01-01",
    "address_unusable_at": "2026-01-01",
    "answer": "attending",
    "attended_at": "2026-01-01",
    "member": "1",
    "workshop": "1",
    "organisers": "1",
    "cancelled_at": "2026-01-01",
    "sequence": "99",
    "token": "x" * 43,
    "request_key": "",
}


def test_x22_no_form_takes_the_fields_of_a_model_as_they_come():
    for package in (invitations.forms, members.forms):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    ours = [
        form
        for form in ModelForm.__subclasses__()
        if form.__module__.split(".")[0] in ("invitations", "members", "logs", "chapters")
    ]

    for form in ours:
        assert form._meta.fields not in (None, "__all__"), form
        assert form._meta.exclude is None, form


def test_x22_a_member_makes_nobody_of_themselves(people: dict[str, Client], paths: dict[str, str]):
    member = Member.objects.get(name="Member")
    about = {"name": "Asha", "surname": "Rao", "about": "Hello", "language": "en"}

    people["member"].post(paths["profile_edit"], SMUGGLED | about)

    after = Member.objects.get(pk=member.pk)
    assert (after.name, after.surname) == ("Asha", "Rao")
    unchanged = ("is_superuser", "email", "closed_at", "accepted_terms_at", "address_unusable_at")
    for field in unchanged:
        assert getattr(after, field) == getattr(member, field), field


def test_x22_a_link_answers_for_its_holder_alone(
    people: dict[str, Client], paths: dict[str, str], somebodys: dict[str, object]
):
    invitation = Invitation.objects.get(pk=somebodys["invitation_id"])
    elsewhere = WorkshopFactory()

    people["visitor"].post(
        paths["decline"],
        SMUGGLED
        | {"member": str(Member.objects.get(name="Admin").pk), "workshop": str(elsewhere.pk)},
    )

    after = Invitation.objects.get(pk=invitation.pk)
    assert after.answer == "declined"
    assert (after.member_id, after.workshop_id, after.role, after.token, after.attended_at) == (
        invitation.member_id,
        invitation.workshop_id,
        invitation.role,
        invitation.token,
        None,
    )


def test_x22_an_organiser_moves_no_workshop_to_another_chapter(
    people: dict[str, Client], paths: dict[str, str], somebodys: dict[str, object]
):
    page = people["organiser"].get(paths["workshop_edit"])
    fields = {
        name: value for name, value in page.context["form"].initial.items() if value is not None
    }
    elsewhere = ChapterFactory()

    people["organiser"].post(
        paths["workshop_edit"],
        {**{k: str(v) for k, v in fields.items()}, **SMUGGLED, "chapter": str(elsewhere.pk)},
    )

    after = Workshop.objects.get(pk=somebodys["workshop_id"])
    assert after.chapter_id == somebodys["chapter_id"]
    assert after.cancelled_at is None
    assert after.sequence < 99
    assert after.created_at < timezone.now()
    assert not Chapter.objects.get(pk=elsewhere.pk).workshops.exists()
