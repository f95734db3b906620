"""The pages about members in a real browser, and a suspension without JavaScript."""

import pytest
from django.urls import reverse

from chapters.models import Role
from invitations.models import Answer
from invitations.services import banning
from logs.models import Action, EntryStatus, LogStatus
from logs.services import activities
from members.models import Ban, Member
from tests.browser import test_pages
from tests.browser.test_pages import LONG_NAME, Visit
from tests.factories import (
    BanFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    NoteFactory,
    NoticeFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

ENDLESS = "https://people.example/" + "why" * 40


def somebody(**fields: object) -> tuple[Member, Member]:
    """A member with a long name, and who organises their chapter."""
    chapter = chapter_with()
    member = subscribe(MemberFactory(**LONG_NAME | fields), chapter, Role.STUDENT, Role.COACH)
    return member, organiser_of(chapter)


def visit(name: str, member: Member, organiser: Member, query: str = "") -> Visit:
    return reverse(name, args=[member.pk]) + query, organiser


def no_search() -> Visit:
    return reverse("members"), somebody()[1]


def somebody_found() -> Visit:
    return f"{reverse('members')}?q=wolfe", somebody(without_terms=True)[1]


def nobody_found() -> Visit:
    return f"{reverse('members')}?q={ENDLESS[:90]}", somebody()[1]


def too_short_a_search() -> Visit:
    return f"{reverse('members')}?q=a", somebody()[1]


def member_just_joined() -> Visit:
    return visit("member", *somebody())


def member_with_a_history() -> Visit:
    return visit("member", *_with_a_history())


def member_of_a_workshops_organiser() -> Visit:
    member, _ = _with_a_history()
    beside = MemberFactory()
    member.invitations.get().workshop.organisers.add(beside)
    return visit("member", member, beside)


def invitations() -> Visit:
    return visit("member_history", *_with_a_history(), "?show=invitations")


def letters() -> Visit:
    return visit("member_history", *_with_a_history(), "?show=letters")


def changes() -> Visit:
    return visit("member_history", *_with_a_history(), "?show=changes")


def no_letters() -> Visit:
    return visit("member_history", *somebody(), "?show=letters")


def suspend() -> Visit:
    return visit("member_ban", *somebody())


def suspended_already() -> Visit:
    return visit("member_ban", *_with_a_history())


def _with_a_history() -> tuple[Member, Member]:
    member, organiser = somebody(about=ENDLESS, skills=ENDLESS, dietary_needs=["vegan"])
    workshop = WorkshopFactory(chapter=organiser.organised_chapters.get())
    InvitationFactory(workshop=workshop, member=member, answer=Answer.ATTENDING, note=ENDLESS[:99])
    for status in EntryStatus:
        InvitationLogEntryFactory(
            log__workshop=workshop,
            log__status=LogStatus.COMPLETED,
            member=member,
            status=status,
            reason=ENDLESS,
            occasion=status,
        )
    InvitationLogEntryFactory(log=None, workshop=None, member=member, action=Action.WARNING)
    activities.note("did it", by=organiser, member=member, workshop=workshop, remark=ENDLESS)
    NoteFactory(member=member, author=organiser, text=ENDLESS)
    NoticeFactory(member=member, sent_by=organiser)
    BanFactory(member=member, note=ENDLESS, explanation=ENDLESS, reason=banning.REASONS[0])
    BanFactory(member=member, note=ENDLESS, explanation=ENDLESS, expired=True)
    return member, organiser


PAGES = [
    no_search,
    somebody_found,
    nobody_found,
    too_short_a_search,
    member_just_joined,
    member_with_a_history,
    member_of_a_workshops_organiser,
    invitations,
    letters,
    changes,
    no_letters,
    suspend,
    suspended_already,
]


@pytest.mark.parametrize("build", PAGES, ids=lambda build: build.__name__)
def test_a_page_about_members_suits_everybody(build, open_page):
    test_pages.test_a_page_suits_everybody(build, open_page)


def test_somebody_is_suspended_and_it_is_lifted_without_javascript(open_page):
    member, organiser = somebody(name="Lena", surname="Fischer")
    path, _ = visit("member", member, organiser)
    page = open_page(path, member=organiser, java_script_enabled=False)

    page.get_by_role("link", name="Suspend Lena…").click()
    page.get_by_label("Note for organisers").fill("Shouted.")
    page.get_by_role("button", name="Suspend Lena and send the letter").click()
    page.get_by_text("Choose the reason.").wait_for()
    assert page.get_by_label("Note for organisers").input_value() == "Shouted."
    page.get_by_label("Reason").select_option("Offensive behaviour")
    page.get_by_label("It does not end").check()
    page.get_by_role("button", name="Suspend Lena and send the letter").click()

    page.get_by_role("heading", name="Suspended without an end").wait_for()
    page.get_by_text("Lena Fischer is suspended. A letter tells why.").wait_for()
    page.get_by_role("button", name="Lift the suspension").click()
    page.get_by_role("heading", name="Lena gets invitations").wait_for()
    assert not Ban.objects.active().exists()
