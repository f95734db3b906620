"""The runbook as a page: the text of the repository, safe and with its sections."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from invitations import runbook
from invitations.runbook import Section
from logs.services import alerts
from tests.factories import ChapterFactory, MemberFactory, organiser_of


def html(text: str) -> str:
    return runbook.rendered(text).html.strip()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", alerts.KINDS)
def test_every_alert_has_its_section_on_the_page(kind):
    client = Client()
    client.force_login(organiser_of(ChapterFactory()))

    page = client.get(reverse("runbook")).content.decode()

    assert f'<h2 id="{kind}">' in page
    assert f'<a href="#{kind}">' in page


@pytest.mark.django_db
def test_plain_members_have_no_use_for_it():
    client = Client()
    client.force_login(MemberFactory())

    assert client.get(reverse("runbook")).status_code == 404


def test_a_heading_is_found_by_its_alert_or_else_as_on_github():
    book = runbook.rendered(
        "# Runbook\n\n## Letters are in doubt: `in_doubt`\n\n### What it means\n\n"
        "## When, who & why\n\n## `DEBUG`"
    )

    assert book.sections == [
        Section("in_doubt", "Letters are in doubt"),
        Section("when-who--why", "When, who & why"),
        Section("DEBUG", "DEBUG"),
    ]
    assert book.html == (
        '<h2 id="in_doubt">Letters are in doubt: <code>in_doubt</code></h2>\n'
        '<h3 id="what-it-means">What it means</h3>\n'
        '<h2 id="when-who--why">When, who &amp; why</h2>\n'
        '<h2 id="DEBUG"><code>DEBUG</code></h2>\n'
    )


def test_what_is_wide_scrolls_by_the_keyboard_too():
    assert html("```sh\nmanage.py audit <ID>\n```") == (
        '<pre tabindex="0"><code>manage.py audit &lt;ID&gt;\n</code></pre>'
    )
    tables = html("|a|\n|-|\n|b|\n\nand\n\n|c|\n|-|\n|d|")
    for nr in (1, 2):
        region = f'<div class="figures" tabindex="0" role="region" aria-label="Table {nr}"><table>'
        assert tables.count(region) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[here](#in_doubt)", '<p><a href="#in_doubt" rel="noopener noreferrer">here</a></p>'),
        ("[docs](delivery.md)", '<p><a rel="noopener noreferrer">docs</a></p>'),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
        ("![x](/a.png)", "<p></p>"),
    ],
)
def test_nothing_but_text_and_ways_within_the_site(text, shown):
    assert html(text) == shown
