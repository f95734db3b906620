"""How chapters stand, and the page of one of them."""

import re
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chapters.models import Role
from invitations.models import Answer
from invitations.queries import audiences, statistics
from invitations.queries.statistics import Answers, Month, Size
from logs.models import Action, Audience, EntryStatus, LogStatus, Switch
from logs.services import activities
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

NOVEMBER = datetime(2026, 11, 22, 12, tzinfo=UTC)


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def page(chapter, member: Member | None = None) -> str:
    client = signed_in(member or organiser_of(chapter))
    return words(client.get(reverse("chapter", args=[chapter.pk])))


def status_page(member: Member) -> str:
    return words(signed_in(member).get(reverse("chapters")))


def standing_of(chapter) -> statistics.Standing:
    (standing,) = statistics.standings([chapter], at=in_days(0))
    return standing


def evening(chapter, starts_at: datetime, *answers: Answer, role=Role.STUDENT, there: int = 0):
    """A workshop with people who answered, of whom the first so many were marked as there."""
    workshop = WorkshopFactory(chapter=chapter, starts_at=starts_at)
    for nr, answer in enumerate(answers):
        InvitationFactory(
            workshop=workshop,
            role=role,
            answer=answer,
            attended_at=starts_at if nr < there else None,
        )
    return workshop


# ---- How chapters stand


def test_a_chapter_is_as_big_as_the_people_in_its_groups_each_once():
    chapter = chapter_with(students=2, coaches=1)
    subscribe(MemberFactory(), chapter, Role.STUDENT, Role.COACH)
    for trait in ("banned", "closed", "without_terms", "unreachable"):
        subscribe(MemberFactory(**{trait: True}), chapter, Role.STUDENT)
    chapter_with(students=5)

    standing = standing_of(chapter)

    assert standing.students == Size(eligible=3, subscribed=7)
    assert standing.coaches == Size(eligible=2, subscribed=2)
    assert standing.everybody == Size(eligible=4, subscribed=8) == statistics.size_of(chapter)


def test_who_is_not_invited_is_counted_as_the_button_counts():
    workshop = WorkshopFactory(chapter=chapter_with(students=3, coaches=2))
    chapter = workshop.chapter
    subscribe(MemberFactory(), chapter, Role.STUDENT, Role.COACH)
    subscribe(MemberFactory(banned=True), chapter, Role.COACH)
    InvitationFactory(workshop=workshop, answer=Answer.DECLINED)
    InvitationFactory(workshop=workshop)  # an invitation whose letter never left
    log = InvitationLogFactory(workshop=workshop)
    for status in (EntryStatus.SUCCESS, EntryStatus.FAILED, EntryStatus.UNKNOWN):
        letter = InvitationLogEntryFactory(log=log, status=status)
        subscribe(letter.member, chapter, Role.STUDENT)
    WorkshopFactory(chapter=chapter, starts_at=in_days(30))

    standing = standing_of(chapter)

    assert standing.next.workshop == workshop
    assert standing.to_invite == 8
    assert standing.to_invite == audiences.reach(workshop, Audience.EVERYONE).to_invite


def test_what_needs_somebody_is_named():
    chapter = chapter_with(students=1, organisers=[MemberFactory(closed=True)])
    log = InvitationLogFactory(workshop__chapter=chapter, status=LogStatus.COMPLETED)
    for status in (EntryStatus.FAILED, EntryStatus.FAILED, EntryStatus.UNKNOWN):
        InvitationLogEntryFactory(log=log, status=status)
    Switch.objects.create(chapter=chapter, is_on=False)

    assert standing_of(chapter).needs == [
        "Nobody organises this chapter.",
        "Sending is switched off.",
        "1 eligible is not invited yet.",
        "2 letters failed.",
        "1 letter is in doubt.",
    ]


def test_a_test_letter_hides_no_failure():
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    InvitationLogEntryFactory(
        log=InvitationLogFactory(workshop=workshop, status=LogStatus.COMPLETED),
        status=EntryStatus.FAILED,
    )
    InvitationLogFactory(
        workshop=workshop,
        action=Action.TEST,
        audience=Audience.PEOPLE,
        status=LogStatus.COMPLETED,
    )

    assert "1 letter failed." in standing_of(workshop.chapter).needs


def test_a_missing_venue_comes_before_who_is_not_invited():
    workshop = WorkshopFactory(chapter=chapter_with(students=1), host=None)
    organiser_of(workshop.chapter)

    assert standing_of(workshop.chapter).needs == [
        "The venue is missing, so nobody can be invited."
    ]


def test_only_the_newest_letters_of_a_chapter_count():
    chapter = ChapterFactory()
    organiser_of(chapter)
    for status in (EntryStatus.FAILED, EntryStatus.SUCCESS):
        InvitationLogEntryFactory(
            log=InvitationLogFactory(workshop__chapter=chapter, status=LogStatus.COMPLETED),
            status=status,
        )

    assert standing_of(chapter).letters == {"success": 1}


def test_an_admin_sees_every_chapter_and_those_that_need_somebody_first():
    admin = MemberFactory(superuser=True)
    for chapter in (calm := ChapterFactory(name="Aberdeen")), ChapterFactory(name="Bristol"):
        organiser_of(chapter)
    WorkshopFactory(chapter=calm)
    organiser_of(ChapterFactory(name="Cardiff", is_active=False))
    ChapterFactory(name="Derby")

    response = signed_in(admin).get(reverse("chapters"))

    assert [
        (part.title, [standing.chapter.name for standing in part.standings])
        for part in response.context["parts"]
    ] == [
        ("Need attention", ["Derby"]),
        ("All is well", ["Aberdeen"]),
        ("Nothing planned", ["Bristol"]),
        ("Not active", ["Cardiff"]),
    ]
    text = words(response)
    assert "Four chapters. One could use your help." in text
    assert "<strong>Nobody organises this chapter.</strong>" in text
    assert "Add a chapter" in text


def test_an_organiser_sees_theirs():
    olu = organiser_of(ChapterFactory(name="Oxford"))
    ChapterFactory(name="Brighton")

    text = status_page(olu)

    assert "Oxford" in text
    assert "Brighton" not in text
    assert "Add a chapter" not in text


def test_who_organises_one_workshop_has_no_chapter_and_a_member_no_page():
    beside = MemberFactory()
    WorkshopFactory().organisers.add(beside)

    assert "You organise no chapter" in status_page(beside)
    assert signed_in(MemberFactory()).get(reverse("chapters")).status_code == 404


def test_the_first_admin_finds_no_chapter_and_the_way_to_add_one():
    text = status_page(MemberFactory(superuser=True))

    assert "Once there is one, you see here how it is doing." in text
    assert "Add a chapter" in text


def test_fifty_chapters_cost_as_many_statements_as_one():
    client = signed_in(MemberFactory(superuser=True))

    def statements() -> int:
        log = InvitationLogFactory(workshop__chapter=chapter_with(students=1))
        InvitationLogEntryFactory(log=log)
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("chapters"))
        return len(captured)

    client.get(reverse("chapters"))
    one, _, three = (statements() for _ in range(3))

    assert three == one


# ---- One chapter


def test_it_opens_with_who_is_not_invited_yet():
    workshop = WorkshopFactory(chapter=chapter_with(students=2, coaches=1))

    text = page(workshop.chapter)

    assert "3 eligible members are not invited yet" in text
    assert "Invite these 3" in text
    assert "3 eligible of 3 subscribed." in text
    assert text.count("btn-primary") == 1


def test_it_says_when_everyone_is_invited():
    letter = InvitationLogEntryFactory(status=EntryStatus.SUCCESS)
    subscribe(letter.member, letter.workshop.chapter, Role.STUDENT)

    text = page(letter.workshop.chapter)

    assert "Everyone eligible has been invited" in text
    assert "btn-primary" not in text


def test_it_says_that_the_venue_is_missing():
    workshop = WorkshopFactory(chapter=chapter_with(students=1), host=None)

    text = page(workshop.chapter)

    assert "The venue is missing, so nobody can be invited" in text
    assert reverse("workshop_edit", args=[workshop.pk]) in text


def test_an_empty_chapter_says_what_to_do():
    chapter = ChapterFactory()

    text = page(chapter)

    assert "No workshop is planned" in text
    assert f"{reverse('workshop_new')}?chapter={chapter.pk}" in text
    assert "There is no group yet, so nobody can subscribe." in text
    assert "No workshop was held since" in text
    assert "Nobody was invited to a workshop of the last twelve months." in text
    assert "Nothing has changed yet." in text


def test_groups_are_shown_with_their_sizes():
    chapter = chapter_with(students=2)
    subscribe(MemberFactory(without_terms=True), chapter, Role.STUDENT)

    assert "2 eligible of 3 subscribed" in page(chapter)


def test_workshops_of_today_and_later_are_listed_and_cancelled_ones_are_not():
    chapter = ChapterFactory()
    coming = WorkshopFactory(chapter=chapter)
    WorkshopFactory(chapter=chapter, cancelled=True)
    WorkshopFactory(chapter=chapter, starts_at=in_days(-2))

    response = signed_in(organiser_of(chapter)).get(reverse("chapter", args=[chapter.pk]))

    assert [overview.workshop for overview in response.context["coming"]] == [coming]


def test_it_says_whether_letters_leave():
    chapter = ChapterFactory()
    assert "Sending is switched on" in page(chapter)

    Switch.objects.create(chapter=chapter, is_on=False)

    text = page(chapter)
    assert "Sending is switched off" in text
    assert f"Sending is stopped for {chapter}." in text


def test_what_changed_is_told():
    chapter = ChapterFactory()
    activities.note("changed the chapter", by=MemberFactory(name="Pia"), chapter=chapter)

    text = page(chapter)

    assert "<b>Changed the chapter</b>" in text
    assert "Pia" in text


def test_it_costs_the_same_however_much_there_is():
    chapter = ChapterFactory()
    client = signed_in(organiser_of(chapter))
    address = reverse("chapter", args=[chapter.pk])

    def statements() -> int:
        subscribe(MemberFactory(), chapter, *Role)
        log = InvitationLogFactory(workshop__chapter=chapter)
        InvitationLogEntryFactory(log=log)
        evening(chapter, in_days(-20), Answer.ATTENDING, there=1)
        activities.note(
            "did something", by=organiser_of(chapter), member=MemberFactory(), chapter=chapter
        )
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    client.get(address)
    one, _, three = (statements() for _ in range(3))

    assert three == one


def test_foreigners_find_nothing():
    chapter = ChapterFactory()
    beside = MemberFactory()
    WorkshopFactory(chapter=chapter).organisers.add(beside)
    people = [MemberFactory(), organiser_of(ChapterFactory()), beside]

    answers = [
        signed_in(person).get(reverse("chapter", args=[chapter.pk])).status_code
        for person in people
    ]

    assert answers == [404, 404, 404]


# ---- Who came and who answered


def test_a_year_has_twelve_months_by_the_clock_of_the_chapter():
    chapter = ChapterFactory(time_zone="Pacific/Auckland")
    evening(chapter, datetime(2025, 11, 30, 10, 59, tzinfo=UTC), Answer.ATTENDING, there=1)
    evening(chapter, datetime(2025, 11, 30, 11, 1, tzinfo=UTC), Answer.ATTENDING, there=1)

    year = statistics.last_year(chapter, at=NOVEMBER)

    assert [month.first_day for month in year.months] == [
        date(2025, 12, 1),
        *(date(2026, nr, 1) for nr in range(1, 12)),
    ]
    assert year.months[0] == Month(date(2025, 12, 1), workshops=1, students=1)
    assert sum(month.workshops for month in year.months) == 1


def test_who_was_marked_as_there_came_and_who_only_had_a_place_did_not():
    chapter = ChapterFactory()
    evening(
        chapter,
        datetime(2026, 3, 4, 18, 30, tzinfo=UTC),
        Answer.DECLINED,  # came all the same
        Answer.ATTENDING,
        Answer.ATTENDING,
        there=2,
    )

    march = statistics.last_year(chapter, at=NOVEMBER).months[3]

    assert march == Month(date(2026, 3, 1), workshops=1, students=2)
    assert march.how_counted == "marked as there"


def test_where_nobody_was_marked_those_with_a_place_count():
    chapter = ChapterFactory()
    first, second = (datetime(2026, 3, day, 18, 30, tzinfo=UTC) for day in (4, 18))
    evening(chapter, first, Answer.ATTENDING, Answer.ATTENDING, Answer.WAITING, role=Role.COACH)
    evening(chapter, second, Answer.ATTENDING, Answer.ATTENDING, there=1)

    march = statistics.last_year(chapter, at=NOVEMBER).months[3]

    assert march == Month(date(2026, 3, 1), workshops=2, unmarked=1, students=1, coaches=2)
    assert march.how_counted == "marked as there at 1, had a place at 1"


def test_cancelled_future_and_foreign_workshops_do_not_count():
    chapter = ChapterFactory()
    march = datetime(2026, 3, 4, 18, 30, tzinfo=UTC)
    evening(ChapterFactory(), march, Answer.ATTENDING)
    evening(chapter, datetime(2026, 11, 23, 18, 30, tzinfo=UTC), Answer.ATTENDING)
    WorkshopFactory(chapter=chapter, starts_at=march, cancelled=True)

    year = statistics.last_year(chapter, at=NOVEMBER)

    assert sum(month.workshops for month in year.months) == 0
    assert year.answers == []


def test_answers_add_up_to_the_invitations_of_each_workshop_the_newest_first():
    chapter = ChapterFactory()
    march, june = (datetime(2026, nr, 4, 18, 30, tzinfo=UTC) for nr in (3, 6))
    older = evening(
        chapter, march, Answer.ATTENDING, Answer.DECLINED, Answer.WAITING, Answer.NONE, Answer.NONE
    )
    newer = evening(chapter, june)

    answers = statistics.last_year(chapter, at=NOVEMBER).answers

    assert answers == [
        Answers(newer),
        Answers(older, coming=1, waiting=1, declined=1, unanswered=2),
    ]
    assert [each.invited for each in answers] == [0, 5]


def test_the_table_has_the_figures_of_the_drawing_and_the_sentence_their_sum():
    chapter = ChapterFactory(name="Oxford")
    busy = evening(chapter, in_days(-3), *[Answer.ATTENDING] * 30, Answer.DECLINED, there=30)
    evening(chapter, in_days(-3), *[Answer.ATTENDING] * 20, role=Role.COACH, there=20)

    _, _, text = page(chapter).partition("People who came to codebar Oxford")

    drawing, _, rest = text.partition("</svg>")
    figures = re.findall(r'<text class="figure" [^>]*>(\d+)</text>', drawing)
    table = re.findall(r"<td>([^<]*)</td>", rest.partition("</table>")[0])
    assert figures == ["20", "30"]
    assert re.findall(r'<text class="sum" [^>]*>(\d+)</text>', drawing) == ["50"]
    assert [row for row in zip(*[iter(table)] * 4, strict=True) if row[0] != "0"] == [
        ("2", "30", "20", "marked as there")
    ]
    assert "students came 30 times and coaches 20 times, to two workshops." in rest
    assert f"Most came in {busy.local_start:%B}: 50." in rest


def test_the_table_of_answers_has_the_figures_of_its_drawing():
    chapter = ChapterFactory(name="Oxford")
    evening(chapter, in_days(-3), Answer.ATTENDING, Answer.DECLINED, Answer.NONE, Answer.NONE)
    evening(chapter, in_days(-30), Answer.ATTENDING, Answer.WAITING)

    _, _, text = page(chapter).partition("How people answered who were invited")

    drawing, _, rest = text.partition("</svg>")
    table = re.findall(r"<td>([^<]*)</td>", rest.partition("</table>")[0])
    assert re.findall(r"(\d+ of \d+)</text>", drawing) == ["1 of 4", "1 of 2"]
    assert list(zip(*[iter(table)] * 5, strict=True)) == [
        ("4", "1", "0", "1", "2"),
        ("2", "1", "1", "0", "0"),
    ]
    assert "6 invitations to two workshops: 2 coming, 1 on the waiting list, 1 not coming" in rest


def test_lighter_columns_are_explained():
    chapter = ChapterFactory()
    evening(chapter, in_days(-3), Answer.ATTENDING)
    assert "Nobody was marked as there, so these are the people who had a place." in page(chapter)

    evening(chapter, in_days(-3), Answer.ATTENDING, there=1)
    text = page(chapter)
    assert "At one of them nobody was marked as there" in text
    assert '<g class="by-place">' in text


def test_answers_do_not_push_a_new_organiser_off_the_chapters_page(client):
    workshop = WorkshopFactory()
    organiser = organiser_of(workshop.chapter)
    activities.note("added an organiser", by=organiser, chapter=workshop.chapter)
    for _ in range(60):
        activities.note("is coming as a student", by=organiser, workshop=workshop)
    client.force_login(organiser)

    page = client.get(reverse("chapter", args=[workshop.chapter_id]))
    history = client.get(reverse("chapter_history", args=[workshop.chapter_id]), {"page": 2})

    assert [one.did for one in page.context["activities"]] == ["added an organiser"]
    assert [one.did for one in history.context["page"]][-1] == "added an organiser"
    assert len(history.context["page"]) == 11
