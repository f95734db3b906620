"""Who organises a chapter."""

import pytest
from django.test import Client
from django.urls import reverse

from logs.models import Activity
from members.models import Member
from tests.factories import ChapterFactory, MemberFactory, WorkshopFactory, organiser_of

pytestmark = pytest.mark.django_db


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def add(chapter, email: str, *, by: Member, **options):
    address = reverse("chapter_organisers", args=[chapter.pk])
    return signed_in(by).post(address, {"email": email}, **options)


def remove(chapter, member: Member, *, by: Member, **options):
    address = reverse("chapter_organiser_remove", args=[chapter.pk, member.pk])
    return signed_in(by).post(address, **options)


def organisers(chapter) -> set[Member]:
    return set(chapter.organisers.all())


def history(chapter) -> list[tuple[str, int, int | None]]:
    rows = Activity.objects.filter(chapter=chapter).order_by("pk")
    return list(rows.values_list("did", "by", "member"))


def test_an_organiser_adds_another_by_their_address_however_it_is_written():
    chapter = ChapterFactory()
    olu, pia = organiser_of(chapter), MemberFactory(name="Pia", email="pia@people.example")

    response = add(chapter, " Pia@People.example ", by=olu, follow=True)

    assert f"{pia.full_name} organises {chapter} now." in words(response)
    assert organisers(chapter) == {olu, pia}
    assert history(chapter) == [("added an organiser", olu.pk, pia.pk)]


def test_adding_twice_changes_nothing():
    chapter = ChapterFactory()
    olu, pia = organiser_of(chapter), MemberFactory()

    answers = [add(chapter, pia.email, by=olu) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert organisers(chapter) == {olu, pia}
    assert len(history(chapter)) == 1


@pytest.mark.parametrize(
    ("email", "status", "sentence"),
    [
        ("", 400, "Write the address they sign in with."),
        ("pia", 400, "This is not an e-mail address."),
        ("a\x00b@people.example", 400, "Null characters are not allowed."),
        (f"{'x' * 300}@people.example", 400, "at most 254 characters"),
        ("nobody@people.example", 409, "No member has this address."),
        ("gone@people.example", 409, "This account is closed"),
    ],
)
def test_whoever_cannot_organise_is_refused_with_what_was_typed(email, status, sentence):
    MemberFactory(email="gone@people.example", closed=True)
    chapter = ChapterFactory()
    olu = organiser_of(chapter)

    response = add(chapter, email, by=olu)

    assert response.status_code == status
    assert sentence in words(response)
    assert organisers(chapter) == {olu}
    assert history(chapter) == []


def test_an_organiser_removes_another_and_a_second_tap_is_harmless():
    chapter = ChapterFactory()
    olu, pia = organiser_of(chapter), organiser_of(chapter)

    texts = [words(remove(chapter, pia, by=olu, follow=True)) for _ in range(2)]

    assert f"{pia.full_name} organises {chapter} no more." in texts[0]
    assert f"They organise {chapter} no more." in texts[1]
    assert organisers(chapter) == {olu}
    assert history(chapter) == [("removed an organiser", olu.pk, pia.pk)]


def test_whoever_stops_is_asked_and_then_sees_the_chapter_no_more():
    chapter = ChapterFactory(name="Oxford")
    olu, pia = organiser_of(chapter), organiser_of(chapter)
    address = reverse("chapter_organiser_remove", args=[chapter.pk, olu.pk])
    client = signed_in(olu)

    asked = words(client.get(address))
    assert "Stop organising Oxford?" in asked
    assert "Only another organiser can add you again." in asked
    assert organisers(chapter) == {olu, pia}

    gone = client.post(address)

    assert gone.headers["Location"] == reverse("portal")
    assert client.get(reverse("chapter", args=[chapter.pk])).status_code == 404
    assert history(chapter) == [("stopped organising the chapter", olu.pk, None)]


def test_the_question_names_the_workshops_that_stay_theirs():
    chapter = ChapterFactory()
    olu, pia = organiser_of(chapter), organiser_of(chapter)
    for _ in range(2):
        WorkshopFactory(chapter=chapter).organisers.add(pia)
    WorkshopFactory(chapter=chapter, past=True).organisers.add(pia)

    text = words(signed_in(olu).get(reverse("chapter_organiser_remove", args=[chapter.pk, pia.pk])))

    assert "Two upcoming workshops name them as organiser." in text


def test_the_last_organiser_stays():
    chapter = ChapterFactory()
    olu = organiser_of(chapter)

    response = remove(chapter, olu, by=olu, follow=True)

    assert "Somebody must organise the chapter. Add another organiser first." in words(response)
    assert organisers(chapter) == {olu}
    assert history(chapter) == []


def test_a_closed_account_is_not_somebody_who_organises():
    chapter = ChapterFactory(organisers=[MemberFactory(closed=True)])
    olu = organiser_of(chapter)

    remove(chapter, olu, by=olu)

    assert olu in organisers(chapter)


def test_an_admin_removes_the_last_one():
    chapter = ChapterFactory()
    olu, admin = organiser_of(chapter), MemberFactory(superuser=True)

    response = remove(chapter, olu, by=admin, follow=True)

    assert organisers(chapter) == set()
    assert "Nobody organises this chapter" in words(response)


def test_organisers_of_another_chapter_or_of_one_workshop_change_nothing():
    chapter = ChapterFactory()
    olu, foreign, beside = organiser_of(chapter), organiser_of(ChapterFactory()), MemberFactory()
    WorkshopFactory(chapter=chapter).organisers.add(beside)

    answers = [
        answer.status_code
        for person in (foreign, beside)
        for answer in (
            add(chapter, person.email, by=person),
            remove(chapter, olu, by=person),
        )
    ]

    assert answers == [404] * 4
    assert organisers(chapter) == {olu}
