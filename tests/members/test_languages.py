"""The language of a page: a member's own, then what was chosen here, then the browser's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from chapters.models import Role
from invitations.models import FeedbackRequest
from invitations.services import unsubscribing
from logs.models import Activity
from members import languages
from members.models import Language
from tests.factories import (
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
)

pytestmark = pytest.mark.django_db

SIGN_IN = {"en-gb": "<h1>Sign in</h1>", "de": "<h1>Anmelden</h1>", "fr": "<h1>Se connecter</h1>"}


@pytest.fixture
def visitor() -> Client:
    """As strict as any browser."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def page() -> str:
    return reverse("account_login")


def choose(client: Client, language: str, **fields: str):
    return client.post(reverse("choose_language"), {"language": language} | fields)


def language_of(answer) -> str:
    """What the answer says of itself, in its head and in its text, which must agree."""
    language = answer["Content-Language"]
    assert f'<html lang="{language}">' in answer.content.decode()
    return language


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-AT,en;q=0.5", "de"),
        ("fr-CA, fr;q=0.9", "fr"),
        ("en-US,en;q=0.9,de;q=0.1", "en-gb"),
        ("pt-BR", "en-gb"),
        ("", "en-gb"),
    ],
)
def test_a_visitor_reads_what_their_browser_asks_for(visitor, page, accepted, language):
    answer = visitor.get(page, headers={"accept-language": accepted})

    assert language_of(answer) == language
    assert SIGN_IN[language] in answer.content.decode()
    assert "Accept-Language" in answer["Vary"]


def test_what_a_visitor_chose_wins_over_the_browser_and_stays_on_the_page(visitor, page):
    answer = choose(visitor, "fr", next=page)

    assert (answer.status_code, answer["Location"]) == (302, page)
    assert language_of(visitor.get(page, headers={"accept-language": "de"})) == "fr"
    assert settings.SESSION_COOKIE_NAME not in visitor.cookies


def test_what_a_member_chose_is_kept_for_pages_and_letters_everywhere(visitor):
    member = MemberFactory()
    visitor.force_login(member)
    choose(visitor, "de", next="/dashboard")

    elsewhere = Client(headers={"accept-language": "fr"})
    elsewhere.force_login(member)
    choose(Client(), "fr")

    member.refresh_from_db()
    assert member.language == Language.GERMAN
    assert language_of(elsewhere.get(reverse("dashboard"))) == "de"


def test_a_member_who_comes_back_to_english_reads_english(visitor):
    visitor.force_login(member := MemberFactory(language=Language.FRENCH))
    choose(visitor, "en-gb")

    member.refresh_from_db()
    assert member.language == Language.ENGLISH
    assert language_of(visitor.get(reverse("dashboard"))) == "en-gb"


@pytest.mark.parametrize("language", ["", "xx", "pt-br", "de\x00", "d" * 5000, "../de"])
def test_a_language_that_we_do_not_speak_changes_nothing(visitor, page, language):
    visitor.force_login(member := MemberFactory(language=Language.GERMAN))

    answer = choose(visitor, language, next=page)

    member.refresh_from_db()
    assert (answer.status_code, member.language) == (302, Language.GERMAN)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_choosing_leads_to_no_other_site(visitor, elsewhere):
    assert choose(visitor, "de", next=elsewhere)["Location"] == "/"


def test_looking_chooses_nothing(visitor):
    answer = visitor.get(reverse("choose_language"), {"language": "de"})

    assert (answer.status_code, visitor.cookies) == (405, {})


@pytest.mark.parametrize(
    ("letters", "cookie", "signed_in", "language"),
    [
        (Language.FRENCH, "", None, "fr"),
        (Language.FRENCH, "de", None, "de"),
        (Language.FRENCH, "", Language.ENGLISH, "en-gb"),
        (Language.ENGLISH, "", None, "de"),
        (Language.ENGLISH, "fr", None, "fr"),
    ],
)
def test_a_page_behind_a_letter_speaks_the_language_of_the_letter(
    visitor, letters, cookie, signed_in, language
):
    member = MemberFactory(language=letters)
    invitation = InvitationFactory(member=member)
    asked = FeedbackRequest.objects.create(invitation=invitation)
    chapter_id = invitation.workshop.chapter_id
    stop = unsubscribing.token_for(member_id=member.pk, chapter_id=chapter_id, role=Role.STUDENT)
    if cookie:
        visitor.cookies[settings.LANGUAGE_COOKIE_NAME] = cookie
    if signed_in:
        visitor.force_login(MemberFactory(language=signed_in))

    for path in (
        reverse("invitation", args=[invitation.token]),
        reverse("feedback", args=[asked.token]),
        reverse("unsubscribe", args=[stop]),
    ):
        assert language_of(visitor.get(path, headers={"accept-language": "de"})) == language


def test_history_is_english_whoever_makes_it(visitor):
    invitation = InvitationFactory(member=MemberFactory(language=Language.GERMAN))

    Client().post(reverse("accept", args=[invitation.token]), {"role": "student"})

    (activity,) = Activity.objects.all()
    assert activity.did == "is coming as a student"


def test_pages_for_organisers_are_english_whoever_opens_them(visitor):
    chapter = chapter_with(students=1)
    workshop = WorkshopFactory(chapter=chapter)
    organiser = organiser_of(chapter)
    organiser.language = Language.GERMAN
    organiser.save()
    client = Client()
    client.force_login(organiser)

    for path in ("portal", "workshops", "chapters", "members"):
        answer = client.get(reverse(path))
        assert language_of(answer) == "en-gb"
        assert reverse("choose_language") not in answer.content.decode()
    page = client.get(reverse("organiser_workshop", args=[workshop.pk])).content.decode()
    assert f"{workshop.local_start:%A}" in page
    refused = client.post(reverse("workshop_new"), {})
    assert (refused.status_code, language_of(refused)) == (400, "en-gb")
    assert language_of(client.get(reverse("dashboard"))) == "de"


@pytest.mark.parametrize(
    ("status", "ask", "said"),
    [
        (404, lambda client: client.get("/invitation/nobody"), "Hier ist nichts"),
        (403, lambda client: client.post(reverse("account_login"), {}), "Deine Antwort kam nicht"),
    ],
)
def test_a_dead_end_is_told_in_ones_language(
    visitor: Client, status: int, ask: Callable[[Client], object], said: str
):
    visitor.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"

    answer = ask(visitor)

    assert (answer.status_code, language_of(answer)) == (status, "de")
    assert said in answer.content.decode()


def test_the_languages_of_members_are_those_of_the_site():
    assert [code for code, _ in settings.LANGUAGES] == [
        languages.code_of(language) for language in Language
    ]
    assert [languages.language_of(code) for code, _ in settings.LANGUAGES] == list(Language)
    assert [name for _, name in settings.LANGUAGES] == Language.labels
