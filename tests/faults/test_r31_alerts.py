"""R31: real workers and a real beat tell somebody, also when the mail server is the fault."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F

from invitations.services.manager import InvitationManager
from logs.models import Alert, EntryStatus
from logs.services import holds
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.http_sink import HttpSink
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until

ON_CALL = "amina@ops.example"


def test_r31_many_failures_reach_the_mail_box_and_the_pager(station: Station, pager: HttpSink):
    _call(station, pager)
    people = 24
    workshop = WorkshopFactory(chapter=chapter_with(students=people))
    gone = set(workshop.chapter.groups.get(role="student").members.values_list("email", flat=True))
    refused = set(sorted(gone)[:6])
    station.sink.script = lambda step, address: (
        "550 5.7.1 blocked" if step == "rcpt" and address in refused else None
    )
    station.start_beat()
    station.start_worker()
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    station.wait_until_quiet(log)
    wait_until(lambda: station.sink.recipients[ON_CALL], what="somebody to be told by mail")
    wait_until(lambda: pager.posted, what="somebody to be paged")

    assert log.entries.filter(status=EntryStatus.FAILED).count() == 6
    wait_until(lambda: Alert.objects.filter(mailed_at__isnull=False, paged_at__isnull=False))
    alert = Alert.objects.get()
    assert (alert.kind, alert.log, alert.numbers["failed"]) == ("failure_rate", log, 6)
    assert station.sink.recipients[ON_CALL] == 1
    assert len(pager.posted) == 1
    assert not any(address in pager.posted[0].content.decode() for address in gone)


def test_r31_a_mail_server_that_is_away_is_told_to_the_pager(station: Station, pager: HttpSink):
    _call(station, pager)
    station.sink.stop()
    station.start_beat()
    station.start_worker()
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: Alert.objects.filter(kind="held"), what="the alert")
    _minutes_go_by(3)

    wait_until(lambda: pager.posted, what="somebody to be paged")
    wait_until(lambda: Alert.objects.get(kind="held").tries > 0)
    assert holds.current() is not None
    assert Alert.objects.get(kind="held").mailed_at is None
    station.sink.start()

    station.wait_until_quiet(log)
    wait_until(lambda: Alert.objects.get(kind="held").ended_at, what="the alert to end")
    _minutes_go_by(20)
    wait_until(lambda: station.sink.recipients[ON_CALL], what="somebody to be told by mail")
    wait_until(lambda: len(pager.posted) == 2, what="the pager to hear that it is over")
    assert [post.json["alerts"][0]["state"] for post in pager.posted] == ["began", "over"]
    assert set(log.entries.values_list("status", flat=True)) == {EntryStatus.SUCCESS}


def _call(station: Station, pager: HttpSink) -> None:
    station.variables |= PATIENT | {
        "ALERT_EMAILS": ON_CALL,
        "PAGER_WEBHOOK_URL": pager.url,
        "DEADMAN_SECONDS": "300",
        "WATCH_SECONDS": "0",
    }


def _minutes_go_by(minutes: int) -> None:
    time = timedelta(minutes=minutes)
    Alert.objects.update(
        tell_at=F("tell_at") - time, ended_at=F("ended_at") - time, paged_at=F("paged_at") - time
    )
