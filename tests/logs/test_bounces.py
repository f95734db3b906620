"""R36: what comes of a letter that came back, for its address and for whoever tells it again."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from logs import return_paths
from logs.models import Activity, Bounce, EntryStatus, InvitationLogEntry, Tally
from logs.reports import Report
from logs.return_paths import ReturnPath
from logs.services import bounces
from members.models import FAILING, Language, Member
from members.services import addresses, joining
from tests.factories import BounceFactory, InvitationLogEntryFactory, MemberFactory
from tests.logs.test_reports import message
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

HARD, SOFT, COMPLAINT = Bounce.Kind.HARD, Bounce.Kind.SOFT, Bounce.Kind.COMPLAINT
NO_SUCH = Report(HARD, "5.1.1")
FULL = Report(SOFT, "5.2.2")
UNWANTED = Report(COMPLAINT)
NOW = timezone.now()


@pytest.fixture(autouse=True)
def with_a_domain(settings) -> None:
    settings.BOUNCE_DOMAIN = "bounces.codebar.example"


@pytest.fixture
def amina() -> Member:
    return MemberFactory(name="Amina", email="amina@people.example")


def letter_to(member: Member) -> InvitationLogEntry:
    return InvitationLogEntryFactory(member=member, status=EntryStatus.SUCCESS)


def path_of(entry: InvitationLogEntry) -> ReturnPath:
    path = return_paths.found_in(address_of(entry))
    assert path is not None
    return path


def address_of(entry: InvitationLogEntry) -> str:
    return return_paths.for_letter(entry.pk, address=entry.member.email)


def take(report: Report, entry: InvitationLogEntry, *, at: datetime = NOW) -> Bounce:
    return bounces.take_from_mail(report, path=path_of(entry), at=at)


@dataclass(frozen=True)
class Standing:
    """Whether letters to many go there, what is wrong with the address, and whether answers do."""

    is_reachable: bool = False
    wrong: str = ""
    has_complained: bool = False
    is_answered: bool = True


def standing(member: Member) -> Standing:
    member.refresh_from_db()
    assert (member.address_unusable_at is None) == (member.address_unusable_reason == "")
    return Standing(
        is_reachable=member.is_reachable,
        wrong=member.address_unusable_reason,
        has_complained=member.complained_at is not None,
        is_answered=member.is_answered,
    )


USABLE = Standing(is_reachable=True)
UNWILLING = Standing(has_complained=True)


def test_a_bounce_says_which_letter_came_back_and_why(amina):
    entry = letter_to(amina)

    bounce = take(NO_SUCH, entry)

    bounce.refresh_from_db()
    assert (bounce.member, bounce.entry, bounce.kind, bounce.code, bounce.told_by, bounce.at) == (
        amina,
        entry,
        HARD,
        "5.1.1",
        "mail server",
        NOW,
    )


def test_an_address_that_does_not_exist_gets_nothing_more_at_once(amina):
    take(NO_SUCH, letter_to(amina))

    reason = "A letter came back: there is no such address (5.1.1)."
    assert standing(amina) == Standing(wrong=reason, is_answered=False)
    (activity,) = Activity.objects.filter(member=amina)
    assert (activity.did, activity.by) == (bounces.GAVE_UP, None)


def test_a_complaint_ends_letters_to_many_at_once_and_answers_go_on(amina):
    take(UNWANTED, letter_to(amina))

    assert standing(amina) == UNWILLING


def test_a_full_mailbox_is_counted_once_a_day_and_ends_letters_on_the_fifth(amina):
    for day in range(4):
        for hour in (1, 2, 3):
            morning = NOW.replace(hour=0) - timedelta(days=4 - day)
            take(FULL, letter_to(amina), at=morning + timedelta(hours=hour))
    assert standing(amina) == USABLE

    take(FULL, letter_to(amina))

    assert standing(amina) == Standing(wrong=FAILING)
    assert amina.bounces.count() == 13


@pytest.mark.parametrize("code", ["5.7.1", "4.7.0", "5.7.26"])
def test_a_policy_that_refuses_us_says_nothing_of_an_address(amina, code):
    for days in range(10):
        take(Report(SOFT, code), letter_to(amina), at=NOW - timedelta(days=9 - days))

    assert standing(amina) == USABLE
    assert amina.bounces.count() == 10


def test_five_days_count_within_thirty_only(amina):
    for days in (31, 20, 15, 10, 0):
        take(FULL, letter_to(amina), at=NOW - timedelta(days=days))

    assert standing(amina) == USABLE


def test_whoever_has_mended_the_address_starts_anew(amina):
    for days in range(5):
        take(FULL, letter_to(amina), at=NOW - timedelta(days=4 - days))
    addresses.change(amina, email=amina.email)

    for days in range(1, 5):
        take(FULL, letter_to(amina), at=NOW + timedelta(days=days))
    assert standing(amina) == USABLE
    take(FULL, letter_to(amina), at=NOW + timedelta(days=5))

    assert standing(amina) == Standing(wrong=FAILING)


def test_a_worse_reason_replaces_a_better_one_and_never_the_other_way(amina):
    for days in range(5):
        take(FULL, letter_to(amina), at=NOW - timedelta(days=4 - days))
    take(UNWANTED, letter_to(amina))
    assert standing(amina) == Standing(wrong=FAILING, has_complained=True)
    take(NO_SUCH, letter_to(amina))
    gone = standing(amina)
    for days in range(5):
        take(FULL, letter_to(amina), at=NOW + timedelta(days=days + 1))
    take(UNWANTED, letter_to(amina))

    reason = "A letter came back: there is no such address (5.1.1)."
    assert standing(amina) == gone
    assert gone == Standing(wrong=reason, has_complained=True, is_answered=False)


def by_a_code(member: Member) -> None:
    joining.by_address(member.email, language=Language.ENGLISH)


def as_address(member: Member) -> None:
    addresses.change(member, email=member.email)


@pytest.mark.parametrize("read", [by_a_code, as_address])
@pytest.mark.parametrize("told", [(UNWANTED, NO_SUCH), (NO_SUCH, UNWANTED)])
def test_a_complaint_outlives_an_address_that_did_not_exist_for_a_while(amina, told, read):
    for report in told:
        take(report, letter_to(amina))
    assert not standing(amina).is_answered

    read(amina)

    assert standing(amina) == UNWILLING
    bounces.want_letters_again(amina)
    assert standing(amina) == USABLE


def test_the_same_report_counts_once(amina):
    entry = letter_to(amina)
    take(FULL, entry)

    with pytest.raises(bounces.ToldBefore):
        take(FULL, entry, at=NOW + timedelta(days=1))

    assert amina.bounces.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_report_twice_at_the_same_moment_counts_once(amina):
    entry = letter_to(amina)

    def tell() -> str:
        try:
            take(FULL, entry)
        except bounces.ToldBefore:
            return "told before"
        finally:
            connection.close()
        return "taken"

    assert sorted(at_once(tell, tell)) == ["taken", "told before"]
    assert amina.bounces.count() == 1


def test_a_letter_that_came_back_can_also_be_complained_about(amina):
    entry = letter_to(amina)
    take(FULL, entry)
    take(UNWANTED, entry)

    assert sorted(amina.bounces.values_list("kind", flat=True)) == [COMPLAINT, SOFT]


def test_a_report_about_an_address_that_was_changed_meanwhile_leaves_the_new_one(amina):
    entry = letter_to(amina)
    path = path_of(entry)
    addresses.change(amina, email="new@people.example")

    bounces.take_from_mail(NO_SUCH, path=path, at=NOW)

    assert standing(amina) == USABLE
    assert entry.bounces.count() == 1


def test_a_report_about_a_letter_that_was_forgotten_is_refused(amina):
    entry = letter_to(amina)
    path = path_of(entry)
    entry.delete()

    with pytest.raises(bounces.UnknownLetter):
        bounces.take_from_mail(NO_SUCH, path=path, at=NOW)

    assert standing(amina) == USABLE


def test_a_bounce_outlives_its_letter():
    bounce = BounceFactory()

    bounce.entry.delete()

    bounce.refresh_from_db()
    assert bounce.entry is None


# ---- manage.py take_bounce -----------------------------------------------------------------


@pytest.fixture
def piped(monkeypatch, capsys):
    """What the command says to a message from standard input, and how it ends."""

    def pipe(raw: bytes, *arguments: str) -> tuple[str, int]:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
        try:
            call_command("take_bounce", *arguments)
        except SystemExit as end:
            return capsys.readouterr().err.strip(), int(str(end.code))
        return capsys.readouterr().out.strip(), 0

    return pipe


def counts() -> dict[str, int]:
    return dict(Tally.objects.values_list("name", "count"))


def test_a_report_through_the_pipe(amina, piped):
    entry = letter_to(amina)
    raw = message("5.1.1", path=address_of(entry))

    said = piped(raw)

    bounce = Bounce.objects.get()
    sentence = f"Bounce {bounce.pk} of entry {entry.pk}: the address does not exist."
    assert said == (sentence, 0)
    assert piped(raw) == ("Not taken: replayed.", 0)
    assert counts() == {"bounces_replayed": 1}


def test_the_mail_server_knows_whom_a_message_was_delivered_to(amina, piped):
    """As Postfix's ${recipient}: what the message says in its head is then not asked."""
    entry = letter_to(amina)

    piped(message("5.1.1", path="hidden@codebar.example"), "--to", address_of(entry))

    assert Bounce.objects.get().entry == entry


@pytest.mark.parametrize(
    ("name", "path", "why"),
    [
        ("delayed", None, "no report"),
        ("on_holiday", None, "no report"),
        ("5.1.1", f"bounces+1.aaaaaaaa.{'b' * 24}@bounces.codebar.example", "forged"),
        ("5.1.1", "hello@codebar.example", "forged"),
    ],
)
def test_what_is_no_report_about_a_letter_of_ours_changes_nothing(amina, piped, name, path, why):
    entry = letter_to(amina)

    said = piped(message(name, path=path or address_of(entry)))

    assert said == (f"Not taken: {why}.", 0)
    assert standing(amina) == USABLE
    assert Bounce.objects.count() == 0
    assert counts() == {f"bounces_{why.replace(' ', '_')}": 1}


def test_a_message_that_is_far_too_large_is_read_to_its_end_and_refused(amina, piped):
    raw = message("5.1.1", path=address_of(letter_to(amina))) + b"x" * 50 * 2**20

    assert piped(raw) == ("Not taken: too large.", 0)
    assert sys.stdin.buffer.read() == b""
    assert counts() == {"bounces_too_large": 1}


def test_without_the_database_the_mail_server_is_asked_to_bring_it_again(amina, piped):
    raw = message("5.1.1", path=address_of(letter_to(amina)))

    def away(*_: object) -> None:
        raise OperationalError("server closed the connection")

    with connection.execute_wrapper(away):
        said = piped(raw)

    assert said == ("Not taken, bring it again (OperationalError).", 75)
