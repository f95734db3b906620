"""The planner that `bin/bench --import` makes can be read, and nobody in it is lost."""

import pytest
from django.core.management import call_command
from django.db.models import F, Sum

from bench import planner_town
from invitations.models import FormerToken, Invitation
from logs.models import ImportedTable, InvitationLogEntry
from tests.support.planner import Planner

pytestmark = pytest.mark.django_db


def test_the_planner_of_the_bench_arrives_whole(planner: Planner):
    rows = planner_town.fill(planner, invitations=20_000)

    call_command("import_planner", planner.url, verbosity=0)

    assert ImportedTable.objects.aggregate(rows=Sum("read"))["rows"] == rows
    merged = ImportedTable.objects.get(table="workshop_invitations").merged
    assert Invitation.objects.count() == 20_000 - merged
    assert FormerToken.objects.count() == merged > 0
    assert InvitationLogEntry.objects.filter(log__workshop__starts_at__gt=F("created_at")).exists()
