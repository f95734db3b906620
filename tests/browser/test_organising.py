"""
Every organiser's page in a real browser, around one busy workshop.

A new page is one more line among PAGES: its name, and what stands behind its address.
"""

import pytest
from django.contrib.sessions.models import Session
from django.urls import get_resolver, reverse
from django.utils import timezone

from chapters.models import Role, WorkshopSponsor
from invitations.models import Answer
from logs.models import Action, Audience, EntryStatus, InvitationLog, LogStatus
from logs.services import activities, slots
from tests.browser import test_pages
from tests.browser.test_pages import LONG_NAME, Visit, log_of, visit_log, what_axe_says, widest
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)

PAGES = [
    ("portal", ""),
    ("search", ""),
    ("search", "?q=9+December"),
    ("search", "?q=Wolfe"),
    ("search", "?q=a"),
    ("organiser_workshop", ""),
    ("invitation_logs", ""),
    ("invitation_log", ""),
    ("invitation_log", "?show=unknown"),
    ("log_cancel", ""),
    ("workshops", ""),
    ("workshops", "?when=past"),
    ("workshop_new", ""),
    ("workshop_edit", ""),
    ("workshop_copy", ""),
    ("workshop_tell", ""),
    ("workshop_cancel", ""),
    ("workshop_delete", ""),
    ("workshop_sponsors", ""),
    ("sponsors", ""),
    ("sponsor_new", ""),
    ("sponsor_edit", ""),
    ("send_invites", ""),
    ("write", ""),
    ("attendance", ""),
    ("attendance", "?show=waiting"),
    ("rsvp", ""),
    ("rsvp", "?q=Wolfe"),
    ("door", ""),
    ("changes", ""),
    ("chapters", ""),
    ("chapter", ""),
    ("chapter_edit", ""),
    ("chapter_groups", ""),
    ("chapter_organisers", ""),
    ("subscribers", ""),
    ("members", ""),
    ("member", ""),
]


def a_busy_workshop() -> dict[str, object]:
    """What stands in addresses, by its name there, and who may open them all."""
    chapter = chapter_with(students=2, coaches=1, name="Brighton", organisers=[MemberFactory()])
    subscribe(MemberFactory(banned=True, **LONG_NAME), chapter, Role.STUDENT)
    workshop = WorkshopFactory(chapter=chapter)
    WorkshopFactory(chapter=chapter, past=True)
    WorkshopFactory(chapter=chapter, host=None, starts_at=in_days(30))
    sponsor = SponsorFactory(name="Bergerdorff-Featherstonehaugh " * 3)
    WorkshopSponsor.objects.create(workshop=workshop, sponsor=sponsor)
    for answer in Answer:
        InvitationFactory(workshop=workshop, answer=answer, note="x" * 100)
        InvitationFactory(workshop=workshop, answer=answer, role=Role.COACH)
    InvitationFactory(workshop=workshop, answer=Answer.WAITING, member=MemberFactory(**LONG_NAME))
    log = log_of(*EntryStatus, workshop=workshop)
    for status in (EntryStatus.FAILED, EntryStatus.UNKNOWN):
        InvitationLogEntryFactory(
            log=log,
            member=MemberFactory(**LONG_NAME),
            status=status,
            reason=slots.DOUBTED_TWICE,
            doubts=2,
        )
    message = InvitationLogFactory(
        workshop=workshop,
        action=Action.MESSAGE,
        audience=Audience.ATTENDING,
        status=LogStatus.SCHEDULED,
        subject="Bring a charger " * 10,
    )
    organiser = organiser_of(chapter)
    activities.note(f"sent log {message.pk}", by=organiser, workshop=workshop, remark="y" * 200)
    return {
        "organiser": organiser,
        "workshop_id": workshop.pk,
        "chapter_id": chapter.pk,
        "log_id": log.pk,
        "sponsor_id": sponsor.pk,
        "member_id": workshop.invitations.latest("pk").member_id,
    }


def visit(name: str, query: str = "") -> Visit:
    there = a_busy_workshop()
    ((_, wanted),) = get_resolver().reverse_dict.getlist(name)[0][0][:1]
    address = reverse(name, kwargs={part: there[part] for part in wanted})
    return address + query, there["organiser"]


@pytest.mark.parametrize(("name", "query"), PAGES, ids=lambda part: part or "-")
def test_a_page_of_organisers_suits_everybody(name, query, open_page):
    test_pages.test_a_page_suits_everybody(lambda: visit(name, query), open_page)


def test_a_workshops_organiser_has_a_start_that_suits_everybody(open_page):
    def start() -> Visit:
        workshop = WorkshopFactory(chapter=chapter_with(students=2))
        helper = MemberFactory(**LONG_NAME)
        workshop.organisers.add(helper)
        return reverse("portal"), helper

    test_pages.test_a_page_suits_everybody(start, open_page)


@pytest.mark.parametrize(
    "fields", [{"cancelled_at": timezone.now()}, {"is_virtual": True, "host": None}]
)
def test_a_workshop_that_is_cancelled_or_a_call_suits_everybody(fields, open_page):
    def workshop() -> Visit:
        spaces = {"student_spaces": 9, "coach_spaces": 9}
        found = WorkshopFactory(chapter=chapter_with(students=2), **spaces, **fields)
        return reverse("organiser_workshop", args=[found.pk]), organiser_of(found.chapter)

    test_pages.test_a_page_suits_everybody(workshop, open_page)


# ---- Without JavaScript, by keyboard, and while one looks elsewhere --------------------------


def test_a_log_is_steered_without_javascript(open_page):
    log = log_of(EntryStatus.PENDING, EntryStatus.FAILED, EntryStatus.UNKNOWN)
    path, organiser = visit_log(log)
    page = open_page(path, member=organiser, java_script_enabled=False)

    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Retry 1 failed").click()
    page.get_by_role("button", name="It arrived").click()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("link", name="Cancel the rest…").click()
    page.get_by_label("Why").fill("The venue burnt down.")
    page.get_by_role("button", name="Cancel the 2 letters that still wait").click()

    page.get_by_text("Cancelled. 2 letters are not sent.").wait_for()
    log.refresh_from_db()
    assert log.status == LogStatus.CANCELLED
    assert sorted(log.entries.values_list("status", flat=True)) == [
        *("cancelled", "cancelled", "success")
    ]


def test_a_log_is_steered_by_keyboard(open_page):
    log = log_of(EntryStatus.PENDING)
    path, organiser = visit_log(log)
    page = open_page(path, member=organiser)

    press_tab_until(page, "Pause")
    page.keyboard.press("Enter")

    page.get_by_role("button", name="Resume").wait_for()
    log.refresh_from_db()
    assert log.status == LogStatus.PAUSED


def test_the_search_is_reached_by_keyboard_and_works_without_javascript(open_page):
    workshop = WorkshopFactory(chapter__name="Brighton")
    member = subscribe(MemberFactory(**LONG_NAME), workshop.chapter, Role.STUDENT)
    organiser = organiser_of(workshop.chapter)
    page = open_page(reverse("portal"), member=organiser, java_script_enabled=False)

    page.get_by_label("Search members and workshops").fill("wolfe")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")

    assert page.get_by_role("link", name=member.full_name).is_visible()
    assert page.get_by_label("Name, e-mail address").input_value() == "wolfe"


def test_those_who_are_missing_are_invited_with_one_click(open_page):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    InvitationLogFactory(workshop=workshop, audience=Audience.EVERYONE, status=LogStatus.COMPLETED)
    path = reverse("organiser_workshop", args=[workshop.pk])
    page = open_page(path, member=organiser_of(workshop.chapter))

    page.get_by_role("button", name="Invite these 2").click()

    page.wait_for_url("**/invitation_logs/*")
    assert InvitationLog.objects.latest("pk").seen_count == 2


def test_the_page_asks_only_while_somebody_looks(open_page):
    log = log_of(EntryStatus.SUCCESS, EntryStatus.PENDING)
    path, organiser = visit_log(log)
    page = open_page(path, member=organiser)
    assert not look(page, "hidden")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.wait_for_timeout(5000)
    assert [url for url in asked if not url.endswith("favicon.svg")] == []
    log.entries.update(status=EntryStatus.SUCCESS, answer_code=250)
    assert look(page, "visible"), "it asks at once, not when its turn comes"

    page.locator("#show-success .number", has_text="2").wait_for()


def test_when_the_session_ends_the_page_goes_to_sign_in_and_comes_back(open_page):
    log = log_of(EntryStatus.PENDING)
    path, organiser = visit_log(log)
    page = open_page(path, member=organiser)

    Session.objects.all().delete()

    page.wait_for_url(f"**{reverse('account_login')}?next={path}")
    assert page.get_by_role("heading", level=1).is_visible()
    assert what_axe_says(page) == ""
    assert widest(page) <= test_pages.DESK


def look(page, state: str) -> bool:
    """
    As the browser tells a page that its tab was left, or is looked at again.

    :returns: whether the page asked for its numbers in that very moment
    """
    asked: bool = page.evaluate(
        """state => {
            let asked = false;
            const note = () => asked = true;
            const hidden = {value: state === "hidden", configurable: true};
            Object.defineProperty(document, "hidden", hidden);
            document.addEventListener("htmx:beforeSend", note);
            document.dispatchEvent(new Event("visibilitychange"));
            document.removeEventListener("htmx:beforeSend", note);
            return asked;
        }""",
        state,
    )
    return asked


def press_tab_until(page, text: str) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == text:
            return
    pytest.fail(f"{text} is not reached by keyboard")
