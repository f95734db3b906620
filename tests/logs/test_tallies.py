"""What is counted beside the work, minute by minute."""

from datetime import timedelta

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from logs.models import Tally
from logs.services import tallies

pytestmark = pytest.mark.django_db


def test_each_name_is_counted_by_itself():
    tallies.count("server_errors")
    tallies.count("server_errors", by=2)
    tallies.count("guard")

    since = timezone.now() - timedelta(minutes=1)
    counted = {name: tallies.counted(name, since=since) for name in ("server_errors", "guard")}
    assert counted == {"server_errors": 3, "guard": 1}


def test_one_row_a_minute():
    tallies.count("guard")
    tallies.count("guard")

    minutes = Tally.objects.values_list("minute", flat=True)
    assert {(minute.second, minute.microsecond) for minute in minutes} == {(0, 0)}
    assert len(minutes) <= 2  # the minute may have just ended


def test_what_was_before_does_not_count():
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    for minutes, count in ((-1, 4), (0, 2), (1, 1)):
        minute = noon + timedelta(minutes=minutes)
        Tally.objects.create(name="guard", minute=minute, count=count)

    assert tallies.counted("guard", since=noon + timedelta(seconds=30)) == 3


def test_nothing_was_counted():
    assert tallies.counted("guard", since=timezone.now()) == 0


def test_whoever_cannot_count_goes_on(caplog):
    """Not even in a transaction that is broken already."""
    with transaction.atomic():
        broken = transaction.savepoint()
        with pytest.raises(Error):
            connection.cursor().execute("SELECT 1 / 0")
        tallies.count("guard")
        transaction.savepoint_rollback(broken)

    assert caplog.messages == ["1 more guard were not counted (InternalError)"]
    assert Tally.objects.count() == 0


def test_a_name_that_is_too_long_breaks_nobody(caplog):
    tallies.count("n" * 61)

    assert caplog.messages == [f"1 more {'n' * 61} were not counted (DataError)"]
    assert Tally.objects.count() == 0
