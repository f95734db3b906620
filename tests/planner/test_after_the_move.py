"""After the move: the audit passes, nobody is mailed again, and old links answer."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from chapters.models import Workshop
from invitations.models import Invitation
from invitations.queries import auditing, feedback, hellos
from invitations.services import forgetting, planning, reminding, subscribing
from invitations.services.manager import InvitationManager
from invitations.services.planner.marks import REASON
from logs.models import (
    TO_GO,
    Action,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
)
from members.models import Member
from tests.planner import network
from tests.planner.network import (
    ASHA,
    BEN,
    CLEO,
    HELD,
    LAST_YEAR,
    TO_COME,
    bring,
    entry,
    invitation,
    log,
    marked,
    naive,
)
from tests.support.here import send_here
from tests.support.planner import Planner, fill_dirty, member_row
from tests.support.processes import Station

DEE, EVE = 40, 41


@pytest.fixture
def planner(planner: Planner) -> Planner:
    """Ben is invited and Cleo was mailed by a log; Dee has joined since, Eve's letter failed."""
    network.fill(planner)
    planner.insert("members", *(member_row(who, f"m{who}@people.example") for who in (DEE, EVE)))
    planner.insert(
        "subscriptions",
        *({"id": who, "member_id": who, "group_id": 1} for who in (DEE, EVE)),
    )
    planner.insert(
        "workshop_invitations",
        invitation(1, BEN),
        invitation(2, CLEO),
        invitation(3, EVE),
        invitation(4, BEN, workshop=HELD, attending=True, attended=True),
    )
    planner.insert(
        "workshop_sponsors", {"id": 1, "workshop_id": TO_COME, "sponsor_id": 1, "host": True}
    )
    planner.insert("invitation_logs", log(1), log(2, HELD, status="running"))
    planner.insert(
        "invitation_log_entries",
        entry(1, CLEO),
        entry(2, EVE, status="failed"),
        entry(3, BEN, of=2),
        entry(4, DEE, of=2),  # of whom planner has no invitation any more
        entry(5, ASHA, of=2, status="skipped"),
    )
    return planner


def letters(**of) -> set[tuple]:
    found = InvitationLogEntry.objects.filter(**of)
    return set(found.values_list("member", "status", "reason"))


@pytest.mark.django_db
def test_everybody_invited_to_a_workshop_to_come_counts_as_written_to(planner):
    bring(planner)

    ours = InvitationLog.objects.get(workshop=TO_COME, reason="imported from planner")
    assert (ours.source, ours.status, ours.initiator) == ("import", "completed", None)
    assert letters(log=ours) == {
        (BEN, "success", "imported from planner"),
        (EVE, "success", "imported from planner"),
    }
    assert letters(log=1) == {(CLEO, "success", ""), (EVE, "failed", "planner gave no reason")}
    assert not InvitationLog.objects.filter(workshop=HELD, reason="imported from planner").exists()
    assert marked() == {"invite": 2}


@pytest.mark.django_db
def test_nothing_that_could_leave_is_written(planner):
    bring(planner)

    assert not InvitationLogEntry.objects.filter(status__in=TO_GO).exists()


def test_the_next_click_writes_to_those_alone_whom_planner_did_not_invite(
    station: Station, planner
):
    bring(planner)
    workshop = Workshop.objects.get(pk=TO_COME)
    station.start_worker()
    station.start_beat()

    log = InvitationManager().send_workshop_emails(
        workshop, Audience.EVERYONE, initiator=Member.objects.get(pk=ASHA)
    )
    station.wait_until_quiet(log)

    assert set(station.sink.recipients) == {"asha@people.example", f"m{DEE}@people.example"}
    assert set(log.entries.values_list("member", "status")) == {
        (ASHA, EntryStatus.SUCCESS),
        (DEE, EntryStatus.SUCCESS),
        *((who, EntryStatus.SKIPPED) for who in (BEN, CLEO, EVE)),
    }


@pytest.mark.parametrize("is_dirty", [False, True])
def test_the_audit_finds_nothing(ledger, planner, is_dirty):
    if is_dirty:
        fill_dirty(planner)
    bring(planner)

    call_command("audit", stdout=(said := StringIO()))  # exits with 1 where it finds something

    assert "Nothing is wrong with all workshops" in said.getvalue()


@pytest.mark.django_db
def test_letters_of_once_in_a_life_are_not_sent_again(planner):
    planner.execute("UPDATE members SET received_student_welcome_email = TRUE WHERE id = %s", BEN)
    planner.insert(
        "member_email_deliveries", {"id": 1, "member_id": BEN}, {"id": 2, "member_id": BEN}
    )
    planner.insert("member_email_deliveries", {"id": 3, "member_id": EVE})
    before = naive(timezone.now() - timedelta(days=120))
    planner.execute("UPDATE workshops SET date_and_time = %s, ends_at = NULL WHERE id = 2", before)
    planner.insert(
        "workshop_invitations",
        *(invitation(10 + who, who, workshop=HELD, attended=True) for who in (CLEO, EVE)),
    )

    bring(planner)

    assert marked() == {"hello": 2, "invite": 2, "welcome": 1}
    assert {member.pk for member in hellos.missed(timezone.now())} == {CLEO}
    ben = Member.objects.get(pk=BEN)
    group = ben.groups.get()
    subscribing.leave(ben, at=timezone.now())
    subscribing.join(ben, group)
    assert letters(action=Action.WELCOME) == {(BEN, "success", "imported from planner")}


def test_whoever_was_reminded_of_this_start_is_not_reminded_again(station: Station, planner):
    start = timezone.now().replace(microsecond=0) + timedelta(hours=20)
    planner.execute("UPDATE workshops SET date_and_time = %s WHERE id = 1", naive(start))
    planner.execute(
        "UPDATE workshop_invitations SET attending = TRUE, rsvp_time = %s WHERE workshop_id = 1",
        naive(LAST_YEAR),
    )
    planner.execute(
        "UPDATE workshop_invitations SET reminded_at = %s WHERE id = 1", naive(timezone.now())
    )
    bring(planner)

    (log,) = reminding.remind_where_due(timezone.now())
    send_here(log)

    assert marked() == {"invite": 2, "reminder": 1}
    assert set(log.entries.filter(status="success").values_list("member", flat=True)) == {CLEO, EVE}
    assert letters(log=None, action=Action.REMINDER) == {(BEN, "success", "imported from planner")}


@pytest.mark.django_db
def test_what_is_forgotten_the_next_night_is_not_sent_again(planner):
    planner.execute("UPDATE members SET received_student_welcome_email = TRUE WHERE id = %s", BEN)
    planner.insert("member_email_deliveries", {"id": 1, "member_id": CLEO})
    planner.insert(
        "feedback_requests",
        {"id": 1, "member_id": BEN, "workshop_id": HELD, "token": "asked", "submited": False},
    )
    planner.insert("workshop_invitations", invitation(5, CLEO, workshop=HELD))
    bring(planner)
    coming = letters(workshop=TO_COME)

    forgetting.forget(at=timezone.now(), seconds=60)

    forgotten = InvitationLog.objects.get(workshop=HELD)
    assert (forgotten.entries.count(), forgotten.counts["unanswered"]) == (0, {"student": 1})
    assert letters(workshop=HELD) == set()
    assert letters(workshop=TO_COME) == coming
    assert letters(workshop=None) == {(who, "success", REASON) for who in (BEN, CLEO)}
    assert list(Invitation.objects.order_by("pk").values_list("pk", flat=True)) == [1, 2, 3, 4]
    assert not feedback.to_ask(Workshop.objects.get(pk=HELD)).exists()
    assert list(auditing.breaches()) == []


@pytest.mark.django_db
def test_a_workshop_that_came_without_its_log_cannot_be_moved_into_the_future(planner):
    planner.insert("workshop_invitations", invitation(5, CLEO, workshop=HELD))
    planner.execute("DELETE FROM invitation_log_entries")
    planner.execute("DELETE FROM invitation_logs")
    bring(planner)
    held = Workshop.objects.get(pk=HELD)
    later = timezone.now() + timedelta(days=9)
    moved = planning.Plan(
        **vars(planning.plan_of(held)) | {"starts_at": later, "ends_at": later + timedelta(hours=2)}
    )

    with pytest.raises(planning.Forgotten, match="Copy it to plan another one"):
        planning.change(held, moved, by=Member.objects.get(pk=ASHA), at=timezone.now())


@pytest.mark.django_db
def test_old_links_answer(client, planner):
    planner.insert(
        "feedback_requests",
        {"id": 1, "member_id": BEN, "workshop_id": HELD, "token": "asked", "submited": False},
    )
    bring(planner)

    pages = ["/invitation/token-1", "/invitation/token-4", "/feedback/asked", "/workshops/1"]
    assert [client.get(page).status_code for page in (*pages, "/london", "/workshops/2")] == [
        200
    ] * 6
    assert Invitation.objects.count() == 4


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("old", "PLANNER_SECRET is this one: planner's links to stop letters work."),
        ("new", "PLANNER_SECRET is not this one. Set it to it in the environment"),
        ("", "PLANNER_SECRET is not this one. Set it to it in the environment"),
    ],
)
def test_the_secret_of_planner_is_only_compared(planner, settings, secret, said):
    settings.PLANNER_SECRET = "old"

    assert said in bring(planner, "--planner-secret", secret)


@pytest.mark.django_db
def test_organisers_pages_show_what_was_brought(client, planner):
    planner.execute("INSERT INTO permissions (id, name) VALUES (90, 'admin')")
    planner.execute("INSERT INTO members_permissions VALUES (%s, 90)", ASHA)
    bring(planner)
    client.force_login(Member.objects.get(pk=ASHA))
    ours = InvitationLog.objects.get(reason="imported from planner")
    workshop = f"/admin/workshops/{TO_COME}"

    pages = [
        workshop,
        *(f"{workshop}/{page}" for page in ("send_invites", "invitation_logs", "attendance")),
        *(f"{workshop}/invitation_logs/{number}" for number in (1, ours.pk)),
        f"{workshop}/audit",
        f"/admin/workshops/{HELD}/invitation_logs/2",
        f"/admin/members/{BEN}",
        f"/admin/members/{BEN}/history",
        "/admin/",
        "/admin/chapters/1",
        "/admin/operations",
    ]
    assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)
    counted = client.get(f"{workshop}/send_invites").content.decode()
    assert "2 people" in " ".join(counted.split())
