"""X12: what people write is text on every page and in every letter, and links are our own."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Chapter, Group, Sponsor, Workshop, WorkshopSponsor
from invitations.models import Invitation
from invitations.services.manager import InvitationManager
from logs.models import InvitationLog, InvitationLogEntry
from members.models import Ban, Member, Note
from tests.access.test_who_may import QUERIES
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support import links
from tests.support.here import send_here
from tests.support.processes import Station

SMTP = "django.core.mail.backends.smtp.EmailBackend"
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
RUNS = re.compile(r"<script>alert|<img src=x|href=[\"']?\s*javascript:", re.IGNORECASE)


def write_it_everywhere() -> None:
    """Into every text that a person writes, past all forms."""
    Member.objects.update(name=SCRIPT, surname=SCRIPT, about=SCRIPT, skills=SCRIPT)
    Chapter.objects.update(city=SCRIPT, description=SCRIPT)
    Chapter.objects.filter(name="Here").update(name=SCRIPT)
    Group.objects.update(description=SCRIPT)
    Workshop.objects.update(
        description=SCRIPT,
        slack_channel=SCRIPT,
        slack_channel_link="javascript:alert(1)",
    )
    Sponsor.objects.update(
        name=SCRIPT,
        website="javascript:alert(1)",
        description=SCRIPT,
        street=SCRIPT,
        directions=SCRIPT,
        accessibility_info=SCRIPT,
    )
    Invitation.objects.update(note=SCRIPT[:100], tutorial=SCRIPT)
    InvitationLog.objects.update(note=SCRIPT, subject=SCRIPT, reason=SCRIPT)
    InvitationLogEntry.objects.update(reason=SCRIPT)
    Ban.objects.update(reason=SCRIPT)
    Note.objects.update(text=SCRIPT)


@pytest.mark.django_db
def test_x12_no_page_runs_what_people_wrote(
    people: dict[str, Client], paths: dict[str, str], somebodys: dict[str, object]
):
    workshop = Workshop.objects.get(pk=somebodys["workshop_id"])
    WorkshopSponsor.objects.create(workshop=workshop, sponsor_id=somebodys["sponsor_id"])
    write_it_everywhere()

    for name, path in paths.items():
        response = people["admin"].get(path, QUERIES.get(name, {}), follow=True)
        if "html" in response.headers.get("Content-Type", ""):
            assert not RUNS.search(response.content.decode()), name


def test_x12_no_letter_runs_what_people_wrote_and_its_links_are_ours(station: Station, settings):
    workshop = WorkshopFactory(chapter=chapter_with(students=1, coaches=1))
    write_it_everywhere()

    send_here(
        InvitationManager().send_workshop_emails(workshop, "everyone", MemberFactory(), note=SCRIPT)
    )

    assert len(station.sink.letters) == 2
    for letter in station.sink.letters:
        html = links.body(letter.message, "html")
        assert "&lt;script&gt;alert(1)" in html
        assert not RUNS.search(html)
        assert {
            link for _, link in links.in_html(html) if not link.startswith(settings.SITE_URL)
        } <= {"mailto:hello@codebar.example", f"mailto:{workshop.chapter.email}"}


@pytest.mark.django_db
def test_x12_another_host_in_the_request_is_refused_and_no_letter_leaves(sink, settings):
    settings.ALLOWED_HOSTS = ["codebar.example"]
    settings.EMAIL_BACKEND = SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    address = {"email": MemberFactory().email}
    browser = Client(raise_request_exception=False)

    for header in ({"Host": "evil.example"}, {"Host": "codebar.example:x@evil.example"}):
        assert browser.post(reverse("account_login"), address, headers=header).status_code == 400
    browser.post(
        reverse("account_login"),
        address,
        headers={"Host": "codebar.example", "X-Forwarded-Host": "evil.example"},
    )

    assert [b"evil.example" in letter.content for letter in sink.letters] == [False]
