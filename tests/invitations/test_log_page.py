"""What became of a click: the numbers, and what happened to each person."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.templatetags.sending import about, bar_parts, of_people
from logs.models import (
    Audience,
    EntryStatus,
    Hold,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Switch,
)
from logs.queries import Progress
from logs.services import slots
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

QUERIES_OF_THE_PAGE = 20
QUERIES_OF_THE_NUMBERS = 8


def log_page(log):
    return reverse("invitation_log", args=[log.workshop_id, log.pk])


def numbers(log):
    return reverse("log_progress", args=[log.workshop_id, log.pk])


def organising(log) -> Client:
    client = Client()
    client.force_login(organiser_of(log.chapter))
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def log_with(*statuses: EntryStatus, **fields):
    log = InvitationLogFactory(**fields)
    for status in statuses:
        InvitationLogEntryFactory(log=log, status=status)
    return log


def names_on(response) -> list[str]:
    return [entry.member.full_name for entry in response.context["page"]]


# ---- The numbers ---------------------------------------------------------------------------


def test_the_numbers_add_up_and_say_so():
    log = log_with(
        *[EntryStatus.SUCCESS] * 3,
        *[EntryStatus.PENDING] * 2,
        *[EntryStatus.SKIPPED] * 4,
        EntryStatus.SENDING,
        EntryStatus.FAILED,
        EntryStatus.UNKNOWN,
        EntryStatus.CANCELLED,
    )

    page = words(organising(log).get(log_page(log)))

    assert "8 letters + 4 not written to + 1 cancelled = 13 people in all." in page
    assert (
        '<strong class="number">3</strong> of <span class="number">8</span> letters sent.' in page
    )


def test_the_links_by_outcome_add_up():
    log = log_with(EntryStatus.SUCCESS, EntryStatus.FAILED, EntryStatus.SKIPPED)

    response = organising(log).get(log_page(log))

    assert sum(people for _, _, people in response.context["outcomes"]) == 3
    assert response.context["found"] == 3


@pytest.mark.parametrize(
    ("status", "entries", "sentence"),
    [
        (LogStatus.PREPARING, [], "Counting who is to be invited…"),
        (LogStatus.COMPLETED, [EntryStatus.SKIPPED], "Nobody here needed a letter."),
        (LogStatus.COMPLETED, [EntryStatus.SUCCESS] * 2, "letters are sent."),
        (LogStatus.CANCELLED, [EntryStatus.CANCELLED], "Cancelled before any letter left."),
        (
            LogStatus.CANCELLED,
            [EntryStatus.SUCCESS, EntryStatus.FAILED, EntryStatus.CANCELLED],
            "Cancelled: no further letter leaves.",
        ),
        (LogStatus.PAUSED, [EntryStatus.SUCCESS, EntryStatus.PENDING], "Paused: 1 waits."),
    ],
)
def test_one_sentence_tells_how_far_it_is(status, entries, sentence):
    log = log_with(*entries, status=status)

    assert sentence in words(organising(log).get(log_page(log)))


def test_a_log_that_failed_gives_the_reason():
    log = log_with(status=LogStatus.FAILED, reason="It would have written to 900 people, not 300.")

    page = words(organising(log).get(log_page(log)))

    assert "Nothing was sent.</strong> It would have written to 900 people, not 300." in page


def test_the_time_left_is_measured():
    log = log_with(EntryStatus.SUCCESS, EntryStatus.PENDING)
    InvitationLogEntry.objects.filter(status=EntryStatus.SUCCESS).update(
        changed_at=timezone.now() - timedelta(seconds=5)
    )

    assert "Less than a minute left." in words(organising(log).get(log_page(log)))


def test_a_hold_and_a_stop_are_said_at_the_top():
    log = log_with(EntryStatus.SUCCESS, EntryStatus.PENDING)
    client = organising(log)
    Hold.objects.update(
        since=datetime(2026, 1, 9, 19, 42, tzinfo=UTC), reason="“421 too many connections”"
    )

    held = words(client.get(log_page(log)))
    Switch.objects.create(chapter=log.chapter, is_on=False)
    stopped = words(client.get(log_page(log)))

    assert "Waiting for the mail server since 19:42." in held
    assert "“421 too many connections” No letter is lost." in held
    assert "The rest waits for the mail server." in held
    assert f"Sending is stopped for {log.chapter}." in stopped
    assert "letters sent. Sending is stopped." in re.sub(r"<[^>]+>", "", stopped)


def test_without_a_global_switch_sending_is_stopped():
    log = log_with(EntryStatus.PENDING)
    Switch.objects.all().delete()

    assert "Sending is stopped." in words(organising(log).get(log_page(log)))


def test_a_finished_log_has_no_banner_and_does_not_ask_again():
    log = log_with(EntryStatus.SUCCESS, status=LogStatus.COMPLETED)
    Hold.objects.update(since=timezone.now(), reason="“421 later”")

    page = words(organising(log).get(log_page(log)))

    assert "Waiting for the mail server" not in page
    assert reverse("log_progress", args=[log.workshop_id, log.pk]) not in page
    assert "Refresh the numbers" not in page


# ---- The numbers, asked for again ----------------------------------------------------------


def poll_of(response) -> str:
    return response.context["poll"]


def test_while_letters_leave_the_page_asks_again_every_two_seconds():
    log = log_with(EntryStatus.PENDING)
    client = organising(log)

    page = client.get(log_page(log))
    answer = client.get(f"{numbers(log)}?{poll_of(page)}")

    assert 'hx-trigger="every 2s,' in words(page)
    assert answer.status_code == 200
    assert 'hx-trigger="every 2s,' in words(answer)
    assert "<html" not in words(answer)


def test_after_a_minute_it_asks_less_often():
    log = log_with(EntryStatus.PENDING)
    opened = int(timezone.now().timestamp()) - 61

    answer = words(organising(log).get(numbers(log), {"opened": opened}))

    assert 'hx-trigger="every 10s,' in answer


def test_the_sentence_is_swapped_only_when_it_changed():
    log = log_with(EntryStatus.SUCCESS, EntryStatus.PENDING)
    client = organising(log)
    page = client.get(log_page(log))

    same = words(client.get(f"{numbers(log)}?{poll_of(page)}"))
    InvitationLogEntry.objects.filter(status=EntryStatus.PENDING).update(
        status=EntryStatus.FAILED, reason="“550 no”", answer_code=550
    )
    log.status = LogStatus.COMPLETED
    log.save()
    changed = client.get(f"{numbers(log)}?{poll_of(page)}")

    assert 'id="progress-words"' not in same
    assert 'id="progress-words"' in words(changed)


def test_when_all_is_done_it_stops_asking():
    log = log_with(EntryStatus.SUCCESS, status=LogStatus.COMPLETED)

    answer = organising(log).get(numbers(log))

    assert answer.status_code == 286
    assert "hx-get" not in words(answer)


@pytest.mark.parametrize("opened", ["", "soon", "-5", "9" * 5000])
def test_a_strange_moment_is_taken_as_now(opened):
    log = log_with(EntryStatus.PENDING)

    assert "every 2s," in words(organising(log).get(numbers(log), {"opened": opened}))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_numbers_ask_as_often_whatever_the_size(rows, django_assert_num_queries):
    log = log_with(*[EntryStatus.SUCCESS, EntryStatus.PENDING] * rows)
    client = organising(log)

    with django_assert_num_queries(QUERIES_OF_THE_NUMBERS):
        client.get(numbers(log))


# ---- The people ----------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3, 120])
def test_the_page_asks_as_often_whatever_the_size(rows, django_assert_num_queries):
    log = log_with(*[EntryStatus.SUCCESS, EntryStatus.PENDING] * rows)
    client = organising(log)

    with django_assert_num_queries(QUERIES_OF_THE_PAGE):
        client.get(log_page(log))


def test_people_come_fifty_a_page_by_name():
    log = log_with(*[EntryStatus.SKIPPED] * 60)
    client = organising(log)

    first, second = (names_on(client.get(log_page(log), {"page": page})) for page in (1, 2))

    assert (len(first), len(second)) == (50, 10)
    assert first + second == sorted(first + second, key=str.lower)


def test_a_link_shows_one_outcome():
    log = log_with(EntryStatus.SUCCESS, EntryStatus.SKIPPED)
    failed = InvitationLogEntryFactory(log=log, status=EntryStatus.FAILED, reason="“550 no”")

    response = organising(log).get(log_page(log), {"show": "failed"})

    assert names_on(response) == [failed.member.full_name]
    assert "“550 no”" in words(response)


def test_possible_duplicates_are_counted_marked_and_found():
    log = log_with(EntryStatus.SUCCESS, EntryStatus.SUCCESS)
    doubted = InvitationLogEntryFactory(
        log=log, status=EntryStatus.SUCCESS, doubts=1, reason=slots.DOUBTED_ONCE
    )

    response = organising(log).get(log_page(log), {"show": "possible_duplicates"})

    assert "1 of those sent is a possible duplicate." in words(response)
    assert names_on(response) == [doubted.member.full_name]
    assert "<strong>Possible duplicate.</strong>" in words(response)


def test_somebody_is_found_by_name():
    log = InvitationLogFactory()
    for name, surname in (("Priya", "Raman"), ("Tom", "Okafor"), ("Ana%", "Prado")):
        InvitationLogEntryFactory(log=log, member=MemberFactory(name=name, surname=surname))
    client = organising(log)

    def found(typed):
        return names_on(client.get(log_page(log), {"name": typed}))

    assert found("priya ram") == ["Priya Raman"]
    assert found("%") == ["Ana% Prado"]
    assert found("p") == ["Ana% Prado", "Priya Raman"]


def test_when_nobody_is_found_the_page_says_so_and_keeps_what_was_typed():
    log = log_with(EntryStatus.SUCCESS)

    page = words(organising(log).get(log_page(log), {"name": "<Nobody>"}))

    assert "Nobody in this list is called “&lt;Nobody&gt;”." in page
    assert 'value="&lt;Nobody&gt;"' in page


@pytest.mark.parametrize(
    "query", [{"show": "lost"}, {"name": "\x00"}, {"name": "x" * 101}, {"page": "last but one"}]
)
def test_bad_input_shows_everybody(query):
    log = log_with(EntryStatus.SUCCESS, EntryStatus.SKIPPED)

    response = organising(log).get(log_page(log), query)

    assert response.status_code == 200
    assert len(names_on(response)) == 2


def test_names_lead_to_the_people_whom_the_organiser_may_see():
    log = InvitationLogFactory()
    theirs = InvitationFactory(workshop=log.workshop).member
    nobodys = MemberFactory()
    for member in (theirs, nobodys):
        InvitationLogEntryFactory(log=log, member=member)

    page = words(organising(log).get(log_page(log)))

    assert f'<a href="{reverse("member", args=[theirs.pk])}">{theirs.full_name}</a>' in page
    assert nobodys.full_name in page
    assert reverse("member", args=[nobodys.pk]) not in page


def test_names_of_those_left_out_lead_to_the_people_whom_the_organiser_may_see():
    workshop = WorkshopFactory(chapter=chapter_with())
    banned = subscribe(MemberFactory(banned=True), workshop.chapter, Role.STUDENT)
    helper = MemberFactory()
    workshop.organisers.add(helper)
    address = f"{reverse('left_out', args=[workshop.pk])}?for=students"
    link = f'<a href="{reverse("member", args=[banned.pk])}">{banned.full_name}</a>'

    for reader, is_linked in ((organiser_of(workshop.chapter), True), (helper, False)):
        client = Client()
        client.force_login(reader)
        page = words(client.get(address))
        assert banned.full_name in page
        assert (link in page) is is_linked


@pytest.mark.parametrize(
    ("workshop", "is_offered"), [({}, True), ({"past": True}, False), ({"cancelled": True}, False)]
)
def test_where_nothing_was_sent_one_may_invite_while_one_can(workshop, is_offered):
    workshop = WorkshopFactory(**workshop)
    client = Client()
    client.force_login(organiser_of(workshop.chapter))

    page = words(client.get(logs_page(workshop)))

    assert "Everything that was sent is a log" in page
    assert "Nobody has been written to" in page
    assert ("Invite members" in page) is is_offered


def test_each_row_says_as_what_they_were_invited_what_happened_and_when():
    chapter = ChapterFactory(time_zone="Europe/Berlin")
    log = InvitationLogFactory(
        workshop=WorkshopFactory(chapter=chapter),
        audience=Audience.EVERYONE,
        created_at=datetime(2026, 1, 9, 18, 40, tzinfo=UTC),
    )
    coach = MemberFactory(name="Ada", surname="Coach")
    InvitationFactory(workshop=log.workshop, member=coach, role=Role.COACH)
    InvitationLogEntryFactory(
        log=log,
        member=coach,
        status=EntryStatus.SUCCESS,
        changed_at=datetime(2026, 1, 9, 18, 41, tzinfo=UTC),
    )
    InvitationLogEntryFactory(
        log=log, status=EntryStatus.SKIPPED, reason="has not accepted the terms"
    )

    page = words(organising(log).get(log_page(log)))

    assert (
        f'<a href="{reverse("member", args=[coach.pk])}">Ada Coach</a> <small>Coach</small>' in page
    )
    assert ">19:41</time>. The mail server took it: “250”" in page
    assert "Has not accepted the terms." in page


# ---- The list of logs ----------------------------------------------------------------------


def logs_page(workshop):
    return reverse("invitation_logs", args=[workshop.pk])


@pytest.mark.parametrize("rows", [1, 3])
def test_the_logs_of_a_workshop_are_listed_with_their_numbers(rows, django_assert_num_queries):
    workshop = WorkshopFactory()
    for _ in range(rows):
        log = log_with(
            EntryStatus.SUCCESS, EntryStatus.SKIPPED, workshop=workshop, status=LogStatus.COMPLETED
        )
    InvitationLogEntryFactory(log__workshop__chapter=workshop.chapter)
    client = organising(log)

    with django_assert_num_queries(7):
        response = client.get(logs_page(workshop))

    assert len(response.context["page"]) == rows
    page = words(response)
    assert "1 sent, 0 being sent, 0 waiting, 0 failed, 0 in doubt, 0 cancelled," in page
    assert "1 not written to: 2 people." in page


def test_without_a_log_the_list_says_what_will_be_there():
    workshop = WorkshopFactory()
    client = Client()
    client.force_login(organiser_of(workshop.chapter))

    assert "Nobody has been written to" in words(client.get(logs_page(workshop)))


# ---- Who may -------------------------------------------------------------------------------


def test_the_log_of_another_workshop_is_not_found():
    log, other = InvitationLogFactory(), InvitationLogFactory()
    client = Client()
    client.force_login(organiser_of(log.chapter, other.chapter))

    for name in ("invitation_log", "log_progress"):
        assert client.get(reverse(name, args=[other.workshop_id, log.pk])).status_code == 404


def test_another_chapters_organiser_finds_nothing_and_a_visitor_signs_in():
    log = log_with(EntryStatus.SUCCESS)
    stranger = Client()
    stranger.force_login(organiser_of(ChapterFactory()))

    for address in (log_page(log), numbers(log), logs_page(log.workshop)):
        assert stranger.get(address).status_code == 404
        assert Client().get(address)["Location"].startswith(reverse("account_login"))


def test_looking_changes_nothing():
    log = log_with(EntryStatus.PENDING)
    client = organising(log)

    for address in (log_page(log), numbers(log), logs_page(log.workshop)):
        assert client.post(address).status_code == 405

    log.refresh_from_db()
    assert log.status == LogStatus.RUNNING


# ---- How numbers are drawn and said --------------------------------------------------------


def progress_of(**counts):
    nobody = dict.fromkeys(
        ("pending", "sending", "success", "failed", "skipped", "unknown", "cancelled"), 0
    )
    return Progress(**(nobody | counts), possible_duplicates=0)


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"success": 1},
        {"success": 10_000, "failed": 1, "unknown": 1, "sending": 1, "pending": 1},
        {"success": 1, "pending": 3, "skipped": 90},
        {"success": 1, "failed": 1, "unknown": 1},
    ],
)
def test_every_part_of_the_bar_is_seen_and_none_leaves_it(counts):
    parts = bar_parts(progress_of(**counts))

    assert all(float(part.width) >= 1 for part in parts)
    assert sum(float(part.width) for part in parts) <= 100.02
    assert all(float(part.x) + float(part.width) <= 100.01 for part in parts)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3, "less than a minute"),
        (55, "about a minute"),
        (61, "about 2 minutes"),
        (5000, "about 84 minutes"),
        (7300, "about 2 hours"),
    ],
)
def test_a_time_that_is_left_is_said_as_people_say_it(seconds, said):
    assert about(seconds) == said


def test_a_reason_is_said_of_one_and_of_many():
    assert of_people("is banned", 1) == "is banned"
    assert of_people("is banned", 2) == "are banned"
    assert of_people("has not accepted the terms", 0) == "have not accepted the terms"
    assert of_people("closed the account", 3) == "closed the account"


def test_a_page_opened_before_there_were_people_is_loaded_again_when_there_are():
    log = log_with()
    InvitationLog.objects.filter(pk=log.pk).update(status=LogStatus.PREPARING)
    client = organising(log)
    poll = re.search(r'hx-get="([^"]+)"', client.get(log_page(log)).content.decode())
    assert poll
    address = html.unescape(poll.group(1))

    while_preparing = client.get(address)
    member = subscribe(MemberFactory(), log.chapter, Role.STUDENT)
    InvitationLogEntryFactory(log=log, member=member)
    InvitationLog.objects.filter(pk=log.pk).update(status=LogStatus.RUNNING)
    with_people = client.get(address)

    assert "HX-Refresh" not in while_preparing
    assert with_people["HX-Refresh"] == "true"


@pytest.mark.parametrize("name", ["invitation_log", "log_cancel"])
def test_the_day_is_that_of_the_chapter(name):
    starts_at = datetime(2040, 6, 5, 1, 30, tzinfo=UTC)
    workshop = WorkshopFactory(
        chapter__time_zone="America/Los_Angeles",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=2),
    )
    log = InvitationLogFactory(workshop=workshop, status=LogStatus.RUNNING)
    client = Client()
    client.force_login(organiser_of(workshop.chapter))

    page = client.get(reverse(name, args=[workshop.pk, log.pk])).content.decode()

    assert "4 June" in page
    assert "5 June" not in page
