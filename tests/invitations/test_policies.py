"""Who may see which member, and do what about them."""

import pytest
from django.contrib.auth.models import AnonymousUser

from chapters.models import Role
from invitations import policies
from members.models import Member, Note
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    NoteFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db


def organiser_of_workshop(workshop) -> Member:
    member = MemberFactory(name="Beside")
    workshop.organisers.add(member)
    return member


def names(members) -> list[str]:
    return sorted(members.values_list("name", flat=True))


@pytest.fixture
def workshop():
    """One of the chapter Here; with somebody subscribed, one once invited and one a stranger."""
    chapter = ChapterFactory(name="Here")
    subscribe(MemberFactory(name="Subscribed"), chapter, Role.STUDENT, Role.COACH)
    workshop = WorkshopFactory(chapter=chapter)
    InvitationFactory(workshop=workshop, member__name="Invited", subscribed=False)
    other = WorkshopFactory(chapter=chapter)
    InvitationFactory(workshop=other, member__name="Invited to another", subscribed=False)
    subscribe(MemberFactory(name="Elsewhere"), ChapterFactory(name="There"), Role.STUDENT)
    return workshop


def test_a_chapters_organiser_sees_its_subscribers_and_whoever_it_invited(workshop):
    organiser = organiser_of(workshop.chapter)

    seen = ["Invited", "Invited to another", "Subscribed"]
    assert names(policies.members_visible_to(organiser)) == seen
    assert names(policies.members_looked_after_by(organiser)) == seen


def test_a_workshops_organiser_sees_who_was_invited_to_it_and_looks_after_nobody(workshop):
    organiser = organiser_of_workshop(workshop)

    assert names(policies.members_visible_to(organiser)) == ["Invited"]
    assert names(policies.members_looked_after_by(organiser)) == []


def test_whoever_organises_both_a_chapter_and_another_ones_workshop_looks_after_their_own(workshop):
    organiser = organiser_of_workshop(workshop)
    subscribe(MemberFactory(name="Own"), chapter := ChapterFactory(), Role.COACH)
    organiser.organised_chapters.add(chapter)

    assert names(policies.members_visible_to(organiser)) == ["Invited", "Own"]
    assert names(policies.members_looked_after_by(organiser)) == ["Own"]


def test_an_admin_sees_everybody_and_looks_after_them(workshop):
    admin = MemberFactory(superuser=True)

    assert policies.members_visible_to(admin).count() == Member.objects.count()
    assert policies.members_looked_after_by(admin).count() == Member.objects.count()


def test_members_and_visitors_see_nobody_not_even_themselves(workshop):
    for user in (Member.objects.get(name="Subscribed"), AnonymousUser()):
        assert names(policies.members_visible_to(user)) == []
        assert names(policies.members_looked_after_by(user)) == []
        assert not policies.organises_anything(user)


def test_a_chapter_or_a_single_workshop_makes_an_organiser(workshop):
    assert policies.organises_anything(organiser_of(workshop.chapter))
    assert policies.organises_anything(organiser_of(ChapterFactory()))
    assert policies.organises_anything(organiser_of_workshop(workshop))
    assert policies.organises_anything(MemberFactory(superuser=True))


def test_nobody_suspends_themselves_or_an_admin():
    chapter = chapter_with()
    organiser, other = organiser_of(chapter), organiser_of(chapter)
    admin, second_admin = MemberFactory(superuser=True), MemberFactory(superuser=True)
    for member in (organiser, other, admin):
        subscribe(member, chapter, Role.COACH)

    assert policies.can_ban(organiser, other)
    assert policies.can_ban(admin, organiser)
    assert not policies.can_ban(organiser, organiser)
    assert not policies.can_ban(organiser, admin)
    assert not policies.can_ban(second_admin, admin)


def test_nobody_lifts_their_own_suspension():
    chapter = chapter_with()
    organiser, other = organiser_of(chapter), organiser_of(chapter)
    subscribe(organiser, chapter, Role.COACH)

    assert not policies.can_lift_a_ban(organiser, organiser)
    assert policies.can_lift_a_ban(other, organiser)


def test_nobody_else_suspends(workshop):
    invited = Member.objects.get(name="Invited")

    assert not policies.can_ban(organiser_of_workshop(workshop), invited)
    assert not policies.can_ban(organiser_of(ChapterFactory()), invited)
    assert not policies.can_ban(AnonymousUser(), invited)


def test_a_note_is_deleted_by_its_author_or_an_admin():
    chapter = chapter_with()
    author, colleague = organiser_of(chapter), organiser_of(chapter)
    note = NoteFactory(author=author)

    assert list(policies.notes_deletable_by(author)) == [note]
    assert list(policies.notes_deletable_by(MemberFactory(superuser=True))) == [note]
    assert list(policies.notes_deletable_by(colleague)) == []
    assert policies.notes_deletable_by(AnonymousUser()).count() < Note.objects.count()
