"""The link that stops the letters, for people and for mail programs (RFC 8058)."""

import pytest
from django.contrib.sessions.models import Session
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse

from chapters.models import Role, Subscription
from invitations.services import unsubscribing
from tests.factories import (
    ChapterFactory,
    GroupFactory,
    MemberFactory,
    SubscriptionFactory,
    subscribe,
)

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


def test_the_page_has_one_button_and_says_what_it_stops(mail_program, amina, brighton):
    page = mail_program.get(link_of(amina, brighton))

    assert page.status_code == 200
    assert page.content.decode().count("<button") == 1
    assert "Stop letters from codebar Brighton's coaches groups" in page.content.decode()


def test_after_the_button_the_page_says_what_happened(mail_program, amina, brighton):
    page = mail_program.post(link_of(amina, brighton))

    assert "These letters have stopped" in page.content.decode()
    assert "<button" not in page.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_is_not_kept_not_told_and_signs_nobody_in(mail_program, amina, brighton, method):
    page = getattr(mail_program, method)(link_of(amina, brighton))

    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "no-referrer"
    assert page.cookies == {}
    assert not Session.objects.exists()


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
