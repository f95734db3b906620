"""The pages of a chapter in a real browser, its charts among them."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from chapters.models import Chapter, Role
from invitations.models import Answer
from logs.models import EntryStatus, LogStatus, Switch
from logs.services import activities
from members.models import Member
from tests.browser import test_pages
from tests.browser.test_pages import LONG_NAME, PHONE, Visit, widest
from tests.factories import (
    ChapterFactory,
    GroupFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)

ENDLESS = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"


def visit(name: str, chapter: Chapter, query: str = "") -> Visit:
    return reverse(name, args=[chapter.pk]) + query, organiser_of(chapter)


def evening(chapter: Chapter, *, days_ago: int, coming: int, there: int) -> None:
    workshop = WorkshopFactory(chapter=chapter, starts_at=in_days(-days_ago))
    for nr in range(coming):
        InvitationFactory(
            workshop=workshop,
            role=Role.COACH if nr % 3 == 0 else Role.STUDENT,
            answer=Answer.ATTENDING,
            attended_at=workshop.starts_at if nr < there else None,
        )
    for answer in (Answer.DECLINED, Answer.WAITING, Answer.NONE):
        InvitationFactory(workshop=workshop, answer=answer)


def status_of_all() -> Visit:
    for nr, status in enumerate((EntryStatus.SUCCESS, EntryStatus.FAILED)):
        log = InvitationLogFactory(
            workshop__chapter__name=f"{ENDLESS} {nr}", status=LogStatus.COMPLETED
        )
        InvitationLogEntryFactory(log=log, status=status)
        organiser_of(log.chapter)
    WorkshopFactory(chapter=chapter_with(students=2), host=None)
    Switch.objects.create(chapter=ChapterFactory(), is_on=False)
    ChapterFactory(is_active=False)
    return reverse("chapters"), MemberFactory(superuser=True)


def status_of_none() -> Visit:
    return reverse("chapters"), MemberFactory(superuser=True)


def empty_chapter() -> Visit:
    return visit("chapter", ChapterFactory())


def chapter_with_everything() -> Visit:
    chapter = chapter_with(students=2, name=ENDLESS, description=f"We meet. {ENDLESS * 2}")
    WorkshopFactory(chapter=chapter)
    GroupFactory(chapter=chapter, name=ENDLESS)
    evening(chapter, days_ago=3, coming=5, there=5)
    evening(chapter, days_ago=40, coming=2, there=0)
    activities.note(
        "changed the chapter",
        by=MemberFactory(**LONG_NAME),
        chapter=chapter,
        changes={"Name": ("Before", ENDLESS)},
    )
    return visit("chapter", chapter)


def chapter_that_is_stopped() -> Visit:
    chapter = WorkshopFactory(chapter=chapter_with(students=1), host=None).chapter
    Switch.objects.create(chapter=chapter, is_on=False)
    return visit("chapter", chapter)


def new_chapter() -> Visit:
    return reverse("chapter_new"), MemberFactory(superuser=True)


def chapter_edited() -> Visit:
    return visit("chapter_edit", WorkshopFactory().chapter)


def groups() -> Visit:
    chapter = chapter_with(students=2)
    GroupFactory(chapter=chapter, name=ENDLESS, description=ENDLESS * 2)
    return visit("chapter_groups", chapter)


def no_groups() -> Visit:
    return visit("chapter_groups", ChapterFactory())


def group() -> Visit:
    group = GroupFactory(name=ENDLESS)
    return reverse("chapter_group", args=[group.chapter_id, group.pk]), organiser_of(group.chapter)


def organisers() -> Visit:
    chapter = ChapterFactory(organisers=[MemberFactory(closed=True), MemberFactory(**LONG_NAME)])
    return visit("chapter_organisers", chapter)


def no_organisers() -> Visit:
    chapter = ChapterFactory()
    return reverse("chapter_organisers", args=[chapter.pk]), MemberFactory(superuser=True)


def organiser_removed() -> Visit:
    chapter = ChapterFactory()
    olu = organiser_of(chapter)
    WorkshopFactory(chapter=chapter).organisers.add(olu)
    return reverse("chapter_organiser_remove", args=[chapter.pk, olu.pk]), olu


def subscribers_of() -> Visit:
    chapter = chapter_with(students=51)
    subscribe(MemberFactory(**LONG_NAME, without_terms=True), chapter, Role.STUDENT, Role.COACH)
    return visit("subscribers", chapter)


def no_subscriber_found() -> Visit:
    return visit("subscribers", chapter_with(students=1), f"?name={ENDLESS}")


def no_subscribers() -> Visit:
    return visit("subscribers", ChapterFactory())


@pytest.mark.parametrize(
    "build",
    [
        status_of_all,
        status_of_none,
        empty_chapter,
        chapter_with_everything,
        chapter_that_is_stopped,
        new_chapter,
        chapter_edited,
        groups,
        no_groups,
        group,
        organisers,
        no_organisers,
        organiser_removed,
        subscribers_of,
        no_subscriber_found,
        no_subscribers,
    ],
    ids=lambda build: build.__name__,
)
def test_a_page_suits_everybody(build, open_page):
    test_pages.test_a_page_suits_everybody(build, open_page)


def test_a_table_stands_behind_each_chart_and_scrolls_by_itself(open_page):
    path, organiser = chapter_with_everything()
    page = open_page(path, member=organiser, viewport={"width": PHONE, "height": 900})

    for summary in page.get_by_text("These figures as a table").all():
        summary.click()

    assert page.get_by_role("table").count() == 2
    assert page.get_by_role("img", name="month by month").count() == 1
    assert page.get_by_role("img", name="workshop by workshop").count() == 1
    assert widest(page) <= PHONE
    assert test_pages.what_axe_says(page) == ""


def test_somebody_is_taken_out_of_a_group_without_javascript(open_page):
    chapter = chapter_with()
    amina: Member = subscribe(MemberFactory(name="Amina", surname="Yusuf"), chapter, *Role)
    path, organiser = visit("subscribers", chapter, "?name=amina")
    page = open_page(path, member=organiser, java_script_enabled=False)

    page.locator("summary").click()
    page.get_by_role("button", name="Remove from Students").click()

    expect(page.get_by_role("status")).to_contain_text(
        "Amina Yusuf gets no more letters of Students."
    )
    assert page.url.endswith("?name=amina")
    assert [group.role for group in amina.groups.all()] == [Role.COACH]
