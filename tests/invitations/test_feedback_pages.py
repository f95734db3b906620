"""What organisers read about their workshops, and that no answer can be put together from it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role, Workshop
from invitations import charts
from invitations.charts import RatingBar
from invitations.models import Answer, Feedback, FeedbackRequest
from invitations.queries import feedback as answers
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    organiser_of,
)

pytestmark = pytest.mark.django_db

NUMBERS = iter(range(10**6))


@pytest.fixture
def chapter():
    return ChapterFactory()


@pytest.fixture
def organiser(client, chapter) -> Client:
    client.force_login(organiser_of(chapter))
    return client


def evening(chapter, *, days_ago: int = 7, **fields) -> Workshop:
    return WorkshopFactory(
        chapter=chapter, starts_at=timezone.now() - timedelta(days=days_ago), **fields
    )


def said(workshop: Workshop, *ratings: int, coach: Member | None = None, **fields) -> None:
    for rating in ratings:
        nr = next(NUMBERS)
        texts = {
            "how_it_was": f"Words {nr}",
            "suggestions": f"Wish {nr}",
            "tutorial": "HTML 1",
        }
        Feedback.objects.create(
            workshop=workshop, role=Role.STUDENT, rating=rating, coach=coach, **(texts | fields)
        )


def page_of(client: Client, name: str, pk: int) -> str:
    return " ".join(client.get(reverse(name, args=[pk])).content.decode().split())


# ---- One workshop --------------------------------------------------------------------------


def test_three_answers_are_shown(organiser, chapter):
    workshop = evening(chapter)
    said(workshop, 5, 4, 4)
    for _ in range(5):
        asked = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
        FeedbackRequest.objects.create(invitation=asked)

    page = page_of(organiser, "workshop_feedback", workshop.pk)

    assert "Students gave it 4.3 of 5" in page
    assert "5 were asked, and 3 have said how it was." in page
    assert "1 gave 5, 2 gave 4, 0 gave 3, 0 gave 2, 0 gave 1." in page
    assert "HTML 1, 3 people" in page
    for given in Feedback.objects.all():
        assert given.how_it_was in page
        assert given.suggestions in page


@pytest.mark.parametrize(
    ("ratings", "heading"),
    [((1,), "One of 2 has said how it was"), ((1, 5), "Two of 2 have said how it was")],
)
def test_fewer_are_not_shown_since_anybody_could_tell_whose_they_are(
    organiser, chapter, ratings, heading
):
    workshop = evening(chapter)
    said(workshop, *ratings)
    for _ in range(2):
        asked = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
        FeedbackRequest.objects.create(invitation=asked)

    page = page_of(organiser, "workshop_feedback", workshop.pk)

    assert heading in page
    assert "Words" not in page
    assert "HTML 1" not in page
    assert "of 5" not in page


def test_no_coach_is_named_beside_what_was_said_of_one_evening(organiser, chapter):
    workshop = evening(chapter)
    coach = MemberFactory(name="Farid", surname="Coach")
    said(workshop, 5, 4, 4, coach=coach)

    assert "Farid" not in page_of(organiser, "workshop_feedback", workshop.pk)


@pytest.mark.parametrize(
    ("days_ago", "sentence"),
    [
        (7, "Nobody was asked how it was"),
        (-7, "Once the workshop is over, the students who are marked as here are asked."),
    ],
)
def test_where_nobody_was_asked_the_page_says_when_people_are(
    organiser, chapter, days_ago, sentence
):
    page = page_of(organiser, "workshop_feedback", evening(chapter, days_ago=days_ago).pk)

    assert sentence in page
    assert "Where nobody is marked, nobody knows whom to ask." in page


def test_whoever_helps_with_one_workshop_only_does_not_read_it(client, chapter):
    workshop = evening(chapter)
    helper = MemberFactory()
    workshop.organisers.add(helper)
    client.force_login(helper)

    assert client.get(reverse("organiser_workshop", args=[workshop.pk])).status_code == 200
    assert client.get(reverse("workshop_feedback", args=[workshop.pk])).status_code == 404


# ---- A chapter -----------------------------------------------------------------------------


def test_the_chapter_lists_its_workshops_and_no_others(organiser, chapter):
    latest, small = evening(chapter, days_ago=7), evening(chapter, days_ago=14)
    said(latest, 5, 5, 2)
    said(small, 1)
    said(evening(ChapterFactory()), 1, 1, 1)

    page = page_of(organiser, "chapter_feedback", chapter.pk)
    listed = answers.by_workshop(answers.workshops(chapter))

    assert "Students gave us 3.3 of 5" in page
    assert [(row.workshop, row.answers, row.average) for row in listed] == [
        (latest, 3, 4.0),
        (small, 1, None),
    ]
    assert "3 answers, 4.0 of 5" in page
    assert "1 answer, too few to show" in page


def test_small_workshops_are_read_together_and_from_three_answers_on(organiser, chapter):
    first, second = evening(chapter, days_ago=7), evening(chapter, days_ago=14)
    said(first, 4, how_it_was="First")
    said(second, 4, how_it_was="Second")
    said(evening(chapter, days_ago=21), 5, 5, 5, how_it_was="Big")
    assert "Said about small workshops" not in page_of(organiser, "chapter_feedback", chapter.pk)

    said(second, 4, how_it_was="Third")

    page = page_of(organiser, "chapter_feedback", chapter.pk)
    assert "Said about small workshops" in page
    assert [text in page for text in ("First", "Second", "Third", "Big")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_coach_is_named_from_three_answers_on(organiser, chapter):
    often, seldom = MemberFactory(surname="Often"), MemberFactory(surname="Seldom")
    said(evening(chapter, days_ago=7), 5, 4, coach=often)
    said(evening(chapter, days_ago=14), 4, coach=often)
    said(evening(chapter, days_ago=21), 1, 1, coach=seldom)
    said(evening(ChapterFactory()), 1, coach=seldom)

    found = answers.coaches(answers.of_chapter(chapter))

    assert [(row.coach, row.answers, round(row.average, 2)) for row in found] == [(often, 3, 4.33)]
    page = page_of(organiser, "chapter_feedback", chapter.pk)
    assert "4.3 of 5 from 3 answers that name them" in page
    assert "Seldom" not in page


def test_a_chapter_without_answers_says_when_there_are_some(organiser, chapter):
    page = page_of(organiser, "chapter_feedback", chapter.pk)

    assert "Nobody has said yet how it was" in page
    assert "They get a letter after each workshop, once they are marked as here." in page


def test_the_texts_of_one_answer_do_not_stand_beside_each_other(chapter):
    """Both lists in the order of the answers would put each answer together again."""
    workshop = evening(chapter)
    for nr, wish in enumerate(("c", "a", "b"), start=1):
        said(workshop, 5, pk=nr, how_it_was=str(nr), suggestions=wish, tutorial="")

    texts = answers.texts(answers.of_workshop(workshop), most=10)

    assert (texts.how_it_was, texts.suggestions) == (["1", "2", "3"], ["a", "b", "c"])


def test_what_somebody_wrote_is_never_html(organiser, chapter):
    workshop = evening(chapter)
    said(workshop, 5, 5, 5, how_it_was="<script>alert(1)</script>")

    page = page_of(organiser, "workshop_feedback", workshop.pk)

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("name", "queries"), [("workshop_feedback", 8), ("chapter_feedback", 11)])
def test_the_pages_ask_as_often_whatever_there_is_to_read(
    organiser, chapter, rows, name, queries, django_assert_num_queries
):
    workshop = evening(chapter)
    for _ in range(rows):
        said(evening(chapter), 5, 5, 5, coach=MemberFactory())
        said(workshop, 5, 5, 5, coach=MemberFactory())
    pk = workshop.pk if name == "workshop_feedback" else chapter.pk

    with django_assert_num_queries(queries):
        organiser.get(reverse(name, args=[pk]))


def test_the_most_given_rating_takes_all_the_room():
    drawing = charts.ratings({5: 200, 4: 100, 3: 1, 2: 0, 1: 0})

    assert (drawing.width, drawing.height) == (360, 120)
    assert drawing.bars == [
        RatingBar(5, 200, y=0, width=292),
        RatingBar(4, 100, y=24, width=146),
        RatingBar(3, 1, y=48, width=2),
        RatingBar(2, 0, y=72, width=0),
        RatingBar(1, 0, y=96, width=0),
    ]


def test_the_way_to_it_stands_on_the_pages_of_the_workshop_and_the_chapter(organiser, chapter):
    workshop = evening(chapter)

    assert reverse("workshop_feedback", args=[workshop.pk]) in page_of(
        organiser, "organiser_workshop", workshop.pk
    )
    assert reverse("chapter_feedback", args=[chapter.pk]) in page_of(
        organiser, "chapter", chapter.pk
    )
