"""R36: what comes back says which letter it was, and the next batch knows."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.utils import timezone

from chapters.models import Role
from codebar.local.paths import CHECKOUT
from invitations.models import Invitation
from invitations.queries import audiences
from invitations.services import rsvps
from invitations.services.manager import InvitationManager
from logs.models import Bounce, EntryStatus, InvitationLogEntry
from members.models import Member
from tests.factories import MemberFactory, WorkshopFactory, chapter_with, in_days
from tests.logs.test_reports import message
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import Station, database_url

DOMAIN = "bounces.codebar.example"
CAME_BACK = ("5.1.1", "5.2.2", "complaint", "delayed", "on_holiday")
HARD, SOFT, COMPLAINT = Bounce.Kind.HARD, Bounce.Kind.SOFT, Bounce.Kind.COMPLAINT


def test_r36_what_comes_back_stops_the_next_batch_and_no_answer(
    station: Station, monkeypatch: pytest.MonkeyPatch
):
    station.variables["BOUNCE_DOMAIN"] = DOMAIN
    station.start_beat()
    station.start_worker()
    chapter = chapter_with(students=len(CAME_BACK) + 1)
    gone, full, unwilling, slow, away, fine = chapter.groups.get(role="student").members.order_by(
        "pk"
    )
    first = InvitationManager().send_workshop_emails(
        WorkshopFactory(chapter=chapter), "students", MemberFactory()
    )
    wait_until_quiet(first)
    assert_settled(station.sink, first, audience=6, faults=station.mishaps)
    paths = {letter.recipient: letter.sender for letter in station.sink.letters}
    assert len(set(paths.values())) == 6

    _pipe(station, message("5.1.1", path=paths[gone.email]))
    for member, name in zip((gone, full, unwilling, slow, away), CAME_BACK, strict=True):
        for _ in range(2):
            _take(monkeypatch, message(name, path=paths[member.email]))
    _take(monkeypatch, message("5.1.1", path=_forged(paths[fine.email])))

    assert _kept() == {gone.pk: HARD, full.pk: SOFT, unwilling.pk: COMPLAINT}
    second = InvitationManager().send_workshop_emails(
        WorkshopFactory(chapter=chapter, starts_at=in_days(20)), "students", MemberFactory()
    )
    wait_until_quiet(second)
    outcomes = dict(second.entries.values_list("member", "status"))
    assert {pk for pk, status in outcomes.items() if status == EntryStatus.SKIPPED} == {
        gone.pk,
        unwilling.pk,
    }
    assert set(
        second.entries.filter(status=EntryStatus.SKIPPED).values_list("reason", flat=True)
    ) == {audiences.NO_ADDRESS}

    assert _confirmed(unwilling) == EntryStatus.SUCCESS
    assert _confirmed(gone) == EntryStatus.SKIPPED


def _pipe(station: Station, raw: bytes) -> None:
    """As a mail server hands a message over: to a process of its own."""
    done = subprocess.run(
        [sys.executable, "manage.py", "take_bounce"],
        cwd=CHECKOUT,
        env=os.environ | station.variables | {"DATABASE_URL": database_url()},
        input=raw,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def _take(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    """The same within this process, where a dozen processes would take long to start."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    call_command("take_bounce")


def _forged(path: str) -> str:
    """The return path of another letter, with the seal of this one."""
    number, _, rest = path.removeprefix("bounces+").partition(".")
    return f"bounces+{int(number) - 1}.{rest}"


def _kept() -> dict[int, str]:
    return dict(Bounce.objects.values_list("member", "kind"))


def _confirmed(member: Member) -> str:
    """What becomes of the confirmation, when this member says that they come."""
    invitation = Invitation.objects.filter(member=member).earliest("pk")
    rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())
    wait_until_quiet()
    return InvitationLogEntry.objects.get(member=member, action="confirmation").status
