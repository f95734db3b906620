"""The pages of docs/: all of them are found, and lead where they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = settings.BASE_DIR
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]


def links(page: Path) -> set[str]:
    """Where the page leads within the repository."""
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    return {link for link in found if not link.startswith("http")}


def anchors(page: Path) -> set[str]:
    """Those that GitHub makes of the headings, and the runbook's, which are names of alerts."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    ours = {heading.split(": `")[-1].rstrip("`") for heading in headings if heading.endswith("`")}
    return ours | {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
    }


def test_every_page_stands_in_the_list():
    assert links(DOCS / "README.md") >= {page.name for page in PAGES if page.parent == DOCS} - {
        "README.md"
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path):
    lost = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(link)

    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_there(page: Path):
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text()))

    assert named - get_commands().keys() == set()
