"""X11: no cell of a list that somebody takes along is run by a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from members.models import Ban, Member

pytestmark = pytest.mark.django_db

FORMULAS = ["=HYPERLINK(1)", "+1", "-1+2", "@SUM(A1)", "\t=1", "\uff1d1+1", ' =1,"2"\n=3']
LISTS = {"pairing_csv", "labels_csv", "log_csv"}


def test_x11_there_is_no_list_that_is_not_asked_here(paths: dict[str, str]):
    assert {name for name, path in paths.items() if path.endswith(".csv")} == LISTS


@pytest.mark.parametrize("formula", FORMULAS)
def test_x11_no_cell_starts_a_formula(
    formula: str, people: dict[str, Client], paths: dict[str, str], somebodys: dict[str, object]
):
    Ban.objects.all().delete()  # whoever is banned is on no list
    Member.objects.filter(pk=somebodys["member_id"]).update(
        name=formula, surname="", pronouns=formula[:50], skills=formula
    )

    for name in LISTS:
        sent = b"".join(people["admin"].get(paths[name])).decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(sent, newline="")) for cell in row]
        named = [cell for cell in cells if formula.strip()[:4] in cell]
        assert named, name
        assert [c for c in cells if c.lstrip()[:1] in ("=", "+", "-", "@", "\uff1d")] == []
