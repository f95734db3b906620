"""
A hello to students whom we have not seen for a while, once in a life.

Once a day, and to so few a day that no old database floods anybody: what was left out is written
the next day. A day without a beat is made good by the days after it.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from invitations import tasks
from invitations.queries import hellos
from logs.models import Action, InvitationLogEntry, Priority


@transaction.atomic
def say_hello(at: datetime) -> int:
    """
    Write down a letter for at most HELLO_PER_DAY people, less those who were written to today.

    Two who call at the same moment write to no more: the people are found before today's letters
    are counted, so whoever finds others finds the letters of the first, too, and
    `one_single_letter_per_occasion` gives the same people one letter. They leave with the bulk, so
    that they delay no confirmation.

    :returns: how many letters were due
    """
    people = list(hellos.missed(at)[: settings.HELLO_PER_DAY])
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    today = InvitationLogEntry.objects.filter(
        log=None, workshop=None, action=Action.HELLO, created_at__gte=midnight
    )
    left = max(settings.HELLO_PER_DAY - today.count(), 0)
    letters = [
        InvitationLogEntry(
            member=member, action=Action.HELLO, priority=Priority.BULK, created_at=at
        )
        for member in people[:left]
    ]
    InvitationLogEntry.objects.bulk_create(letters, ignore_conflicts=True)
    if letters:
        transaction.on_commit(tasks.ring, robust=True)
    return len(letters)
