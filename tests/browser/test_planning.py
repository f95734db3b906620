"""Planning in a real browser: for every eye and finger, without JavaScript, and by keyboard."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from chapters.models import Workshop
from invitations.models import Answer
from invitations.services import planning
from members.models import Member
from tests.browser.test_pages import (
    DESK,
    PHONE,
    Visit,
    violations_of_the_policy,
    what_axe_says,
    widest,
)
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    in_two_weeks,
    organiser_of,
)

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def of_workshop(name: str, **fields: object) -> Visit:
    """A page of a workshop that has people, sponsors and names of every length."""
    workshop = WorkshopFactory(host=SponsorFactory(name=LONG), **fields)
    workshop.workshop_sponsors.create(sponsor=SponsorFactory(name=f"{LONG} Catering"))
    workshop.organisers.add(MemberFactory(surname=LONG))
    for answer in (Answer.ATTENDING, Answer.WAITING, Answer.NONE):
        InvitationFactory(workshop=workshop, answer=answer)
    return reverse(name, args=[workshop.pk]), organiser_of(workshop.chapter)


def workshops() -> Visit:
    _, organiser = of_workshop("organiser_workshop")
    chapter = organiser.organised_chapters.get()
    WorkshopFactory(chapter=chapter, host=None)
    WorkshopFactory(chapter=chapter, cancelled=True)
    organiser.organised_chapters.add(ChapterFactory(name=LONG))
    return reverse("workshops"), organiser


def no_workshops() -> Visit:
    return reverse("workshops"), organiser_of(ChapterFactory())


def new() -> Visit:
    return reverse("workshop_new"), organiser_of(ChapterFactory(), ChapterFactory(name=LONG))


def edit() -> Visit:
    return of_workshop("workshop_edit")


def edit_a_call() -> Visit:
    workshop = WorkshopFactory(virtual=True, rsvp_closes_at=in_two_weeks())
    return reverse("workshop_edit", args=[workshop.pk]), organiser_of(workshop.chapter)


def edit_what_is_cancelled() -> Visit:
    return of_workshop("workshop_edit", cancelled=True)


def copy() -> Visit:
    return of_workshop("workshop_copy")


def tell() -> Visit:
    return of_workshop("workshop_tell")


def cancel() -> Visit:
    return of_workshop("workshop_cancel")


def delete() -> Visit:
    workshop = WorkshopFactory()
    return reverse("workshop_delete", args=[workshop.pk]), organiser_of(workshop.chapter)


def delete_what_people_know() -> Visit:
    return of_workshop("workshop_delete")


def sponsors_of_a_workshop() -> Visit:
    return of_workshop("workshop_sponsors")


def sponsors() -> Visit:
    _, organiser = of_workshop("organiser_workshop")
    return reverse("sponsors"), organiser


def sponsor() -> Visit:
    workshop = WorkshopFactory()
    path = reverse("sponsor_edit", args=[planning.plan_of(workshop).host.pk])
    return path, organiser_of(workshop.chapter)


PAGES: list[Callable[[], Visit]] = [
    workshops,
    no_workshops,
    new,
    edit,
    edit_a_call,
    edit_what_is_cancelled,
    copy,
    tell,
    cancel,
    delete,
    delete_what_people_know,
    sponsors_of_a_workshop,
    sponsors,
    sponsor,
]


@pytest.mark.parametrize("build", PAGES, ids=lambda build: build.__name__)
def test_a_page_suits_everybody(build, open_page):
    path, member = build()
    page = open_page(path, member=member)

    for color_scheme, width in (("light", DESK), ("dark", PHONE)):
        page.emulate_media(color_scheme=color_scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert what_axe_says(page) == "", f"{color_scheme}, {width} px"
        assert widest(page) <= width, f"{color_scheme}, {width} px"
    assert violations_of_the_policy(page) == []


@pytest.fixture
def organiser(ledger: None) -> Member:
    return organiser_of(ChapterFactory(name="Here"))


def test_a_call_is_planned_without_javascript(open_page, organiser):
    page = open_page(reverse("workshop_new"), member=organiser, java_script_enabled=False)
    assert not page.get_by_label("Spaces for students").is_visible()

    page.get_by_label("Day").fill(f"{in_two_weeks():%Y-%m-%d}")
    page.get_by_label("Begins").fill("18:30")
    page.get_by_label("Ends").fill("20:30")
    page.get_by_label("In a call").check()
    assert not page.get_by_role("combobox", name="Venue").is_visible()
    page.get_by_label("Spaces for students").fill("20")
    page.get_by_label("Spaces for coaches").fill("10")
    page.get_by_role("textbox", name="Channel", exact=True).fill("workshops")
    page.get_by_label("Link to the channel").fill("chat.example/workshops")
    page.get_by_role("button", name="Plan this workshop").click()

    workshop = Workshop.objects.get()
    assert page.url.endswith(reverse("organiser_workshop", args=[workshop.pk]))
    assert "The workshop is planned." in page.get_by_role("status").first.inner_text()
    assert (workshop.is_virtual, workshop.student_spaces) == (True, 20)


def test_a_mistake_comes_back_beside_its_field_and_suits_everybody(open_page, organiser):
    page = open_page(reverse("workshop_new"), member=organiser)
    page.set_viewport_size({"width": PHONE, "height": 900})
    page.get_by_label("Day").fill(f"{in_two_weeks():%Y-%m-%d}")
    page.get_by_label("Begins").fill("18:30")
    page.get_by_label("Ends").fill("17:30")
    page.get_by_label("About this evening").fill(LONG * 3)
    page.get_by_role("button", name="Plan this workshop").click()

    expect(page.get_by_role("alert").last).to_contain_text("17:30 is before 18:30")
    assert page.get_by_label("Ends").input_value() == "17:30"
    assert page.get_by_label("About this evening").input_value() == LONG * 3
    assert what_axe_says(page) == ""
    assert widest(page) <= PHONE
    assert not Workshop.objects.exists()


def test_a_workshop_is_cancelled_by_keyboard(open_page):
    path, organiser = of_workshop("workshop_cancel")
    page = open_page(path, member=organiser)

    page.get_by_label("Why").focus()
    page.keyboard.type("The venue is flooded.")
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "submit":
            break
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{path.removesuffix('/cancel')}")
    assert Workshop.objects.get().is_cancelled
