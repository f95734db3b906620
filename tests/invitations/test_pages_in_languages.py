"""Every page for members in German and French: no sentence of it is left in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, FeedbackRequest, Invitation
from invitations.services import unsubscribing
from invitations.urls.of_planner import GONE
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    in_days,
    subscribe,
)
from tests.support.english import english_in
from tests.support.names import case

pytestmark = pytest.mark.django_db

IN_EACH_LANGUAGE = pytest.mark.parametrize("language", ["de", "fr"])

# What has no words for members: it answers machines, changes something, or leads elsewhere.
WORDLESS = {
    "healthz", "readyz", "deadman", "metrics", "bounces", "letters_again", "robots", "sitemap",
    "choose_language", "events", "support_us",
    "donate", "my_data",
    "accept", "decline", "waiting_list", "leave_line", "old_invitation", "rsvp_here", "subscribe",
    "leave", "account_request_login_code", "account_confirm_login_code", "account_logout", "login",
    "member_new", "github_login", "github_callback", "openid_connect_login",
    "openid_connect_callback", "address_change", "calendar", "moved", "old_feedback",
}  # fmt: skip
WITHOUT_ARGUMENTS = {
    "home", "upcoming", "past", "code_of_conduct", "breach_of_conduct", "attendance_policy",
    "student_guide", "coaching_guide", "faq", "volunteer", "privacy_policy", "cookie_policy",
    "account_login", "account_signup", "account_inactive", "terms", "dashboard", "my_invitations",
    "account_close", "subscriptions", "leave_all", "details", "profile", "profile_edit",
    "address_confirm", "podcast", "fresh_link",
}  # fmt: skip


@pytest.fixture
def zoe() -> Member:
    return MemberFactory(name="Zoë", surname="")


@pytest.fixture
def invitation(zoe) -> Invitation:
    """One to a workshop with a host, of a chapter that has met before."""
    chapter = ChapterFactory(name="Berlin", city="Berlin", time_zone="Europe/Berlin")
    subscribe(zoe, chapter, *Role)
    before = WorkshopFactory(chapter=chapter, past=True)
    was_there = InvitationFactory(
        workshop=before, member=zoe, answer=Answer.ATTENDING, attended_at=before.starts_at
    )
    FeedbackRequest.objects.create(invitation=was_there)
    host = SponsorFactory(name="Möbelhaus", accessibility_info="Aufzug.", directions="Klingeln.")
    return InvitationFactory(workshop=WorkshopFactory(chapter=chapter, host=host), member=zoe)


def browser(language: str, member: Member | None = None) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    if member:
        Member.objects.filter(pk=member.pk).update(language=language)
        client.force_login(member)
    return client


def pages_of(invitation: Invitation) -> dict[str, str]:
    """The address of each page for members, by its name."""
    workshop, chapter = invitation.workshop, invitation.workshop.chapter
    letters = unsubscribing.token_for(
        member_id=invitation.member_id, chapter_id=chapter.pk, role=Role.STUDENT
    )
    return {name: reverse(name) for name in WITHOUT_ARGUMENTS} | {
        "workshop": reverse("workshop", args=[workshop.pk]),
        "chapter_page": reverse("chapter_page", args=[chapter.slug]),
        "chapter_feed": reverse("chapter_feed", args=[chapter.slug]),
        "invitation": reverse("invitation", args=[invitation.token]),
        "unsubscribe": reverse("unsubscribe", args=[letters]),
        "feedback": reverse("feedback", args=[FeedbackRequest.objects.get().token]),
    }


def all_names(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith(("admin/", "staff/")):
            continue
        if isinstance(pattern, URLPattern):
            yield str(pattern.name)
        else:
            yield from all_names(pattern, path)


def assert_no_english(client: Client, path: str, *, status: int = 200) -> None:
    answer = client.get(path, follow=True)
    assert (answer.status_code, english_in(answer.content.decode())) == (status, []), path


def test_every_page_for_members_is_looked_at_here(invitation):
    assert set(all_names(get_resolver())) == WORDLESS | set(pages_of(invitation)) | {"gone"}


@IN_EACH_LANGUAGE
@pytest.mark.parametrize("path", [path for path in GONE if not path.startswith("admin/")])
def test_no_page_for_what_planner_had_and_we_have_not_is_left_in_english(language, path):
    path = re.sub("<.*?>", "x", path)
    assert_no_english(browser(language), f"/{path}", status=410)


@IN_EACH_LANGUAGE
def test_the_page_for_an_unknown_link_to_stop_letters_is_not_left_in_english(language):
    assert_no_english(browser(language), reverse("unsubscribe", args=["unknown"]), status=404)


@IN_EACH_LANGUAGE
@pytest.mark.parametrize("is_member", [True, False], ids=["member", "visitor"])
def test_no_page_is_left_in_english(invitation, zoe, language, is_member):
    client = browser(language, zoe if is_member else None)

    for path in pages_of(invitation).values():
        assert_no_english(client, path)


@IN_EACH_LANGUAGE
def test_no_page_of_somebody_new_is_left_in_english(language):
    member = MemberFactory(accepted_terms_at=None, name="")
    client = browser(language, member)

    for fields in ({"accepted_terms_at": timezone.now()}, {"name": "Zoë"}):
        assert_no_english(client, reverse("dashboard"))  # first the terms, then the details
        Member.objects.filter(pk=member.pk).update(**fields)
    for name in ("dashboard", "my_invitations", "subscriptions", "leave_all", "account_close"):
        assert_no_english(client, reverse(name))


@IN_EACH_LANGUAGE
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("answer", Answer)
@pytest.mark.parametrize(
    "workshop",
    [
        {},
        {"virtual": True},
        {"host": None},
        {"cancelled": True},
        {"starts_at": in_days(-1)},
        {"starts_at": timezone.now() - timedelta(minutes=30)},
        {"rsvp_closes_at": in_days(-1)},
        {"rsvp_opens_at": in_days(1)},
        {"student_spaces": 1, "coach_spaces": 1},
    ],
    ids=case,
)
def test_no_state_of_an_invitation_is_left_in_english(zoe, language, role, answer, workshop):
    workshop = WorkshopFactory(chapter=ChapterFactory(name="Berlin", city="Berlin"), **workshop)
    subscribe(zoe, workshop.chapter, *Role)
    for each in Role:
        InvitationFactory.create(workshop=workshop, role=each, answer=Answer.ATTENDING)
    invitation = InvitationFactory(workshop=workshop, member=zoe, role=role, answer=answer)

    assert_no_english(browser(language), reverse("invitation", args=[invitation.token]))
    signed_in = browser(language, zoe)
    assert_no_english(signed_in, reverse("workshop", args=[workshop.pk]))
    assert_no_english(signed_in, reverse("dashboard"))
    Member.objects.filter(pk=zoe.pk).update(name="")  # for whom there are other sentences
    assert_no_english(browser(language), reverse("invitation", args=[invitation.token]))


@IN_EACH_LANGUAGE
@pytest.mark.parametrize("answer", Answer)
@pytest.mark.parametrize("step", ["accept", "decline", "waiting_list"])
@pytest.mark.parametrize("workshop", [{}, {"cancelled": True}, {"student_spaces": 1}], ids=case)
def test_what_an_answer_says_back_is_not_left_in_english(zoe, language, answer, step, workshop):
    workshop = WorkshopFactory(chapter=ChapterFactory(name="Berlin", city="Berlin"), **workshop)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    invitation = InvitationFactory(workshop=workshop, member=zoe, answer=answer)
    path = reverse(step, args=[invitation.token])

    for fields in ({}, {"role": "student"}, {"role": "coach"}, {"note": "x" * 200}):
        answer = browser(language).post(path, fields, follow=True)
        assert english_in(answer.content.decode()) == []


@IN_EACH_LANGUAGE
@pytest.mark.parametrize(
    "page",
    ["account_login", "account_signup", "profile_edit", "details", "account_close", "feedback"],
)
def test_what_a_form_asks_to_mend_is_not_left_in_english(invitation, zoe, language, page):
    path = pages_of(invitation)[page]
    client = browser(language, None if page in ("account_login", "account_signup") else zoe)

    for fields in ({}, dict.fromkeys(("email", "name", "surname", "about", "rating"), "\x00")):
        answer = client.post(path, fields)
        assert (answer.status_code, english_in(answer.content.decode())) == (400, [])


@IN_EACH_LANGUAGE
def test_no_dead_end_is_left_in_english(invitation, language):
    for path in (
        "/invitation/nobody",
        "/unsubscribe/nobody",
        "/feedback/nobody",
        "/nowhere/at/all",
    ):
        assert_no_english(browser(language), path, status=404)


@IN_EACH_LANGUAGE
@pytest.mark.parametrize("scope", ["", "chapter", "everything"])
def test_stopping_letters_is_not_left_in_english(invitation, language, scope):
    client = browser(language)
    path = pages_of(invitation)["unsubscribe"]

    answer = client.post(path, {"what": scope} if scope else {})

    assert english_in(answer.content.decode()) == []
    assert_no_english(client, path)


@IN_EACH_LANGUAGE
def test_joining_and_leaving_are_told_in_ones_language(invitation, zoe, language):
    client = browser(language, zoe)
    group = zoe.groups.first()

    for step in ("leave", "leave", "subscribe", "subscribe"):
        answer = client.post(reverse(step, args=[group.pk]), follow=True)
        assert english_in(answer.content.decode()) == []
    answer = client.post(reverse("leave_all"), follow=True)
    assert english_in(answer.content.decode()) == []
