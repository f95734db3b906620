"""Members, as organisers see them: finding, reading, noting, warning, suspending."""

from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer
from invitations.queries import histories
from invitations.services import banning
from logs.models import Action, EntryStatus, InvitationLogEntry
from logs.services import activities
from members.models import Ban, Member, Note, Notice
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    NoteFactory,
    NoticeFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

TEN_MEGABYTES = "x" * 10_000_000
BAN = {"reason": banning.REASONS[0], "is_permanent": "on"}


def signed_in(member) -> Client:
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def chapter():
    return ChapterFactory(name="Here", time_zone="America/New_York")


@pytest.fixture
def organiser(chapter):
    return organiser_of(chapter)


@pytest.fixture
def lena(chapter):
    member = MemberFactory(name="Lena", surname="Fischer", email="lena@people.example")
    return subscribe(member, chapter, Role.STUDENT)


@pytest.fixture
def client(organiser):
    return signed_in(organiser)


@pytest.fixture
def beside(lena, chapter):
    """Somebody who organises one workshop that Lena is invited to, and not the chapter."""
    invitation = InvitationFactory(workshop=WorkshopFactory(chapter=chapter), member=lena)
    member = MemberFactory(name="Beside")
    invitation.workshop.organisers.add(member)
    return signed_in(member)


def address(name, member, *more) -> str:
    return reverse(name, args=[member.pk, *more])


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def key() -> str:
    return str(uuid4())


# ---- Finding --------------------------------------------------------------------------------


def found(client, q) -> list[str]:
    return [m.full_name for m in client.get(reverse("members"), {"q": q}).context["found"]]


def test_nobody_is_listed_without_a_search(client, lena):
    page = client.get(reverse("members"))

    assert (page.status_code, "found" in page.context) == (200, False)
    assert "Nobody is listed before you search" in text_of(page)
    assert "Lena" not in text_of(page)


@pytest.mark.parametrize("q", ["lena", "NA FIS", "scher", "lena@people", "  lena "])
def test_members_are_found_by_name_and_address(client, lena, q):
    assert found(client, q) == ["Lena Fischer"]


def test_members_of_others_are_not_found(client, lena):
    subscribe(MemberFactory(name="Lena", surname="Elsewhere"), ChapterFactory(), Role.STUDENT)

    assert found(client, "lena") == ["Lena Fischer"]


def test_nobody_finds_an_address_that_they_may_not_read(beside, lena):
    assert found(beside, "lena@people") == []
    assert found(beside, "lena") == ["Lena Fischer"]


@pytest.mark.parametrize("q", ["%%", "__", "Len_", "'; --", "\\\\"])
def test_wildcards_are_letters_like_any_other(client, lena, q):
    assert found(client, q) == []
    assert "Nobody found" in text_of(client.get(reverse("members"), {"q": q}))


@pytest.mark.parametrize(
    ("q", "said"),
    [
        ("l", "Type at least two letters."),
        ("le\0", "Null characters are not allowed."),
        ("x" * 101, "That is too long to be a name. 100 characters fit."),
    ],
)
def test_what_cannot_be_looked_for_comes_back_with_a_sentence(client, lena, q, said):
    page = client.get(reverse("members"), {"q": q})

    assert page.status_code == 400
    assert said in text_of(page)


def test_twenty_are_listed_and_the_others_counted(client, chapter):
    for number in range(23):
        subscribe(MemberFactory(name="Same", surname=f"{number:02}"), chapter, Role.STUDENT)

    page = client.get(reverse("members"), {"q": "same"})

    assert found(client, "same") == [f"Same {number:02}" for number in range(20)]
    assert "23 members found" in text_of(page)
    assert "And 3 more." in text_of(page)


def test_the_list_says_where_somebody_is_subscribed_and_why_they_get_no_letters(client, lena):
    subscribe(lena, ChapterFactory(name="Secret"), Role.COACH)
    BanFactory(member=lena)

    page = text_of(client.get(reverse("members"), {"q": "lena"}))

    assert "Student in Here. Is banned." in page
    assert "gets no letters" in page
    assert "Secret" not in page


@pytest.mark.parametrize("name", ["members", "member"])
def test_a_plain_member_finds_no_such_page(lena, name):
    arguments = [lena.pk] if name == "member" else []

    assert signed_in(lena).get(reverse(name, args=arguments)).status_code == 404


# ---- The page of a member -------------------------------------------------------------------


def test_an_organiser_reads_who_somebody_is(client, lena):
    lena.pronouns, lena.about, lena.skills = "she/her", "Works in a library", "HTML"
    lena.dietary_needs, lena.other_dietary_needs = ["vegan", "other"], "no peanuts"
    lena.save()

    page = text_of(client.get(address("member", lena)))

    for words in (
        "She/her.", "Works in a library", "HTML", "Vegan, no peanuts", "lena@people.example",
        "Lena gets invitations", "not at a workshop yet", "America/New_York",
    ):  # fmt: skip
        assert words in page


def test_an_organiser_elsewhere_finds_no_such_member(lena):
    elsewhere = signed_in(organiser_of(chapter_with(students=1)))
    note, ban = NoteFactory(member=lena), BanFactory(member=lena)

    for name, more in (
        ("member", []), ("member_history", []), ("member_ban", []), ("note_add", []),
        ("notice_send", []), ("note_delete", [note.pk]), ("ban_lift", [ban.pk]),
    ):  # fmt: skip
        assert elsewhere.get(address(name, lena, *more)).status_code == 404
    for name, more, data in (
        ("note_add", [], {"text": "Hello"}), ("notice_send", [], {"kind": "attendance"}),
        ("member_ban", [], BAN), ("note_delete", [note.pk], {}), ("ban_lift", [ban.pk], {}),
    ):  # fmt: skip
        assert elsewhere.post(address(name, lena, *more), data).status_code == 404
    assert (Note.objects.count(), Ban.objects.active().count(), Notice.objects.count()) == (1, 1, 0)


def test_who_organises_one_workshop_reads_nothing_that_is_for_those_who_look_after(
    beside, client, chapter, lena
):
    NoteFactory(member=lena, text="A secret note")
    NoticeFactory.create_batch(2, member=lena)
    for day in range(4):
        missed = WorkshopFactory(chapter=chapter, starts_at=in_days(-9 - day))
        InvitationFactory(workshop=missed, member=lena, answer=Answer.ATTENDING)
        InvitationFactory(workshop=missed, answer=Answer.ATTENDING, attended_at=in_days(-9))
    BanFactory(member=lena, reason="A secret reason", note="Another", explanation="A third")
    InvitationLogEntryFactory(member=lena, log=None, workshop=None, action=Action.BAN)
    activities.note("suspended this account", by=lena, member=lena, remark="A secret remark")

    page = text_of(beside.get(address("member", lena)))

    assert "warned 2 times" in text_of(client.get(address("member", lena)))
    unseen = ("warned", "secret", "lena@people.example", "Suspend Lena", "Add the note", "Warned")
    for words in unseen:
        assert words not in page
    assert "This account is suspended" in page
    assert "Only organisers of the chapter see it." in page
    assert "Nothing was written to Lena yet." in page


def test_who_organises_one_workshop_changes_nothing(beside, lena):
    for name, data in (("note_add", {"text": "x"}), ("notice_send", {"kind": "attendance"})):
        assert beside.post(address(name, lena), data).status_code == 404
    assert beside.post(address("member_ban", lena), BAN).status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"accepted_terms_at": None}, "Lena has not accepted the terms"),
        ({"closed_at": in_days(-1)}, "This account is closed"),
        (
            {"address_unusable_at": in_days(-1), "address_unusable_reason": "550 No mailbox"},
            "The mail server said: “550 No mailbox”",
        ),
    ],
)
def test_the_page_opens_with_why_somebody_gets_no_letters(client, lena, change, said):
    Member.objects.filter(pk=lena.pk).update(**change)

    assert said in text_of(client.get(address("member", lena)))


def test_somebody_once_invited_and_not_subscribed_is_in_no_group(client, chapter):
    invitation = InvitationFactory(workshop=WorkshopFactory(chapter=chapter), subscribed=False)

    page = text_of(client.get(address("member", invitation.member)))

    assert f"{invitation.member.name} is in no group of your chapters" in page


def test_what_people_typed_is_never_markup(client, lena):
    attack = "<script>alert(1)</script>"
    Member.objects.filter(pk=lena.pk).update(name=attack, about=attack)
    NoteFactory(member=lena, text=attack)
    BanFactory(member=lena, note=attack, explanation=attack, reason=attack)

    assert attack not in text_of(client.get(address("member", lena)))
    assert attack not in text_of(client.get(address("member_ban", lena)))


# ---- Attendance and history -----------------------------------------------------------------


def was_at(workshop, member, *, came: bool) -> None:
    """The member had a place at a workshop with a list at the door."""
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, attended_at=workshop.starts_at)
    InvitationFactory(
        workshop=workshop,
        member=member,
        answer=Answer.ATTENDING,
        attended_at=workshop.starts_at if came else None,
    )


def test_attendance_in_numbers(chapter, organiser, lena):
    now = timezone.now()
    was_at(WorkshopFactory(chapter=chapter, starts_at=in_days(-10)), lena, came=True)
    was_at(WorkshopFactory(chapter=chapter, starts_at=in_days(-20)), lena, came=False)
    was_at(WorkshopFactory(starts_at=in_days(-30)), lena, came=False)
    was_at(WorkshopFactory(starts_at=in_days(-40)), lena, came=True)
    was_at(WorkshopFactory(chapter=chapter, starts_at=in_days(-300)), lena, came=False)
    cancelled = WorkshopFactory(chapter=chapter, starts_at=in_days(-25), cancelled=True)
    was_at(cancelled, lena, came=False)
    no_list = WorkshopFactory(chapter=chapter, starts_at=in_days(-15))
    InvitationFactory(workshop=no_list, member=lena, answer=Answer.ATTENDING)
    to_come = WorkshopFactory(chapter=chapter, starts_at=in_days(5))
    InvitationFactory(workshop=to_come, member=lena, answer=Answer.ATTENDING)
    NoticeFactory(member=lena)
    NoticeFactory(member=lena, created_at=in_days(-200))
    NoticeFactory(member=lena, kind=Notice.Kind.ELIGIBILITY)

    assert histories.attendance(lena, seen_by=organiser, at=now) == histories.Attendance(
        invited=8,
        came=2,
        missed=2,
        coming=1,
        invited_elsewhere=2,
        came_elsewhere=1,
        warned=1,
    )


@pytest.mark.parametrize(
    ("missed", "warned", "is_flagged"), [(4, 2, True), (3, 2, False), (4, 1, False)]
)
def test_who_missed_often_and_was_warned_is_flagged(
    client, chapter, lena, missed, warned, is_flagged
):
    for day in range(missed):
        was_at(WorkshopFactory(chapter=chapter, starts_at=in_days(-7 - day)), lena, came=False)
    NoticeFactory.create_batch(warned, member=lena)

    page = text_of(client.get(address("member", lena)))

    assert (f"missed {missed} workshops, warned {warned} times" in page) == is_flagged


def test_details_of_other_chapters_stay_there(client, lena, chapter):
    here = InvitationFactory(workshop=WorkshopFactory(chapter=chapter), member=lena)
    there = WorkshopFactory(chapter__name="Secret")
    InvitationFactory(workshop=there, member=lena, note="Secret note")
    InvitationLogEntryFactory(log__workshop=there, member=lena, reason="secret reason")
    activities.note("secretly did something", by=lena, member=lena, workshop=there)

    for page in (
        client.get(address("member", lena)),
        *(
            client.get(address("member_history", lena), {"show": shown})
            for shown in ("invitations", "letters", "changes")
        ),
    ):
        assert "ecret" not in text_of(page)
    page = client.get(address("member", lena))
    assert [i.pk for i in page.context["invitations"]] == [here.pk]
    assert "1 of them elsewhere" in text_of(page)


def test_letters_with_their_outcome_the_newest_first(client, lena, chapter):
    workshop = WorkshopFactory(chapter=chapter)
    first = InvitationLogEntryFactory(
        log__workshop=workshop, member=lena, status=EntryStatus.FAILED, reason="550 no"
    )
    second = InvitationLogEntryFactory(
        log=None, workshop=None, member=lena, action=Action.WARNING, status=EntryStatus.SUCCESS
    )

    page = client.get(address("member_history", lena), {"show": "letters"})

    assert list(page.context["page"]) == [second, first]
    assert "550 no" in text_of(page)
    assert "Attendance warning" in text_of(page)


def test_a_long_history_is_read_page_by_page(client, lena, chapter):
    log = InvitationLogEntryFactory(log__workshop__chapter=chapter, member=lena).log
    for number in range(52):
        InvitationLogEntryFactory(
            log=None, workshop=log.workshop, member=lena, occasion=str(number), action=Action.PLACE
        )

    first = client.get(address("member_history", lena), {"show": "letters"})
    second = client.get(address("member_history", lena), {"show": "letters", "page": "2"})
    beyond = client.get(address("member_history", lena), {"show": "letters", "page": "x"})

    assert [len(p.context["page"]) for p in (first, second, beyond)] == [50, 3, 50]
    assert "1 to 50 of 53" in text_of(first)


def test_there_is_no_other_history(client, lena):
    page = client.get(address("member_history", lena), {"show": "secrets"})

    assert page.status_code == 404


def queries(client, url) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_queries_do_not_grow_with_the_history(client, organiser, lena, chapter):
    urls = [
        address("member", lena),
        *(f"{address('member_history', lena)}?show={s}" for s in histories_shown()),
        f"{reverse('members')}?q=tester",
    ]
    counts = []
    for rows in (1, 3):
        for _ in range(rows):
            workshop = WorkshopFactory(chapter=chapter)
            subscribe(MemberFactory(), chapter, Role.STUDENT, Role.COACH)
            other = MemberFactory()
            InvitationFactory(
                workshop=workshop, member=lena, answer=Answer.ATTENDING, answered_by=other
            )
            InvitationLogEntryFactory(log__workshop=workshop, member=lena)
            activities.note("did it", by=other, member=lena, workshop=workshop)
            NoteFactory(member=lena)
            NoticeFactory(member=lena)
            BanFactory(member=lena, expired=True)
        counts.append([queries(client, url) for url in urls])

    assert counts[0] == counts[1]


def histories_shown() -> tuple[str, ...]:
    return ("invitations", "letters", "changes")


# ---- Notes ----------------------------------------------------------------------------------


def test_a_note_is_written_and_read(client, organiser, lena):
    client.post(address("note_add", lena), {"text": "Likes the window.", "request_key": key()})

    page = text_of(client.get(address("member", lena)))
    assert "Likes the window." in page
    assert Note.objects.get().author == organiser


def test_a_note_tapped_twice_is_one_and_for_somebody_else_another(client, chapter, lena):
    other = subscribe(MemberFactory(), chapter, Role.STUDENT)
    form = {"text": "Here.", "request_key": key()}

    for member in (lena, lena, other):
        assert client.post(address("note_add", member), form).status_code == 302

    assert list(Note.objects.order_by("pk").values_list("member", flat=True)) == [lena.pk, other.pk]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Write the note first."),
        ("  \n ", "Write the note first."),
        ("a\0b", "Null characters are not allowed."),
        ("x" * 5001, "That is 5001 characters. 5000 fit; please shorten."),
    ],
)
def test_a_note_that_cannot_be_kept_comes_back_as_typed(client, lena, text, said):
    page = client.post(address("note_add", lena), {"text": text, "request_key": key()})

    assert page.status_code == 400
    assert said in text_of(page)
    assert page.context["note_form"]["text"].value() == text
    assert Note.objects.count() == 0


def test_ten_megabytes_come_back_as_typed_with_a_sentence(client, lena):
    page = client.post(address("note_add", lena), {"text": TEN_MEGABYTES})

    assert page.status_code == 400
    assert "5000 fit; please shorten." in text_of(page)
    assert page.context["note_form"]["text"].value() == TEN_MEGABYTES
    assert Note.objects.count() == 0


def test_a_key_that_was_changed_on_its_way_is_refused(client, lena):
    page = client.post(address("note_add", lena), {"text": "Hello", "request_key": "x'--"})

    assert page.status_code == 400
    assert Note.objects.count() == 0


def test_an_author_deletes_a_note_and_a_colleague_does_not(client, chapter, organiser, lena):
    note = NoteFactory(member=lena, author=organiser)
    colleague = signed_in(organiser_of(chapter))

    assert colleague.post(address("note_delete", lena, note.pk)).status_code == 404
    assert client.get(address("note_delete", lena, note.pk)).status_code == 302
    assert Note.objects.count() == 1
    assert client.post(address("note_delete", lena, note.pk)).status_code == 302
    assert Note.objects.count() == 0


def test_a_note_is_deleted_from_its_own_member_only(client, chapter, organiser, lena):
    other = subscribe(MemberFactory(), chapter, Role.STUDENT)
    note = NoteFactory(member=other, author=organiser)

    assert client.post(address("note_delete", lena, note.pk)).status_code == 404


# ---- Letters --------------------------------------------------------------------------------


def test_a_warning_is_sent_and_the_page_says_when_the_last_one_was(client, organiser, lena):
    assert "Never sent." in text_of(client.get(address("member", lena)))
    form = {"kind": "attendance", "request_key": key()}

    for _ in range(2):
        page = client.post(address("notice_send", lena), form, follow=True)

    today = timezone.now().astimezone(lena.groups.get().chapter.time_zone)
    assert f"Warned on {today:%-d %B %Y} by Olu Organiser." in text_of(page)
    assert "The attendance warning to Lena Fischer is on its way." in text_of(page)
    assert list(InvitationLogEntry.objects.values_list("action", "occasion")) == [
        (Action.WARNING, str(Notice.objects.get().pk))
    ]


def test_opening_the_address_of_a_warning_sends_nothing(client, lena):
    page = client.get(address("notice_send", lena), {"kind": "attendance"})

    assert (page.status_code, page["Location"]) == (302, address("member", lena))
    assert Notice.objects.count() == 0


@pytest.mark.parametrize("form", [{}, {"kind": "love"}, {"kind": "\0"}])
def test_there_are_two_kinds_of_letters(client, lena, form):
    page = client.post(address("notice_send", lena), form)

    assert page.status_code == 400
    assert "Choose which letter to send." in text_of(page)


def test_a_letter_that_cannot_arrive_is_refused_on_the_page(client, chapter):
    member = subscribe(MemberFactory(unreachable=True), chapter, Role.STUDENT)

    page = client.post(address("notice_send", member), {"kind": "eligibility"})

    assert page.status_code == 409
    assert "No letter can be sent, since the address cannot be used." in text_of(page)


# ---- Suspending -----------------------------------------------------------------------------


def days_from_now(days: int) -> date:
    return timezone.now().astimezone(ZoneInfo("America/New_York")).date() + timedelta(days=days)


@pytest.mark.parametrize(
    ("places", "waits", "said"),
    [
        (0, 0, "Lena has no place at a coming workshop."),
        (1, 0, "Lena has a place at 1 coming workshop; the next in line gets it."),
        (2, 0, "Lena has a place at 2 coming workshops; the next in line get them."),
        (0, 1, "Lena waits for a place at 1 coming workshop, and will be taken off"),
        (2, 1, "Lena has a place at 2 coming workshops and waits for one at 1; the next in line"),
    ],
)
def test_the_page_says_first_what_will_happen(client, chapter, lena, places, waits, said):
    answers = [Answer.ATTENDING] * places + [Answer.WAITING] * waits
    for day, answer in enumerate(answers, 3):
        workshop = WorkshopFactory(chapter=chapter, starts_at=in_days(day))
        InvitationFactory(workshop=workshop, member=lena, answer=answer)

    page = client.get(address("member_ban", lena))

    assert said in text_of(page)
    assert Ban.objects.count() == 0


def test_a_suspension_ends_where_the_day_begins_on_the_chapters_clocks(client, organiser, lena):
    day = days_from_now(30)

    page = client.post(
        address("member_ban", lena),
        {
            "reason": banning.REASONS[1],
            "ends_on": day.isoformat(),
            "explanation": "Be kind.",
            "note": "Shouted.",
            "request_key": key(),
        },
        follow=True,
    )

    ban = Ban.objects.get()
    assert ban.expires_at == datetime(
        day.year, day.month, day.day, tzinfo=ZoneInfo("America/New_York")
    )
    assert (ban.member, ban.added_by, ban.reason) == (lena, organiser, banning.REASONS[1])
    assert f"Suspended until {day:%A %-d %B %Y}" in text_of(page)
    assert "In the letter:</b> Be kind." in text_of(page)
    assert "For organisers:</b> Shouted." in text_of(page)


def test_a_suspension_without_an_end_says_so(client, lena):
    page = client.post(address("member_ban", lena), BAN | {"request_key": key()}, follow=True)

    assert Ban.objects.get().is_permanent
    assert "Suspended without an end" in text_of(page)


def test_a_double_tap_suspends_once_and_shows_the_same_page(client, lena):
    form = BAN | {"request_key": key()}

    pages = [client.post(address("member_ban", lena), form) for _ in range(2)]

    assert [page["Location"] for page in pages] == [address("member", lena)] * 2
    assert Ban.objects.count() == InvitationLogEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"reason": ""}, "Choose the reason."),
        ({"reason": "I do not like them"}, "Choose one of these reasons."),
        ({"is_permanent": None}, "Say on which day it ends, or tick that it does not end."),
        ({"ends_on": "2099-01-01"}, "Either it ends on a day or it does not end. Choose one."),
        ({"is_permanent": None, "ends_on": "2027-02-30"}, "There is no such day."),
        ({"is_permanent": None, "ends_on": "tomorrow"}, "There is no such day."),
        ({"is_permanent": None, "ends_on": "2020-01-01"}, "This day is not in the future."),
        ({"is_permanent": None, "ends_on": "2099-01-01"}, "That is more than ten years."),
        ({"is_permanent": None, "ends_on": "9999-12-31"}, "Check the year"),
        ({"note": "a\0b"}, "Null characters are not allowed."),
        ({"note": "x" * 5001}, "That is 5001 characters. 5000 fit; please shorten."),
        ({"explanation": "x" * 5001}, "That is 5001 characters. 5000 fit; please shorten."),
    ],
)
def test_what_cannot_be_comes_back_as_typed_and_suspends_nobody(client, lena, form, said):
    typed = BAN | {"note": "What happened", "request_key": key()} | form
    typed = {name: value for name, value in typed.items() if value is not None}

    page = client.post(address("member_ban", lena), typed)

    assert page.status_code == 400
    assert said in text_of(page)
    assert page.context["form"]["note"].value() == typed["note"]
    assert Ban.objects.count() == 0


def test_today_is_not_the_future(client, lena):
    form = {"reason": banning.REASONS[0], "ends_on": days_from_now(0).isoformat()}

    assert client.post(address("member_ban", lena), form).status_code == 400
    form["ends_on"] = days_from_now(1).isoformat()
    assert client.post(address("member_ban", lena), form).status_code == 302


def test_who_is_suspended_already_is_not_suspended_again(client, lena):
    BanFactory(member=lena)

    assert "Lift that suspension first." in text_of(client.get(address("member_ban", lena)))
    page = client.post(address("member_ban", lena), BAN)

    assert page.status_code == 409
    assert Ban.objects.count() == 1


def test_nobody_finds_the_page_for_themselves_or_an_admin(client, chapter, organiser):
    subscribe(organiser, chapter, Role.COACH)
    admin = subscribe(MemberFactory(superuser=True), chapter, Role.COACH)

    for member in (organiser, admin):
        assert client.post(address("member_ban", member), BAN).status_code == 404
        assert "Suspend" not in text_of(client.get(address("member", member)))


def test_a_suspension_is_lifted_and_stays_in_the_past(client, lena):
    ban = BanFactory(member=lena, note="Shouted.")

    assert client.get(address("ban_lift", lena, ban.pk)).status_code == 302
    assert Ban.objects.active().exists()
    page = client.post(address("ban_lift", lena, ban.pk), follow=True)

    assert "Lena Fischer is not suspended any more." in text_of(page)
    assert "Earlier suspensions" in text_of(page)
    assert "Shouted." in text_of(page)
    assert not Ban.objects.active().exists()


def test_a_suspension_is_lifted_for_its_own_member_only(client, lena):
    ban = BanFactory()

    assert client.post(address("ban_lift", lena, ban.pk)).status_code == 404
    assert Ban.objects.active().exists()


def test_nobody_lifts_their_own_suspension(client, chapter, organiser):
    subscribe(organiser, chapter, Role.COACH)
    ban = BanFactory(member=organiser)

    page = client.post(address("ban_lift", organiser, ban.pk))

    assert page.status_code == 409
    assert "Another organiser has to lift this suspension." in text_of(page)
    assert Ban.objects.active().exists()


def test_changes_need_a_token_against_forged_forms(organiser, lena):
    client = Client(enforce_csrf_checks=True)
    client.force_login(organiser)
    ban = BanFactory(member=lena)
    note = NoteFactory(member=lena, author=organiser)

    for name, more in (
        ("note_add", []), ("notice_send", []), ("member_ban", []),
        ("note_delete", [note.pk]), ("ban_lift", [ban.pk]),
    ):  # fmt: skip
        assert client.post(address(name, lena, *more), BAN).status_code == 403
