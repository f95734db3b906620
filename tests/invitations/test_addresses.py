"""A chapter's page at /SLUG never stands in the way of another page."""

from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import resolve, reverse

from chapters.models import Chapter
from invitations.addresses import kept_words
from invitations.services import founding
from invitations.services.founding import Particulars
from tests.access.test_who_may import addresses
from tests.factories import ChapterFactory, MemberFactory

pytestmark = pytest.mark.django_db

OF_CHAPTERS = {"chapter_page", "chapter_feed"}
SOMETHING = {"slug": "x", "provider": "github"}


def fixed_paths() -> dict[str, str]:
    """Every address but those of chapters, with something in its gaps."""
    return {
        name: reverse(name, kwargs={part: SOMETHING.get(part, "1") for part in parts})
        for name, parts in addresses().items()
        if name not in OF_CHAPTERS
    }


def test_every_fixed_address_leads_to_its_own_page():
    assert {name: resolve(path).url_name for name, path in fixed_paths().items()} == {
        name: name for name in fixed_paths()
    }


def test_the_first_word_of_every_fixed_address_is_kept():
    first_words = {path.split("/")[1] for path in fixed_paths().values()}

    assert first_words - {"", "robots.txt", "sitemap.xml"} <= kept_words()


@pytest.mark.parametrize("slug", ["admin", "events", "workshops", "staff", "invitation", "faq"])
def test_no_chapter_is_founded_in_the_way_of_a_page(slug):
    particulars = Particulars(
        name=slug.title(),
        city="Town",
        email="town@codebar.example",
        time_zone=ZoneInfo("Europe/London"),
        description="",
    )

    with pytest.raises(founding.NameOfAPage) as refusal:
        founding.found(particulars, by=MemberFactory())

    assert refusal.value.message == f"One of our pages is at /{slug}. Choose another name."
    assert not Chapter.objects.exists()


def test_the_form_comes_back_with_what_was_typed_and_why():
    client = Client()
    client.force_login(MemberFactory(superuser=True))
    typed = {"name": "Events", "city": "Town", "email": "town@codebar.example"}

    response = client.post(reverse("chapter_new"), {**typed, "time_zone": "Europe/London"})

    assert "One of our pages is at /events." in response.content.decode()
    assert response.context["form"]["city"].value() == "Town"
    assert not Chapter.objects.exists()


def test_a_chapter_that_is_called_like_a_page_all_the_same_does_not_hide_it():
    ChapterFactory(slug="faq", name="Faq")
    ChapterFactory(slug="admin", name="Admin")

    assert b"Questions and answers" in Client().get("/faq").content
    assert Client().get("/admin").headers["Location"] == "/admin/"


def test_a_chapter_whose_name_only_begins_like_a_page_has_its_page():
    ChapterFactory(slug="faqville", name="Faqville")

    assert Client().get("/faqville").status_code == 200
