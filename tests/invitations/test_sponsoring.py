"""Companies that help: writing them down, and who is the venue or a sponsor of a workshop."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chapters.models import Contact, Role, Sponsor, Workshop
from invitations.models import Answer
from invitations.services import planning, rsvps, sponsoring
from invitations.services.sponsoring import Company
from logs.models import Activity
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    organiser_of,
)
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

LIST = "/admin/sponsors"
NEW = "/admin/sponsors/new"
ACME = {
    "name": "Acme",
    "website": "https://acme.example",
    "description": "They make everything.",
    "seats": "30",
    "coach_seats": "12",
    "flat": "3rd floor",
    "street": "1 Example Street",
    "city": "London",
    "postal_code": "EX1 1EX",
    "directions": "Ring at the green door.",
    "accessibility_info": "There is a lift.",
}


@pytest.fixture
def organiser(client: Client) -> Member:
    """Signed in, and of one chapter."""
    member = organiser_of(ChapterFactory(name="Here"))
    client.force_login(member)
    return member


def a_workshop_of(member: Member, **fields: object) -> Workshop:
    return WorkshopFactory(chapter=member.organised_chapters.get(), **fields)


def words(response: HttpResponse) -> str:
    return unescape(" ".join(response.content.decode().split()))


def companies(workshop: Workshop) -> set[tuple[str, bool]]:
    return set(workshop.workshop_sponsors.values_list("sponsor__name", "is_host"))


def history() -> list[tuple[str, dict[str, list[str]]]]:
    return list(Activity.objects.order_by("pk").values_list("did", "changes"))


def host(workshop: Workshop, sponsor: Sponsor, **fields: object):
    organiser = workshop.chapter.organisers.first() or organiser_of(workshop.chapter)
    return sponsoring.choose_venue(workshop, sponsor, by=organiser, at=timezone.now(), **fields)


# ---- Companies ---------------------------------------------------------------------------------


def test_a_company_is_written_down_as_it_was_typed(client, organiser):
    response = client.post(NEW, ACME)

    assert (response.status_code, response.url) == (302, LIST)
    assert sponsoring.details_of(Sponsor.objects.get()) == Company(
        **ACME | {"seats": 30, "coach_seats": 12}
    )
    assert history() == [("added a company", {"Name": ["", "Acme"]})]


def test_only_the_name_and_the_seats_are_needed(client, organiser):
    client.post(NEW, {"name": "Acme", "seats": "0"})

    assert sponsoring.details_of(Sponsor.objects.get()) == Company(name="Acme", seats=0)


def test_the_same_form_sent_twice_makes_one_company(client, organiser):
    first, again = client.post(NEW, ACME), client.post(NEW, ACME)

    assert (first.status_code, again.status_code) == (302, 302)
    assert (Sponsor.objects.count(), len(history())) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_the_same_moment_make_one_company():
    organiser = organiser_of(ChapterFactory())

    def tap() -> int:
        return sponsoring.add_company(Company(name="Acme", city="London"), by=organiser).pk

    assert len(set(at_once(tap, tap, tap))) == 1
    assert Sponsor.objects.count() == 1


def test_another_company_of_that_name_in_that_city_is_pointed_to(client, organiser):
    acme = SponsorFactory(name="ACME", city="london")

    response = client.post(NEW, ACME)

    text = words(response)
    assert response.status_code == 409
    assert "There is a company ACME in london already. Change that one instead." in text
    assert reverse("sponsor_edit", args=[acme.pk]) in text
    assert 'value="Acme"' in text
    assert Sponsor.objects.count() == 1


def test_the_same_name_in_another_city_is_another_office(client, organiser):
    SponsorFactory(name="Acme", city="Bristol")

    client.post(NEW, ACME)

    assert Sponsor.objects.count() == 2


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"name": ""}, "Say what the company is called."),
        ({"name": "a" * 201}, "That is 201 characters. 200 fit; please shorten."),
        ({"website": "javascript:alert(1)"}, "That is no address."),
        ({"website": "ftp://acme.example"}, "That is no address."),
        ({"seats": ""}, "Say how many students fit in; 0 where it is no venue."),
        ({"seats": "-1"}, "Ensure this value is greater than or equal to 0."),
        ({"seats": "99999999999"}, "Ensure this value is less than or equal to 10000."),
        ({"coach_seats": "x"}, "Enter a whole number."),
        ({"directions": "a" * 5_001}, "That is 5001 characters. 5000 fit; please shorten."),
        ({"city": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_comes_back_with_what_was_typed(client, organiser, broken, sentence):
    response = client.post(NEW, ACME | broken)

    text = words(response)
    assert (response.status_code, sentence in text) == (400, True)
    assert "There is a lift." in text
    assert not Sponsor.objects.exists()


def test_every_organiser_may_correct_a_company(client, organiser):
    acme = SponsorFactory(name="Acme", street="1 Old Street")
    page = client.get(reverse("sponsor_edit", args=[acme.pk]))
    form = {name: page.context["form"][name].value() or "" for name in ACME}

    client.post(
        reverse("sponsor_edit", args=[acme.pk]),
        form | {"street": "2 New Street", "coach_seats": ""},
    )

    acme.refresh_from_db()
    assert (acme.street, acme.coach_seats) == ("2 New Street", None)
    assert history() == [
        (
            "changed a company",
            {"Seats for coaches": ["20", ""], "Street": ["1 Old Street", "2 New Street"]},
        )
    ]


def test_a_new_address_stands_in_the_history_of_workshops_to_come_and_can_be_told(
    client, organiser
):
    acme = SponsorFactory(name="Acme", street="1 Old Street", city="London")
    known = a_workshop_of(organiser, host=acme)
    InvitationFactory(workshop=known, answer=Answer.ATTENDING)
    quiet = a_workshop_of(organiser, host=acme)
    foreign = WorkshopFactory(host=acme)
    InvitationFactory(workshop=foreign, answer=Answer.ATTENDING)
    past = a_workshop_of(organiser, host=acme, past=True)
    here = reverse("sponsor_edit", args=[acme.pk])
    form = client.get(here).context["form"]
    tell = {w.pk: reverse("workshop_tell", args=[w.pk]) for w in (known, quiet, foreign)}
    assert tell[known.pk] not in words(client.get(here))

    typed = {name: form[name].value() or "" for name in ACME} | {"street": "2 New Street"}
    response = client.post(here, typed, follow=True)

    assert response.redirect_chain == [(here, 302)]
    text = words(response)
    assert [tell[w.pk] in text for w in (known, quiet, foreign)] == [True, False, False]
    line = (planning.VENUE_MOVED, {"Street": ["1 Old Street", "2 New Street"]})
    for workshop, sequence in ((known, 1), (quiet, 0), (foreign, 1), (past, 0)):
        workshop.refresh_from_db()
        assert workshop.sequence == sequence
        lines = [] if workshop == past else [line]
        assert list(workshop.activities.values_list("did", "changes")) == lines

    client.post(tell[known.pk], {})
    assert tell[known.pk] not in words(client.get(here))


def test_other_details_of_a_venue_are_history_and_no_news(client, organiser):
    acme = SponsorFactory()
    workshop = a_workshop_of(organiser, host=acme)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    here = reverse("sponsor_edit", args=[acme.pk])
    form = client.get(here).context["form"]

    client.post(here, {name: form[name].value() or "" for name in ACME} | {"directions": "Ring."})

    workshop.refresh_from_db()
    did = list(workshop.activities.values_list("did", flat=True))
    assert (workshop.sequence, did) == (0, ["changed the details of the venue"])


def test_the_page_of_a_venue_costs_the_same_for_any_number_of_workshops(client, organiser):
    acme = SponsorFactory()
    statements = []
    for more in (1, 2):
        for _ in range(more):
            a_workshop_of(organiser, host=acme)
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("sponsor_edit", args=[acme.pk]))
        statements.append(len(captured))

    assert statements[0] == statements[1]


def test_each_workshop_at_a_venue_is_shown_on_its_own_clocks(client, organiser):
    acme = SponsorFactory()
    starts_at = datetime(2040, 6, 4, 9, 30, tzinfo=UTC)
    for zone in ("Asia/Tokyo", "Europe/London"):
        WorkshopFactory(
            chapter__time_zone=zone,
            host=acme,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=2),
        )

    text = words(client.get(reverse("sponsor_edit", args=[acme.pk])))

    assert "Monday 4 June 2040, 18:30 JST" in text
    assert "Monday 4 June 2040, 10:30 BST" in text


def test_a_company_that_was_missing_at_a_workshop_leads_back_to_it(client, organiser):
    workshop = a_workshop_of(organiser, host=None)
    back = reverse("workshop_sponsors", args=[workshop.pk])
    new = f"{NEW}?for={workshop.pk}"
    assert f'href="{new}"' in words(client.get(back))
    assert f'href="{new}"' in words(client.get(reverse("workshop_edit", args=[workshop.pk])))
    assert words(client.get(new)).count(f'href="{back}"') == 2

    assert client.post(new, ACME).url == back


@pytest.mark.parametrize("wanted", ["foreign", "0", "x", "9" * 30, ""])
def test_only_a_workshop_of_theirs_is_led_back_to(client, organiser, wanted):
    wanted = WorkshopFactory(host=None).pk if wanted == "foreign" else wanted

    assert client.post(f"{NEW}?for={wanted}", ACME).url == LIST


def test_saving_a_company_without_a_change_writes_nothing_down():
    acme = SponsorFactory()

    sponsoring.change_company(
        acme, sponsoring.details_of(acme), by=MemberFactory(), at=timezone.now()
    )

    assert history() == []


def test_more_seats_let_people_move_up_at_every_workshop_held_there(client, organiser):
    acme = SponsorFactory(seats=1, coach_seats=1)
    workshops = [a_workshop_of(organiser, host=acme) for _ in range(2)]
    past = a_workshop_of(organiser, host=acme, past=True)
    waiting = [
        InvitationFactory(workshop=workshop, answer=Answer.WAITING)
        for workshop in (*workshops, past)
        for _ in range(2)
    ]

    response = client.post(
        reverse("sponsor_edit", args=[acme.pk]), ACME | {"seats": "5"}, follow=True
    )

    assert "Saved. 4 people got a place from a waiting list, and a letter." in words(response)
    for invitation in waiting:
        invitation.refresh_from_db()
    assert [i.answer for i in waiting] == [Answer.ATTENDING] * 4 + [Answer.WAITING] * 2


def test_fewer_seats_than_people_have_to_be_wanted(client, organiser):
    acme = SponsorFactory(seats=3)
    workshop = a_workshop_of(organiser, host=acme)
    InvitationFactory.create_batch(3, workshop=workshop, answer=Answer.ATTENDING)
    address = reverse("sponsor_edit", args=[acme.pk])

    asked = client.post(address, ACME | {"seats": "2"})

    assert asked.status_code == 409
    assert "3 students come, 2 places" in words(asked)
    assert "Save it with fewer seats" in words(asked)
    acme.refresh_from_db()
    assert acme.seats == 3

    client.post(address, ACME | {"seats": "2", "accepts_fewer_places": "on"})

    acme.refresh_from_db()
    assert (acme.seats, workshop.invitations.attending().count()) == (2, 3)


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_fewer_seats_at_the_same_moment_cannot_overbook():
    acme = SponsorFactory(seats=2)
    workshop = WorkshopFactory(host=acme)
    organiser = organiser_of(workshop.chapter)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    late = InvitationFactory(workshop=workshop)
    smaller = Company(**vars(sponsoring.details_of(acme)) | {"seats": 1})

    def accept() -> bool:
        try:
            rsvps.accept(late, role=Role.STUDENT, note="", at=timezone.now())
        except rsvps.WorkshopFull:
            return False
        return True

    def shrink() -> bool:
        try:
            sponsoring.change_company(acme, smaller, by=organiser, at=timezone.now())
        except planning.FewerPlaces:
            return False
        return True

    accepted, has_shrunk = at_once(accept, shrink)

    assert accepted != has_shrunk


def test_the_list_is_found_by_name_and_city(client, organiser):
    SponsorFactory(name="Acme", city="London")
    SponsorFactory(name="Lantern Labs", city="Brighton")

    assert "2 companies. Every chapter shares this list" in words(client.get(LIST))
    assert "1 company with “acme” in the name or city." in words(client.get(LIST, {"name": "acme"}))
    assert "Lantern Labs" in words(client.get(LIST, {"name": "bright"}))
    assert "No such company" in words(client.get(LIST, {"name": "nowhere"}))
    assert client.get(LIST, {"name": "\x00"}).status_code == 200


def test_the_list_says_how_many_fit_in_and_what_was_held_there(client, organiser):
    acme = SponsorFactory(name="Acme", seats=30, coach_seats=None)
    a_workshop_of(organiser, host=acme)
    a_workshop_of(organiser, host=acme)
    a_workshop_of(organiser).workshop_sponsors.create(sponsor=acme)

    text = words(client.get(LIST, {"name": "Acme"}))

    assert "30 students and 15 coaches fit in. Held 2 workshops. Helped at 1." in text


def test_the_list_costs_the_same_for_any_length(client, organiser):
    statements = []
    for more in (1, 2):
        for _ in range(more):
            a_workshop_of(organiser)
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        statements.append(len(captured))

    assert statements[0] == statements[1]


def test_companies_are_for_organisers(client):
    acme = SponsorFactory()
    addresses = [LIST, NEW, reverse("sponsor_edit", args=[acme.pk])]
    client.force_login(MemberFactory())
    assert [client.get(address).status_code for address in addresses] == [404] * 3
    assert [client.post(address, ACME).status_code for address in addresses[1:]] == [404] * 2

    beside = MemberFactory()
    WorkshopFactory().organisers.add(beside)
    client.force_login(beside)
    assert [client.get(address).status_code for address in addresses] == [200] * 3


# ---- The venue ---------------------------------------------------------------------------------


def test_a_workshop_has_one_venue(client, organiser):
    workshop = a_workshop_of(organiser, host=SponsorFactory(name="Acme"))
    lantern = SponsorFactory(name="Lantern Labs")

    client.post(reverse("workshop_host", args=[workshop.pk]), {"sponsor": lantern.pk})

    assert companies(workshop) == {("Lantern Labs", True)}
    assert history() == [("moved the workshop", {"Venue": ["Acme", "Lantern Labs"]})]


def test_the_former_venue_can_stay_as_a_sponsor(client, organiser):
    workshop = a_workshop_of(organiser, host=SponsorFactory(name="Acme"))
    lantern = SponsorFactory(name="Lantern Labs")

    client.post(
        reverse("workshop_host", args=[workshop.pk]),
        {"sponsor": lantern.pk, "keeps_former": "on"},
    )

    assert companies(workshop) == {("Lantern Labs", True), ("Acme", False)}


def test_a_sponsor_that_becomes_the_venue_is_there_once():
    workshop, acme = WorkshopFactory(host=None), SponsorFactory(name="Acme")
    workshop.workshop_sponsors.create(sponsor=acme)

    host(workshop, acme)

    assert companies(workshop) == {("Acme", True)}


def test_the_venue_chosen_again_changes_nothing():
    acme = SponsorFactory(name="Acme")
    workshop = WorkshopFactory(host=acme)

    saved = host(workshop, acme, keeps_former=True)

    assert (companies(workshop), saved.is_news, history()) == ({("Acme", True)}, False, [])


def test_a_venue_changed_after_people_heard_of_it_asks_whether_to_tell_them(client, organiser):
    workshop = a_workshop_of(organiser)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)

    response = client.post(
        reverse("workshop_host", args=[workshop.pk]), {"sponsor": SponsorFactory().pk}
    )

    assert response.url == reverse("workshop_tell", args=[workshop.pk])
    workshop.refresh_from_db()
    assert workshop.sequence == 1


def test_a_smaller_venue_asks_once_more(client, organiser):
    workshop = a_workshop_of(organiser, student_spaces=2)
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.ATTENDING)
    smaller = SponsorFactory(name="Broom Cupboard", seats=1)
    address, form = reverse("workshop_host", args=[workshop.pk]), {"sponsor": smaller.pk}

    asked = client.post(address, form)

    assert asked.status_code == 409
    assert "2 students come, 1 place" in words(asked)
    assert ("Broom Cupboard", True) not in companies(workshop)

    client.post(address, form | {"accepts_fewer_places": "on"})

    assert companies(workshop) == {("Broom Cupboard", True)}


def test_a_call_gets_no_venue(client, organiser):
    workshop = a_workshop_of(organiser, virtual=True)

    response = client.post(
        reverse("workshop_host", args=[workshop.pk]), {"sponsor": SponsorFactory().pk}
    )

    assert response.status_code == 409
    assert "People meet in a call." in words(response)
    assert companies(workshop) == set()


@pytest.mark.parametrize("sponsor", ["999999", "x", "", "\x00"])
def test_an_unknown_company_is_refused_with_a_sentence(client, organiser, sponsor):
    workshop = a_workshop_of(organiser, host=SponsorFactory(name="Acme"))

    for name in ("workshop_host", "workshop_sponsor_add"):
        response = client.post(reverse(name, args=[workshop.pk]), {"sponsor": sponsor})
        assert response.status_code == 400
        assert "field-error" in words(response)

    assert companies(workshop) == {("Acme", True)}


# ---- Sponsors ----------------------------------------------------------------------------------


def test_sponsors_come_and_go(client, organiser):
    workshop = a_workshop_of(organiser, host=SponsorFactory(name="Acme"))
    pizza = SponsorFactory(name="Pizza Place")
    page = reverse("workshop_sponsors", args=[workshop.pk])

    added = client.post(reverse("workshop_sponsor_add", args=[workshop.pk]), {"sponsor": pizza.pk})

    assert (added.status_code, added.url) == (302, page)
    assert companies(workshop) == {("Acme", True), ("Pizza Place", False)}

    client.post(reverse("workshop_sponsor_remove", args=[workshop.pk, pizza.pk]))

    assert companies(workshop) == {("Acme", True)}
    assert history() == [
        ("changed the workshop", {"Other sponsors": ["none", "Pizza Place"]}),
        ("changed the workshop", {"Other sponsors": ["Pizza Place", "none"]}),
    ]


def test_a_second_tap_adds_and_removes_nobody_twice(client, organiser):
    workshop = a_workshop_of(organiser, host=None)
    pizza = SponsorFactory(name="Pizza Place")
    add = reverse("workshop_sponsor_add", args=[workshop.pk])
    remove = reverse("workshop_sponsor_remove", args=[workshop.pk, pizza.pk])

    answers = [client.post(add, {"sponsor": pizza.pk}).status_code for _ in range(2)]
    answers += [client.post(remove).status_code for _ in range(2)]

    assert answers == [302] * 4
    assert (companies(workshop), len(history())) == (set(), 2)


def test_the_venue_is_not_added_nor_removed_as_a_sponsor(client, organiser):
    acme = SponsorFactory(name="Acme")
    workshop = a_workshop_of(organiser, host=acme)

    client.post(reverse("workshop_sponsor_add", args=[workshop.pk]), {"sponsor": acme.pk})
    client.post(reverse("workshop_sponsor_remove", args=[workshop.pk, acme.pk]))

    assert companies(workshop) == {("Acme", True)}


def test_a_cancelled_workshop_keeps_its_sponsors(client, organiser):
    workshop = a_workshop_of(organiser, cancelled=True, host=SponsorFactory(name="Acme"))
    pizza = SponsorFactory()

    added = client.post(reverse("workshop_sponsor_add", args=[workshop.pk]), {"sponsor": pizza.pk})
    moved = client.post(reverse("workshop_host", args=[workshop.pk]), {"sponsor": pizza.pk})

    assert (added.status_code, moved.status_code) == (409, 409)
    assert companies(workshop) == {("Acme", True)}


def test_the_page_says_where_it_is_and_who_helps(client, organiser):
    workshop = a_workshop_of(organiser, host=SponsorFactory(name="Acme", seats=30))
    workshop.workshop_sponsors.create(sponsor=SponsorFactory(name="Pizza Place"))

    text = words(client.get(reverse("workshop_sponsors", args=[workshop.pk])))

    assert "It is held at Acme: 30 students and 20 coaches fit in." in text
    assert "Pizza Place" in text
    assert "Acme stays as a sponsor" in text
    assert text.count("btn-primary") == 1


def test_one_seat_is_one_student(client, organiser):
    workshop = a_workshop_of(organiser, host=SponsorFactory(name="Acme", seats=1, coach_seats=1))

    text = words(client.get(reverse("workshop_sponsors", args=[workshop.pk])))

    assert "It is held at Acme: 1 student and 1 coach fit in." in text


def test_somebody_elses_workshop_is_not_there(client, organiser):
    workshop, sponsor = WorkshopFactory(host=None), SponsorFactory()
    addresses = [
        reverse("workshop_host", args=[workshop.pk]),
        reverse("workshop_sponsor_add", args=[workshop.pk]),
        reverse("workshop_sponsor_remove", args=[workshop.pk, sponsor.pk]),
    ]

    asked = [client.post(address, {"sponsor": sponsor.pk}).status_code for address in addresses]

    assert asked == [404] * 3
    assert client.get(reverse("workshop_sponsors", args=[workshop.pk])).status_code == 404
    assert companies(workshop) == set()


# ---- Whom to write to ----------------------------------------------------------------------


def test_organisers_see_whom_to_write_to(client, organiser):
    acme = SponsorFactory(name="Acme")
    Contact.objects.create(
        sponsor=acme, name="Dee", surname="Fox", email="dee@acme.example", comment="Likes mail."
    )
    Contact.objects.create(sponsor=SponsorFactory(), name="Eve", email="eve@other.example")

    page = client.get(f"{LIST}/{acme.pk}").content.decode()

    assert '<a href="mailto:dee@acme.example">dee@acme.example</a>' in page
    assert "Likes mail." in page
    assert "eve@other.example" not in page
    assert "/staff/" not in page


def test_nobody_is_written_down_yet_and_an_admin_is_led_on(client, organiser):
    acme = SponsorFactory()
    assert "Nobody is written down yet." in client.get(f"{LIST}/{acme.pk}").content.decode()

    client.force_login(MemberFactory(is_superuser=True))

    page = client.get(f"{LIST}/{acme.pk}").content.decode()
    assert f"/staff/chapters/sponsor/{acme.pk}/change/" in page


@pytest.mark.parametrize("count", [1, 3])
def test_contacts_cost_one_statement(client, organiser, count):
    acme = SponsorFactory()
    client.get(f"{LIST}/{acme.pk}")
    with CaptureQueriesContext(connection) as without:
        client.get(f"{LIST}/{acme.pk}")
    for nr in range(count):
        Contact.objects.create(sponsor=acme, name="Dee", email=f"dee{nr}@acme.example")

    with CaptureQueriesContext(connection) as queries:
        client.get(f"{LIST}/{acme.pk}")

    assert len(queries) == len(without)
