"""docs/moving.md names every rule, in the words of the report."""

from __future__ import annotations

import re

from django.conf import settings

from invitations.services.planner.rules import Rule

TEXT = (settings.BASE_DIR / "docs" / "moving.md").read_text()


def test_every_rule_stands_there_in_its_own_words():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", TEXT, re.MULTILINE)

    assert rows == [(rule.code, rule.value) for rule in Rule]
