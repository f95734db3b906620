"""R26: cancelling letters that wait: exactly those that are meant, after a look at them."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from chapters.models import Chapter
from invitations.forms.purging import ConfirmForm, WhichForm
from invitations.queries import auditing
from invitations.services import delivering, sweeping
from logs.models import (
    Action,
    Activity,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Slot,
)
from logs.services import purging, slots, switches
from logs.services.purging import Which
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
)
from tests.support.audited import invited

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WHY = "Sent to the wrong chapter"
IN_HAND = "1 letter is in hand: stop sending first, and purge again in a minute."


@pytest.fixture
def brighton() -> Chapter:
    return ChapterFactory(name="Brighton", slug="brighton")


@pytest.fixture
def log(brighton) -> InvitationLog:
    """One letter in every state."""
    log = InvitationLogFactory(workshop__chapter=brighton)
    for status in EntryStatus:
        InvitationLogEntryFactory(log=log, status=status, created_at=NOON)
    return log


@pytest.fixture
def elsewhere() -> InvitationLogEntry:
    """A reminder that waits, of another chapter, and of no log; written down an hour later."""
    return InvitationLogEntryFactory(
        log=None, action=Action.REMINDER, created_at=NOON + timedelta(hours=1)
    )


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(MemberFactory(name="Ada", superuser=True))
    return client


def states() -> Counter[str]:
    return Counter(InvitationLogEntry.objects.values_list("status", flat=True))


def words(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", response.content.decode()).split())


# ---- The service -----------------------------------------------------------------------------


def test_only_what_waits_is_cancelled_and_it_is_written_down(log, elsewhere):
    ada = MemberFactory(name="Ada")
    waiting = log.entries.get(status=EntryStatus.PENDING)
    before = {e.pk: e.status for e in log.entries.exclude(pk=waiting.pk)}

    assert purging.purge(Which(log=log), at_most=1, reason=WHY, by=ada) == 1

    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == (EntryStatus.CANCELLED, WHY)
    assert {e.pk: e.status for e in log.entries.exclude(pk=waiting.pk)} == before
    elsewhere.refresh_from_db()
    assert elsewhere.status == EntryStatus.PENDING
    (noted,) = Activity.objects.all()
    assert (noted.by, noted.did, noted.remark) == (
        ada,
        f"cancelled 1 letter that waited of log {log.pk}",
        WHY,
    )
    assert (noted.chapter, noted.workshop) == (log.chapter, log.workshop)


@pytest.mark.parametrize(
    ("which", "meant"),
    [
        (lambda log: Which(log=log), {"log"}),
        (lambda log: Which(workshop=log.workshop), {"log"}),
        (lambda log: Which(chapter=log.chapter), {"log"}),
        (lambda log: Which(action=Action.REMINDER), {"elsewhere"}),
        (lambda log: Which(action=Action.INVITE), {"log"}),
        (lambda log: Which(since=NOON), {"log", "elsewhere"}),
        (lambda log: Which(since=NOON, until=NOON + timedelta(hours=1)), {"log"}),
        (lambda log: Which(since=NOON + timedelta(seconds=1)), {"elsewhere"}),
        (lambda log: Which(chapter=log.chapter, action=Action.REMINDER), set()),
        (lambda log: Which(until=NOON), set()),
    ],
)
def test_what_each_word_means(which, meant, log, elsewhere):
    names = {log.entries.get(status="pending").pk: "log", elsewhere.pk: "elsewhere"}

    assert {names[entry.pk] for entry in which(log).letters()} == meant


def test_letters_of_a_chapter_are_also_those_of_no_log(brighton):
    single = InvitationLogEntryFactory(
        log=None, action=Action.CONFIRMATION, workshop=WorkshopFactory(chapter=brighton)
    )

    purging.purge(Which(chapter=brighton), at_most=1, reason=WHY)

    single.refresh_from_db()
    assert single.status == EntryStatus.CANCELLED
    assert Activity.objects.get().did == "cancelled 1 letter that waited of no log"


def test_twice_does_nothing_and_says_so(log):
    purging.purge(Which(log=log), at_most=9, reason=WHY)

    with pytest.raises(purging.NobodyThere, match="nothing was cancelled"):
        purging.purge(Which(log=log), at_most=9, reason=WHY)

    assert Activity.objects.count() == 1


def test_more_than_somebody_saw_are_left_alone(log):
    InvitationLogEntryFactory.create_batch(2, log=log)

    with pytest.raises(purging.MoreThanSeen, match="3 letters are meant now"):
        purging.purge(Which(log=log), at_most=2, reason=WHY)

    assert states()["pending"] == 3
    assert not Activity.objects.exists()


def test_what_is_cancelled_never_leaves_and_the_log_ends_and_adds_up(sink, settings):
    settings.EMAIL_PORT = sink.port
    slots.provide(2)
    log = invited(students=5)
    wait = log.entries.order_by("pk").values("pk")[:3]
    log.entries.filter(pk__in=wait).update(status=EntryStatus.PENDING, answer_code=None)
    InvitationLog.objects.update(status=LogStatus.RUNNING, finished_at=None)

    purging.purge(Which(log=log), at_most=3, reason=WHY)
    sweeping.sweep()
    delivering.deliver_what_is_due()

    log.refresh_from_db()
    assert (log.status, sink.letters) == (LogStatus.COMPLETED, [])
    assert states() == {"success": 2, "cancelled": 3}
    assert [breach for breach in auditing.breaches() if not breach.is_open] == []


def test_what_a_killed_sender_had_in_hand_is_told_and_cancelled_by_another_purge(sink, settings):
    settings.EMAIL_PORT = sink.port
    slots.provide(2)
    log = invited(students=5)
    log.entries.update(status=EntryStatus.PENDING, answer_code=None)
    InvitationLog.objects.update(status=LogStatus.RUNNING, finished_at=None)
    killed = slots.take(worker="killed")
    assert killed
    in_hand = log.entries.order_by("pk").values("pk")[:3]
    log.entries.filter(pk__in=in_hand).update(status=EntryStatus.SENDING, lease=killed.token)
    which = Which(log=log)

    switches.stop(reason=WHY)
    purging.purge(which, at_most=2, reason=WHY)
    assert purging.about_those_in_hand(which) == (
        "3 letters are in hand: stop sending first, and purge again in a minute."
    )
    Slot.objects.filter(nr=killed.nr).update(until=Now() - timedelta(seconds=1))
    sweeping.sweep()
    assert states() == {"pending": 3, "cancelled": 2}
    assert purging.about_those_in_hand(which) == ""
    purging.purge(which, at_most=3, reason=WHY)
    switches.resume()
    delivering.deliver_what_is_due()

    assert (states(), sink.letters) == ({"cancelled": 5}, [])


@pytest.mark.parametrize(
    ("which", "in_hand"),
    [
        (lambda log: Which(log=log), 1),
        (lambda log: Which(chapter=log.chapter, action=Action.INVITE), 1),
        (lambda log: Which(action=Action.REMINDER), 0),
    ],
)
def test_only_letters_that_are_meant_count_as_in_hand(which, in_hand, log, elsewhere):
    assert which(log).in_hand() == in_hand


# ---- The page ----------------------------------------------------------------------------------


def meant(log: InvitationLog) -> dict[str, object]:
    return {"log": log.pk, "seen": 3, "number": "3", "reason": WHY}


def hidden(response, name: str) -> str:
    (value,) = re.findall(rf'name="{name}" value="([^"]+)"', response.content.decode())
    return value


def test_one_sees_how_many_and_who_types_the_number_and_they_are_cancelled(admin, log):
    InvitationLogEntryFactory.create_batch(2, log=log)
    first = log.entries.filter(status="pending").order_by("pk").first()

    looked = admin.get(reverse("purge"), {"log": log.pk})
    assert "3 letters would be cancelled Invitation: 3." in words(looked)
    assert IN_HAND in words(looked)
    assert first.member.full_name in words(looked)
    assert states()["pending"] == 3

    done = admin.post(reverse("purge"), meant(log), follow=True)

    assert "3 letters cancelled." in words(done)
    assert IN_HAND in words(done)
    assert states()["cancelled"] == 4
    assert Activity.objects.get().by.name == "Ada"
    again = admin.post(reverse("purge"), meant(log))
    assert (again.status_code, states()["cancelled"]) == (409, 4)
    assert "No letter that waits is meant, so nothing was cancelled." in words(again)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"number": "4"}, "To cancel them, type 3."),
        ({"number": ""}, "Type the number of letters."),
        ({"number": "three"}, "Type the number with digits."),
        ({"number": "1.3"}, "To cancel them, type 3."),
        ({"reason": ""}, "Say why, for the organisers."),
        ({"seen": "x"}, "We could not read how many letters you saw."),
        ({"log": ""}, "Say which letters: a log, a workshop"),
        ({"log": "9" * 30}, "There is no log of this number."),
        ({"log": "\x00"}, "Null characters are not allowed."),
        ({"workshop": "0"}, "There is no workshop of this number."),
        ({"chapter": "nowhere"}, "There is no such chapter."),
        ({"action": "spam"}, "There are: invite, confirmation, place,"),
        ({"since": "soon"}, "There is no such day or time."),
        ({"since": "2026-11-22 13:00", "until": "2026-11-22 12:00"}, "later than the beginning"),
    ],
)
def test_bad_input_comes_back_and_cancels_nothing(typed, sentence, admin, log):
    InvitationLogEntryFactory.create_batch(2, log=log)

    answer = admin.post(reverse("purge"), meant(log) | typed)

    assert answer.status_code == 400
    assert sentence in words(answer)
    assert states()["pending"] == 3


def test_a_number_that_no_page_has_named_is_no_reason_to_cancel_more(admin, log):
    InvitationLogEntryFactory.create_batch(2, log=log)
    page = admin.get(reverse("purge"), {"log": log.pk})
    seal = hidden(page, "seal")
    told = {"seen": 99, "number": "99", "reason": WHY}
    which = {"log": log.pk, "action": "", "chapter": "", "workshop": "", "since": "", "until": ""}

    def at_most(seal: str, **changes: object) -> int:
        confirmed, form = ConfirmForm(told | {"seal": seal} | changes), WhichForm(which)
        assert confirmed.is_valid()
        assert form.is_valid()
        return confirmed.at_most(form)

    assert [at_most(""), at_most(seal)] == [3, 3]
    assert at_most("", seen=2, number="2") == 2
    log.entries.filter(status="pending").earliest("pk").delete()
    assert at_most(seal, seen=3, number="3") == 3
    assert at_most("", seen=3, number="3") == 2


def test_letters_that_came_meanwhile_are_counted_anew(admin, log):
    InvitationLogEntryFactory.create_batch(3, log=log)

    answer = admin.post(reverse("purge"), meant(log))

    assert answer.status_code == 409
    assert "4 letters are meant now, more than you saw" in words(answer)
    assert 'name="seen" value="4"' in answer.content.decode()
    assert states()["pending"] == 4


def test_looking_without_a_word_asks_for_one(admin):
    assert admin.get(reverse("purge")).status_code == 200
    empty = admin.get(reverse("purge"), {"log": "", "action": ""})
    assert empty.status_code == 400
    assert "Say which letters" in words(empty)


def test_nobody_is_meant(admin):
    assert "No such letter waits" in words(admin.get(reverse("purge"), {"action": "hello"}))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_asks_as_often_whatever_the_size(rows, admin, log, django_assert_num_queries):
    for _ in range(rows):
        InvitationLogEntryFactory(log__workshop__chapter=log.chapter)

    with django_assert_num_queries(8):
        admin.get(reverse("purge"), {"chapter": "brighton"})


# ---- The command -------------------------------------------------------------------------------


@pytest.fixture
def said(capsys):
    return lambda: capsys.readouterr().out.splitlines()


def test_the_command_counts_and_with_a_yes_it_cancels(log, said):
    entry = log.entries.get(status="pending")
    before = Member.objects.get(pk=entry.member_id)

    call_command("delivery", "purge", "--chapter", "brighton", "--action", "invite")
    told = said()
    assert told == [
        "1 letters that wait are meant: 1 invite.",
        f"Those that would leave first: entries {entry.pk}.",
        IN_HAND,
        "Nothing was changed. Say --yes to cancel them.",
    ]
    assert before.name not in "".join(told)
    assert states()["pending"] == 1

    call_command("delivery", "purge", "--chapter", "brighton", "--yes", "--reason", WHY)
    assert said()[-2:] == ["1 letters were cancelled.", IN_HAND]
    entry.refresh_from_db()
    assert (entry.status, entry.reason) == ("cancelled", WHY)

    call_command("delivery", "purge", "--chapter", "brighton", "--yes")
    assert said() == ["No letter that waits is meant. Nothing was changed.", IN_HAND]
    assert Activity.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Say which letters"),
        (["--yes"], "Say which letters"),
        (["--log", "none"], "--log: There is no log of this number."),
        (["--action", "spam"], "--action: There is no such kind of letter."),
        (["--from", "yesterday"], "--from: There is no such day or time."),
    ],
)
def test_the_command_refuses_with_what_is_allowed(options, sentence, log):
    with pytest.raises(CommandError) as refused:
        call_command("delivery", "purge", *options)

    assert sentence in str(refused.value)
    assert "Allowed: --log NUMBER, --workshop NUMBER, --chapter SLUG" in str(refused.value)
    assert states()["pending"] == 1


def test_more_than_the_guard_allows_are_only_cancelled_by_their_number(log, said, settings):
    settings.GUARD_SIZE = 2
    InvitationLogEntryFactory.create_batch(2, log=log)

    with pytest.raises(CommandError, match=r"3 are more than 2\. Say --yes-to 3"):
        call_command("delivery", "purge", "--log", str(log.pk), "--yes")
    with pytest.raises(CommandError, match="more than you saw"):
        call_command("delivery", "purge", "--log", str(log.pk), "--yes-to", "2")
    assert states()["pending"] == 3

    call_command("delivery", "purge", "--log", str(log.pk), "--yes-to", "3")

    assert said()[-2:] == ["3 letters were cancelled.", IN_HAND]
    assert states()["pending"] == 0


def test_at_a_terminal_the_number_is_asked_for(log, settings, monkeypatch):
    settings.GUARD_SIZE = 2
    InvitationLogEntryFactory.create_batch(2, log=log)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    typed = iter(["2", "3"])
    monkeypatch.setattr("builtins.input", lambda question: next(typed))

    with pytest.raises(CommandError, match=r"That is another number\. Nothing was changed\."):
        call_command("delivery", "purge", "--log", str(log.pk), "--yes")
    assert states()["pending"] == 3

    call_command("delivery", "purge", "--log", str(log.pk), "--yes")
    assert states()["pending"] == 0
