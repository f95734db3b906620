"""The pages on which workshops are planned, changed, found and taken away."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chapters.models import Chapter, Workshop
from invitations.models import Answer
from invitations.services import planning
from logs.models import Action, Activity, Audience, EntryStatus
from members.models import Member
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

pytestmark = pytest.mark.django_db

NEW = "/admin/workshops/new"
LIST = "/admin/workshops"
A_DAY = f"{in_two_weeks():%Y-%m-%d}"


@pytest.fixture
def chapter() -> Chapter:
    return ChapterFactory(name="Here", city="Hereford", time_zone="Europe/London")


@pytest.fixture
def organiser(chapter: Chapter, client: Client) -> Member:
    """Signed in, and of the chapter "Here"."""
    member = organiser_of(chapter)
    client.force_login(member)
    return member


def words(response: HttpResponse) -> str:
    return unescape(" ".join(response.content.decode().split()))


def typed(**fields: object) -> dict[str, object]:
    """What somebody types for an evening in two weeks."""
    usual = {
        "date": A_DAY,
        "begins": "18:30",
        "ends": "20:30",
        "place": "venue",
        "is_invitable": "on",
    }
    return usual | fields


def fields_of(response: HttpResponse) -> dict[str, object]:
    """What a browser would send if nothing was changed."""
    form = response.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: _as_sent(value) for name, value in values.items() if value not in (None, False)}


def _as_sent(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M}"
    return "on" if value is True else value


def address(name: str, workshop: Workshop) -> str:
    return reverse(name, args=[workshop.pk])


def announced(workshop: Workshop) -> Workshop:
    """One comes, one waits, one was invited and has not answered."""
    for answer in (Answer.ATTENDING, Answer.WAITING, Answer.NONE):
        invitation = InvitationFactory(workshop=workshop, answer=answer)
    InvitationLogEntryFactory(
        log=InvitationLogFactory(workshop=workshop),
        member=invitation.member,
        status=EntryStatus.SUCCESS,
    )
    return workshop


# ---- New ---------------------------------------------------------------------------------------


def test_the_zone_is_named_beside_the_times(client, chapter, organiser):
    text = words(client.get(NEW))

    assert "New workshop in Here" in text
    assert "Hereford time (Europe/London)." in text
    assert "An end that is before the start is on the next day." in text
    assert text.count("btn-primary") == 1


def test_with_several_chapters_each_is_offered_with_its_zone(client, organiser):
    abroad = ChapterFactory(name="Abroad", time_zone="America/New_York")
    ChapterFactory(name="Elsewhere")
    organiser.organised_chapters.add(abroad)

    response = client.get(NEW, {"chapter": abroad.pk})

    options = re.findall(r"<option[^>]*>([^<]*)</option>", response.content.decode())
    assert options[:2] == ["Abroad (America/New_York)", "Here (Europe/London)"]
    assert f'<option value="{abroad.pk}" selected>' in response.content.decode()


def test_planning_leads_to_the_page_of_the_workshop(client, chapter, organiser):
    venue = SponsorFactory()

    response = client.post(NEW, typed(chapter=chapter.pk, host=venue.pk))

    workshop = Workshop.objects.get()
    assert (response.status_code, response.url) == (302, address("organiser_workshop", workshop))
    plan = planning.plan_of(workshop)
    assert (workshop.chapter, plan.host) == (chapter, venue)
    assert workshop.local_start.strftime("%Y-%m-%d %H:%M") == f"{A_DAY} 18:30"


def test_a_workshop_can_be_planned_before_there_is_a_venue(client, chapter, organiser):
    client.post(NEW, typed(chapter=chapter.pk), follow=True)

    workshop = Workshop.objects.get()
    page = words(client.get(address("organiser_workshop", workshop)))
    assert "The venue is missing, so nobody can be invited." in page


def test_the_same_form_sent_twice_makes_one_workshop(client, chapter, organiser):
    form = fields_of(client.get(NEW)) | typed(chapter=chapter.pk)

    first = client.post(NEW, form)
    again = client.post(NEW, form, follow=True)

    workshop = Workshop.objects.get()
    assert (first.url, again.redirect_chain) == (
        address("organiser_workshop", workshop),
        [(address("organiser_workshop", workshop), 302)],
    )
    assert "This form came twice" in words(again)


@pytest.mark.parametrize("chapter_id", ["other", "999999999", "x", ""])
def test_a_chapter_that_is_not_theirs_is_refused(client, organiser, chapter_id):
    organiser.organised_chapters.add(ChapterFactory())
    other = WorkshopFactory().chapter
    wanted = str(other.pk) if chapter_id == "other" else chapter_id

    response = client.post(NEW, typed(chapter=wanted, description="Bring a laptop."))

    assert response.status_code == 400
    assert "Choose the chapter." in words(response) or (
        "Choose a chapter that you organise." in words(response)
    )
    assert Workshop.objects.count() == 1


def test_what_cannot_be_comes_back_with_what_was_typed(client, chapter, organiser):
    response = client.post(
        NEW,
        typed(
            chapter=chapter.pk,
            date="2027-02-31",
            ends="17:00",
            host="999999",
            description="Bring <b>a</b> laptop.",
            student_spaces="many",
        ),
    )

    text = words(response)
    assert response.status_code == 400
    assert "There is no such day." in text
    assert "Choose a venue from this list." in text
    assert 'value="2027-02-31"' in text
    assert 'value="17:00"' in text
    assert "Bring &lt;b&gt;a&lt;/b&gt; laptop." in response.content.decode()
    assert not Workshop.objects.exists()


def test_a_day_in_the_past_comes_back_with_what_was_typed(client, chapter, organiser):
    response = client.post(
        NEW, typed(chapter=chapter.pk, date="2020-02-29", description="Bring a laptop.")
    )

    text = words(response)
    assert response.status_code == 409
    assert "That is in the past." in text
    assert "Bring a laptop." in text
    assert not Workshop.objects.exists()


@pytest.mark.parametrize("megabytes", [1, 10])
def test_a_text_of_megabytes_is_refused_with_a_sentence(client, chapter, organiser, megabytes):
    text = "a" * megabytes * 1_000_000

    response = client.post(NEW, typed(chapter=chapter.pk, description=text))

    assert response.status_code == 400
    assert "fit; please shorten." in words(response)
    assert not Workshop.objects.exists()


def test_nothing_is_planned_by_looking(client, organiser):
    client.get(NEW, typed())

    assert not Workshop.objects.exists()


def test_the_last_workshop_is_offered_to_copy(client, chapter, organiser):
    WorkshopFactory(chapter=chapter, past=True)
    last = WorkshopFactory(chapter=chapter)
    WorkshopFactory(starts_at=in_days(100))

    assert address("workshop_copy", last) in words(client.get(NEW))


# ---- Copy --------------------------------------------------------------------------------------


def test_a_copy_is_filled_in_for_the_same_weekday_in_four_weeks(client, chapter, organiser):
    starts_at = datetime(2030, 3, 20, 18, 30, tzinfo=UTC)
    sponsor = SponsorFactory()
    source = WorkshopFactory(
        chapter=chapter,
        starts_at=starts_at,
        rsvp_closes_at=starts_at - timedelta(days=1),
        description="Doors open at 18:00.",
    )
    source.workshop_sponsors.create(sponsor=sponsor)

    fields = fields_of(client.get(address("workshop_copy", source)))

    fields.pop("request_key")
    assert {name: str(value) for name, value in fields.items() if value not in ("", [])} == {
        "chapter": str(chapter.pk),
        "date": "2030-04-17",
        "begins": "18:30:00",
        "ends": "20:30:00",
        "place": "venue",
        "host": str(planning.plan_of(source).host.pk),
        "sponsors": str([sponsor.pk]),
        "description": "Doors open at 18:00.",
        "is_invitable": "on",
        "closes": "2030-04-16T18:30",
        "seen": planning.plan_of(source).mark,
    }


def test_a_new_workshop_asks_to_be_saved_before_a_missing_venue_is_added(
    client, chapter, organiser
):
    text = words(client.get(NEW))

    assert "Save it first with “Not known yet”; the venue can be added afterwards." in text
    assert reverse("sponsor_new") not in text


def test_the_copy_is_a_workshop_of_its_own(client, chapter, organiser):
    source = announced(WorkshopFactory(chapter=chapter, virtual=True))
    page = client.get(address("workshop_copy", source))

    response = client.post(address("workshop_copy", source), fields_of(page))

    copy = Workshop.objects.exclude(pk=source.pk).get()
    assert (response.status_code, response.url) == (302, address("organiser_workshop", copy))
    assert (copy.chapter, copy.sequence, copy.invitations.count()) == (chapter, 0, 0)
    before, after = planning.plan_of(source), planning.plan_of(copy)
    assert copy.local_start.date() == source.local_start.date() + timedelta(weeks=4)
    assert (after.is_virtual, after.student_spaces, after.slack_channel_link) == (
        True,
        before.student_spaces,
        before.slack_channel_link,
    )


def test_a_cancelled_workshop_can_be_copied(client, chapter, organiser):
    source = WorkshopFactory(chapter=chapter, cancelled=True)

    page = client.get(address("workshop_copy", source))
    client.post(address("workshop_copy", source), fields_of(page))

    assert not Workshop.objects.exclude(pk=source.pk).get().is_cancelled


def test_who_organises_only_this_workshop_plans_no_other(client):
    beside = MemberFactory()
    workshop = WorkshopFactory()
    workshop.organisers.add(beside)
    client.force_login(beside)

    asked = [
        client.get(address("workshop_copy", workshop)),
        client.post(address("workshop_copy", workshop), typed(chapter=workshop.chapter_id)),
        client.get(NEW),
        client.post(NEW, typed(chapter=workshop.chapter_id)),
    ]

    assert [response.status_code for response in asked] == [404] * 4
    assert Workshop.objects.count() == 1


# ---- Change ------------------------------------------------------------------------------------


def test_saving_the_form_as_it_came_changes_nothing(client, chapter, organiser):
    workshop = announced(
        WorkshopFactory(
            chapter=chapter,
            rsvp_opens_at=in_days(1).replace(hour=12),
            rsvp_closes_at=in_days(2).replace(hour=12),
            description="Doors open at 18:00.\nThere is food.",
        )
    )
    before = planning.plan_of(workshop)
    page = client.get(address("workshop_edit", workshop))

    response = client.post(address("workshop_edit", workshop), fields_of(page))

    workshop.refresh_from_db()
    assert response.url == address("organiser_workshop", workshop)
    assert (planning.plan_of(workshop), workshop.sequence) == (before, 0)
    assert not Activity.objects.exists()


def test_each_change_is_saved_and_written_down(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter, rsvp_closes_at=in_days(2))
    page = client.get(address("workshop_edit", workshop))

    client.post(
        address("workshop_edit", workshop),
        fields_of(page) | {"closes": "", "description": "There is food."},
    )

    workshop.refresh_from_db()
    assert (workshop.rsvp_closes_at, workshop.description) == (None, "There is food.")
    (line,) = Activity.objects.all()
    assert (line.by, line.did, set(line.changes)) == (
        organiser,
        "changed the workshop",
        {"Answers close", "Description"},
    )


def test_moving_it_asks_whether_to_tell_people(client, chapter, organiser):
    workshop = announced(WorkshopFactory(chapter=chapter))
    page = client.get(address("workshop_edit", workshop))

    response = client.post(
        address("workshop_edit", workshop), fields_of(page) | {"begins": "18:00"}, follow=True
    )

    assert response.redirect_chain == [(address("workshop_tell", workshop), 302)]
    assert f"<dt>Begins</dt> <dd><small>{_moment(workshop.local_start)}</small></dd>" in words(
        response
    )
    assert "2 people are coming or waiting and 1 has not answered yet." in words(response)


def test_those_who_move_up_are_counted(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter, student_spaces=1)
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.WAITING)
    page = client.get(address("workshop_edit", workshop))

    response = client.post(
        address("workshop_edit", workshop),
        fields_of(page) | {"host": SponsorFactory(seats=10).pk},
        follow=True,
    )

    assert "Saved. 2 people got a place from the waiting list, and a letter." in words(response)


def test_fewer_places_than_people_ask_once_more(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter, student_spaces=2)
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.ATTENDING)
    smaller = SponsorFactory(seats=1)
    form = fields_of(client.get(address("workshop_edit", workshop))) | {"host": smaller.pk}

    asked = client.post(address("workshop_edit", workshop), form)

    assert asked.status_code == 409
    assert "2 students come, 1 place." in words(asked)
    assert "Save it with fewer places" in words(asked)
    assert planning.plan_of(workshop).host != smaller

    client.post(address("workshop_edit", workshop), form | {"accepts_fewer_places": "on"})

    assert planning.plan_of(workshop).host == smaller


def test_saving_over_somebody_elses_change_is_shown_first(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter)
    page = client.get(address("workshop_edit", workshop))
    form = fields_of(page) | {"description": "Doors open at 18:30."}
    Workshop.objects.filter(pk=workshop.pk).update(description="Doors open at 18:00.")

    stopped = client.post(address("workshop_edit", workshop), form)

    assert stopped.status_code == 409
    assert "Somebody else has changed this workshop" in words(stopped)
    assert "Doors open at 18:30." in words(stopped)

    client.post(address("workshop_edit", workshop), fields_of(stopped))

    workshop.refresh_from_db()
    assert workshop.description == "Doors open at 18:30."


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"date": "2027-02-31"}, "There is no such day."),
        ({"host": "999999"}, "Choose a venue from this list."),
        ({"organisers": ["999999"]}, "Choose from the organisers of this chapter."),
        ({"organisers": ["x"]}, "Choose from the organisers of this chapter."),
        ({"sponsors": ["999999"]}, "Choose companies from this list."),
        ({"request_key": "x"}, "This form was changed on its way."),
    ],
)
def test_a_broken_form_changes_nothing(client, chapter, organiser, broken, sentence):
    workshop = WorkshopFactory(chapter=chapter)
    before = planning.plan_of(workshop)
    form = fields_of(client.get(address("workshop_edit", workshop)))

    response = client.post(
        address("workshop_edit", workshop), form | {"description": "New"} | broken
    )

    assert (response.status_code, sentence in words(response)) == (400, True)
    workshop.refresh_from_db()
    assert planning.plan_of(workshop) == before


def test_a_member_who_does_not_organise_the_chapter_is_no_choice(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter)
    stranger = MemberFactory()
    form = fields_of(client.get(address("workshop_edit", workshop)))

    response = client.post(address("workshop_edit", workshop), form | {"organisers": [stranger.pk]})

    assert response.status_code == 400
    assert not workshop.organisers.exists()


def test_organisers_of_the_workshop_are_chosen_from_those_of_the_chapter(
    client, chapter, organiser
):
    workshop = WorkshopFactory(chapter=chapter)
    beside = MemberFactory()
    workshop.organisers.add(beside)
    form = fields_of(client.get(address("workshop_edit", workshop)))
    assert form["organisers"] == [beside.pk]

    client.post(
        address("workshop_edit", workshop),
        form | {"organisers": [beside.pk, organiser.pk]},
    )

    assert set(workshop.organisers.all()) == {beside, organiser}


def test_a_cancelled_workshop_offers_no_form(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter, cancelled=True)

    text = words(client.get(address("workshop_edit", workshop)))

    assert "This workshop is cancelled" in text
    assert "Save the changes" not in text
    assert address("workshop_copy", workshop) in text


def test_only_organisers_of_the_chapter_are_offered_a_copy(client, chapter, organiser):
    plain = WorkshopFactory(chapter=chapter)
    cancelled = WorkshopFactory(chapter=chapter, cancelled=True, starts_at=in_days(3))
    helper = MemberFactory()
    helper.organised_workshops.set([plain, cancelled])
    stranger = Client()
    stranger.force_login(helper)
    for workshop in (plain, cancelled):
        for name in ("organiser_workshop", "workshop_edit"):
            page = address(name, workshop)
            copy = f'href="{address("workshop_copy", workshop)}"'

            assert copy in words(client.get(page))
            assert copy not in words(stranger.get(page))


def test_the_time_beside_the_form_is_that_of_the_chapter(client, organiser):
    far = ChapterFactory(time_zone="Asia/Tokyo", organisers=[organiser])
    starts_at = datetime(2040, 6, 4, 9, 30, tzinfo=UTC)
    workshop = WorkshopFactory(
        chapter=far, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2)
    )

    text = words(client.get(address("workshop_edit", workshop)))

    assert "Monday 4 June, 18:30 to 20:30 JST" in text


def test_who_organises_only_this_workshop_may_change_it(client, chapter):
    workshop = WorkshopFactory(chapter=chapter)
    beside = MemberFactory()
    workshop.organisers.add(beside)
    client.force_login(beside)
    form = fields_of(client.get(address("workshop_edit", workshop)))

    client.post(address("workshop_edit", workshop), form | {"description": "There is food."})

    workshop.refresh_from_db()
    assert workshop.description == "There is food."


@pytest.mark.parametrize(
    "name", ["workshop_edit", "workshop_copy", "workshop_tell", "workshop_delete"]
)
def test_somebody_elses_workshop_is_not_there(client, organiser, name):
    workshop = WorkshopFactory()

    assert client.get(address(name, workshop)).status_code == 404
    assert client.post(address(name, workshop), typed()).status_code == 404
    assert Workshop.objects.filter(pk=workshop.pk).exists()


def test_the_form_costs_the_same_for_any_number_of_companies(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter)
    statements = []
    for more in (1, 2):
        for sponsor in SponsorFactory.create_batch(more):
            workshop.workshop_sponsors.create(sponsor=sponsor)
            workshop.organisers.add(MemberFactory())
        with CaptureQueriesContext(connection) as captured:
            client.get(address("workshop_edit", workshop))
        statements.append(len(captured))

    assert statements[0] == statements[1]


# ---- Tell --------------------------------------------------------------------------------------


def told(workshop: Workshop) -> list[tuple[str, str]]:
    logs = workshop.invitation_logs.filter(action=Action.CHANGE).order_by("pk")
    return list(logs.values_list("audience", "note"))


def test_one_button_tells_those_who_come_or_wait(client, chapter, organiser):
    workshop = announced(WorkshopFactory(chapter=chapter))
    page = words(client.get(address("workshop_tell", workshop)))
    assert "Tell the 2 people who are coming or waiting" in page
    assert "Also tell the one person who has not answered" in page
    assert page.count("btn-primary") == 1
    assert told(workshop) == []

    client.post(address("workshop_tell", workshop), {"note": "The lift works again."})

    assert told(workshop) == [
        (Audience.ATTENDING, "The lift works again."),
        (Audience.WAITING, "The lift works again."),
    ]


def test_who_cannot_be_told_is_counted_and_gets_no_promise(client, chapter, organiser):
    workshop = announced(WorkshopFactory(chapter=chapter))
    InvitationFactory(
        workshop=workshop, answer=Answer.WAITING, member__address_unusable_at=timezone.now()
    )

    page = words(client.get(address("workshop_tell", workshop)))

    assert "3 people are coming or waiting and 1 has not answered yet." in page
    assert "The waiting list: " in page
    assert "1 of 2 cannot be written to" in page
    assert "Tell the 2 people who are coming or waiting" in page


def test_the_unanswered_are_told_by_a_tick(client, chapter, organiser):
    workshop = announced(WorkshopFactory(chapter=chapter))

    client.post(address("workshop_tell", workshop), {"include_unanswered": "on"})

    assert [audience for audience, _ in told(workshop)] == [
        Audience.ATTENDING,
        Audience.WAITING,
        Audience.UNANSWERED,
    ]


def test_a_second_tap_tells_nobody_twice(client, chapter, organiser):
    workshop = announced(WorkshopFactory(chapter=chapter))
    client.post(address("workshop_tell", workshop), {"note": ""})
    client.post(address("workshop_tell", workshop), {"note": ""})

    assert len(told(workshop)) == 2
    assert "People are being told" in words(client.get(address("workshop_tell", workshop)))


def test_where_nobody_was_invited_nobody_has_to_be_told(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter)

    assert "Nobody has to be told" in words(client.get(address("workshop_tell", workshop)))


# ---- Delete ------------------------------------------------------------------------------------


def test_a_workshop_planned_by_mistake_is_deleted_by_post(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter)
    page = words(client.get(address("workshop_delete", workshop)))
    assert "Delete the workshop" in page
    assert Workshop.objects.exists()

    response = client.post(address("workshop_delete", workshop))

    assert (response.status_code, response.url) == (302, LIST)
    assert not Workshop.objects.exists()


def test_what_people_know_of_can_be_cancelled_instead(client, chapter, organiser):
    workshop = WorkshopFactory(chapter=chapter)
    InvitationFactory(workshop=workshop)

    shown = client.get(address("workshop_delete", workshop))
    refused = client.post(address("workshop_delete", workshop))

    assert (shown.status_code, refused.status_code) == (200, 409)
    for response in (shown, refused):
        assert "Cancel it instead, so that they hear of it." in words(response)
        assert address("workshop_cancel", workshop) in words(response)
    assert Workshop.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "workshop_edit",
        "workshop_copy",
        "workshop_cancel",
        "workshop_tell",
        "workshop_delete",
        "workshop_sponsors",
        "send_invites",
        "left_out",
        "write",
        "attendance",
        "door",
        "rsvp",
        "changes",
        "invitation_logs",
    ],
)
def test_the_day_is_that_of_the_chapter(client, organiser, name):
    far = ChapterFactory(time_zone="America/Los_Angeles", organisers=[organiser])
    starts_at = datetime(2040, 6, 5, 1, 30, tzinfo=UTC)
    workshop = WorkshopFactory(
        chapter=far, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2)
    )

    text = words(client.get(address(name, workshop), {"for": "everyone"}))

    assert "4 June" in text
    assert "5 June" not in text


# ---- The list ----------------------------------------------------------------------------------


def days_in(response: HttpResponse) -> list[str]:
    return re.findall(r'<a href="/admin/workshops/\d+">([^<]*)</a>', response.content.decode())


def test_the_next_workshop_comes_first_and_the_latest_past_one(client, chapter, organiser):
    for days in (-20, -10, 10, 20):
        WorkshopFactory(chapter=chapter, starts_at=in_days(days))
    WorkshopFactory(starts_at=in_days(15))

    coming, past = client.get(LIST), client.get(LIST, {"when": "past"})

    assert "2 to come, 2 past." in words(coming)
    assert days_in(coming) == [_day(10), _day(20)]
    assert days_in(past) == [_day(-10), _day(-20)]


def test_a_workshop_that_goes_on_is_not_past(client, chapter, organiser):
    WorkshopFactory(chapter=chapter, starts_at=timezone.now() - timedelta(minutes=30))

    assert "1 to come, 0 past." in words(client.get(LIST))


def test_each_line_says_where_it_is_and_who_comes(client, chapter, organiser):
    venue = SponsorFactory(name="Lantern Labs", seats=30, coach_seats=15)
    workshop = WorkshopFactory(chapter=chapter, host=venue)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    InvitationFactory(workshop=workshop, answer=Answer.WAITING)
    WorkshopFactory(chapter=chapter, host=None, starts_at=in_days(30))
    WorkshopFactory(chapter=chapter, cancelled=True, starts_at=in_days(40))

    text = words(client.get(LIST))

    assert "At Lantern Labs. 1 of 30 students, 0 of 15 coaches, 1 on the waiting list." in text
    assert "no venue yet" in text
    assert "cancelled" in text


def test_a_workshop_is_called_invited_when_invitations_have_left(client, chapter, organiser):
    WorkshopFactory(chapter=chapter)
    assert '<span class="status is-skipped">not invited</span>' in words(client.get(LIST))

    added = InvitationFactory(workshop=Workshop.objects.get(), answer=Answer.ATTENDING)
    assert "invited</span>" not in words(client.get(LIST))

    log = InvitationLogFactory(workshop=added.workshop)
    InvitationLogEntryFactory(log=log, member=added.member, status=EntryStatus.SUCCESS)
    assert '<span class="status is-sent">invited</span>' in words(client.get(LIST))


def test_a_chapter_or_a_name_narrows_the_list(client, chapter, organiser):
    other = ChapterFactory(name="There")
    organiser.organised_chapters.add(other)
    WorkshopFactory(chapter=chapter, starts_at=in_days(10))
    WorkshopFactory(chapter=other, starts_at=in_days(20))
    at_acme = WorkshopFactory(
        chapter=other, starts_at=in_days(30), host=SponsorFactory(name="Acme")
    )
    at_acme.workshop_sponsors.create(sponsor=SponsorFactory(name="Acme Food"))

    assert days_in(client.get(LIST, {"chapter": other.pk})) == [_day(20), _day(30)]
    assert days_in(client.get(LIST, {"name": "acme"})) == [_day(30)]
    assert days_in(client.get(LIST, {"name": "here", "chapter": chapter.pk})) == [_day(10)]
    assert "No workshop like that" in words(client.get(LIST, {"name": "nowhere"}))


@pytest.mark.parametrize(
    "query",
    [
        {"chapter": "x"},
        {"chapter": "99999999999999999999"},
        {"name": "\x00"},
        {"name": "a" * 5_000},
        {"when": "never"},
        {"page": "-3"},
    ],
)
def test_an_odd_address_shows_all_of_them(client, chapter, organiser, query):
    WorkshopFactory(chapter=chapter, starts_at=in_days(10))

    response = client.get(LIST, query)

    assert (response.status_code, days_in(response)) == (200, [_day(10)])


def test_a_long_list_comes_in_pages(client, chapter, organiser):
    for days in range(1, 23):
        WorkshopFactory(chapter=chapter, starts_at=in_days(days), host=None)

    first, second = client.get(LIST), client.get(LIST, {"page": 2})

    assert (len(days_in(first)), days_in(second)) == (20, [_day(21), _day(22)])
    assert "1 to 20 of 22" in words(first)


def test_who_organises_one_workshop_sees_it_and_plans_none(client, chapter):
    workshop = WorkshopFactory(chapter=chapter, starts_at=in_days(10))
    WorkshopFactory(chapter=chapter, starts_at=in_days(20))
    beside = MemberFactory()
    workshop.organisers.add(beside)
    client.force_login(beside)

    response = client.get(LIST)

    assert days_in(response) == [_day(10)]
    assert "Plan a workshop" not in words(response)


def test_an_admin_sees_every_workshop_and_a_member_no_list(client, chapter):
    WorkshopFactory(chapter=chapter)
    WorkshopFactory()
    client.force_login(MemberFactory(superuser=True))
    assert "2 to come, 0 past." in words(client.get(LIST))

    client.force_login(MemberFactory())
    assert client.get(LIST).status_code == 404


def test_an_empty_list_says_what_will_be_here(client, chapter, organiser):
    assert "No workshop is planned" in words(client.get(LIST))
    assert "No workshop is over yet" in words(client.get(LIST, {"when": "past"}))


def test_the_list_costs_the_same_for_any_length(client, chapter, organiser):
    statements = []
    for more in (1, 2):
        for _ in range(more):
            workshop = WorkshopFactory(chapter=chapter)
            InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        statements.append(len(captured))

    assert statements[0] == statements[1]


def _moment(moment: datetime) -> str:
    return f"{moment:%A %-d %B %Y, %H:%M}"


def _day(days: int) -> str:
    return in_days(days).astimezone(ZoneInfo("Europe/London")).strftime("%a %-d %b %Y")
