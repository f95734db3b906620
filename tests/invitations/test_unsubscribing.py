"""The link that stops the letters, for people and for mail programs (RFC 8058)."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Departure, Role, Subscription
from invitations.services import closing, preparing, unsubscribing
from invitations.services.manager import InvitationManager
from members.models import Member
from tests.factories import (
    ChapterFactory,
    GroupFactory,
    MemberFactory,
    SubscriptionFactory,
    WorkshopFactory,
    chapter_with,
    subscribe,
)
from tests.support.here import send_here

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def brighton():
    return ChapterFactory(name="Brighton")


@pytest.fixture
def amina(brighton):
    return subscribe(MemberFactory(name="Amina"), brighton, Role.STUDENT, Role.COACH)


@pytest.fixture
def mail_program():
    """It has no cookies, and is treated as strictly as any browser."""
    return Client(enforce_csrf_checks=True)


def link_of(member, chapter, role=Role.COACH) -> str:
    token = unsubscribing.token_for(member_id=member.pk, chapter_id=chapter.pk, role=role)
    return reverse("unsubscribe", args=[token])


def groups_of(member) -> list[str]:
    return sorted(member.subscriptions.values_list("group__name", flat=True))


def test_one_click_of_a_mail_program_stops_the_letters(mail_program, amina, brighton):
    answer = mail_program.post(link_of(amina, brighton), ONE_CLICK)

    assert (answer.status_code, answer.cookies) == (200, {})
    assert groups_of(amina) == ["Students"]


def test_a_second_click_changes_nothing_and_is_welcome(mail_program, amina, brighton):
    answers = [mail_program.post(link_of(amina, brighton), ONE_CLICK) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert groups_of(amina) == ["Students"]


def test_all_groups_of_the_role_are_left_and_no_other(mail_program, amina, brighton):
    SubscriptionFactory(member=amina, group=GroupFactory(chapter=brighton, role=Role.COACH))
    elsewhere = SubscriptionFactory(member=amina, group=GroupFactory(role=Role.COACH))
    somebody_else = subscribe(MemberFactory(), brighton, Role.COACH)

    mail_program.post(link_of(amina, brighton), ONE_CLICK)

    assert groups_of(amina) == sorted([elsewhere.group.name, "Students"])
    assert groups_of(somebody_else) == ["Coaches"]


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_opening_the_link_changes_nothing(mail_program, amina, brighton, method):
    getattr(mail_program, method)(link_of(amina, brighton))

    assert groups_of(amina) == ["Coaches", "Students"]


@pytest.fixture
def browser():
    """A person's, as strict as any; `press` sends the form of the page as it stands there."""
    return Client(enforce_csrf_checks=True)


def press(browser, link, scope):
    browser.get(link)
    return browser.post(
        link,
        {"scope": scope, "csrfmiddlewaretoken": browser.cookies["csrftoken"].value},
    )


def words(response) -> str:
    return " ".join(response.content.decode().split())


def scopes_of(page) -> list[str]:
    return re.findall(r'name="scope"\s+value="(\w+)"', page.content.decode())


def test_the_page_offers_what_there_is_to_stop(browser, amina, brighton):
    one_role = subscribe(MemberFactory(), brighton, Role.COACH)
    everywhere = subscribe(MemberFactory(), brighton, Role.STUDENT, Role.COACH)
    subscribe(everywhere, ChapterFactory(), Role.STUDENT)

    offered = [
        scopes_of(browser.get(link_of(member, brighton)))
        for member in (one_role, amina, everywhere)
    ]

    assert offered == [["these"], ["these", "chapter"], ["these", "chapter", "everything"]]


def test_the_page_says_what_a_button_stops(browser, amina, brighton):
    page = words(browser.get(link_of(amina, brighton)))

    assert "we do not invite you to the workshops of codebar Brighton as a coach any more" in page
    assert "Stop inviting me to codebar Brighton as a coach" in page


@pytest.mark.parametrize(
    ("scope", "still"),
    [
        ("these", ["Students", "Students"]),
        ("chapter", ["Students"]),
        ("everything", []),
    ],
)
def test_a_button_stops_so_much_and_no_more(browser, amina, brighton, scope, still):
    subscribe(amina, ChapterFactory(name="Leeds"), Role.STUDENT)
    somebody_else = subscribe(MemberFactory(), brighton, Role.COACH)

    answer = press(browser, link_of(amina, brighton), scope)

    assert (answer.status_code, groups_of(amina)) == (200, still)
    assert groups_of(somebody_else) == ["Coaches"]


def test_after_the_button_the_page_says_what_one_still_gets_and_how_to_come_back(
    browser, amina, brighton
):
    page = words(press(browser, link_of(amina, brighton), "these"))

    assert "These letters have stopped" in page
    assert "codebar Brighton: Students" in page
    assert reverse("subscriptions") in page

    page = words(press(browser, link_of(amina, brighton), "everything"))

    assert "No invitations at all: you are in no group any more." in page
    assert 'name="scope"' not in page


def test_who_stopped_the_letters_is_not_put_back_by_a_list(browser, amina, brighton):
    press(browser, link_of(amina, brighton), "these")

    departures = Departure.objects.values_list("member", "group__name")
    assert list(departures) == [(amina.pk, "Coaches")]


@pytest.mark.parametrize("scope", ["", "all", "these\x00", "x" * 5000])
def test_a_choice_that_there_is_not_stops_nothing(browser, amina, brighton, scope):
    answer = press(browser, link_of(amina, brighton), scope)

    assert (answer.status_code, groups_of(amina)) == (400, ["Coaches", "Students"])
    assert "Choose what we shall stop." in words(answer)


@pytest.mark.parametrize("fields", [{}, {"scope": "everything"}])
def test_a_forged_form_stops_nothing(browser, amina, brighton, fields):
    browser.get(link_of(amina, brighton))

    assert browser.post(link_of(amina, brighton), fields).status_code == 403
    assert groups_of(amina) == ["Coaches", "Students"]


def test_one_click_stops_no_more_than_what_the_letter_says(mail_program, amina, brighton):
    mail_program.post(link_of(amina, brighton), ONE_CLICK | {"scope": "everything"})

    assert groups_of(amina) == ["Students"]


def test_the_page_is_not_kept_not_told_and_signs_nobody_in(browser, amina, brighton):
    link = link_of(amina, brighton)

    for page in (browser.get(link), press(browser, link, "these"), browser.post(link, ONE_CLICK)):
        assert "no-store" in page["Cache-Control"]
        assert page["Referrer-Policy"] == "same-origin"
        assert page["X-Robots-Tag"] == "noindex"
    assert set(browser.cookies) == {"csrftoken"}
    assert not Session.objects.exists()
    assert browser.get(reverse("subscriptions")).status_code == 302


# ---- A letter that is about no chapter -----------------------------------------------------


def link_to_all(member, role) -> str:
    token = unsubscribing.token_for(
        member_id=member.pk, chapter_id=unsubscribing.EVERY_CHAPTER, role=role
    )
    return reverse("unsubscribe", args=[token])


def test_the_link_of_a_welcome_stops_its_role_in_every_chapter(mail_program, amina, brighton):
    subscribe(amina, ChapterFactory(), Role.STUDENT)

    mail_program.post(link_to_all(amina, Role.STUDENT), ONE_CLICK)

    assert groups_of(amina) == ["Coaches"]


def test_its_page_offers_to_stop_everything(browser, amina, brighton):
    page = browser.get(link_to_all(amina, Role.COACH))

    assert scopes_of(page) == ["these", "everything"]
    assert "Stop inviting me as a coach, in every chapter" in words(page)


# ---- Whose account or chapter is gone ------------------------------------------------------


def test_of_a_closed_account_and_of_a_chapter_at_rest_the_links_still_open(
    browser, mail_program, amina, brighton
):
    brighton.is_active = False
    brighton.save()
    closing.close(amina, at=timezone.now())
    link = link_of(amina, brighton)

    assert "These letters have stopped" in words(browser.get(link))
    assert mail_program.post(link, ONE_CLICK).status_code == 200


def test_of_a_chapter_that_is_gone_the_link_is_not_ours_any_more(mail_program, amina):
    token = unsubscribing.token_for(member_id=amina.pk, chapter_id=10**6, role=Role.COACH)

    assert mail_program.get(reverse("unsubscribe", args=[token])).status_code == 404


# ---- Before the next claim -----------------------------------------------------------------


def test_a_letter_that_is_not_on_its_way_is_not_sent_any_more(station, mail_program):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    amina, bruno = Member.objects.filter(groups__chapter=workshop.chapter).order_by("pk")
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)

    mail_program.post(link_of(amina, workshop.chapter, Role.STUDENT), ONE_CLICK)
    send_here()

    assert list(station.sink.recipients) == [bruno.email]
    assert log.entries.get(member=amina).reason == "is no longer subscribed"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("token", ["x", "x.y", "WzEsMSwic3R1ZGVudCJd.x", "~", "%00"])
def test_a_link_that_we_did_not_make_reveals_nothing(mail_program, amina, method, token):
    answer = getattr(mail_program, method)(f"/unsubscribe/{token}")

    assert answer.status_code == 404
    assert Subscription.objects.count() == 2


def test_a_link_cut_short_or_changed_is_not_ours(mail_program, amina, brighton):
    link = link_of(amina, brighton)
    changed = link.replace("/unsubscribe/W", "/unsubscribe/X")

    assert [mail_program.post(each).status_code for each in (link[:-1], changed)] == [404, 404]
    assert groups_of(amina) == ["Coaches", "Students"]


def test_what_was_signed_for_something_else_is_not_ours(mail_program, amina, brighton):
    other = Signer(salt="something else", sep=".").sign_object([amina.pk, brighton.pk, "coach"])

    assert mail_program.post(f"/unsubscribe/{other}").status_code == 404
    assert groups_of(amina) == ["Coaches", "Students"]


def test_the_token_tells_nobody_whose_it_is(amina, brighton):
    token = unsubscribing.token_for(member_id=amina.pk, chapter_id=brighton.pk, role=Role.COACH)

    assert amina.email not in token
    assert len(token.rpartition(".")[2]) == 43  # 256 bits that only we can make


def test_the_token_is_the_one_that_djangos_signer_makes(amina, brighton):
    token = unsubscribing.token_for(member_id=amina.pk, chapter_id=brighton.pk, role=Role.COACH)

    signer = Signer(salt="invitations.unsubscribing", sep=".")
    assert token == signer.sign_object([amina.pk, brighton.pk, Role.COACH])
