"""Who comes, in a real browser: the pages, and the door on a network that comes and goes."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role, Workshop
from invitations.models import Answer, Invitation
from logs.services import activities
from tests.browser import test_pages
from tests.browser.test_pages import LONG_NAME, Visit
from tests.factories import InvitationFactory, WorkshopFactory, organiser_of

ENDLESS = "https://people.example/" + "why" * 25


def evening(**fields: object) -> Workshop:
    """A full workshop whose door is open, of people with long names and much to say."""
    workshop = WorkshopFactory(
        starts_at=timezone.now() + timedelta(minutes=10), student_spaces=1, **fields
    )
    organiser = organiser_of(workshop.chapter)
    for answer, role in (
        (Answer.ATTENDING, Role.STUDENT),
        (Answer.ATTENDING, Role.COACH),
        (Answer.WAITING, Role.STUDENT),
        (Answer.DECLINED, Role.STUDENT),
        (Answer.NONE, Role.STUDENT),
    ):
        InvitationFactory(
            workshop=workshop,
            role=role,
            answer=answer,
            tutorial=ENDLESS,
            note=ENDLESS,
            answered_by=organiser,
            override_reason=ENDLESS,
            member__dietary_needs=["vegan", "other"],
            member__other_dietary_needs=ENDLESS,
            **{f"member__{part}": name for part, name in LONG_NAME.items()},
        )
    activities.note(
        "moved the workshop",
        by=organiser,
        workshop=workshop,
        changes={"Venue": (ENDLESS, ENDLESS)},
        remark=ENDLESS,
    )
    return workshop


def visit(name: str, workshop: Workshop, *args: object, query: str = "") -> Visit:
    organiser = workshop.chapter.organisers.first() or organiser_of(workshop.chapter)
    return reverse(name, args=[workshop.pk, *args]) + query, organiser


def everybody_who_answered() -> Visit:
    return visit("attendance", evening(), query="?show=answered")


def nobody_comes() -> Visit:
    return visit("attendance", WorkshopFactory())


def somebody_to_add() -> Visit:
    return visit("rsvp", evening(), query="?q=wolfe")


def nobody_to_add() -> Visit:
    return visit("rsvp", evening(), query=f"?q={ENDLESS}")


def answer_for_somebody() -> Visit:
    workshop = evening()
    waiting = workshop.invitations.waiting().get()
    return visit("rsvp_member", workshop, waiting.member_id)


def door_open() -> Visit:
    return visit("door", evening())


def door_not_open_yet() -> Visit:
    workshop = WorkshopFactory()
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    return visit("door", workshop)


def history() -> Visit:
    return visit("changes", evening())


def no_history() -> Visit:
    return visit("changes", WorkshopFactory())


PAGES = [
    everybody_who_answered,
    nobody_comes,
    somebody_to_add,
    nobody_to_add,
    answer_for_somebody,
    door_open,
    door_not_open_yet,
    history,
    no_history,
]


@pytest.mark.parametrize("build", PAGES, ids=lambda build: build.__name__)
def test_a_page_about_who_comes_suits_everybody(build, open_page):
    test_pages.test_a_page_suits_everybody(build, open_page)


def is_here(invitation: Invitation) -> bool:
    return Invitation.objects.get(pk=invitation.pk).attended_at is not None


def expected(workshop: Workshop, *names: str) -> list[Invitation]:
    return [
        InvitationFactory(
            workshop=workshop, member__name=name, member__surname="", answer=Answer.ATTENDING
        )
        for name in names
    ]


def test_quick_taps_on_several_people_are_all_saved(open_page):
    workshop = WorkshopFactory(starts_at=timezone.now())
    people = expected(workshop, "Lena", "Mia", "Tom")
    path, organiser = visit("door", workshop)
    page = open_page(path, member=organiser)

    for name in ("Lena", "Mia", "Tom"):
        page.get_by_role("button", name=name).click(no_wait_after=True)

    page.get_by_text("3 of 3 have arrived.").wait_for()
    assert [is_here(invitation) for invitation in people] == [True, True, True]
    assert page.complaints == []


def test_a_tap_that_was_not_saved_says_so_until_the_next_one_is(open_page):
    workshop = WorkshopFactory(starts_at=timezone.now())
    (lena,) = expected(workshop, "Lena")
    path, organiser = visit("door", workshop)
    page = open_page(path, member=organiser)

    page.context.set_offline(True)
    page.get_by_role("button", name="Lena").click()
    page.get_by_text("Not saved, tap again").wait_for()
    assert not is_here(lena)

    page.context.set_offline(False)
    page.get_by_role("button", name="Lena").click()
    page.get_by_text("1 of 1 has arrived.").wait_for()
    assert page.get_by_text("Not saved, tap again").count() == 0
    assert is_here(lena)


def test_the_door_works_without_javascript(open_page):
    workshop = WorkshopFactory(starts_at=timezone.now())
    lena, _ = expected(workshop, "Lena", "Mia")
    path, organiser = visit("door", workshop)
    page = open_page(f"{path}?role=student", member=organiser, java_script_enabled=False)

    page.get_by_role("button", name="Lena").click()

    assert page.url.endswith(f"?role=student#p{lena.pk}")
    page.get_by_text("1 of 2 have arrived.").wait_for()
    assert is_here(lena)


def test_a_full_workshop_asks_for_a_reason_without_javascript(open_page):
    workshop = WorkshopFactory(student_spaces=1)
    expected(workshop, "Lena")
    InvitationFactory(workshop=workshop, member__name="Mia", member__surname="")
    path, organiser = visit("rsvp", workshop, query="?q=mia")
    page = open_page(path, member=organiser, java_script_enabled=False)

    page.get_by_role("button", name="Give Mia a place as student").click()
    page.get_by_text("There is no free place for students.").wait_for()
    page.get_by_label("Reason").fill("Gives a talk")
    page.get_by_role("button", name="Give the place, with this reason").click()

    page.get_by_text("Mia has a place as a student. A letter confirms it.").wait_for()
    assert workshop.invitations.attending().count() == 2
