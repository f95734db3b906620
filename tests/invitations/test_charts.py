"""Where everything stands in a drawing; exact values, no database."""

from datetime import UTC, date, datetime

from chapters.models import Chapter, Workshop
from invitations import charts
from invitations.charts import Box, Part
from invitations.queries.statistics import Answers, Month, Year

CHAPTER = Chapter(name="Brighton", time_zone="Europe/London")


def month(nr: int, *, students: int = 0, coaches: int = 0, workshops: int = 1) -> Month:
    return Month(date(2026, nr, 1), workshops=workshops, students=students, coaches=coaches)


def year(*months: Month, answers: list[Answers] | None = None) -> Year:
    return Year(CHAPTER, list(months), answers or [])


def answers(**counts: int) -> Answers:
    starts_at = datetime(2026, 3, 4, 18, 30, tzinfo=UTC)
    return Answers(Workshop(chapter=CHAPTER, starts_at=starts_at), **counts)


def test_the_highest_column_takes_all_the_room():
    drawing = charts.attendance(
        year(month(1, students=30, coaches=10), month(2, students=8, coaches=2))
    )

    january, february = drawing.columns
    assert (drawing.width, drawing.height, drawing.base) == (360, 162, 140)
    assert (january.x, january.middle) == (6, 17)
    assert january.students == Box(30, y=48, height=92)
    assert january.coaches == Box(10, y=18, height=30)
    assert january.sum_y == 14
    assert (february.x, february.middle) == (35, 46)
    assert february.students == Box(8, y=116, height=24)
    assert february.coaches == Box(2, y=110, height=6)


def test_a_figure_stands_in_the_middle_of_its_box_where_it_fits():
    assert Box(30, y=48, height=92).figure_y == 98
    assert Box(3, y=124, height=16).figure_y == 136
    assert Box(2, y=125, height=15).figure_y is None
    assert Box(999, y=18, height=122).figure_y == 83
    assert Box(1000, y=18, height=122).figure_y is None


def test_whoever_came_is_seen_beside_a_huge_month():
    drawing = charts.attendance(
        year(month(1, students=100_000, coaches=0), month(2, students=1, coaches=1))
    )

    assert drawing.columns[0].students == Box(100_000, y=18, height=122)
    assert drawing.columns[1].students == Box(1, y=138, height=2)
    assert drawing.columns[1].coaches == Box(1, y=136, height=2)


def test_a_year_without_people_is_flat():
    drawing = charts.attendance(year(month(1), month(2, workshops=0)))

    assert [(c.students.height, c.coaches.height, c.sum_y) for c in drawing.columns] == [
        (0, 0, 136),
        (0, 0, 136),
    ]


def test_twelve_columns_fit_into_the_drawing():
    drawing = charts.attendance(year(*(month(nr, students=nr) for nr in range(1, 13))))

    assert drawing.columns[-1].x + drawing.column_width == 347


def test_what_is_said_beside_the_columns():
    drawing = charts.attendance(
        year(
            month(1, students=5, coaches=1),
            Month(date(2026, 2, 1), workshops=2, unmarked=1, students=4, coaches=2),
            month(3, workshops=0),
        )
    )

    assert (drawing.students, drawing.coaches) == (9, 3)
    assert (drawing.workshops, drawing.unmarked) == (3, 1)
    assert drawing.best.first_day == date(2026, 2, 1), "of two the later"


def test_the_answers_to_one_workshop_fill_its_bar():
    drawing = charts.replies(
        year(answers=[answers(coming=40, waiting=10, declined=50, unanswered=100)])
    )

    (bar,) = drawing.bars
    assert (bar.y, bar.text_y, drawing.height) == (20, 33, 44)
    assert bar.parts == [
        Part("is-coming", "coming", 40, x=50, width=43),
        Part("is-doubt", "on the waiting list", 10, x=93, width=12),
        Part("is-skipped", "not coming", 50, x=105, width=53),
        Part("is-waiting", "no answer yet", 100, x=158, width=104),
    ]
    assert sum(part.width for part in bar.parts) == 212


def test_one_answer_among_thousands_is_seen():
    drawing = charts.replies(year(answers=[answers(coming=1, unanswered=99_999)]))

    assert [(part.x, part.width) for part in drawing.bars[0].parts] == [(50, 2), (52, 210)]


def test_an_answer_that_nobody_gave_has_no_part():
    drawing = charts.replies(year(answers=[answers(declined=3), answers()]))

    assert drawing.bars[0].parts == [Part("is-skipped", "not coming", 3, x=50, width=212)]
    assert drawing.bars[1].parts == []


def test_only_the_newest_workshops_have_a_bar():
    drawing = charts.replies(year(answers=[answers(coming=nr) for nr in range(26)]))

    assert [bar.answers.coming for bar in drawing.bars] == list(range(24))
    assert (drawing.left_out, drawing.workshops, drawing.height) == (2, 26, 596)


def test_the_legend_adds_all_bars_up():
    drawing = charts.replies(
        year(answers=[answers(coming=2, declined=1), answers(coming=3, unanswered=4)])
    )

    assert [(part.word, part.people) for part in drawing.parts] == [
        ("coming", 5),
        ("on the waiting list", 0),
        ("not coming", 1),
        ("no answer yet", 4),
    ]
    assert drawing.invited == 10


def test_nothing_is_drawn_where_nothing_was():
    drawing = charts.replies(year())

    assert (drawing.bars, drawing.invited, drawing.height) == ([], 0, 20)
