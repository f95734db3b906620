"""The page that says whether everything works, and what its pictures show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from invitations import pictures
from invitations.pictures import Box, Gap, Mark
from invitations.queries import operations
from invitations.queries.operations import STEPS, Span, Step, WentLive
from logs.models import (
    Alert,
    AuditRun,
    EntryStatus,
    Heartbeat,
    Hold,
    Reading,
    Release,
    Switch,
    Tally,
)
from logs.services import alerts, heartbeats
from members.models import Member
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    organiser_of,
)

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 18, 12, 1, tzinfo=UTC)  # a Wednesday
MINUTE = timedelta(minutes=1)
SPAN = Span(datetime(2026, 11, 18, 9, 0, tzinfo=UTC), 3 * MINUTE)


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(MemberFactory(superuser=True))
    return client


@pytest.fixture
def at_work(db: None) -> None:
    for name in (heartbeats.SWEEP, heartbeats.BEAT):
        Heartbeat.objects.create(name=name, release="2.0+abc")


def page_of(client: Client, **query: str) -> str:
    response = client.get(reverse("operations"), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def reading(minutes_ago: int, **fields: object) -> Reading:
    minute = timezone.now().replace(second=0, microsecond=0) - minutes_ago * MINUTE
    made: Reading = Reading.objects.create(minute=minute, **fields)
    return made


# ---- The answer -------------------------------------------------------------------------------


def test_nothing_needs_anybody(admin, at_work):
    page = page_of(admin)

    assert "Nothing needs you" in page
    assert "Nothing was measured in this time" in page
    assert ">at work<" in page
    assert ">pass bells on<" in page
    assert ">takes letters<" in page
    assert "of release 2.0+abc" in page
    assert "not yet made" in page


def test_what_is_wrong_comes_first_with_what_to_do(admin, at_work):
    log = InvitationLogFactory()
    alerts.raise_alert("in_doubt", numbers={"letters": 3})
    alerts.raise_alert("failure_rate", log=log, numbers={"failed": 8, "letters": 40, "percent": 20})
    Alert.objects.update(release="2.0+abc")

    page = page_of(admin)

    assert "2 things need a look" in page
    assert page.index("Many letters of a batch fail") < page.index("Letters are in doubt")
    assert ">look now<" in page
    assert ">look today<" in page
    assert "in release 2.0+abc" in page
    assert reverse("runbook") + "#failure_rate" in page
    assert reverse("invitation_log", args=[log.workshop_id, log.pk]) in page
    assert "Over again" not in page


def test_what_is_over_is_told_for_a_week(admin, at_work):
    log = InvitationLogFactory()
    alerts.raise_alert("queue_age", log=log, numbers={"waiting": 1, "minutes": 7})
    Alert.objects.update(ended_at=timezone.now())

    assert "Over again" in page_of(admin)
    assert "Nothing needs you" in page_of(admin)
    Alert.objects.update(ended_at=timezone.now() - timedelta(days=8))
    assert "Over again" not in page_of(admin)


def test_an_alert_of_a_kind_that_is_gone_is_still_shown(admin, at_work):
    Alert.objects.create(kind="of_old", severity="mail")

    assert "of_old" in page_of(admin)


def test_a_silent_sweep_is_no_all_clear(admin):
    assert "The sweep was never seen." in page_of(admin)

    long_ago = timezone.now() - timedelta(minutes=6)
    Heartbeat.objects.create(name=heartbeats.SWEEP, at=long_ago)
    page = page_of(admin)

    assert "Nobody looks after the letters" in page
    assert f"last seen {long_ago:%-d %b, %H:%M:%S}" in page
    assert "No bell has arrived yet." in page


def test_a_silent_sweep_is_said_on_every_page_of_an_organiser():
    workshop = WorkshopFactory()
    beat = Heartbeat.objects.create(name=heartbeats.SWEEP)
    organiser, admin = organiser_of(workshop.chapter), MemberFactory(superuser=True)

    def banner_on(address: str, member: Member) -> str:
        client = Client()
        client.force_login(member)
        page = client.get(address).content.decode()
        _, _, after = page.partition("Nothing has looked after the letters since")
        return " ".join(after.partition("</aside>")[0].split())

    portal, about = reverse("portal"), reverse("organiser_workshop", args=[workshop.pk])
    assert banner_on(portal, organiser) == ""

    Heartbeat.objects.update(at=beat.at - timedelta(minutes=4, seconds=58))
    assert banner_on(portal, organiser) == ""

    Heartbeat.objects.update(at=beat.at - timedelta(minutes=5, seconds=2))
    for address in (portal, about):
        assert "Tell the people who run codebar." in banner_on(address, organiser)
        assert reverse("runbook") + "#sweep_silent" in banner_on(address, admin)
    assert banner_on(reverse("dashboard"), organiser) == ""


def test_what_is_stopped_and_held_is_said(admin, at_work):
    chapter = WorkshopFactory(chapter__name="Brighton").chapter
    Switch.objects.create(chapter=chapter, is_on=False)
    Hold.objects.update_or_create(
        pk=1, defaults={"since": timezone.now(), "reason": "“421 too many connections”"}
    )

    page = page_of(admin)
    assert "Stopped for codebar Brighton." in page
    assert "“421 too many connections” We ask again by ourselves." in page

    Switch.objects.filter(chapter=None).update(is_on=False)
    assert "Sending is stopped" in page_of(admin)


def test_doubts_and_the_last_audit_have_their_way_on(admin, at_work):
    InvitationLogEntryFactory(status=EntryStatus.UNKNOWN, doubts=2)
    AuditRun.objects.create(
        started_at=NOON, finished_at=NOON, found={"stuck": 1}, release="1.9+old"
    )

    page = page_of(admin)

    assert "1 waits for you" in page
    assert reverse("in_doubt") in page
    assert "found something" in page
    assert "Release 1.9+old." in page


@pytest.mark.parametrize("person", ["member", "organiser"])
def test_only_admins_see_it(person):
    member = organiser_of(WorkshopFactory().chapter) if person == "organiser" else MemberFactory()
    client = Client()
    client.force_login(member)

    assert client.get(reverse("operations")).status_code == 404


# ---- On the pages of a log and of its workshop -------------------------------------------------


def test_an_alert_stands_on_the_pages_that_it_is_about():
    log = InvitationLogFactory()
    other = InvitationLogFactory(workshop=log.workshop, audience="coaches")
    alerts.raise_alert("stalled_log", log=log, numbers={"minutes": 12, "waiting": 4})
    alerts.raise_alert("held", numbers={"minutes": 3})
    client = Client()
    client.force_login(organiser_of(log.chapter))

    def alerts_on(name: str, *args: int) -> int:
        page = client.get(reverse(name, args=args)).content.decode()
        assert (reverse("runbook") + "#stalled_log" in page) == ("A batch stands still" in page)
        assert "#held" not in page
        return page.count("A batch stands still</span>\n")

    pages = [
        alerts_on("invitation_log", log.workshop_id, log.pk),
        alerts_on("organiser_workshop", log.workshop_id),
        alerts_on("invitation_log", log.workshop_id, other.pk),
    ]
    assert pages == [1, 1, 0]
    alerts.end_alert("stalled_log", log=log)
    assert alerts_on("invitation_log", log.workshop_id, log.pk) == 0


def test_a_log_in_doubt_leads_to_how_one_decides():
    log = InvitationLogFactory()
    for _ in range(2):
        InvitationLogEntryFactory(log=log, status=EntryStatus.UNKNOWN, doubts=2)
    client = Client()
    client.force_login(organiser_of(log.chapter))

    page = client.get(reverse("invitation_log", args=[log.workshop_id, log.pk])).content.decode()

    assert reverse("runbook") + "#in_doubt" in page
    assert reverse("in_doubt") in page


# ---- The pictures on the page ------------------------------------------------------------------


def test_the_pictures_say_in_words_what_they_show(admin, at_work):
    reading(4, sent=600, smtp_ms=7_200, pending=1_200, oldest_due_seconds=90, failed=2, unknown=1)
    Tally.objects.create(name="server_errors", minute=timezone.now() - 4 * MINUTE, count=5)

    page = page_of(admin)

    for words in (
        "At most 600 a minute, ",
        "At most 1,200 waited, ",
        "The longest wait was 1.5 minutes, ",
        "At most 3 within 3 minutes, ",
        "At most 12 ms, ",
        "At most 5 within 3 minutes, ",
    ):
        assert words in page
    assert page.count('<svg class="chart"') == page.count("These figures as a table") == 6


def test_a_quiet_time_is_said_to_be_one(admin, at_work):
    reading(4)

    page = page_of(admin)

    assert "No letter left." in page
    assert "Every page was answered." in page
    assert "These figures as a table" not in page


def test_a_release_is_marked_in_every_picture(admin, at_work):
    reading(4, release="2.0+abc")
    Release.objects.create(name="2.0+abc", seen_at=timezone.now() - 5 * MINUTE)

    page = page_of(admin)

    assert page.count('class="mark"') == 6
    assert "<b>2.0+abc</b>" in page


@pytest.mark.parametrize(
    ("show", "words"),
    [("", "The last 3 hours"), ("day", "The last 24 hours"), ("week", "The last week")],
)
def test_how_far_back(admin, at_work, show, words):
    assert words in page_of(admin, show=show)


def test_a_time_that_there_is_not_is_refused_in_words(admin, at_work):
    page = page_of(admin, show="x'y")

    assert "There is no such time. These are the last 3 hours." in page
    assert "The last 3 hours" in page


def test_an_open_page_is_told_only_what_is_new(admin, at_work, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)  # no step of the drawings ends meanwhile

    response = admin.get(reverse("operations"))
    seen = {"seen": response.context["state"]}
    assert admin.get(reverse("operations"), seen).status_code == 204

    Heartbeat.objects.update(at=now)
    assert admin.get(reverse("operations"), seen).status_code == 204

    alerts.raise_alert("in_doubt", numbers={"letters": 3})
    assert admin.get(reverse("operations"), seen).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_asks_as_often_whatever_there_is(admin, at_work, rows, django_assert_num_queries):
    for nr in range(rows):
        alerts.raise_alert("in_doubt", log=InvitationLogFactory(), numbers={"letters": nr})
        Alert.objects.create(kind="held", severity="mail", key=str(nr), ended_at=timezone.now())
        reading(nr + 1, release=f"2.{nr}", sent=10)
        Release.objects.create(name=f"2.{nr}")
        Switch.objects.create(chapter=WorkshopFactory().chapter, is_on=False)

    with django_assert_num_queries(QUERIES_OF_THE_PAGE):
        admin.get(reverse("operations"))


QUERIES_OF_THE_PAGE = 19


# ---- What is read ------------------------------------------------------------------------------


def test_a_span_ends_with_this_step_and_does_not_move_within_it():
    hours = operations.span("hours", at=NOON)

    assert hours.begins_at == datetime(2026, 11, 18, 9, 3, tzinfo=UTC)
    assert hours.ends_at == datetime(2026, 11, 18, 12, 3, tzinfo=UTC)
    assert operations.span("hours", at=NOON + MINUTE) == hours
    assert operations.span("hours", at=NOON + 2 * MINUTE) != hours
    assert hours.nr(NOON) == STEPS - 1


def test_a_step_holds_what_its_readings_say():
    for minute, fields in enumerate(
        (
            {"sent": 10, "smtp_ms": 500, "pending": 7, "oldest_due_seconds": 30},
            {"sent": 20, "smtp_ms": 1_000, "pending": 3, "failed": 2},
            {"unknown": 1, "oldest_due_seconds": 90},
        )
    ):
        Reading.objects.create(minute=SPAN.begins_at + (3 + minute) * MINUTE, **fields)
    Reading.objects.create(minute=SPAN.begins_at - MINUTE, sent=99)
    Reading.objects.create(minute=SPAN.ends_at, sent=99)
    for name in ("server_errors", "guard"):
        Tally.objects.create(name=name, minute=SPAN.begins_at + 4 * MINUTE, count=6)

    steps = operations.steps(SPAN)

    assert len(steps) == STEPS
    step = Step(
        SPAN.begins_at + 3 * MINUTE,
        readings=3,
        sent=30,
        failed=2,
        unknown=1,
        smtp_ms=1_500,
        pending=7,
        oldest_due_seconds=90,
        server_errors=6,
    )
    assert steps[1] == step
    assert (step.letters_a_minute, step.ms_a_letter, step.minutes_overdue) == (10, 50, 1.5)
    assert steps[0] == Step(SPAN.begins_at)
    assert (steps[0].letters_a_minute, steps[0].ms_a_letter) == (0, 0)


def test_releases_are_marked_when_seen_and_when_an_earlier_one_is_back():
    begin = SPAN.begins_at
    Release.objects.create(name="1", seen_at=begin - timedelta(days=1))
    Release.objects.create(name="2", seen_at=begin + 10 * MINUTE)
    Release.objects.create(name="3", seen_at=SPAN.ends_at)
    for minute, name in ((-1, "1"), (5, "1"), (12, "2"), (20, "2"), (30, "1"), (31, "1")):
        Reading.objects.create(minute=begin + minute * MINUTE, release=name)

    assert operations.went_live(SPAN) == [
        WentLive("2", begin + 10 * MINUTE),
        WentLive("1", begin + 30 * MINUTE),
    ]


def test_a_release_that_began_as_the_span_did_is_marked_by_its_first_reading():
    Reading.objects.create(minute=SPAN.begins_at - MINUTE, release="1")
    Reading.objects.create(minute=SPAN.begins_at, release="2")

    assert operations.went_live(SPAN) == [WentLive("2", SPAN.begins_at)]


# ---- What is drawn -----------------------------------------------------------------------------


def steps_with(**by_nr: dict[str, float]) -> list[Step]:
    found = {int(nr.removeprefix("nr")): fields for nr, fields in by_nr.items()}
    return [
        Step(SPAN.begins_at + nr * SPAN.step, **({"readings": 3} | found.get(nr, {})))  # type: ignore[arg-type]
        for nr in range(STEPS)
    ]


def drawn(steps: list[Step], *releases: WentLive) -> dict[str, pictures.Picture]:
    return {one.subject.key: one for one in pictures.pictures(SPAN, steps, releases)}


def test_columns_stand_on_each_other_and_the_top_is_a_round_number():
    lost = drawn(steps_with(nr2={"failed": 60, "unknown": 12}, nr5={"unknown": 1}))["lost"]

    assert lost.most == "100"
    assert lost.boxes == [
        Box("is-failed", x=66, y=66, height=60),
        Box("is-doubt", x=66, y=54, height=12),
        Box("is-doubt", x=81, y=124, height=2),
    ]
    assert lost.words == "At most 72 within 3 minutes, at 09:06."
    assert [(row.begins_at.minute, row.numbers) for row in lost.rows] == [
        (15, ["0", "1"]),
        (6, ["60", "12"]),
    ]
    assert lost.marks == lost.gaps == []


def test_what_was_not_measured_is_a_gap_but_for_the_step_that_is_not_over():
    steps = steps_with(nr0={"readings": 0}, nr1={"readings": 0}, nr59={"readings": 0})

    assert drawn(steps)["speed"].gaps == [Gap(x=56, width=10)]


def test_releases_that_are_near_to_each_other_share_a_mark():
    def live(minute: int) -> WentLive:
        return WentLive(f"r{minute}", SPAN.begins_at + minute * MINUTE)

    speed = drawn(steps_with(), live(0), live(4), live(60))["speed"]

    assert speed.marks == [Mark(x=56, label="1-2"), Mark(x=156, label="3")]
    assert [(row.release, row.numbers) for row in speed.rows] == [
        ("r60", ["0"]),
        ("r4", ["0"]),
        ("r0", ["0"]),
    ]


@pytest.mark.parametrize(
    ("number", "top"), [(0, 1), (0.2, 1), (1, 1), (3, 5), (10, 10), (66, 100), (1_596, 2_000)]
)
def test_the_top_of_a_picture(number, top):
    assert pictures.nice(number) == top


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (0.02, "0.1"), (1.5, "1.5"), (3.0, "3"), (12.4, "12"), (1_940, "1,940")],
)
def test_numbers_as_they_are_written(number, words):
    assert pictures.written(number) == words


def test_a_moment_of_several_days_says_its_day():
    week = Span(datetime(2026, 11, 11, tzinfo=UTC), timedelta(hours=3))
    steps = [Step(week.begins_at + nr * week.step, readings=1) for nr in range(STEPS)]
    steps[0] = Step(week.begins_at, readings=1, sent=5, failed=2)

    speed, _, _, lost, *_ = pictures.pictures(week, steps, [])

    assert lost.words == "At most 2 within 3 hours, on Wed 11 Nov at 00:00."
    assert speed.words == "At most 5 a minute, on Wed 11 Nov at 00:00."
    assert speed.clock == "D j M"
