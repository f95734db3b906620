"""What happens when a workshop is planned, changed or taken away, and what is written down."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from chapters.models import Role, Workshop, WorkshopSponsor
from invitations.models import Answer
from invitations.services import planning, rsvps
from invitations.services.planning import Plan
from logs.models import Action, Activity, EntryStatus, InvitationLogEntry
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    in_days,
    in_two_weeks,
    organiser_of,
)
from tests.support.together import at_once

pytestmark = pytest.mark.django_db


def an_evening(**fields: object) -> Plan:
    starts_at = in_two_weeks()
    return Plan(starts_at=starts_at, ends_at=starts_at + timedelta(hours=2), **fields)


def change(workshop: Workshop, *, seen: str = "", accepts: bool = False, **fields: object):
    """Plan it so from now on, for an organiser of its chapter."""
    organiser = workshop.chapter.organisers.first() or organiser_of(workshop.chapter)
    saved = planning.change(
        workshop,
        replace(planning.plan_of(workshop), **fields),
        by=organiser,
        at=timezone.now(),
        seen=seen,
        accepts_fewer_places=accepts,
    )
    workshop.refresh_from_db()
    return saved


def announced(workshop: Workshop) -> Workshop:
    """Somebody was sent an invitation."""
    InvitationLogEntryFactory(
        log=InvitationLogFactory(workshop=workshop), status=EntryStatus.SUCCESS
    )
    return workshop


def companies(workshop: Workshop) -> set[tuple[str, bool]]:
    return set(workshop.workshop_sponsors.values_list("sponsor__name", "is_host"))


def history() -> list[tuple[str, dict[str, list[str]]]]:
    return list(Activity.objects.order_by("pk").values_list("did", "changes"))


def test_planning_makes_a_workshop_with_its_companies_and_a_line_of_history():
    chapter = ChapterFactory()
    organiser = organiser_of(chapter)
    plan = an_evening(
        host=SponsorFactory(name="Acme"), sponsors=frozenset({SponsorFactory(name="Pizza Place")})
    )

    workshop, is_new = planning.create(chapter, plan, by=organiser, key=uuid4(), at=timezone.now())

    assert is_new
    assert planning.plan_of(workshop) == plan
    assert companies(workshop) == {("Acme", True), ("Pizza Place", False)}
    (line,) = Activity.objects.all()
    assert (line.by, line.did, line.workshop, line.chapter) == (
        organiser,
        "planned the workshop",
        workshop,
        chapter,
    )


def test_the_same_form_again_finds_the_workshop_it_made():
    chapter = ChapterFactory()
    organiser, key = organiser_of(chapter), uuid4()
    first, _ = planning.create(chapter, an_evening(), by=organiser, key=key, at=timezone.now())

    again = planning.create(chapter, an_evening(), by=organiser, key=key, at=timezone.now())

    assert again == (first, False)
    assert history() == [("planned the workshop", {})]


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_the_same_moment_make_one_workshop():
    chapter = ChapterFactory()
    organiser, key, plan = organiser_of(chapter), uuid4(), an_evening(host=SponsorFactory())

    def tap() -> tuple[int, bool]:
        workshop, is_new = planning.create(chapter, plan, by=organiser, key=key, at=timezone.now())
        return workshop.pk, is_new

    made = at_once(tap, tap, tap)

    assert len({pk for pk, _ in made}) == 1
    assert sorted(is_new for _, is_new in made) == [False, False, True]
    assert (Workshop.objects.count(), Activity.objects.count()) == (1, 1)


def test_nothing_is_planned_in_the_past():
    chapter = ChapterFactory()
    plan = replace(an_evening(), starts_at=in_days(-1))

    with pytest.raises(planning.InThePast):
        planning.create(chapter, plan, by=organiser_of(chapter), key=uuid4(), at=timezone.now())

    assert not Workshop.objects.exists()


def test_a_failure_leaves_no_half_workshop():
    chapter = ChapterFactory()
    without_spaces = an_evening(is_virtual=True)

    with pytest.raises(IntegrityError), transaction.atomic():
        planning.create(
            chapter, without_spaces, by=organiser_of(chapter), key=uuid4(), at=timezone.now()
        )

    assert not Workshop.objects.exists()


def test_a_change_says_in_words_what_it_was_and_what_it_is():
    chapter = ChapterFactory(time_zone="Europe/Berlin")
    starts_at = datetime(2030, 5, 15, 17, 0, tzinfo=UTC)
    workshop = WorkshopFactory(
        chapter=chapter, starts_at=starts_at, host=SponsorFactory(name="Acme")
    )

    change(
        workshop,
        starts_at=starts_at + timedelta(minutes=30),
        rsvp_closes_at=starts_at - timedelta(hours=3),
        host=SponsorFactory(name="Lantern Labs"),
        description="Bring a laptop.",
        is_invitable=False,
    )

    assert history() == [
        (
            "moved the workshop",
            {
                "Begins": ["Wednesday 15 May 2030, 19:00", "Wednesday 15 May 2030, 19:30"],
                "Answers close": ["not set", "Wednesday 15 May 2030, 16:00"],
                "Invitations": ["can be sent", "not yet"],
                "Venue": ["Acme", "Lantern Labs"],
                "Description": ["", "Bring a laptop."],
            },
        )
    ]


def test_saving_without_a_change_changes_nothing():
    workshop = announced(WorkshopFactory())

    saved = change(workshop)

    assert (saved.is_news, saved.moved_up, workshop.sequence) == (False, 0, 0)
    assert history() == []


def test_when_answers_open_and_close_can_be_set_and_cleared():
    workshop = WorkshopFactory()
    opens_at, closes_at = in_two_weeks() - timedelta(days=3), in_two_weeks() - timedelta(days=1)

    change(workshop, rsvp_opens_at=opens_at, rsvp_closes_at=closes_at)
    assert (workshop.rsvp_opens_at, workshop.rsvp_closes_at) == (opens_at, closes_at)

    change(workshop, rsvp_opens_at=None, rsvp_closes_at=None)
    assert (workshop.rsvp_opens_at, workshop.rsvp_closes_at) == (None, None)


def test_another_venue_takes_the_place_of_the_old_one():
    workshop = WorkshopFactory(host=SponsorFactory(name="Acme"))

    change(workshop, host=SponsorFactory(name="Lantern Labs"))

    assert companies(workshop) == {("Lantern Labs", True)}


def test_a_sponsor_can_become_the_venue_and_the_venue_a_sponsor():
    acme, lantern = SponsorFactory(name="Acme"), SponsorFactory(name="Lantern Labs")
    workshop = WorkshopFactory(host=acme)
    WorkshopSponsor.objects.create(workshop=workshop, sponsor=lantern)

    change(workshop, host=lantern, sponsors=frozenset({acme}))

    assert companies(workshop) == {("Lantern Labs", True), ("Acme", False)}


def test_organisers_are_named_by_rows_and_not_in_a_text():
    workshop = WorkshopFactory()
    stays, leaves, comes = (MemberFactory() for _ in range(3))
    workshop.organisers.set([stays, leaves])

    change(workshop, organisers=frozenset({stays, comes}))

    assert set(workshop.organisers.all()) == {stays, comes}
    lines = Activity.objects.order_by("pk").values_list("did", "member", "changes")
    assert list(lines) == [
        ("added an organiser of the workshop", comes.pk, {}),
        ("removed an organiser of the workshop", leaves.pk, {}),
    ]


@pytest.mark.parametrize(
    "news",
    [
        {"starts_at": in_two_weeks() + timedelta(minutes=15)},
        {"ends_at": in_two_weeks() + timedelta(hours=3)},
        {"host": None},
        {
            "host": None,
            "is_virtual": True,
            "student_spaces": 40,
            "coach_spaces": 20,
        },
    ],
)
def test_another_time_or_place_after_people_heard_of_it_is_news(news):
    workshop = announced(WorkshopFactory())

    saved = change(workshop, **news)

    assert (saved.is_news, workshop.sequence) == (True, 1)


def test_what_people_do_not_plan_by_is_no_news():
    workshop = announced(WorkshopFactory())

    saved = change(workshop, description="There is food.", sponsors=frozenset({SponsorFactory()}))

    assert (saved.is_news, workshop.sequence) == (False, 0)


def test_before_anybody_heard_of_it_nothing_is_news():
    workshop = WorkshopFactory()
    InvitationFactory(workshop=workshop)
    log = InvitationLogFactory(workshop=workshop)
    InvitationLogEntryFactory(log=log, status=EntryStatus.PENDING)
    InvitationLogEntryFactory(log=log, action=Action.TEST, status=EntryStatus.SUCCESS)

    saved = change(workshop, host=SponsorFactory())

    assert (saved.is_news, workshop.sequence) == (False, 0)


def test_whoever_answered_has_heard_of_it():
    workshop = WorkshopFactory()
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)

    assert change(workshop, host=SponsorFactory()).is_news


def test_a_larger_venue_lets_people_move_up():
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    first, second, third = InvitationFactory.create_batch(
        3, workshop=workshop, answer=Answer.WAITING
    )

    saved = change(workshop, host=SponsorFactory(seats=3))

    assert saved.moved_up == 2
    answers = [workshop.invitations.get(pk=i.pk).answer for i in (first, second, third)]
    assert answers == [Answer.ATTENDING, Answer.ATTENDING, Answer.WAITING]
    letters = InvitationLogEntry.objects.filter(action=Action.PLACE)
    assert set(letters.values_list("member", flat=True)) == {first.member_id, second.member_id}


def test_more_spaces_in_a_call_let_people_move_up():
    workshop = WorkshopFactory(virtual=True, coach_spaces=1)
    InvitationFactory.create_batch(2, workshop=workshop, role=Role.COACH, answer=Answer.WAITING)

    assert change(workshop, coach_spaces=2).moved_up == 2


def test_who_opens_the_answers_again_lets_those_in_line_have_the_free_places():
    workshop = WorkshopFactory(student_spaces=2, rsvp_closes_at=in_days(-1))
    in_line = InvitationFactory(workshop=workshop, answer=Answer.WAITING)

    saved = change(workshop, rsvp_closes_at=None)

    in_line.refresh_from_db()
    assert (saved.moved_up, in_line.answer) == (1, Answer.ATTENDING)


def test_fewer_places_than_people_have_to_be_wanted():
    workshop = WorkshopFactory(student_spaces=3)
    InvitationFactory.create_batch(3, workshop=workshop, answer=Answer.ATTENDING)
    smaller = SponsorFactory(seats=2)

    with pytest.raises(planning.FewerPlaces) as refusal:
        change(workshop, host=smaller)

    assert refusal.value.message == (
        "There would be fewer places than people: 3 students come, 2 places."
        " Nobody loses their place, and nobody gets a new one until enough have cancelled."
    )
    assert planning.plan_of(workshop).host != smaller
    assert history() == []

    change(workshop, host=smaller, accepts=True)

    assert planning.plan_of(workshop).host == smaller
    assert workshop.invitations.attending().count() == 3


def test_who_was_too_many_before_is_not_asked_about_again():
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.ATTENDING)

    change(workshop, description="There is food.")

    assert workshop.description == "There is food."


def test_whoever_saves_over_a_change_they_did_not_see_is_told_so():
    workshop = WorkshopFactory()
    seen = planning.plan_of(workshop).mark
    change(workshop, description="Doors open at 18:00.")

    with pytest.raises(planning.ChangedMeanwhile):
        change(workshop, seen=seen, description="Doors open at 18:30.")

    assert workshop.description == "Doors open at 18:00."
    change(workshop, seen=planning.plan_of(workshop).mark, description="Doors open at 18:30.")
    assert workshop.description == "Doors open at 18:30."


def test_a_cancelled_workshop_stays_as_it_is():
    workshop = WorkshopFactory(cancelled=True)

    with pytest.raises(planning.WorkshopCancelled):
        change(workshop, description="It is on again.")


def test_a_workshop_is_not_moved_into_the_past_but_a_past_one_can_be_described():
    workshop = WorkshopFactory(past=True)

    with pytest.raises(planning.InThePast):
        change(workshop, starts_at=in_days(-1), ends_at=in_days(0))
    change(workshop, description="Thank you for coming.")

    assert workshop.description == "Thank you for coming."


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_a_smaller_venue_at_the_same_moment_cannot_overbook():
    """Whichever comes first, the other one sees it: fewer places, or a place that was given."""
    workshop = WorkshopFactory(student_spaces=2)
    organiser = organiser_of(workshop.chapter)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    late = InvitationFactory(workshop=workshop)
    smaller = SponsorFactory(seats=1)

    def accept() -> bool:
        try:
            rsvps.accept(late, role=Role.STUDENT, note="", at=timezone.now())
        except rsvps.WorkshopFull:
            return False
        return True

    def move() -> bool:
        plan = replace(planning.plan_of(workshop), host=smaller)
        try:
            planning.change(workshop, plan, by=organiser, at=timezone.now())
        except planning.FewerPlaces:
            return False
        return True

    accepted, has_moved = at_once(accept, move)

    assert accepted != has_moved


def test_deleting_leaves_a_line_in_the_history_of_the_chapter():
    chapter = ChapterFactory()
    organiser = organiser_of(chapter)
    workshop = WorkshopFactory(chapter=chapter, starts_at=datetime(2030, 1, 16, 18, 30, tzinfo=UTC))
    workshop.organisers.add(organiser)

    planning.delete(workshop, by=organiser)

    assert not Workshop.objects.exists()
    (line,) = Activity.objects.all()
    assert (line.did, line.chapter, line.workshop) == (
        "deleted the workshop of Wednesday 16 January 2030, 18:30",
        chapter,
        None,
    )


@pytest.mark.parametrize(
    "known",
    [
        lambda workshop: InvitationFactory(workshop=workshop),
        lambda workshop: InvitationLogFactory(workshop=workshop),
        lambda workshop: InvitationLogEntryFactory(log=None, workshop=workshop),
    ],
    ids=["invitation", "log without anybody", "single letter"],
)
def test_what_somebody_knows_of_is_not_deleted(known):
    workshop = WorkshopFactory()
    known(workshop)

    with pytest.raises(planning.SomebodyWasInvited):
        planning.delete(workshop, by=organiser_of(workshop.chapter))

    assert Workshop.objects.filter(pk=workshop.pk).exists()
    assert history() == []


def test_the_next_free_day_is_the_same_weekday_four_weeks_later():
    chapter = ChapterFactory()
    wednesday = date(2030, 1, 16)
    source = on(chapter, wednesday)
    on(chapter, wednesday + timedelta(weeks=4))
    on(chapter, wednesday + timedelta(weeks=5))
    on(ChapterFactory(), wednesday + timedelta(weeks=6))

    day = planning.next_free_day(source, at=datetime(2030, 1, 10, tzinfo=UTC))

    assert day == wednesday + timedelta(weeks=6)


def test_a_cancelled_workshop_leaves_its_day_free():
    chapter = ChapterFactory()
    wednesday = date(2030, 1, 16)
    source = on(chapter, wednesday)
    cancelled = on(chapter, wednesday + timedelta(weeks=4))
    Workshop.objects.filter(pk=cancelled.pk).update(cancelled_at=timezone.now())

    day = planning.next_free_day(source, at=datetime(2030, 1, 10, tzinfo=UTC))

    assert day == wednesday + timedelta(weeks=4)


def test_the_next_free_day_of_an_old_workshop_is_to_come():
    source = on(ChapterFactory(), date(2026, 1, 7))

    day = planning.next_free_day(source, at=datetime(2026, 3, 4, 12, tzinfo=UTC))

    assert day == date(2026, 3, 11)


def on(chapter, day: date) -> Workshop:
    return WorkshopFactory(
        chapter=chapter, starts_at=datetime.combine(day, time(18, 30), tzinfo=UTC)
    )
