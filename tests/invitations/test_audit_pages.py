"""The page that proves that everyone was invited, the audit of everything, and the command."""

from __future__ import annotations

import json
import logging

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from chapters.models import Role
from invitations import tasks
from invitations.queries import auditing as queries
from invitations.services import auditing, sweeping
from logs.models import AuditRun, EntryStatus, InvitationLog, LogStatus
from members.models import Member
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)
from tests.support.audited import invited, letter_to
from tests.support.here import send_here
from tests.support.processes import Station

pytestmark = pytest.mark.django_db


def client_of(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def page_of(log: InvitationLog, query: str = "") -> str:
    client = client_of(organiser_of(log.chapter))
    response = client.get(reverse("workshop_audit", args=[log.workshop_id]) + query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# ---- The page of a workshop -------------------------------------------------------------------


def test_the_page_says_that_everyone_has_been_invited():
    log = invited()
    InvitationLog.objects.update(audience="everyone")

    page = page_of(log)

    assert "Everyone eligible has been invited" in page
    assert "They add up" in page


@pytest.mark.parametrize(
    ("audience", "sentence"),
    [
        ("students", "Every eligible student has been invited"),
        ("coaches", "Every eligible coach has been invited"),
    ],
)
def test_the_page_says_of_whom_it_speaks(audience, sentence):
    log = invited()
    InvitationLog.objects.update(audience=audience)

    page = page_of(log)

    assert sentence in page
    assert "have not been invited yet" in page


def test_the_click_invites_exactly_those_who_are_missing(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=4))
    organiser = organiser_of(workshop.chapter)
    first = InvitationLogFactory(workshop=workshop)
    InvitationLog.objects.update(status=LogStatus.PREPARING)
    send_here(first)
    in_doubt, failed = first.entries.order_by("pk")[:2]
    first.entries.filter(pk=in_doubt.pk).update(status=EntryStatus.UNKNOWN, reason="it broke")
    first.entries.filter(pk=failed.pk).update(status=EntryStatus.FAILED, reason="“550 no”")
    newcomer = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)
    subscribe(MemberFactory(), workshop.chapter, Role.COACH)  # nobody has asked for coaches
    page = page_of(first)
    assert "3 eligible members have not been invited" in page
    assert "Invite these 2" in page
    station.sink.letters.clear()

    client = client_of(organiser)
    data = {"seen_count": "2"}
    assert f'action="{reverse("invite", args=[workshop.pk])}?for=students"' in page
    client.post(reverse("invite", args=[workshop.pk]) + "?for=students", data)
    send_here(workshop.invitation_logs.latest("pk"))

    reached = set(station.sink.recipients)
    assert reached == {newcomer.email, failed.member.email}
    assert "1 eligible member has not been invited" in page_of(first)
    assert "Invite th" not in page_of(first)


@pytest.mark.parametrize(
    ("statuses", "audience"),
    [
        (["students"], "students"),
        (["coaches"], "coaches"),
        (["students", "coaches"], "everyone"),
        (["students", "everyone"], "everyone"),
    ],
)
def test_the_button_asks_whom_the_others_asked(statuses, audience):
    workshop = WorkshopFactory(chapter=chapter_with(students=1, coaches=1))
    for done in statuses:
        log = InvitationLogFactory(workshop=workshop, audience=done, status=LogStatus.COMPLETED)

    assert f"?for={audience}" in page_of(log)


def test_the_page_before_anybody_was_invited():
    log = InvitationLogFactory(workshop=WorkshopFactory(), audience="students")
    InvitationLog.objects.update(status=LogStatus.CANCELLED)

    assert "Nobody has been invited yet" in page_of(log)


def test_the_page_while_letters_leave():
    log = invited()
    InvitationLogFactory(workshop=log.workshop, audience="coaches", status=LogStatus.RUNNING)

    assert "Inviting coaches: not done yet" in page_of(log)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"past": True}, "This workshop has begun"),
        ({"cancelled": True}, "This workshop is cancelled"),
    ],
)
def test_the_page_when_it_is_too_late(fields, sentence):
    assert sentence in page_of(invited(**fields))


def test_the_page_offers_no_click_that_would_be_refused():
    log = invited(is_invitable=False)
    subscribe(MemberFactory(), log.chapter, Role.STUDENT)

    page = page_of(log)

    assert "1 eligible member has not been invited" in page
    assert "not open for invitations" in page
    assert "Invite this member" not in page


def test_the_page_names_what_is_wrong_by_numbers():
    log = invited()
    entry = log.entries.earliest("pk")
    log.entries.filter(pk=entry.pk).update(answer_code=451)

    page = page_of(log)

    assert "Counts as sent, and the mail server said 451." in page
    assert f"entry {entry.pk}, member {entry.member_id}" in page
    assert "They add up" not in page
    assert reverse("runbook") + "#audit" in page


def test_the_page_lists_fifty_at_a_time():
    log = invited()
    for _ in range(51):
        subscribe(MemberFactory(), log.chapter, Role.STUDENT)

    assert page_of(log).count("Became eligible since.") == 50
    assert page_of(log, "?page=2").count("Became eligible since.") == 1
    assert page_of(log, "?page=x").count("Became eligible since.") == 50


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_asks_as_often_whatever_the_size(rows, django_assert_num_queries):
    log = invited(students=rows)
    for _ in range(rows):
        subscribe(MemberFactory(), log.chapter, Role.STUDENT)
    log.entries.update(answer_code=451)
    client = client_of(organiser_of(log.chapter))

    with django_assert_num_queries(23):
        client.get(reverse("workshop_audit", args=[log.workshop_id]))


def test_the_page_is_linked_where_one_looks_for_it():
    log = invited()
    client = client_of(organiser_of(log.chapter))

    for name in ("organiser_workshop", "invitation_logs"):
        page = client.get(reverse(name, args=[log.workshop_id])).content.decode()
        assert reverse("workshop_audit", args=[log.workshop_id]) in page


# ---- Everything ---------------------------------------------------------------------------------


@pytest.fixture
def admin() -> Client:
    return client_of(MemberFactory(superuser=True))


def audits(client: Client) -> str:
    return " ".join(client.get(reverse("audits")).content.decode().split())


def test_the_button_asks_for_one_audit(admin, monkeypatch, django_capture_on_commit_callbacks):
    rung: list[int] = []
    monkeypatch.setattr(tasks, "ring_audit", rung.append)
    assert "Nothing was audited yet" in audits(admin)

    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            assert admin.post(reverse("audit_now")).url == reverse("audits")

    run = AuditRun.objects.get()
    assert rung == [run.pk]
    assert "An audit is asked for" in audits(admin)
    assert "Audit everything now" not in audits(admin)


def test_a_page_that_asks_again_is_told_only_what_is_new(admin):
    run = AuditRun.objects.create()

    def answers() -> list[int]:
        return [
            admin.get(reverse("audits"), {"seen": seen}).status_code for seen in ("asked", "begun")
        ]

    assert answers() == [204, 200]
    AuditRun.objects.filter(pk=run.pk).update(started_at=in_days(-1))
    assert answers() == [200, 204]
    AuditRun.objects.filter(pk=run.pk).update(finished_at=in_days(-1))
    assert answers() == [200, 200]


def test_an_audit_is_made_once_kept_and_said_aloud(ledger: None, caplog):
    log = invited()
    newcomer = subscribe(MemberFactory(name="Nobody", email="x@y.example"), log.chapter, "student")
    entry = log.entries.earliest("pk")
    log.entries.filter(pk=entry.pk).update(answer_code=451)
    run = auditing.ask(by=None)

    caplog.clear()
    with caplog.at_level(logging.INFO, logger=auditing.logger.name):
        assert auditing.run(run.pk)
        assert not auditing.run(run.pk)

    run.refresh_from_db()
    assert run.release == settings.RELEASE
    assert run.found == {"not_invited": 1, "no_answer": 1}
    assert [(one["kind"], one["member"]) for one in run.breaches] == [
        ("no_answer", entry.member_id),
        ("not_invited", newcomer.pk),
    ]
    assert caplog.messages == [
        f"audit {run.pk} found 1 no_answer, 1 not_invited",
        f"audit {run.pk}: no_answer: workshop {log.workshop_id}, log {log.pk}, entry {entry.pk},"
        f" member {entry.member_id}: counts as sent, and the mail server said 451",
    ]
    assert {record.levelname for record in caplog.records} == {"ERROR"}
    page = audits(client_of(MemberFactory(superuser=True)))
    assert "2 things need a look" in page
    assert "Sent without an answer: 1" in page
    assert reverse("runbook") + "#audit" in page
    assert "by itself, in" in page


def test_people_who_wait_for_a_click_are_no_error(ledger: None, caplog):
    subscribe(MemberFactory(), invited().chapter, Role.STUDENT)
    run = AuditRun.objects.create()

    auditing.run(run.pk)

    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_clean_ledger_is_said_to_be_one(ledger: None):
    invited()
    admin = MemberFactory(superuser=True, name="Ada", surname="Admin")

    auditing.run(auditing.ask(by=admin).pk)

    page = audits(client_of(admin))
    assert "Everything adds up" in page
    assert "asked for by Ada Admin" in page


def test_what_is_wrong_is_kept_before_what_is_to_do(ledger: None, monkeypatch):
    monkeypatch.setattr(auditing, "KEPT", 2)
    log = invited()
    for _ in range(3):
        subscribe(MemberFactory(), log.chapter, Role.STUDENT)
    log.entries.filter(pk=log.entries.earliest("pk").pk).update(answer_code=451)

    run = auditing.ask(by=None)
    auditing.run(run.pk)

    run.refresh_from_db()
    assert [one["kind"] for one in run.breaches] == ["no_answer", "not_invited"]
    assert run.found == {"not_invited": 3, "no_answer": 1}


def test_an_audit_whose_worker_died_is_begun_again(ledger: None):
    run = auditing.ask(by=None)
    AuditRun.objects.update(started_at=in_days(-1))

    assert auditing.run(run.pk)


def test_the_sweep_rings_for_an_audit_that_nobody_heard_of(ledger: None, monkeypatch):
    rung: list[int] = []
    monkeypatch.setattr(tasks, "ring_audit", rung.append)
    run = AuditRun.objects.create()

    sweeping.sweep()
    assert rung == []
    AuditRun.objects.update(asked_at=in_days(-1))
    sweeping.sweep()

    assert rung == [run.pk]


def test_beat_asks_for_an_audit_every_night():
    schedule = settings.CELERY_BEAT_SCHEDULE["audit"]
    assert (schedule["task"], schedule["schedule"].hour) == (tasks.audit_nightly.name, {3})

    tasks.audit_nightly()

    assert AuditRun.objects.get().asked_by is None


@pytest.mark.parametrize("rows", [1, 3])
def test_the_overview_asks_as_often_whatever_the_size(rows, admin, django_assert_num_queries):
    breach = queries.Breach("stuck", is_open=False, reason="is stuck").as_dict()
    for _ in range(rows):
        AuditRun.objects.create(
            finished_at=in_days(-1), found={"stuck": rows}, breaches=[breach] * rows
        )

    with django_assert_num_queries(6):
        admin.get(reverse("audits"))


# ---- The command --------------------------------------------------------------------------------


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    return lambda: capsys.readouterr().out


def audit(*arguments: str) -> int:
    try:
        call_command("audit", *arguments)
    except SystemExit as end:
        return int(str(end.code))
    return 0


def test_the_command_is_quiet_about_a_clean_ledger(ledger: None, said):
    log = invited()

    assert audit() == 0
    answer = said()
    assert answer.startswith("Nothing is wrong with all workshops (")
    assert answer.endswith(f" s, release {settings.RELEASE}).\n")
    assert audit("--workshop", str(log.workshop_id)) == 0
    assert said().startswith(f"Nothing is wrong with workshop {log.workshop_id} (")


def test_the_command_names_every_breach_by_numbers(ledger: None, said):
    log = invited()
    other = invited()
    member = subscribe(MemberFactory(name="Secret"), log.chapter, Role.STUDENT)
    entry = letter_to(member, log, EntryStatus.FAILED, reason="“550 secret@people.example”")

    assert audit() == 1
    lines = said().splitlines()
    assert lines[0] == (
        f"not_invited: workshop {log.workshop_id}, log {log.pk}, entry {entry.pk},"
        f" member {member.pk}: the letter failed"
    )
    assert lines[1].startswith("1 found in all workshops: 1 not_invited (")
    assert audit("--workshop", str(other.workshop_id)) == 0


def test_the_command_speaks_json(ledger: None, said):
    log = invited()
    member = subscribe(MemberFactory(), log.chapter, Role.STUDENT)

    assert audit("--format", "json") == 1
    answer = json.loads(said())
    assert answer.pop("seconds") >= 0
    assert answer == {
        "version": 1,
        "release": settings.RELEASE,
        "workshop": None,
        "breaches": [
            {
                "kind": "not_invited",
                "is_open": True,
                "reason": "became eligible since",
                "workshop": log.workshop_id,
                "log": log.pk,
                "entry": None,
                "member": member.pk,
            }
        ],
        "counts": {"not_invited": 1},
        "is_clean": False,
    }
    member.subscriptions.all().delete()
    assert audit("--format", "json", "--workshop", str(log.workshop_id)) == 0
    assert json.loads(said())["is_clean"]


def test_the_command_knows_no_other_workshop():
    with pytest.raises(CommandError, match="There is no workshop 0"):
        call_command("audit", "--workshop", "0")


def test_the_command_takes_nothing_else():
    with pytest.raises(CommandError, match="invalid choice: 'yaml'"):
        call_command("audit", "--format", "yaml")


def test_the_ledger_stays_as_it_is_while_it_is_read(ledger: None):
    with pytest.raises(DatabaseError, match="read-only"), auditing.one_moment():
        InvitationLogEntryFactory()
