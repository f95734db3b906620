"""An organiser signs in and invites; a member answers from the letter and is confirmed."""

import re
import uuid
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role
from tests.factories import MemberFactory, WorkshopFactory, subscribe
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until


@pytest.fixture
def post_office(station: Station, settings) -> Station:
    """Workers that send, and a mail server that sign-in codes reach too."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 5
    station.variables |= PATIENT
    station.start_worker()
    station.start_beat()
    return station


def words(response) -> str:
    return " ".join(response.content.decode().split())


def letters_to(station, email) -> list[str]:
    return [_text(caught) for caught in list(station.sink.letters) if caught.recipient == email]


def _text(caught) -> str:
    return str(caught.message.get_body(("plain",)).get_content())


def link_in(letter: str, name: str) -> str:
    return urlsplit(re.search(rf"http\S+/{name}/\S+", letter)[0]).path


def test_from_the_letter_to_the_place(post_office: Station):
    workshop = WorkshopFactory()
    asha = MemberFactory(name="Asha", email=f"asha-{uuid.uuid4().hex}@people.example")
    workshop.chapter.organisers.add(asha)
    amina = subscribe(MemberFactory(name="Amina"), workshop.chapter, Role.STUDENT)

    organiser = Client(REMOTE_ADDR=f"10.{'.'.join(str(n) for n in uuid.uuid4().bytes[:3])}")
    organiser.post("/accounts/login/", {"email": asha.email})
    code = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", letters_to(post_office, asha.email)[0])[0]
    organiser.post("/accounts/login/code/confirm/", {"code": code})
    page = reverse("organiser_workshop", args=[workshop.pk])
    assert "1 eligible member is not invited yet" in words(organiser.get(page))

    organiser.post(f"{reverse('invite', args=[workshop.pk])}?for=students", {"seen_count": 1})
    wait_until(lambda: letters_to(post_office, amina.email), what="Amina's invitation")

    member = Client()
    answer = link_in(letters_to(post_office, amina.email)[0], "invitation")
    assert "Amina, come and code with us" in words(member.get(answer))
    member.post(f"{answer}/accept", {"role": "student", "note": "Vegan"})
    wait_until(lambda: len(letters_to(post_office, amina.email)) > 1, what="a confirmation")
    assert len(letters_to(post_office, amina.email)) == 2

    text = words(organiser.get(page))
    assert "Everyone eligible has been invited" in text
    assert "Amina" in text
    assert "“Vegan”" in text
