"""Who is told of an alert, when, how often, and what stands in it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from invitations import checks
from invitations.services import sweeping, telling
from logs.models import (
    Alert,
    EntryStatus,
    Severity,
)
from logs.services import alerts
from logs.services.alerts import QUIET, raise_alert
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
)
from tests.support.on_call import later

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("told_nobody")]


def test_the_message_links_the_log_and_what_to_do(on_call, settings, chat):
    workshop = WorkshopFactory()
    log = InvitationLogFactory(workshop=workshop)
    raise_alert("guard", log=log, numbers={"letters": 700, "seen": 70})
    alert = Alert.objects.get()

    telling.tell()

    (posted,) = chat.posted
    assert posted.content_type == "application/json"
    assert posted.json["release"] == "1.2+abc"
    assert posted.json["text"].startswith("codebar, now: The guard stopped a batch\n")
    assert posted.json["alerts"] == [
        {
            "kind": "guard",
            "key": str(log.pk),
            "severity": "page",
            "state": "began",
            "title": "The guard stopped a batch",
            "sentence": f"Log {log.pk} would have written to 700 people: to more than it may, or to"
            " others. Nobody was written to.",
            "numbers": {"letters": 700, "seen": 70},
            "log": log.pk,
            "release": "1.2+abc",
            "began_at": alert.began_at.isoformat(),
            "ended_at": None,
            "page": settings.SITE_URL + reverse("invitation_log", args=[workshop.pk, log.pk]),
            "runbook": f"{settings.SITE_URL}{reverse('runbook')}#guard",
        }
    ]


def test_a_storm_is_one_mail_with_the_most_urgent_first(on_call, sink, pager):
    raise_alert("audit", numbers={"audit": 1, "breaches": 2})
    for number in range(30):
        raise_alert("in_doubt", key=str(number), numbers={"letters": 1})
    raise_alert("server_errors", numbers={"errors": 9, "minutes": 5})

    telling.tell()

    (letter,) = sink.letters
    assert letter.message["Subject"] == "codebar, now: Pages fail, and 31 more"
    assert letter.message["Auto-Submitted"] == "auto-generated"
    assert "And 12 more." in letter.message.get_body(("plain",)).get_content()
    assert [one["kind"] for one in pager.posted[0].json["alerts"]] == ["server_errors"]


def test_the_next_mail_waits_two_minutes_and_the_pager_does_not(on_call, sink, pager):
    raise_alert("audit")
    telling.tell()
    raise_alert("server_errors")
    raise_alert("in_doubt")

    telling.tell()
    assert (len(sink.letters), len(pager.posted)) == (1, 1)

    later(timedelta(minutes=3))
    telling.tell()
    assert (len(sink.letters), len(pager.posted)) == (2, 1)
    assert sink.letters[1].message["Subject"] == "codebar, now: Pages fail, and 1 more"


def test_a_mail_server_that_is_away_is_asked_later_and_later(on_call, sink, chat):
    sink.script = lambda step, _: "451 4.3.0 not now" if step == "rcpt" else None
    raise_alert("audit")

    for minutes in (1, 2, 4, 8):
        telling.tell()
        wait = Alert.objects.get().tell_at - timezone.now()
        assert timedelta(minutes=minutes - 0.5) < wait <= timedelta(minutes=minutes)
        later(timedelta(minutes=minutes))
    sink.script = None
    telling.tell()

    assert len(sink.letters) == 1
    assert len(chat.posted) == 1  # what worked is not done again
    assert Alert.objects.get().tries == 0


@pytest.mark.parametrize("status", [307, 404, 500])
def test_a_webhook_that_refuses_makes_no_second_mail(status, on_call, sink, chat, pager, caplog):
    chat.status, chat.location = status, pager.url
    raise_alert("audit")

    telling.tell()
    later(timedelta(minutes=1))
    telling.tell()

    assert (len(sink.letters), len(chat.posted), len(pager.posted)) == (1, 2, 0)
    assert "1 alerts could not be told (HTTPError)" in caplog.text
    assert chat.url not in caplog.text


def test_a_webhook_that_is_silent_is_given_up_soon(on_call, sink, chat, monkeypatch):
    monkeypatch.setattr(telling, "WEBHOOK_SECONDS", 0.2)
    chat.delay_seconds = 2
    raise_alert("audit")

    begun_at = timezone.now()
    telling.tell()

    assert timezone.now() - begun_at < timedelta(seconds=1.5)
    assert len(sink.letters) == 1


def test_an_alert_of_another_release_silences_nothing(on_call, sink, chat):
    Alert.objects.create(kind="weather", severity=Severity.PAGE, numbers={"degrees": 40})
    raise_alert("server_errors")

    telling.tell()

    titles = [one["title"] for one in chat.posted[0].json["alerts"]]
    assert titles == ["weather", "Pages fail"]
    assert len(sink.letters) == 1


def test_a_way_that_breaks_silences_no_other(on_call, sink, chat, settings, caplog):
    settings.PAGER_WEBHOOK_URL = ["https://pager.example/secret"]  # requests knows no such address
    settings.ALERT_EMAILS = "amina@ops.example"  # Django takes lists only: a TypeError
    raise_alert("guard")

    telling.tell()

    assert (len(chat.posted), len(sink.letters)) == (1, 0)
    assert "1 alerts could not be told (TypeError)" in caplog.text
    assert "secret" not in caplog.text
    assert Alert.objects.get().posted_at is not None


def test_two_who_tell_at_once_tell_it_once(on_call, sink):
    raise_alert("audit")
    taken, _ = telling._take(telling._ways())

    telling.tell()

    assert len(taken) == 1
    assert sink.letters == []


@pytest.mark.django_db(transaction=True)
def test_what_ends_while_it_is_told_is_told_to_be_over(on_call, sink, chat):
    def end() -> None:
        alerts.end_alert("audit")
        connection.close()

    chat.meanwhile = end
    raise_alert("audit")
    telling.tell()
    chat.meanwhile = lambda: None
    later(QUIET)

    telling.tell()
    telling.tell()

    assert [letter.message["Subject"] for letter in sink.letters] == [
        "codebar, today: The audit found what must not be",
        "codebar, over: The audit found what must not be",
    ]


def test_what_nobody_could_be_told_for_a_day_is_not_told_when_it_is_over(on_call, sink):
    raise_alert("audit")
    alerts.end_alert("audit")
    Alert.objects.update(tries=3)
    later(timedelta(days=2))

    telling.tell()

    assert sink.letters == []


def test_where_nobody_is_named_nobody_is_told(settings, sink):
    settings.ALERT_EMAILS, settings.ALERT_WEBHOOK_URL, settings.PAGER_WEBHOOK_URL = [], "", ""
    raise_alert("audit")

    assert not telling.is_due()
    telling.tell()

    assert Alert.objects.get().tries == 0


MAIL, CHAT, PAGER = {"ALERT_EMAILS": ["a@b.example"]}, {"ALERT_WEBHOOK_URL": "x"}, "x"


@pytest.mark.parametrize(
    ("ways", "why"),
    [
        (
            {},
            "Nobody is told when something is wrong: ALERT_EMAILS and PAGER_WEBHOOK_URL are empty.",
        ),
        (MAIL, "What cannot wait wakes nobody: PAGER_WEBHOOK_URL is empty."),
        (CHAT, "What cannot wait wakes nobody: PAGER_WEBHOOK_URL is empty."),
        ({"PAGER_WEBHOOK_URL": PAGER}, "Only what cannot wait is told: ALERT_EMAILS is empty."),
        (MAIL | {"PAGER_WEBHOOK_URL": PAGER}, ""),
        (CHAT | {"PAGER_WEBHOOK_URL": PAGER}, ""),
    ],
)
def test_where_not_all_is_heard_the_start_the_check_and_the_page_say_so(
    settings, caplog, client, ways, why
):
    nobody = {"ALERT_EMAILS": [], "ALERT_WEBHOOK_URL": "", "PAGER_WEBHOOK_URL": ""}
    for name, value in (nobody | ways | {"DEBUG": False}).items():
        setattr(settings, name, value)
    client.force_login(MemberFactory(superuser=True))

    telling.warn_where_unheard()
    found = [message.msg for message in checks.somebody_hears_alerts()]
    page = client.get(reverse("operations")).content.decode()

    said = [why] if why else []
    assert ([record.message for record in caplog.records], found) == (said, said)
    assert ("not all are heard" in page) == bool(why)
    assert why in page


def test_while_somebody_develops_the_start_says_nothing(settings, caplog):
    settings.ALERT_EMAILS, settings.PAGER_WEBHOOK_URL, settings.DEBUG = [], "", True

    telling.warn_where_unheard()

    assert caplog.records == []


def test_no_names_and_addresses_in_what_is_told(on_call, sink, chat):
    member = MemberFactory(name="Amina", surname="Uncommon")
    log = InvitationLogFactory(initiator=member)
    InvitationLogEntryFactory(log=log, member=member, status=EntryStatus.UNKNOWN, reason="?")
    sweeping.sweep()

    telling.tell()

    said = sink.letters[0].message.as_string() + chat.posted[0].content.decode()
    for word in (member.name, member.surname, member.email, log.chapter.name):
        assert word not in said.replace("amina@ops.example", "")
