"""Lists to take along: they name who comes, and a spreadsheet runs none of them."""

import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer
from logs.models import Activity
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    organiser_of,
)

pytestmark = pytest.mark.django_db

LISTS = ["pairing_csv", "labels_csv", "attendees_checklist", "attendees_emails"]


def signed_in(member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def take(name, workshop, by=None):
    client = signed_in(by or organiser_of(workshop.chapter))
    ask = client.post if name == "attendees_emails" else client.get
    return ask(reverse(name, args=[workshop.pk]))


def text(response) -> str:
    return b"".join(response).decode("utf-8-sig")


def rows(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text(response))))


def coming(workshop, name, role=Role.STUDENT, **fields):
    return InvitationFactory(
        workshop=workshop,
        member__name=name,
        member__surname="",
        member__email=f"{name.lower().split()[0].strip('=')}@people.example",
        role=role,
        answer=Answer.ATTENDING,
        **fields,
    )


def test_the_pairing_list_has_planners_columns():
    workshop = WorkshopFactory()
    coming(workshop, "Lena", tutorial="JavaScript", note="Comes late")
    tom = coming(workshop, "Tom", Role.COACH, member__skills="Ruby", note="Left-handed")
    InvitationFactory(member=tom.member, answer=Answer.ATTENDING, attended_at=timezone.now())

    assert rows(take("pairing_csv", workshop)) == [
        ["New attendee", "Name", "Role", "Tutorial", "Note", "Skills"],
        ["true", "Lena", "Student", "JavaScript", "Comes late", "N/A"],
        ["false", "Tom", "Coach", "N/A", "Left-handed", "Ruby"],
    ]


def test_labels_name_the_organisers_too_and_everybody_once():
    workshop = WorkshopFactory()
    coming(workshop, "Lena")
    organiser = coming(workshop, "Olu", Role.COACH).member
    workshop.chapter.organisers.add(organiser, MemberFactory(name="Zoe", surname=""))

    assert rows(take("labels_csv", workshop, organiser)) == [
        ["Lena", "STUDENT"],
        ["Olu", "ORGANISER"],
        ["Zoe", "ORGANISER"],
    ]


def test_a_workshop_with_organisers_of_its_own_has_only_their_labels():
    workshop = WorkshopFactory()
    workshop.organisers.add(MemberFactory(name="Ben", surname=""))

    assert rows(take("labels_csv", workshop)) == [["Ben", "ORGANISER"]]


def test_the_checklist_numbers_students_and_coaches_and_leaves_a_line_to_write_on():
    workshop = WorkshopFactory()
    coming(workshop, "Lena", note="Comes\nlate")
    old = coming(workshop, "Mia")
    InvitationFactory(member=old.member, answer=Answer.ATTENDING, attended_at=timezone.now())
    coming(workshop, "Tom", Role.COACH, note="Not on the list")

    lines = [line for line in text(take("attendees_checklist", workshop)).splitlines() if line]

    assert lines[2:] == [
        "Students",
        "I__ 1.\tLena\t\t\tComes late",
        "___ 2.\tMia\t\t\t" + "_" * 30,
        "Coaches",
        "I__ 1.\tTom",
    ]


def test_the_addresses_are_those_of_who_comes_and_the_history_says_who_took_them():
    workshop = WorkshopFactory()
    coming(workshop, "Lena")
    coming(workshop, "Tom", Role.COACH)
    InvitationFactory(workshop=workshop, answer=Answer.WAITING)
    organiser = organiser_of(workshop.chapter)

    response = take("attendees_emails", workshop, organiser)

    assert text(response) == "lena@people.example, tom@people.example"
    assert list(Activity.objects.values_list("by", "workshop", "did")) == [
        (organiser.pk, workshop.pk, "took the e-mail addresses of who comes")
    ]


def test_a_link_takes_no_addresses():
    workshop = WorkshopFactory()
    client = signed_in(organiser_of(workshop.chapter))

    assert client.get(reverse("attendees_emails", args=[workshop.pk])).status_code == 405


@pytest.mark.parametrize("name", LISTS)
def test_banned_people_are_on_no_list(name):
    workshop = WorkshopFactory()
    coming(workshop, "Lena")
    BanFactory(member=coming(workshop, "Banned").member)

    found = text(take(name, workshop)).lower()

    assert "lena" in found
    assert "banned" not in found


@pytest.mark.parametrize("name", ["pairing_csv", "labels_csv"])
def test_no_cell_is_a_formula(name):
    workshop = WorkshopFactory()
    coming(workshop, '=HYPERLINK("http://x")', note="@SUM(A1)", tutorial="-1+1")

    cells = [cell for row in rows(take(name, workshop)) for cell in row]

    assert '\'=HYPERLINK("http://x")' in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("name", LISTS)
def test_no_list_is_kept_on_its_way(name):
    response = take(name, WorkshopFactory())

    assert "no-store" in response.headers["Cache-Control"]
    assert "filename=" in response.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("pairing_csv", 200),
        ("labels_csv", 200),
        ("attendees_checklist", 200),
        ("attendees_emails", 404),
    ],
)
def test_who_organises_only_the_workshop_gets_no_addresses(name, status):
    workshop = WorkshopFactory()
    beside = MemberFactory()
    workshop.organisers.add(beside)

    assert take(name, workshop, beside).status_code == status
    assert not Activity.objects.exists()


@pytest.mark.parametrize("name", LISTS)
def test_nobody_else_gets_a_list(name):
    workshop = WorkshopFactory()

    assert take(name, workshop, MemberFactory()).status_code == 404
    assert take(name, workshop, organiser_of(ChapterFactory())).status_code == 404


@pytest.mark.parametrize("name", LISTS)
def test_queries_do_not_grow_with_the_list(name):
    workshop = WorkshopFactory()
    organiser = organiser_of(workshop.chapter)
    numbers = []
    for more in (1, 2):
        for nr in range(more):
            coming(workshop, f"Member{more}{nr}")
        client = signed_in(organiser)
        ask = client.post if name == "attendees_emails" else client.get
        with CaptureQueriesContext(connection) as queries:
            text(ask(reverse(name, args=[workshop.pk])))
        numbers.append(len(queries))

    assert numbers[0] == numbers[1] < 10
