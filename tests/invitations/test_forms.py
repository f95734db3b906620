"""What every form does, whatever is in it."""

import pytest
from django.test import Client
from django.urls import reverse

from invitations.forms import chapters, members, planning, sending, sponsoring
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


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (chapters.ChapterForm, "description"),
        (chapters.GroupForm, "description"),
        (planning.WorkshopForm, "description"),
        (planning.CancellingForm, "reason"),
        (planning.TellingForm, "note"),
        (members.NoteForm, "text"),
        (members.BanForm, "explanation"),
        (sponsoring.CompanyForm, "directions"),
        (sending.InviteForm, "note"),
        (sending.MessageForm, "text"),
    ],
)
def test_a_line_break_counts_as_the_one_character_that_was_typed(form, field):
    texts = form.base_fields[field]
    typed = "\r\n".join("x" * (texts.max_length // 2)) + "x" * (texts.max_length % 2)

    assert texts.clean(typed) == typed.replace("\r\n", "\n")
