"""Who comes, and answering for somebody, for those who organise the workshop."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, Invitation
from invitations.queries import attendance
from invitations.queries.attendance import Show
from invitations.services import rsvps
from logs.models import Action, Activity, InvitationLogEntry
from members.models import DietaryNeed, Notice
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    NoteFactory,
    NoticeFactory,
    WorkshopFactory,
    in_days,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db


def signed_in(member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def page(workshop, by=None, **query):
    client = signed_in(by or organiser_of(workshop.chapter))
    return client.get(reverse("attendance", args=[workshop.pk]), query)


def search(workshop, text, by=None):
    client = signed_in(by or organiser_of(workshop.chapter))
    return client.get(reverse("rsvp", args=[workshop.pk]), {"q": text})


def answer(workshop, member, by=None, **form):
    client = signed_in(by or organiser_of(workshop.chapter))
    return client.post(reverse("rsvp_member", args=[workshop.pk, member.pk]), form)


def names(response) -> list[str]:
    return [row.invitation.member.name for row in response.context["rows"]]


def evenings(member, *, came: int = 0, missed: int = 0):
    """Past workshops, a week apart, at each of which somebody was marked as here."""
    for nr in range(came + missed):
        workshop = WorkshopFactory(starts_at=in_days(-7 * (nr + 1)))
        is_here = nr < came
        InvitationFactory(
            workshop=workshop,
            member=member,
            answer=Answer.ATTENDING,
            attended_at=workshop.starts_at if is_here else None,
        )
        InvitationFactory(
            workshop=workshop, answer=Answer.ATTENDING, attended_at=workshop.starts_at
        )


def flags_of(member, workshop):
    return attendance.flags([member.pk], workshop=workshop, at=timezone.now())[member.pk]


# ---- The list ------------------------------------------------------------------------------


def test_the_filters_count_what_they_show_and_add_up():
    workshop = WorkshopFactory()
    InvitationFactory.create_batch(3, workshop=workshop, answer=Answer.ATTENDING)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, role=Role.COACH)
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.WAITING)
    InvitationFactory(workshop=workshop, answer=Answer.DECLINED)
    InvitationFactory(workshop=workshop)
    banned = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    BanFactory(member=banned.member)

    shown = {show: len(page(workshop, show=show).context["rows"]) for show in Show}

    counts = {value: number for value, _, number in page(workshop).context["counts"]}
    assert shown == counts
    assert list(counts.values()) == [3, 1, 2, 1, 7]


def test_those_who_wait_stand_in_the_order_of_the_line():
    workshop = WorkshopFactory(student_spaces=1)
    now = timezone.now()
    for name, minutes in (("Second", 10), ("First", 20)):
        InvitationFactory(
            workshop=workshop,
            member__name=name,
            answer=Answer.WAITING,
            answered_at=now - timedelta(minutes=minutes),
        )

    response = page(workshop, show="waiting")

    assert [(r.invitation.member.name, r.position) for r in response.context["rows"]] == [
        ("First", 1),
        ("Second", 2),
    ]
    assert "waits, 1st in line" in words(response)


def test_a_name_is_found_and_wildcards_are_letters():
    workshop = WorkshopFactory()
    for name in ("Lena", "Per%cent", "Tom"):
        InvitationFactory(workshop=workshop, member__name=name, answer=Answer.ATTENDING)

    assert names(page(workshop, name="len")) == ["Lena"]
    assert names(page(workshop, name="%")) == ["Per%cent"]
    assert names(page(workshop, name="_")) == []


def test_a_name_alone_is_looked_for_among_everybody_who_answered():
    workshop = WorkshopFactory()
    for answer, role in ((Answer.ATTENDING, Role.COACH), (Answer.ATTENDING, Role.STUDENT)):
        InvitationFactory(workshop=workshop, member__name=role.label, answer=answer, role=role)

    assert names(page(workshop, name="coach")) == ["Coach"]
    narrowed = page(workshop, name="coach", show="students")
    assert names(narrowed) == []
    assert '<input type="hidden" name="show" value="students">' in words(narrowed)
    assert "?name=coach&amp;show=answered" in words(narrowed)
    assert '<input type="hidden" name="show"' not in words(page(workshop))


@pytest.mark.parametrize(
    ("show", "to"), [("students", "attending"), ("coaches", "attending"), ("waiting", "waiting")]
)
def test_whoever_is_listed_can_be_written_to(show, to):
    workshop = WorkshopFactory()

    assert f"{reverse('write', args=[workshop.pk])}?to={to}" in words(page(workshop, show=show))


def test_a_cancelled_workshop_offers_no_message():
    workshop = WorkshopFactory(cancelled=True)

    assert reverse("write", args=[workshop.pk]) not in words(page(workshop))


@pytest.mark.parametrize(
    "query", [{"show": "x"}, {"name": "\0"}, {"name": "y" * 101}, {"page": "x"}]
)
def test_a_filter_that_cannot_be_read_narrows_nothing(query):
    workshop = WorkshopFactory()
    InvitationFactory(workshop=workshop, member__name="Lena", answer=Answer.ATTENDING)

    response = page(workshop, **query)

    assert (response.status_code, names(response)) == (200, ["Lena"])


def test_everything_that_matters_for_pairing_stands_beside_the_name():
    workshop = WorkshopFactory()
    organiser = organiser_of(workshop.chapter)
    InvitationFactory(
        workshop=workshop,
        member__name="Lena",
        member__dietary_needs=[DietaryNeed.VEGAN, DietaryNeed.OTHER],
        member__other_dietary_needs="no nuts",
        answer=Answer.ATTENDING,
        tutorial="JavaScript",
        note="Comes late",
        answered_by=organiser,
        override_reason="Gives a talk",
    )

    text = words(page(workshop, organiser))

    for said in (
        "first time",
        "JavaScript",
        "“Comes late”",
        "Eats: vegan, no nuts.",
        "Added by Olu Organiser",
        "“Gives a talk”",
    ):
        assert said in text


def test_who_moved_up_by_themselves_is_told_apart():
    workshop = WorkshopFactory(student_spaces=1)
    leaving = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    InvitationFactory(workshop=workshop, answer=Answer.WAITING, member__name="Lucky")

    rsvps.decline(leaving, at=timezone.now())

    assert "Moved up from the waiting list" in words(page(workshop))


def test_food_is_counted_for_who_comes():
    workshop = WorkshopFactory()
    for needs, other in ((["vegan"], ""), (["vegan", "other"], "no nuts"), ([], "")):
        InvitationFactory(
            workshop=workshop,
            member__dietary_needs=needs,
            member__other_dietary_needs=other,
            answer=Answer.ATTENDING,
        )
    InvitationFactory(workshop=workshop, member__dietary_needs=["halal"], answer=Answer.WAITING)

    assert attendance.food(workshop) == attendance.Food(
        people=2, needs=[("Vegan", 2)], others=[("no nuts", 1)]
    )


def test_queries_do_not_grow_with_the_list(django_assert_num_queries):
    workshop = WorkshopFactory()
    organiser = organiser_of(workshop.chapter)
    for more in (1, 2):
        for _ in range(more):
            member = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING).member
            InvitationFactory(workshop=workshop, answer=Answer.WAITING)
            evenings(member, came=1, missed=1)
            NoteFactory(member=member)
        client = signed_in(organiser)
        with django_assert_num_queries(17):
            client.get(reverse("attendance", args=[workshop.pk]), {"show": "answered"})


# ---- What is known about somebody ----------------------------------------------------------


def test_whoever_was_never_marked_as_here_is_new_in_whatever_role():
    workshop = WorkshopFactory()
    newcomer, regular = MemberFactory(), MemberFactory()
    evenings(newcomer, missed=1)
    evenings(regular, came=1)

    assert (flags_of(newcomer, workshop).is_new, flags_of(regular, workshop).is_new) == (
        True,
        False,
    )


def test_the_first_evening_stays_one_after_the_tap_at_the_door():
    workshop = WorkshopFactory()
    member = InvitationFactory(
        workshop=workshop, answer=Answer.ATTENDING, attended_at=timezone.now()
    ).member

    assert flags_of(member, workshop).is_new


@pytest.mark.parametrize(
    ("missed", "warned", "expected"),
    [(4, 2, (True, True)), (4, 1, (True, False)), (3, 2, (False, False)), (0, 0, (False, False))],
)
def test_more_than_three_missed_in_six_months_are_often(missed, warned, expected):
    workshop, member = WorkshopFactory(), MemberFactory()
    evenings(member, missed=missed)
    NoticeFactory.create_batch(warned, member=member)
    NoticeFactory(member=member, created_at=in_days(-200))
    NoticeFactory(member=member, kind=Notice.Kind.ELIGIBILITY)

    flags = flags_of(member, workshop)

    assert (flags.missed, flags.warned) == (missed, warned)
    assert (flags.has_missed_often, flags.is_flagged) == expected


@pytest.mark.parametrize(("days_ago", "is_recent"), [(35, True), (37, False)])
def test_a_note_is_recent_since_the_fifth_last_evening(days_ago, is_recent):
    workshop, member = WorkshopFactory(), MemberFactory()
    evenings(member, came=6)  # the fifth last was 35 days ago, and a day is added
    NoteFactory(member=member, created_at=in_days(-days_ago))

    assert flags_of(member, workshop).has_recent_note is is_recent


def test_warnings_and_notes_are_for_those_who_organise_the_chapter():
    workshop = WorkshopFactory()
    member = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING).member
    evenings(member, came=1, missed=4)
    NoticeFactory.create_batch(2, member=member)
    NoteFactory(member=member)
    beside = MemberFactory()
    workshop.organisers.add(beside)

    theirs, limited = words(page(workshop)), words(page(workshop, beside))

    assert "missed 4 workshops, warned 2 times" in theirs
    assert "recent note" in theirs
    assert "missed 4 workshops" in limited
    assert "warned" not in limited
    assert "recent note" not in limited


# ---- Answering for somebody ----------------------------------------------------------------


def test_the_search_says_how_somebody_stands_with_the_workshop():
    workshop = WorkshopFactory()
    InvitationFactory(workshop=workshop, member__name="Ann Coming", answer=Answer.ATTENDING)
    InvitationFactory(workshop=workshop, member__name="Ann Invited")
    subscribe(MemberFactory(name="Ann Subscribed"), workshop.chapter, Role.COACH)
    MemberFactory(name="Ann Elsewhere")

    text = words(search(workshop, "ann"))

    for said in ("is coming as student", "invited, no answer", "not invited", "Place as coach"):
        assert said in text
    assert "Ann Elsewhere" not in text


def test_the_search_shows_twenty_and_says_that_there_are_more():
    workshop = WorkshopFactory()
    for nr in range(21):
        subscribe(MemberFactory(name=f"Ann {nr}"), workshop.chapter, Role.STUDENT)

    response = search(workshop, "ann")

    assert (len(response.context["people"]), response.context["has_more"]) == (20, True)
    assert "Type more of the name" in words(response)


def test_addresses_are_searched_by_those_who_may_read_them():
    workshop = WorkshopFactory()
    subscribe(MemberFactory(email="needle@people.example"), workshop.chapter, Role.STUDENT)
    beside = MemberFactory()
    workshop.organisers.add(beside)

    assert "needle@people.example" in words(search(workshop, "needle"))
    assert search(workshop, "needle", beside).context["people"] == []


def test_a_name_leads_to_the_profile_where_that_opens():
    workshop = WorkshopFactory()
    helper = MemberFactory()
    helper.organised_workshops.add(workshop)
    invited = subscribe(MemberFactory(name="Ada"), workshop.chapter, Role.STUDENT)
    InvitationFactory(workshop=workshop, member=invited)
    other = subscribe(MemberFactory(name="Adam"), workshop.chapter, Role.STUDENT)

    for member, by in ((invited, helper), (other, helper), (other, organiser_of(workshop.chapter))):
        profile = reverse("member", args=[member.pk])
        opens = signed_in(by).get(profile).status_code == 200
        answering = reverse("rsvp_member", args=[workshop.pk, member.pk])
        for shown in (search(workshop, "ada", by=by), signed_in(by).get(answering)):
            assert (f'href="{profile}"' in words(shown)) == opens


@pytest.mark.parametrize(
    ("name", "back", "leads_to", "called"),
    [
        ("door", "", "attendance", "Who comes"),
        ("rsvp", "", "attendance", "Who comes"),
        ("rsvp", "door", "door", "Who is here?"),
        ("rsvp_member", "", "attendance", "Who comes"),
        ("rsvp_member", "rsvp", "rsvp", "Add somebody"),
        ("rsvp_member", "door", "door", "Who is here?"),
    ],
)
def test_the_trail_names_where_it_leads(name, back, leads_to, called):
    workshop = WorkshopFactory(chapter__name="Here")
    somebody = InvitationFactory(workshop=workshop).member
    args = [workshop.pk, somebody.pk] if name == "rsvp_member" else [workshop.pk]
    organiser = organiser_of(workshop.chapter)

    shown = words(signed_in(organiser).get(reverse(name, args=args), {"back": back}))

    trail = f'<a class="trail" href="{reverse(leads_to, args=[workshop.pk])}">{called}, Here, '
    assert trail in shown


@pytest.mark.parametrize("text", ["", "a", "\0\0", "y" * 101])
def test_a_search_that_is_none_comes_back_with_a_sentence(text):
    response = search(WorkshopFactory(), text)

    assert response.status_code == 400
    assert "field-error" in words(response)


def test_the_search_asks_the_same_for_one_and_for_many(django_assert_num_queries):
    workshop = WorkshopFactory()
    organiser = organiser_of(workshop.chapter)
    for more in (1, 2):
        for _ in range(more):
            InvitationFactory(workshop=workshop, member__name="Ann")
        client = signed_in(organiser)
        with django_assert_num_queries(10):
            client.get(reverse("rsvp", args=[workshop.pk]), {"q": "ann"})


def test_a_place_for_somebody_who_was_not_invited_comes_with_a_letter():
    workshop = WorkshopFactory()
    member = subscribe(MemberFactory(name="Lena", surname=""), workshop.chapter, Role.COACH)
    organiser = organiser_of(workshop.chapter)

    response = answer(workshop, member, organiser, what="place", role="coach", back="rsvp")

    invitation = Invitation.objects.get(workshop=workshop, member=member)
    assert (invitation.role, invitation.answer, invitation.answered_by) == (
        Role.COACH,
        Answer.ATTENDING,
        organiser,
    )
    assert InvitationLogEntry.objects.get(member=member).action == Action.CONFIRMATION
    assert response.url == reverse("rsvp", args=[workshop.pk])
    told = [message.message for message in get_messages(response.wsgi_request)]
    assert told == ["Lena has a place as a coach. A letter confirms it."]


def test_a_double_tap_gives_one_place_and_one_letter():
    workshop = WorkshopFactory()
    member = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)

    for _ in range(2):
        assert answer(workshop, member, what="place", role="student").status_code == 302

    assert workshop.invitations.attending().count() == 1
    assert InvitationLogEntry.objects.filter(member=member).count() == 1


def test_a_full_workshop_asks_for_a_reason_and_shows_it_afterwards():
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    member = InvitationFactory(workshop=workshop).member

    refused = answer(workshop, member, what="place", role="student")

    assert refused.status_code == 409
    assert "There is no free place for students." in words(refused)
    assert 'name="override_reason"' in words(refused)
    assert (
        answer(
            workshop, member, what="place", role="student", override_reason="Gives a talk"
        ).status_code
        == 302
    )
    assert "“Gives a talk”" in words(page(workshop))


def test_a_walk_in_after_the_start_needs_a_reason():
    workshop = WorkshopFactory(starts_at=timezone.now() - timedelta(minutes=5))
    member = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)

    refused = answer(workshop, member, what="place", role="student", back="door")
    taken = answer(
        workshop, member, what="place", role="student", override_reason="Came along", back="door"
    )

    assert (refused.status_code, taken.url) == (409, reverse("door", args=[workshop.pk]))
    assert workshop.invitations.attending().count() == 1


def test_a_refusal_leaves_no_invitation_behind():
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    member = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)

    answer(workshop, member, what="place", role="student")

    assert not member.invitations.exists()


@pytest.mark.parametrize(
    ("somebody", "why"),
    [
        ({"banned": True}, "A suspended account cannot take a place."),
        ({"without_terms": True}, "Only members who have accepted the terms can take a place."),
    ],
)
def test_no_reason_sets_the_other_rules_aside(somebody, why):
    workshop = WorkshopFactory()
    member = subscribe(MemberFactory(**somebody), workshop.chapter, Role.STUDENT)

    response = answer(
        workshop, member, what="place", role="student", override_reason="It was a mistake"
    )

    assert response.status_code == 409
    assert why in words(response)
    assert not member.invitations.exists()


def test_the_waiting_list_takes_somebody_when_all_places_are_taken():
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    member = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)

    answer(workshop, member, what="wait", role="student")

    assert member.invitations.get().is_waiting
    assert not member.log_entries.exists()


def test_taking_back_a_place_gives_it_to_the_first_in_line_and_writes_to_both():
    workshop = WorkshopFactory(student_spaces=1)
    held = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    first = InvitationFactory(workshop=workshop, answer=Answer.WAITING)

    answer(workshop, held.member, what="take_back")

    assert list(workshop.invitations.order_by("pk").values_list("answer", flat=True)) == [
        Answer.DECLINED,
        Answer.ATTENDING,
    ]
    letters = InvitationLogEntry.objects.values_list("member", "action")
    assert set(letters) == {
        (held.member_id, Action.DECLINED),
        (first.member_id, Action.PLACE),
    }


@pytest.mark.parametrize("has", [Answer.ATTENDING, Answer.WAITING])
def test_the_page_says_that_a_letter_tells_whoever_is_taken_off(has):
    invitation = InvitationFactory(member__name="Lena", member__surname="", answer=has)
    workshop, organiser = invitation.workshop, organiser_of(invitation.workshop.chapter)
    url = reverse("rsvp_member", args=[workshop.pk, invitation.member_id])

    shown = words(signed_in(organiser).get(url))
    tapped = [answer(workshop, invitation.member, organiser, what="take_back") for _ in range(2)]

    assert "Lena gets a letter about it." in shown
    for response in tapped:
        told = [message.message for message in get_messages(response.wsgi_request)]
        assert told == ["Lena is off the list. A letter tells them."]
    letters = invitation.member.log_entries.values_list("action", "occasion")
    assert list(letters) == [(Action.DECLINED, "2")]


@pytest.mark.parametrize("why", ["the workshop has begun", "letters come back"])
def test_the_page_says_where_no_letter_tells_them(why):
    begun = {"starts_at": timezone.now() - timedelta(minutes=5)}
    invitation = InvitationFactory(
        workshop=WorkshopFactory(**begun if why == "the workshop has begun" else {}),
        member=MemberFactory(name="Lena", surname="", unreachable=why == "letters come back"),
        answer=Answer.ATTENDING,
    )
    workshop, organiser = invitation.workshop, organiser_of(invitation.workshop.chapter)
    url = reverse("rsvp_member", args=[workshop.pk, invitation.member_id])

    shown = words(signed_in(organiser).get(url))
    response = answer(workshop, invitation.member, organiser, what="take_back")

    assert "Lena gets no letter about it, so please tell them." in shown
    told = [message.message for message in get_messages(response.wsgi_request)]
    assert told == ["Lena is off the list. No letter leaves, so please tell them."]


def test_promoting_from_the_line_returns_to_the_line():
    workshop = WorkshopFactory(student_spaces=2)
    waiting = InvitationFactory(workshop=workshop, answer=Answer.WAITING)

    response = answer(
        workshop, waiting.member, what="place", role="student", back="attendance", show="waiting"
    )

    assert response.url == reverse("attendance", args=[workshop.pk]) + "?show=waiting"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({}, "Choose what to do."),
        ({"what": "dance"}, "Choose what to do."),
        ({"what": "place"}, "Choose student or coach."),
        ({"what": "place", "role": "cook"}, "Choose student or coach."),
        (
            {"what": "place", "role": "student", "override_reason": "y" * 201},
            "That is 201 characters. 200 fit; please shorten.",
        ),
        (
            {"what": "place", "role": "student", "override_reason": "a\0b"},
            "Null characters are not allowed.",
        ),
    ],
)
def test_an_answer_that_cannot_be_read_comes_back(form, why):
    workshop = WorkshopFactory()
    member = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)

    response = answer(workshop, member, **form)

    assert response.status_code == 400
    assert why in words(response)
    assert not member.invitations.exists()


def test_somebody_of_another_chapter_is_not_there():
    workshop = WorkshopFactory()
    stranger = subscribe(MemberFactory(), ChapterFactory(), Role.STUDENT)

    assert answer(workshop, stranger, what="place", role="student").status_code == 404


def test_another_chapters_organiser_changes_nothing():
    invitation = InvitationFactory(answer=Answer.ATTENDING)

    response = answer(
        invitation.workshop, invitation.member, organiser_of(ChapterFactory()), what="take_back"
    )

    invitation.refresh_from_db()
    assert (response.status_code, invitation.is_attending) == (404, True)


def test_every_answer_for_somebody_is_history():
    workshop = WorkshopFactory(student_spaces=1)
    member = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)
    organiser = organiser_of(workshop.chapter)

    answer(workshop, member, organiser, what="place", role="student")
    answer(workshop, member, organiser, what="take_back")

    history = Activity.objects.order_by("pk").values_list("by", "did", "member")
    assert list(history) == [
        (organiser.pk, "gave a place as a student", member.pk),
        (organiser.pk, "took back the place as a student", member.pk),
    ]
