"""
Every page in a real browser: light and dark, on a desk and on a phone.

A new page is one more function among PAGES.
"""

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from chapters.models import Role
from invitations.models import Answer
from invitations.services import unsubscribing
from logs.models import AuditRun, EntryStatus, Hold, InvitationLog, LogStatus, Switch
from logs.services import slots
from members.models import Member
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

DESK, PHONE = 1280, 360
LONG_NAME = {"name": "Wolfeschlegelsteinhausen", "surname": "Bergerdorff-Featherstonehaugh"}

Visit = tuple[str, Member | None]


def log_of(*statuses: EntryStatus, **fields: object) -> InvitationLog:
    log = InvitationLogFactory(**fields)
    for status in statuses:
        InvitationLogEntryFactory(log=log, status=status)
    return log


def visit_log(log: InvitationLog, query: str = "") -> Visit:
    path = reverse("invitation_log", args=[log.workshop_id, log.pk])
    return path + query, organiser_of(log.chapter)


def of_workshop(name: str, **fields: object) -> Visit:
    chapter = chapter_with(students=2, coaches=1)
    subscribe(MemberFactory(banned=True, **LONG_NAME), chapter, Role.STUDENT)
    workshop = WorkshopFactory(chapter=chapter, **fields)
    return reverse(name, args=[workshop.pk]), organiser_of(chapter)


def sign_in() -> Visit:
    return reverse("account_login"), None


def not_found() -> Visit:
    return "/nowhere", None


def portal() -> Visit:
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    return reverse("portal"), organiser_of(workshop.chapter)


def empty_portal() -> Visit:
    return reverse("portal"), MemberFactory()


def workshop() -> Visit:
    return of_workshop("organiser_workshop")


def workshop_with_answers() -> Visit:
    log = log_of(EntryStatus.SUCCESS, EntryStatus.FAILED, EntryStatus.UNKNOWN)
    for answer in (Answer.ATTENDING, Answer.WAITING, Answer.DECLINED, Answer.NONE):
        InvitationFactory(workshop=log.workshop, answer=answer, member__surname="Answered")
    return reverse("organiser_workshop", args=[log.workshop_id]), organiser_of(log.chapter)


def send() -> Visit:
    return of_workshop("send_invites")


def send_while_one_is_live() -> Visit:
    log = log_of(EntryStatus.PENDING)
    subscribe(MemberFactory(), log.chapter, Role.STUDENT, Role.COACH)
    return reverse("send_invites", args=[log.workshop_id]), organiser_of(log.chapter)


def send_without_venue() -> Visit:
    return of_workshop("send_invites", host=None)


def left_out() -> Visit:
    path, organiser = of_workshop("left_out")
    return f"{path}?for=everyone", organiser


def logs() -> Visit:
    log = log_of(EntryStatus.SUCCESS, EntryStatus.SKIPPED)
    log_of(workshop=log.workshop, status=LogStatus.FAILED, reason="It would reach too many.")
    return reverse("invitation_logs", args=[log.workshop_id]), organiser_of(log.chapter)


def no_logs() -> Visit:
    return of_workshop("invitation_logs")


def log_preparing() -> Visit:
    return visit_log(log_of(status=LogStatus.PREPARING))


def log_sending() -> Visit:
    log = log_of(*EntryStatus)
    InvitationLogEntryFactory(
        log=log, status=EntryStatus.SUCCESS, doubts=1, reason=slots.DOUBTED_ONCE
    )
    InvitationLogEntryFactory(
        log=log,
        member=MemberFactory(**LONG_NAME),
        status=EntryStatus.FAILED,
        answer_code=550,
        reason=f"“550 {'https://mail.example/why/' * 6}”",
    )
    return visit_log(log)


def log_held() -> Visit:
    Hold.objects.update(since=timezone.now(), reason="“421 too many connections”")
    return visit_log(log_of(EntryStatus.SUCCESS, EntryStatus.PENDING))


def log_stopped() -> Visit:
    Switch.objects.update(is_on=False)
    return visit_log(log_of(EntryStatus.SUCCESS, EntryStatus.PENDING))


def log_completed() -> Visit:
    return visit_log(log_of(*[EntryStatus.SUCCESS] * 51, status=LogStatus.COMPLETED))


def log_failed() -> Visit:
    return visit_log(log_of(status=LogStatus.FAILED, reason="It would reach too many."))


def log_without_the_name() -> Visit:
    return visit_log(log_of(EntryStatus.SUCCESS), "?name=nobody")


def audit_with_people_missing() -> Visit:
    log = log_of(
        EntryStatus.SUCCESS, EntryStatus.FAILED, EntryStatus.UNKNOWN, status=LogStatus.COMPLETED
    )
    for entry in log.entries.all():
        subscribe(entry.member, log.chapter, Role.STUDENT)
    subscribe(MemberFactory(**LONG_NAME), log.chapter, Role.STUDENT)
    return reverse("workshop_audit", args=[log.workshop_id]), organiser_of(log.chapter)


def audit_with_everyone_invited() -> Visit:
    log = log_of(status=LogStatus.COMPLETED, audience="everyone")
    return reverse("workshop_audit", args=[log.workshop_id]), organiser_of(log.chapter)


def audits_with_something_found() -> Visit:
    found = {"kind": "stuck", "is_open": False, "reason": "it is stuck", "entry": 3, "member": 4}
    for _ in range(2):
        AuditRun.objects.create(
            started_at=timezone.now(),
            finished_at=timezone.now(),
            found={"stuck": 1},
            breaches=[found],
        )
    AuditRun.objects.create()
    return reverse("audits"), MemberFactory(superuser=True)


def no_audits() -> Visit:
    return reverse("audits"), MemberFactory(superuser=True)


def invitation() -> Visit:
    return InvitationFactory().get_absolute_url(), None


def invitation_accepted() -> Visit:
    return InvitationFactory(answer=Answer.ATTENDING, role=Role.COACH).get_absolute_url(), None


def invitation_waiting() -> Visit:
    return InvitationFactory(answer=Answer.WAITING).get_absolute_url(), None


def unsubscribe() -> Visit:
    invitation = InvitationFactory()
    token = unsubscribing.token_for(
        member_id=invitation.member_id,
        chapter_id=invitation.workshop.chapter_id,
        role=Role.STUDENT,
    )
    return reverse("unsubscribe", args=[token]), None


PAGES: list[Callable[[], Visit]] = [
    sign_in,
    not_found,
    portal,
    empty_portal,
    workshop,
    workshop_with_answers,
    send,
    send_while_one_is_live,
    send_without_venue,
    left_out,
    logs,
    no_logs,
    log_preparing,
    log_sending,
    log_held,
    log_stopped,
    log_completed,
    log_failed,
    log_without_the_name,
    audit_with_people_missing,
    audit_with_everyone_invited,
    audits_with_something_found,
    no_audits,
    invitation,
    invitation_accepted,
    invitation_waiting,
    unsubscribe,
]


@pytest.mark.parametrize("build", PAGES, ids=lambda build: build.__name__)
def test_a_page_suits_everybody(build, open_page):
    path, member = build()
    page = open_page(path, member=member)

    assert_suits_everybody(page)


def assert_suits_everybody(page: Page) -> None:
    """Light and dark, on a desk and on a phone."""
    for color_scheme in ("light", "dark"):
        page.emulate_media(color_scheme=color_scheme)
        for width in (DESK, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            assert what_axe_says(page) == "", f"{color_scheme}, {width} px"
            assert widest(page) <= width, f"{color_scheme}, {width} px"
    assert violations_of_the_policy(page) == []


def what_axe_says(page: Page) -> str:
    """Its report on what it found; nothing, where a page suits everybody."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # All that it tells of what is well would take longer to read than to find.
    found = page.evaluate(
        "axe.run({resultTypes: ['violations']}).then(({violations}) => violations)"
    )
    return AxeResults({"violations": found}).generate_report() if found else ""


def widest(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


def violations_of_the_policy(page: Page) -> list[str]:
    return [text for text in page.complaints if "Content Security Policy" in text]


# ---- Without JavaScript, by keyboard, and live ----------------------------------------------


def test_inviting_works_without_javascript(open_page):
    path, organiser = of_workshop("send_invites")
    page = open_page(path, member=organiser, java_script_enabled=False)

    page.get_by_role("button", name="Invite 2 students").click()

    assert page.get_by_role("heading", level=1).inner_text() == "Inviting students"
    expect(page.get_by_role("status").last).to_have_text("Counting who is to be invited…")
    page.get_by_role("link", name="Refresh the numbers").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Inviting students"
    log = InvitationLog.objects.get()
    assert (log.audience, log.initiator, log.seen_count) == ("students", organiser, 2)


def test_inviting_works_by_keyboard(open_page):
    path, organiser = of_workshop("send_invites")
    page = open_page(path, member=organiser)

    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == "Invite all 3":
            break
    page.keyboard.press("Enter")

    page.wait_for_url("**/invitation_logs/*")
    assert InvitationLog.objects.get().audience == "everyone"


def test_the_letter_is_shown_in_its_frame(open_page):
    path, organiser = of_workshop("send_invites")
    page = open_page(path, member=organiser)
    page.get_by_label("To a coach").check()
    page.get_by_role("button", name="Show it").click()

    letter = page.frame_locator("iframe")

    assert letter.get_by_role("heading", level=1).inner_text() == "Come and coach with us"


def test_the_numbers_count_to_the_end_by_themselves(open_page):
    log = log_of(EntryStatus.SUCCESS, EntryStatus.PENDING)
    path, organiser = visit_log(log)
    page = open_page(path, member=organiser)
    sentence = page.locator("#progress-words")
    assert sentence.inner_text().startswith("1 of 2 letters sent.")

    log.entries.update(status=EntryStatus.SUCCESS, answer_code=250)
    InvitationLog.objects.update(status=LogStatus.COMPLETED)

    page.get_by_text("All 2 letters are sent.").wait_for()
    assert page.locator("#show-success .number").inner_text() == "2"
    assert page.locator("[hx-get]").count() == 0
    assert violations_of_the_policy(page) == []
