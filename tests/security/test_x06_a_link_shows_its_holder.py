"""X6: a page behind a link shows whoever holds it, in every form that it can be asked for."""

from __future__ import annotations

import pytest
from django.test import Client

from chapters.models import Workshop
from invitations.models import Answer
from tests.factories import InvitationFactory

pytestmark = pytest.mark.django_db

FORMS = ("", ".csv", ".json", ".txt", ".pdf", "/csv", "/attendees", "?format=csv", "?format=json")
FORMS += ("?page=2", "?for=everyone", "?q=Zed")


@pytest.mark.parametrize("form", FORMS)
def test_x06_no_form_of_the_page_names_anybody_else(
    form: str, paths: dict[str, str], somebodys: dict[str, object]
):
    workshop = Workshop.objects.get(pk=somebodys["workshop_id"])
    other = InvitationFactory(
        workshop=workshop,
        member__name="Zedekia",
        member__surname="Otherwise",
        member__email="zed@people.example",
        answer=Answer.ATTENDING,
        note="Nut allergy",
    ).member
    behind_a_link = [path for path in paths.values() if _has_token(path, somebodys)]
    stranger = Client()

    for path in behind_a_link:
        for ask in (stranger.get, stranger.post):
            response = ask(f"{path}{form}", headers={"Accept": "text/csv, application/json"})
            shown = response.content.decode(errors="replace")
            for secret in (other.name, other.surname, other.email, "Nut allergy"):
                assert secret not in shown, path


def _has_token(path: str, somebodys: dict[str, object]) -> bool:
    return any(str(somebodys[name]) in path for name in somebodys if name.endswith("token"))
