"""What every form does, whatever is in it."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import WorkshopFactory, chapter_with, organiser_of

pytestmark = pytest.mark.django_db

BUTTON = "<button formaction=/admin/chapters/3/organisers>Next</button>"


def test_a_help_text_shows_what_somebody_typed_and_does_not_become_it():
    workshop = WorkshopFactory(chapter=chapter_with(students=1, city=BUTTON))
    client = Client()
    client.force_login(organiser_of(workshop.chapter))

    page = client.get(reverse("send_invites", args=[workshop.pk])).content.decode()

    assert "&lt;button formaction" in page
    assert BUTTON not in page
