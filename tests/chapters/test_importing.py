"""A chapter's own list comes in whole or not at all, and twice is once."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from chapters.models import Chapter, Role, Subscription
from chapters.services import importing, subscribing
from members.models import Member
from tests.factories import ChapterFactory, GroupFactory, MemberFactory, subscribe
from tests.support.database import somebody_waits_for_a_row
from tests.support.together import at_once
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db

HEADER = "name,surname,email,groups,accepted_terms_at"
AMINA = "Amina,Yusuf,amina@people.example,Students|Coaches,2024-05-01"


@pytest.fixture
def brighton() -> Chapter:
    chapter: Chapter = ChapterFactory(name="Brighton", time_zone="Europe/London")
    GroupFactory(chapter=chapter, role=Role.STUDENT, name="Students")
    GroupFactory(chapter=chapter, role=Role.COACH, name="Coaches")
    return chapter


@pytest.fixture
def import_list(brighton: Chapter, tmp_path: Path) -> Callable[..., str]:
    """Write these lines to a file and import it; you get what the command said."""

    def import_list(*lines: str, encoding: str = "utf-8", chapter: str = "Brighton") -> str:
        path = tmp_path / "people.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        out = StringIO()
        call_command("import_members", str(path), chapter=chapter, stdout=out)
        return out.getvalue()

    return import_list


def everybody() -> set[tuple[str, str, str, datetime | None, tuple[str, ...]]]:
    return {
        (
            m.name,
            m.surname,
            m.email,
            m.accepted_terms_at,
            tuple(sorted(m.groups.values_list("name", flat=True))),
        )
        for m in Member.objects.all()
    }


def test_people_on_the_list_become_subscribed_members(import_list):
    said = import_list(HEADER, AMINA, "Zoë,,  ZOE@People.Example , students ,")

    assert said == (
        "2 people on the list: 2 new members, 3 new subscriptions,"
        " 0 times the acceptance of the terms filled in.\n"
    )
    first_of_may = datetime(2024, 5, 1, tzinfo=ZoneInfo("Europe/London"))
    assert everybody() == {
        ("Amina", "Yusuf", "amina@people.example", first_of_may, ("Coaches", "Students")),
        ("Zoë", "", "zoe@people.example", None, ("Students",)),
    }


def test_twice_changes_nothing(import_list):
    import_list(HEADER, AMINA)
    before = everybody(), set(Subscription.objects.values_list("pk", flat=True))

    said = import_list(HEADER, AMINA)

    assert said.startswith("1 people on the list: 0 new members, 0 new subscriptions, 0 times")
    assert (everybody(), set(Subscription.objects.values_list("pk", flat=True))) == before


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("line_end", ["", "\r"])
def test_as_spreadsheets_write_it(import_list, encoding, separator, line_end):
    lines = [HEADER, "", "Jürgen,Ñandú,j@people.example,Students,2024-05-01", ""]

    import_list(*(line.replace(",", separator) + line_end for line in lines), encoding=encoding)

    assert [member.full_name for member in Member.objects.all()] == ["Jürgen Ñandú"]


def test_columns_in_another_order_and_others_besides(import_list):
    import_list(
        "Email,Phone,Groups,Surname,Name,Accepted_terms_at",
        "a@people.example,000,Coaches,Yusuf,Amina,",
    )

    assert everybody() == {("Amina", "Yusuf", "a@people.example", None, ("Coaches",))}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-07-01T18:30", datetime(2024, 7, 1, 17, 30, tzinfo=UTC)),  # British Summer Time
        ("2024-01-01 18:30:00", datetime(2024, 1, 1, 18, 30, tzinfo=UTC)),
        ("2024-07-01T18:30:00Z", datetime(2024, 7, 1, 18, 30, tzinfo=UTC)),
        ("2024-07-01T18:30+05:45", datetime(2024, 7, 1, 12, 45, tzinfo=UTC)),
    ],
)
def test_moments_without_an_offset_are_the_chapters(import_list, written, meant):
    import_list(HEADER, f"Amina,,a@people.example,Students,{written}")

    assert Member.objects.get().accepted_terms_at == meant


def test_of_a_member_who_is_here_nothing_is_overwritten(import_list, brighton):
    amina = MemberFactory(name="Amina", surname="Known", email="amina@people.example")
    subscribe(amina, brighton, Role.STUDENT)

    said = import_list(HEADER, AMINA)

    agreed = amina.accepted_terms_at
    assert said.startswith("1 people on the list: 0 new members, 1 new subscriptions, 0 times")
    assert everybody() == {("Amina", "Known", amina.email, agreed, ("Coaches", "Students"))}


def test_an_empty_acceptance_of_the_terms_is_filled(import_list):
    MemberFactory(email="amina@people.example", without_terms=True)

    said = import_list(HEADER, AMINA)

    assert "1 times the acceptance" in said
    assert Member.objects.get().accepted_terms_at == datetime(2024, 4, 30, 23, tzinfo=UTC)


def test_several_lines_of_one_person_are_one_person(import_list):
    said = import_list(
        HEADER,
        "Amina,Yusuf,amina@people.example,Students,2024-06-01T00:00Z",
        "Amina,Yusuf,AMINA@people.example,Coaches,2024-05-01T00:00Z",
        "Amina,Yusuf,amina@people.example,Students,",
    )

    assert said.startswith("1 people on the list: 1 new members, 2 new subscriptions")
    accepted_at = datetime(2024, 5, 1, tzinfo=UTC)
    assert everybody() == {
        ("Amina", "Yusuf", "amina@people.example", accepted_at, ("Coaches", "Students"))
    }


def test_every_wrong_line_is_named_and_nothing_is_written(import_list, capsys):
    with pytest.raises(CommandError, match=r"^6 lines are wrong\. Nothing was imported\.$"):
        import_list(
            HEADER,
            AMINA,
            ",,nobody@people.example,Students,",
            "",
            'Bruno,,"bruno",Studnets|Coaches,',
            "Chidi,,chidi@people.example,|,01/02/2024",
            '"Dilek\nBcc: all",,dilek@people.example,Coaches,2999-01-01',
            "Elif,elif@people.example",
            "Amira,Yusuf,amina@people.example,Coaches,",
        )

    assert capsys.readouterr().err.splitlines() == [
        "Line 3: name: This field is required.",
        "Line 5: email: Enter a valid email address.",
        "Line 5: groups: There is no group Studnets: the chapter has Students, Coaches.",
        "Line 6: groups: Name at least one group.",
        "Line 6: accepted_terms_at: Write the date as 2026-04-03 or 2026-04-03T18:30.",
        "Line 7: name: It contains a line break or another control character.",
        "Line 7: accepted_terms_at: This lies in the future.",
        "Line 9: has 2 columns and the first line 5",
        "Line 10: email: line 2 has the same address and another name",
    ]
    assert not Member.objects.exists()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"{'A' * 101},,a@people.example,Students,", "name: Ensure this value has at most 100"),
        ("Amina,,a@pe\x00ople.example,Students,", "email: Enter a valid email address."),
        ("Amina,,a@bücher.example,Students,", "email: Write the domain in its xn-- form."),
        ("Amina,,a@people.example,,", "groups: This field is required."),
        ("Amina,,a@people.example,Students,2024-03-31T01:30", "accepted_terms_at: "),
        ('Amina,,"a@people.example,Students,', "cannot be read, nor what follows: unexpected end"),
    ],
)
def test_a_wrong_line_is_answered_in_words(import_list, capsys, line, complaint):
    with pytest.raises(CommandError, match=r"^1 line is wrong"):
        import_list(HEADER, line)

    assert capsys.readouterr().err.startswith(f"Line 2: {complaint}")


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ([], "The list is empty."),
        (["", " "], "The list is empty."),
        ([HEADER], "There is nobody on the list, only the names of the columns."),
        ([","], "name and surname and email and groups and accepted_terms_at cannot be found"),
        (["name,surname,groups", "a,b,c"], "email and accepted_terms_at cannot be found there."),
        ([f"{HEADER},Email", AMINA + ","], "The first line names email more than once."),
        (['"name', AMINA], "The first line cannot be read"),
    ],
)
def test_what_is_no_list_is_refused(import_list, lines, answer):
    with pytest.raises(CommandError, match=answer):
        import_list(*lines)


def test_another_encoding_is_named_with_its_line(import_list):
    with pytest.raises(CommandError, match=r"^The list is not in UTF-8 \(see line 3\)"):
        import_list(HEADER, AMINA, "Zoë,,zoe@people.example,Students,", encoding="latin-1")


def test_an_unknown_chapter_is_answered_with_one_like_it(import_list):
    with pytest.raises(CommandError, match=r"no chapter Brihgton\. Did you mean Brighton\?"):
        import_list(HEADER, AMINA, chapter="Brihgton")


def test_the_chapter_is_found_however_it_is_typed(import_list):
    import_list(HEADER, AMINA, chapter=" brighton ")

    assert Member.objects.exists()


def test_a_missing_file_is_named(brighton, tmp_path):
    with pytest.raises(CommandError, match=r"nothing\.csv cannot be read: No such file"):
        call_command("import_members", str(tmp_path / "nothing.csv"), chapter="Brighton")


def test_progress_is_written_in_plain_lines_without_a_terminal(import_list, capsys):
    import_list(HEADER, AMINA)

    assert capsys.readouterr().err == "Importing members: 1 of 1\n"


def test_who_left_a_group_is_not_put_back_and_the_command_says_so(import_list, brighton):
    import_list(HEADER, AMINA)
    amina = Member.objects.get()
    coaches = Subscription.objects.filter(member=amina, group__name="Coaches")
    subscribing.unsubscribe(coaches, at=amina.created_at)

    said = import_list(HEADER, AMINA)

    assert list(amina.groups.values_list("name", flat=True)) == ["Students"]
    assert said == (
        "1 people on the list: 0 new members, 0 new subscriptions,"
        " 0 times the acceptance of the terms filled in.\n"
        "1 times somebody had left a group of the list and was not put back.\n"
    )


def test_who_joined_again_is_left_alone(import_list, brighton):
    import_list(HEADER, AMINA)
    amina = Member.objects.get()
    subscribing.unsubscribe(amina.subscriptions.all(), at=amina.created_at)
    subscribing.subscribe(amina, brighton.groups.get(name="Students"))

    import_list(HEADER, AMINA)

    assert list(amina.groups.values_list("name", flat=True)) == ["Students"]


def test_who_leaves_while_the_list_is_imported_stays_out(ledger, brighton, tmp_path):
    """The deleted row makes the insertion wait; only then it is looked who has left."""
    students = brighton.groups.get(name="Students")
    amina = MemberFactory(name="Amina", surname="Yusuf", email="amina@people.example")
    subscribing.subscribe(amina, students)
    people = importing.read(
        f"{HEADER}\n{AMINA.replace('|Coaches', '')}".encode(),
        chapter=brighton,
        at=amina.created_at,
    )
    has_left, may_commit = Event(), Event()

    def leaves() -> None:
        with transaction.atomic():
            subscribing.unsubscribe(amina.subscriptions.all(), at=amina.created_at)
            has_left.set()
            assert may_commit.wait(20)

    def imports() -> None:
        assert has_left.wait(20)
        importing.import_members(people, advance=lambda _: None)

    def lets_go() -> None:
        wait_until(somebody_waits_for_a_row, seconds=20, what="the import to wait")
        may_commit.set()

    at_once(leaves, imports, lets_go)

    assert list(amina.groups.all()) == []


def test_as_many_statements_for_1000_people_as_for_1(brighton):
    def statements_for(count: int) -> int:
        lines = [f"P{n},,p{n}@of{count}.example,Students|Coaches,2024-05-01" for n in range(count)]
        people = importing.read(
            "\n".join([HEADER, *lines]).encode(), chapter=brighton, at=datetime.now(UTC)
        )
        with CaptureQueriesContext(
            connection,
        ) as statements:
            importing.import_members(people, advance=lambda _: None)
        return len(statements)

    assert statements_for(1000) == statements_for(1)
    assert Subscription.objects.count() == 2002
