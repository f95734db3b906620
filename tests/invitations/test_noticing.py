"""Letters of an organiser to one member, and notes about them."""

from uuid import uuid4

import pytest
from django.utils import timezone

from chapters.models import Role
from invitations.services import noticing, noting
from logs.models import Action, Activity, EntryStatus, InvitationLogEntry
from members.models import Note, Notice
from tests.factories import MemberFactory, chapter_with, organiser_of, subscribe
from tests.support.together import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser():
    return organiser_of(chapter_with())


@pytest.fixture
def member(organiser):
    return subscribe(MemberFactory(), organiser.organised_chapters.get(), Role.STUDENT)


def send(member, *, by, kind=Notice.Kind.ATTENDANCE, key=None) -> Notice:
    return noticing.send(member, kind=kind, by=by, at=timezone.now(), request_key=key or uuid4())


def letters_to(member) -> list[tuple[str, str, str, int | None]]:
    return list(
        InvitationLogEntry.objects.filter(member=member)
        .order_by("pk")
        .values_list("action", "occasion", "status", "workshop")
    )


def history() -> list[tuple[str, int | None, int | None, str]]:
    return list(Activity.objects.order_by("pk").values_list("did", "by", "member", "remark"))


@pytest.mark.parametrize(
    ("kind", "action", "did"),
    [
        (Notice.Kind.ATTENDANCE, Action.WARNING, "sent an attendance warning"),
        (Notice.Kind.ELIGIBILITY, Action.ELIGIBILITY, "sent an eligibility question"),
    ],
)
def test_a_notice_is_kept_and_a_letter_waits(organiser, member, kind, action, did):
    notice = send(member, by=organiser, kind=kind)

    assert (notice.member, notice.sent_by, notice.kind) == (member, organiser, kind)
    assert letters_to(member) == [(action, str(notice.pk), EntryStatus.PENDING, None)]
    assert history() == [(did, organiser.pk, member.pk, "")]


def test_another_one_later_is_another_letter(organiser, member):
    first, second = (send(member, by=organiser) for _ in range(2))

    assert [occasion for _, occasion, _, _ in letters_to(member)] == [
        str(first.pk),
        str(second.pk),
    ]


def test_the_same_form_again_sends_nothing(organiser, member):
    key = uuid4()

    first, second = (send(member, by=organiser, key=key) for _ in range(2))

    assert first == second
    assert len(letters_to(member)) == len(history()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_tap_sends_one_letter():
    organiser, member, key = MemberFactory(), MemberFactory(), uuid4()

    notices = at_once(*[lambda: send(member, by=organiser, key=key)] * 4)

    assert len(set(notices)) == Notice.objects.count() == 1
    assert len(letters_to(member)) == len(history()) == 1


@pytest.mark.parametrize("trait", ["closed", "unreachable"])
def test_nothing_is_kept_where_no_letter_can_arrive(organiser, trait):
    member = MemberFactory(**{trait: True})

    with pytest.raises(noticing.CannotBeReached) as refusal:
        send(member, by=organiser)

    assert refusal.value.message.endswith(("so no letter can be sent.", "cannot be used."))
    assert Notice.objects.count() == len(letters_to(member)) == len(history()) == 0


# ---- Notes ----------------------------------------------------------------------------------


def test_a_note_is_kept_with_its_author(organiser, member):
    now = timezone.now()

    noting.add(member, author=organiser, text="Likes the window.", at=now, request_key=uuid4())

    assert list(Note.objects.values_list("member", "author", "text", "created_at")) == [
        (member.pk, organiser.pk, "Likes the window.", now)
    ]
    assert history() == [("wrote a note", organiser.pk, member.pk, "")]


@pytest.mark.django_db(transaction=True)
def test_a_note_sent_twice_is_one():
    author, member, key = MemberFactory(), MemberFactory(), uuid4()

    at_once(
        *[
            lambda: noting.add(
                member, author=author, text="Here.", at=timezone.now(), request_key=key
            )
        ]
        * 4
    )

    assert Note.objects.count() == len(history()) == 1


def test_a_deleted_note_leaves_its_words_nowhere(organiser, member):
    note = noting.add(
        member, author=organiser, text="Wrong person.", at=timezone.now(), request_key=uuid4()
    )

    noting.delete(note, by=organiser)
    noting.delete(note, by=organiser)

    assert Note.objects.count() == 0
    assert history() == [
        ("wrote a note", organiser.pk, member.pk, ""),
        ("deleted a note", organiser.pk, member.pk, ""),
    ]
