"""Members and how they sign in; each rule for what is not as it should be."""

from datetime import UTC, datetime

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.management import call_command

from logs.models import ImportFinding
from members.models import HeardFrom, Language, Member
from members.services import joining
from members.services.joining import Identity
from tests.support.planner import LONG_AGO, Planner, fill_clean, member_row, naive

pytestmark = pytest.mark.django_db

SINCE = LONG_AGO.replace(tzinfo=UTC)


def arrive(planner: Planner, *options: str) -> None:
    call_command("import_planner", planner.url, *options)


def found(table: str) -> list[tuple[int | None, str, str, int | None, str]]:
    findings = ImportFinding.objects.filter(table=table).order_by("old_id", "pk")
    return list(findings.values_list("old_id", "rule", "outcome", "into_id", "detail"))


def test_a_member_comes_with_everything_there_is_room_for(planner):
    planner.insert(
        "members",
        member_row(
            7, "  Asha@People.example", name=" Asha ", surname="Rao", pronouns="she",
            about_you="I knit.", dietary_restrictions="{vegan,other}",
            other_dietary_restrictions="No figs", how_you_found_us=3,
            how_you_found_us_other_reason="Acme", accepted_toc_at=naive(2020, 7, 1, 12),
        ),
    )  # fmt: skip

    arrive(planner, "--zone", "London")

    asha = Member.objects.get()
    assert (asha.pk, asha.email, asha.name, asha.surname, asha.pronouns, asha.about) == (
        7, "asha@people.example", "Asha", "Rao", "she", "I knit.",
    )  # fmt: skip
    assert (asha.dietary_needs, asha.other_dietary_needs) == (["vegan", "other"], "No figs")
    assert (asha.heard_from, asha.heard_from_other) == (HeardFrom.HOST_OR_PARTNER, "Acme")
    assert asha.accepted_terms_at == datetime(2020, 7, 1, 11, tzinfo=UTC)  # summer in London
    assert asha.created_at == SINCE
    assert not asha.has_usable_password()
    assert (asha.closed_at, asha.address_unusable_at, asha.is_superuser) == (None, None, False)
    assert found("members") == []


def test_addresses_that_no_letter_reaches(planner):
    planner.insert(
        "members",
        member_row(1, None),
        member_row(2, "  "),
        member_row(3, "not an address"),
        member_row(4, "x" * 250 + "@people.example"),
        member_row(5, "zoë@people.example"),
        member_row(6, "fine@people.example"),
    )

    arrive(planner)

    assert list(Member.objects.order_by("pk").values_list("pk", "email")) == [
        (1, "planner-1@codebar.invalid"),
        (2, "planner-2@codebar.invalid"),
        (3, "not an address"),
        (4, "planner-4@codebar.invalid"),
        (5, "planner-5@codebar.invalid"),
        (6, "fine@people.example"),
    ]
    usable = Member.objects.filter(address_unusable_at=None).values_list("pk", flat=True)
    assert list(usable) == [6]
    assert found("members") == [
        (1, "address_blank", "kept", None, ""),
        (2, "address_blank", "kept", None, ""),
        (3, "address_invalid", "kept", None, ""),
        (4, "address_unreadable", "kept", None, ""),
        (5, "address_unreadable", "kept", None, ""),
    ]


def test_of_two_accounts_of_one_address_whoever_was_active_last_keeps_it(planner):
    newer = naive(2021, 1, 1, 12)
    accepted = naive(2018, 5, 1, 12)
    planner.insert(
        "members",
        member_row(1, "Ben@people.example", name="Old", accepted_toc_at=accepted),
        member_row(2, "ben@people.example", name="Ben", accepted_toc_at=None, updated_at=newer),
        member_row(3, "cleo@people.example", name="First"),
        member_row(4, "cleo@people.example ", name="Second"),
    )
    planner.insert(
        "auth_services",
        {"id": 1, "member_id": 1, "provider": "github", "uid": "77"},
    )
    planner.insert("bans", {"id": 1, "member_id": 1, "added_by_id": 4, "reason": "No-shows"})

    arrive(planner)

    assert list(Member.objects.order_by("pk").values_list("pk", "name")) == [
        (2, "Ben"),
        (3, "First"),
    ]
    ben = Member.objects.get(pk=2)
    assert ben.accepted_terms_at == accepted.replace(tzinfo=UTC)
    assert SocialAccount.objects.get().user_id == 2
    assert list(ben.bans.values_list("added_by", flat=True)) == [3]
    assert found("members") == [
        (1, "address_twice", "merged", 2, ""),
        (4, "address_twice", "merged", 3, ""),
    ]


def test_twins_in_different_chunks(planner, monkeypatch):
    monkeypatch.setattr("invitations.services.planner.source.CHUNK", 1)
    planner.insert(
        "members",
        member_row(1, "Ben@people.example"),
        member_row(2, "cleo@people.example"),
        member_row(3, "ben@people.example", updated_at=naive(2022, 1, 1)),
    )

    arrive(planner)

    assert list(Member.objects.order_by("pk").values_list("pk", flat=True)) == [2, 3]


def test_a_deleted_account_is_closed_and_nothing_leads_to_the_person(planner):
    planner.insert(
        "members",
        member_row(
            5, "deleted_user_1600000000@codebar.io", name="Deleted", surname="User",
            dietary_restrictions="{vegan}", updated_at=naive(2020, 9, 13, 12),
        ),
        member_row(6, "organiser@people.example"),
    )  # fmt: skip
    planner.insert("auth_services", {"id": 1, "member_id": 5, "provider": "github", "uid": "1"})
    planner.insert("member_notes", {"id": 1, "member_id": 5, "author_id": 6, "note": "Kind."})
    planner.insert(
        "bans",
        {"id": 1, "member_id": 5, "added_by_id": 6, "reason": "No-shows", "note": "Her cat was ill"}
        | {"explanation": "Dear Eve", "permanent": True},
    )

    arrive(planner)

    former = Member.objects.get(pk=5)
    assert (former.email, former.name, former.surname, former.dietary_needs) == (
        "closed-5@codebar.invalid", "Former member", "", [],
    )  # fmt: skip
    assert former.closed_at == datetime(2020, 9, 13, 12, tzinfo=UTC)
    assert not former.is_active
    assert not SocialAccount.objects.exists()
    assert not former.notes.exists()
    assert list(former.bans.values_list("note", "explanation")) == [("", "")]
    assert found("members") == [(5, "account_deleted", "kept", None, "")]
    assert found("auth_services") == [(1, "account_is_closed", "left_out", None, "")]
    assert found("member_notes") == [(1, "account_is_closed", "left_out", None, "")]


def test_texts_that_are_too_long_blank_or_unknown(planner):
    planner.insert(
        "members",
        member_row(
            1, "a@people.example", name="", pronouns="x" * 51, about_you="y" * 300,
            how_you_found_us=9,
        ),
    )  # fmt: skip
    planner.execute("ALTER TYPE dietary_restriction_enum ADD VALUE 'kosher'")
    planner.execute("UPDATE members SET dietary_restrictions = '{vegan,kosher}'")

    arrive(planner)

    member = Member.objects.get()
    assert (len(member.pronouns), len(member.about), member.dietary_needs, member.heard_from) == (
        50, 255, ["vegan"], "",
    )  # fmt: skip
    assert sorted(found("members")) == [
        (1, "dietary_unknown", "kept", None, ""),
        (1, "heard_from_unknown", "kept", None, ""),
        (1, "name_blank", "kept", None, ""),
        (1, "text_cut", "kept", None, "about_you"),
        (1, "text_cut", "kept", None, "pronouns"),
    ]


def test_identities_by_which_nobody_could_sign_in(planner):
    planner.insert("members", member_row(1, "a@people.example"), member_row(2, "b@people.example"))
    planner.insert(
        "auth_services",
        *(
            {"id": number, "member_id": member, "provider": provider, "uid": uid}
            for number, member, provider, uid in [
                (1, 1, "github", "11"),
                (2, 1, "codebar", "a@people.example"),
                (3, 2, "github", " 11"),
                (4, 2, "twitter", "22"),
                (5, 2, "github", None),
                (6, 99, "github", "33"),
                (7, None, "github", "44"),
            ]
        ),
    )

    arrive(planner)

    assert list(SocialAccount.objects.order_by("pk").values_list("user", "provider", "uid")) == [
        (1, "github", "11"),
        (1, "codebar", "a@people.example"),
    ]
    assert found("auth_services") == [
        (3, "identity_twice", "merged", 1, ""),
        (4, "provider_unknown", "left_out", None, ""),
        (5, "identity_blank", "left_out", None, ""),
        (6, "person_is_not_there", "left_out", None, ""),
        (7, "person_is_not_there", "left_out", None, ""),
    ]


def test_whoever_planner_knew_by_an_address_is_known_by_it_once_more(planner):
    """Planner knew people of its own provider by the address they had then, we by `sub`."""
    planner.insert("members", member_row(1, "new@people.example"))
    planner.insert(
        "auth_services",
        {"id": 1, "member_id": 1, "provider": "codebar", "uid": "old@people.example"},
    )
    arrive(planner)

    member = joining.by_identity(
        Identity("codebar", "sub-1"), addresses=["Old@people.example"], language=Language.ENGLISH
    )

    assert member.pk == 1
    assert SocialAccount.objects.filter(uid="sub-1").get().user_id == 1


def test_skills_are_words_with_commas(planner):
    fill_clean(planner)
    planner.insert("tags", {"id": 3, "name": "Ruby"}, {"id": 4, "name": "knitting"})
    planner.execute(
        "INSERT INTO taggings (id, tag_id, taggable_type, taggable_id, context) VALUES"
        " (3, 3, 'Member', 1, 'skills'), (4, 4, 'Workshop', 1, 'skills'),"
        " (5, 99, 'Member', 1, 'skills'), (6, 1, 'Member', 88, 'skills')"
    )

    arrive(planner)

    assert Member.objects.get(pk=1).skills == "ruby, css"
    assert found("taggings") == [
        (3, "skill_twice", "merged", 1, ""),
        (4, "no_skill", "left_out", None, ""),
        (5, "no_skill", "left_out", None, ""),
        (6, "person_is_not_there", "left_out", None, ""),
    ]
    assert found("tags") == [(4, "no_skill", "left_out", None, "")]
