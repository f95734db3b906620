"""Chapters, groups, subscriptions, who organises what, and companies."""

from datetime import UTC, datetime

import pytest

from chapters.models import Chapter, Contact, Group, Sponsor, Subscription, Workshop
from members.models import Member
from tests.planner.test_people import arrive, found
from tests.support.planner import chapter_row, fill_clean, member_row, naive

pytestmark = pytest.mark.django_db


def test_chapters_with_a_name_an_address_and_a_path_of_their_own(planner):
    planner.insert(
        "chapters",
        chapter_row(1, "London", city=None),
        chapter_row(2, "London", email="LONDON@chapters.example", slug="london"),
        chapter_row(3, "Events", slug="events", time_zone="Atlantis"),
        chapter_row(4, "New York", slug=None, email=None, active=False)
        | {"time_zone": "Eastern Time (US & Canada)"},
        chapter_row(5, "", slug="a path/with signs", email="no address"),
    )

    arrive(planner)

    rows = Chapter.objects.order_by("pk")
    assert list(rows.values_list("pk", "name", "slug", "email", "city", "is_active")) == [
        (1, "London", "london", "london@chapters.example", "London", True),
        (2, "London 2", "london-2", "chapter-2@codebar.invalid", "London", True),
        (3, "Events", "events-2", "events@chapters.example", "Events", True),
        (4, "New York", "new-york", "chapter-4@codebar.invalid", "New York", False),
        (5, "Chapter", "chapter", "chapter-5@codebar.invalid", "Chapter", True),
    ]
    assert [str(chapter.time_zone) for chapter in rows] == [
        "Europe/London", "Europe/London", "Europe/London", "America/New_York", "Europe/London",
    ]  # fmt: skip
    assert [(number, rule) for number, rule, *_ in found("chapters")] == [
        (2, "chapter_name_repaired"),
        (2, "slug_repaired"),
        (2, "chapter_address_repaired"),
        (3, "slug_repaired"),
        (3, "zone_unknown"),
        (4, "slug_repaired"),
        (4, "chapter_address_repaired"),
        (5, "chapter_name_repaired"),
        (5, "slug_repaired"),
        (5, "chapter_address_repaired"),
    ]


def test_one_group_of_each_role_and_everybody_once_in_it(planner):
    earlier, later = naive(2018, 1, 1, 12), naive(2020, 1, 1, 12)
    planner.insert(
        "members",
        member_row(1, "a@people.example"),
        member_row(2, "A@people.example "),
        member_row(3, "deleted_user_1@codebar.io"),
    )
    planner.insert("chapters", chapter_row(1, "London"))
    planner.insert(
        "groups",
        *(
            {"id": number, "chapter_id": chapter, "name": name}
            for number, chapter, name in [
                (1, 1, "students"),
                (2, 1, "Students"),
                (3, 1, "Coaches"),
                (4, 1, "Friends"),
                (5, 9, "Students"),
            ]
        ),
    )
    planner.insert(
        "subscriptions",
        *(
            {"id": number, "member_id": member, "group_id": group, "created_at": at}
            for number, member, group, at in [
                (1, 1, 1, later),
                (2, 1, 2, earlier),
                (3, 1, 3, later),
                (4, 2, 1, earlier),
                (5, 3, 1, later),
                (6, 1, 4, later),
                (7, 1, 99, later),
                (8, 77, 1, later),
                (9, None, 1, later),
            ]
        ),
    )

    arrive(planner)

    assert list(Group.objects.order_by("pk").values_list("pk", "name", "role")) == [
        (1, "Students", "student"),
        (3, "Coaches", "coach"),
    ]
    assert set(Subscription.objects.values_list("member", "group", "created_at")) == {
        (1, 1, earlier.replace(tzinfo=UTC)),
        (1, 3, later.replace(tzinfo=UTC)),
    }
    assert found("groups") == [
        (2, "group_twice", "merged", 1, ""),
        (4, "group_unknown", "left_out", None, ""),
        (5, "group_without_chapter", "left_out", None, ""),
    ]
    assert found("subscriptions") == [
        (2, "subscription_twice", "merged", 1, ""),
        (4, "subscription_twice", "merged", 1, ""),
        (5, "account_is_closed", "left_out", None, ""),
        (6, "group_is_not_there", "left_out", None, ""),
        (7, "group_is_not_there", "left_out", None, ""),
        (8, "person_is_not_there", "left_out", None, ""),
        (9, "person_is_not_there", "left_out", None, ""),
    ]


def test_the_earliest_day_of_twins_in_different_chunks(planner, monkeypatch):
    monkeypatch.setattr("invitations.services.planner.source.CHUNK", 1)
    fill_clean(planner)
    planner.insert("members", member_row(9, "BEN@people.example"))
    planner.insert(
        "subscriptions",
        {"id": 9, "member_id": 9, "group_id": 1, "created_at": naive(2015, 1, 1)},
    )

    arrive(planner)

    subscription = Subscription.objects.get(member=2)
    assert subscription.created_at == datetime(2015, 1, 1, tzinfo=UTC)


def test_who_organises_what(planner):
    planner.insert(
        "members",
        *(member_row(number, f"m{number}@people.example") for number in range(1, 8)),
        member_row(8, "deleted_user_8@codebar.io"),
    )
    planner.insert("chapters", chapter_row(1, "London"), chapter_row(2, "Berlin"))
    planner.insert(
        "workshops",
        {"id": 50, "chapter_id": 1, "date_and_time": "2020-01-01 18:30"}
        | {"ends_at": "2020-01-01 20:30"},
    )
    planner.insert(
        "permissions",
        *(
            {"id": number, "name": name, "resource_type": kind, "resource_id": of}
            for number, name, kind, of in [
                (1, "admin", None, None),
                (2, "organiser", "Chapter", 1),
                (3, "organiser", "Chapter", None),
                (4, "organiser", None, None),
                (5, "organiser", "Workshop", 50),
                (6, "organiser", "Event", 1),
                (7, "organiser", "Chapter", 99),
                (8, "organiser", "Chapter", 1),
                (9, "editor", None, None),
            ]
        ),
    )
    planner.execute(
        "INSERT INTO members_permissions (member_id, permission_id) VALUES (1,1), (2,2), (2,2),"
        " (2,8), (3,3), (4,4), (5,5), (6,6), (6,7), (6,9), (6,88), (7,NULL), (8,1), (99,1)"
    )

    arrive(planner)

    assert list(Member.objects.filter(is_superuser=True).values_list("pk", flat=True)) == [1]
    organisers = Chapter.organisers.through.objects.values_list("chapter", "member")
    assert set(organisers) == {(1, 2), (1, 3), (2, 3), (1, 4), (2, 4)}
    assert list(Workshop.organisers.through.objects.values_list("workshop", "member")) == [(50, 5)]
    assert found("permissions") == [
        (6, "permission_not_here", "left_out", None, ""),
        (8, "permission_twice", "merged", 2, ""),
        (9, "permission_unknown", "left_out", None, ""),
    ]
    assert sorted(found("members_permissions")) == [
        (2, "permission_twice", "merged", 2, ""),
        (2, "permission_twice", "merged", 2, ""),
        (3, "organiser_everywhere", "kept", None, ""),
        (4, "organiser_everywhere", "kept", None, ""),
        (6, "permission_not_here", "left_out", None, ""),
        (6, "permission_of_nothing", "left_out", None, ""),
        (6, "permission_of_nothing", "left_out", None, ""),
        (6, "permission_unknown", "left_out", None, ""),
        (7, "permission_of_nothing", "left_out", None, ""),
        (8, "account_is_closed", "left_out", None, ""),
        (99, "person_is_not_there", "left_out", None, ""),
    ]


def test_companies_with_their_address_and_contacts(planner):
    fill_clean(planner)
    planner.insert(
        "sponsors",
        {"id": 2, "name": None, "website": "javascript:alert(1)", "seats": None}
        | {"number_of_coaches": -1},
    )
    planner.insert(
        "addresses",
        *(
            {"id": number, "sponsor_id": sponsor, "street": street, "city": "Leeds"}
            | {"postal_code": "p" * 30}
            for number, sponsor, street in [(2, 1, "Low Street 2"), (3, 1, " "), (4, 99, "Nowhere")]
        ),
    )
    contact = {"sponsor_id": 1, "surname": "Fox", "token": "t"}
    planner.insert(
        "contacts",
        contact | {"id": 2, "name": "Dee", "email": "DEE@acme.example "},
        contact | {"id": 3, "name": "", "email": None},
        contact | {"id": 4, "name": "Eve", "email": "eve@acme.example", "sponsor_id": 99},
        contact | {"id": 5, "name": "Fay", "email": f"fay@{'acme.' * 51}example"},
    )

    arrive(planner)

    acme, nameless = Sponsor.objects.order_by("pk")
    assert (acme.street, acme.city, acme.flat, acme.seats, acme.coach_seats, acme.website) == (
        "Low Street 2", "Leeds", "", 20, 12, "https://acme.example",
    )  # fmt: skip
    assert (nameless.name, nameless.website, nameless.seats, nameless.coach_seats) == (
        "Company 2", "", 15, None,
    )  # fmt: skip
    contacts = Contact.objects.order_by("pk")
    assert list(contacts.values_list("sponsor", "name", "email", "on_mailing_list")) == [
        (1, "Dee", "dee@acme.example", True),
        (1, "Contact", "contact-3@codebar.invalid", False),
        (1, "Fay", "contact-5@codebar.invalid", False),
    ]
    assert contacts[0].comment == "Prefers mail."
    assert [(number, rule) for number, rule, *_ in found("sponsors")] == [
        (2, "website_invalid"),
        (2, "seats_repaired"),
        (2, "seats_repaired"),
    ]
    assert [(number, rule) for number, rule, *_ in found("addresses")] == [
        (1, "several_addresses"),
        (2, "text_cut"),
        (3, "several_addresses"),
        (4, "address_of_nobody"),
    ]
    assert [(number, rule, into) for number, rule, _, into, _ in found("contacts")] == [
        (2, "contact_twice", 1),
        (3, "contact_address_repaired", None),
        (4, "contact_of_nobody", None),
        (5, "contact_address_repaired", None),
    ]
