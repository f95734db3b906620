"""The runbook beside the code (R39): a section for each alert, and commands that exist."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.db import connection
from django.urls import Resolver404, resolve

from invitations.runbook import runbook
from logs.models import Severity
from logs.services.alerts import KINDS
from tests.support.names import case

TEXT = (settings.BASE_DIR / "docs" / "runbook.md").read_text()
STAND_FOR = {"LOG": "1", "WORKSHOP": "1", "SLUG": "brighton", "N": "1"}


def commands() -> list[str]:
    """Every `manage.py …` of the runbook, in blocks and in sentences."""
    in_blocks = re.findall(r"^\s*(manage\.py .+)$", TEXT, re.MULTILINE)
    in_sentences = re.findall(r"`(manage\.py [^`…]+)`", TEXT)
    return sorted({*in_blocks, *in_sentences})


def queries() -> list[str]:
    (block,) = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    return [query.strip() for query in block.split(";") if query.strip()]


def section(kind: str) -> str:
    """From the heading of this kind to the next one."""
    found = re.search(rf"^## [^\n]*: `{kind}`\n(.*?)^## ", TEXT, re.DOTALL | re.MULTILINE)
    assert found, f"{kind} has no section"
    return found[1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_alert_has_its_section(kind):
    text = section(kind)

    for part in ("**What it means.**", "**Look at**", "**Do", "Over "):
        assert part in text
    assert kind in {one.anchor for one in runbook().sections}


def test_every_alert_stands_in_the_table_with_its_urgency():
    rows = re.findall(r"^\| \[`(\w+)`\]\(#(\w+)\) \|.*\| (\w+) \|$", TEXT, re.MULTILINE)

    assert {kind: urgency for kind, _, urgency in rows} == {
        kind: Severity(words.severity).label for kind, words in KINDS.items()
    }
    assert all(kind == anchor for kind, anchor, _ in rows)


def test_no_section_of_an_alert_that_is_none():
    assert set(re.findall(r"^## [^\n]*: `(\w+)`$", TEXT, re.MULTILINE)) == KINDS.keys()


def test_every_link_within_leads_somewhere():
    anchors = set(re.findall(r'id="([^"]+)"', runbook().html))

    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


@pytest.mark.parametrize("command", commands(), ids=case)
def test_every_command_exists_and_takes_what_it_is_given(command):
    _, name, *arguments = shlex.split(command)
    assert name in get_commands(), name
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)

    understood = parser.parse_args([STAND_FOR.get(word, word) for word in arguments])

    assert isinstance(understood, Namespace)


def test_every_program_of_ours_exists():
    for program in set(re.findall(r"`?(bin/\w+)", TEXT)):
        assert (settings.BASE_DIR / program).exists(), program


def test_every_page_exists():
    for path in set(re.findall(r"`(/[a-z/-]+)`", TEXT)):
        try:
            resolve(path)
        except Resolver404:
            pytest.fail(f"There is no page {path}.")


@pytest.mark.django_db
@pytest.mark.parametrize("query", queries(), ids=lambda query: query.split("\n")[0])
def test_every_query_can_be_asked(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        cursor.fetchall()


def test_there_are_commands_and_queries_to_look_at():
    assert len(commands()) > 10
    assert len(queries()) > 5
