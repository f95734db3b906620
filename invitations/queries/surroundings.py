"""What every organiser's page says around its own story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import BooleanField, Exists, ExpressionWrapper, Q, Subquery
from django.db.models.functions import Now

from chapters.models import Chapter, Workshop
from logs.models import Heartbeat, Switch
from logs.queries import Obstacles, stops
from logs.services import heartbeats
from members.models import Member

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


@dataclass(frozen=True)
class Surroundings:
    """
    Whether this person organises anything, and whether letters about that are stopped; and since
    when nothing looks after any letter, where the sweep has fallen silent.
    """

    is_organiser: bool
    sending: Obstacles
    silent_since: datetime | None


def surroundings(user: Member | AnonymousUser) -> Surroundings:
    """
    One statement, since every organiser's page asks it; without the hold. While something is
    stopped, two more say what, and who did it.
    """
    chapters = Chapter.objects.organised_by(user)
    workshops = Workshop.objects.organised_by(user)
    theirs = Chapter.objects.filter(
        Q(pk__in=chapters.values("pk")) | Q(pk__in=workshops.values("chapter"))
    )
    stopped = Switch.objects.filter(chapter__in=theirs, is_on=False)
    silent = Heartbeat.objects.filter(
        name=heartbeats.SWEEP, at__lt=Now() - timedelta(seconds=settings.DEADMAN_SECONDS)
    )
    is_organiser, is_on, is_partly_off, silent_since = Member.objects.values_list(
        ExpressionWrapper(Q(Exists(chapters)) | Q(Exists(workshops)), output_field=BooleanField()),
        Exists(Switch.objects.filter(chapter=None, is_on=True)),
        Exists(stopped),
        Subquery(silent.values("at")),
    ).get(pk=user.pk)
    return Surroundings(
        is_organiser=is_organiser,
        sending=Obstacles(stops=stops(theirs) if is_partly_off or not is_on else [], hold=None),
        silent_since=silent_since,
    )
