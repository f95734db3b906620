"""X8: who signs in gets a new session, and an old one ends with what it was for."""

from __future__ import annotations

import re
import uuid

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from invitations.services import closing
from members.models import Member
from tests.factories import MemberFactory
from tests.support.smtp_sink import SmtpSink

SMTP = "django.core.mail.backends.smtp.EmailBackend"

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha() -> Member:
    member: Member = MemberFactory(email=f"asha-{uuid.uuid4().hex}@people.example")
    return member


def test_x08_the_key_from_before_is_worth_nothing_after(asha, sink: SmtpSink, settings):
    settings.EMAIL_BACKEND = SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    browser = Client()
    browser.post(reverse("account_login"), {"email": asha.email})
    known = browser.cookies["sessionid"].value
    code = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", str(sink.letters[-1].message.get_content()))
    assert code

    browser.post(reverse("account_confirm_login_code"), {"code": code[0]})

    assert browser.get(reverse("profile")).status_code == 200
    assert browser.cookies["sessionid"].value != known
    assert not Session.objects.filter(pk=known).exists()


def test_x08_a_closed_account_is_signed_in_nowhere(asha):
    laptop, phone = Client(), Client()
    for browser in (laptop, phone):
        browser.force_login(asha)

    closing.close(asha, at=timezone.now())

    for browser in (laptop, phone):
        assert "/login/" in browser.get(reverse("profile"))["Location"]


def test_x08_who_is_no_organiser_any_more_is_none_in_a_session_from_before(client):
    organiser = MemberFactory(superuser=True)
    client.force_login(organiser)
    assert client.get(reverse("audits")).status_code == 200

    Member.objects.filter(pk=organiser.pk).update(is_superuser=False)

    assert client.get(reverse("audits")).status_code == 404


def test_x08_no_script_and_no_other_site_is_given_the_key(settings):
    assert settings.SESSION_COOKIE_HTTPONLY is True
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
