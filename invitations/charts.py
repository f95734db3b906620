"""
Where everything stands in a drawing: numbers in, whole units of an SVG 360 across out.

No library: those that draw SVG from Python write colours and sizes as inline styles, or scripts,
and our content policy forbids both. Templates write the units as attributes, `look.css` gives the
colours, and a table beside each drawing has the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise

from chapters.models import Workshop
from invitations.models import Answer
from invitations.queries.statistics import Answers, Month, Year

WIDTH = 360

LEFT = 6
COLUMN = 29
COLUMN_WIDTH = 22
TOP = 18
BASE = 140
BELOW = 22
LEAST = 2  # so that whoever came is seen beside a month in which hundreds did
ROOM_FOR_A_FIGURE = 16
WIDEST_FIGURE = 999

MOST_BARS = 24
HEAD = 20
ROW = 24
BAR_X = 50
BAR_WIDTH = 212
BAR_HEIGHT = 16
RATING_X = 24
RATING_WIDTH = 292


@dataclass(frozen=True)
class Box:
    """The people of one role in a column."""

    people: int
    y: int
    height: int

    @property
    def figure_y(self) -> int | None:
        """Where the figure is written, if it fits in."""
        fits = self.height >= ROOM_FOR_A_FIGURE and self.people <= WIDEST_FIGURE
        return self.y + self.height // 2 + 4 if fits else None


@dataclass(frozen=True)
class Column:
    """One month: coaches stand on students, and their sum is written above both."""

    month: Month
    x: int
    students: Box
    coaches: Box

    @property
    def middle(self) -> int:
        return self.x + COLUMN_WIDTH // 2

    @property
    def sum_y(self) -> int:
        return self.coaches.y - 4


@dataclass(frozen=True)
class Attendance:
    """Who came, month by month."""

    year: Year
    columns: list[Column]
    width: int = WIDTH
    height: int = BASE + BELOW
    column_width: int = COLUMN_WIDTH
    base: int = BASE
    months_y: int = BASE + 16

    @property
    def students(self) -> int:
        return sum(month.students for month in self.year.months)

    @property
    def coaches(self) -> int:
        return sum(month.coaches for month in self.year.months)

    @property
    def workshops(self) -> int:
        return sum(month.workshops for month in self.year.months)

    @property
    def unmarked(self) -> int:
        return sum(month.unmarked for month in self.year.months)

    @property
    def best(self) -> Month:
        """The month in which most people came, of two the later."""
        return max(reversed(self.year.months), key=lambda month: month.people)


@dataclass(frozen=True)
class Part:
    """Everybody who gave one answer."""

    tone: str
    word: str
    people: int
    x: int = 0
    width: int = 0


@dataclass(frozen=True)
class Bar:
    """The answers to one workshop; whatever their number, the bar is as long as the others."""

    answers: Answers
    y: int
    parts: list[Part]

    @property
    def workshop(self) -> Workshop:
        return self.answers.workshop

    @property
    def text_y(self) -> int:
        return self.y + 13


@dataclass(frozen=True)
class Replies:
    """How invited people answered, the newest workshop first; `left_out` older ones do not fit."""

    year: Year
    bars: list[Bar]
    left_out: int
    width: int = WIDTH
    bar_height: int = BAR_HEIGHT
    head_y: int = 12

    @property
    def workshops(self) -> int:
        return len(self.year.answers)

    @property
    def height(self) -> int:
        return HEAD + ROW * len(self.bars)

    @property
    def parts(self) -> list[Part]:
        """The answers to all these workshops together."""
        return [
            Part(tone, word, sum(getattr(bar.answers, answer) for bar in self.bars))
            for answer, tone, word in ANSWERS
        ]

    @property
    def invited(self) -> int:
        return sum(bar.answers.invited for bar in self.bars)


@dataclass(frozen=True)
class RatingBar:
    """Everybody who gave one rating."""

    rating: int
    people: int
    y: int
    width: int
    x: int = RATING_X

    @property
    def text_y(self) -> int:
        return self.y + 13


@dataclass(frozen=True)
class RatingBars:
    """How people rated workshops, the best rating first; the most given takes all the room."""

    bars: list[RatingBar]
    width: int = WIDTH
    bar_height: int = BAR_HEIGHT

    @property
    def height(self) -> int:
        return ROW * len(self.bars)


ANSWERS = (
    ("coming", "is-coming", Answer.ATTENDING.label),
    ("waiting", "is-doubt", Answer.WAITING.label),
    ("declined", "is-skipped", Answer.DECLINED.label),
    ("unanswered", "is-waiting", Answer.NONE.label),
)


def attendance(year: Year) -> Attendance:
    """A column a month; the highest takes all the room there is."""
    most = max(month.people for month in year.months)
    columns = [_column(month, nr=nr, most=most) for nr, month in enumerate(year.months)]
    return Attendance(year, columns)


def replies(year: Year) -> Replies:
    """A bar for each of the newest workshops."""
    newest = year.answers[:MOST_BARS]
    bars = [Bar(answers, HEAD + ROW * nr, _parts(answers)) for nr, answers in enumerate(newest)]
    return Replies(year, bars, left_out=len(year.answers) - len(newest))


def ratings(counts: Mapping[int, int]) -> RatingBars:
    """A bar for each rating, in the order of the counts; none given is a bar of no width."""
    most = max(counts.values())
    return RatingBars(
        [
            RatingBar(
                rating,
                people,
                y=ROW * nr,
                width=max(round(RATING_WIDTH * people / most), LEAST) if people else 0,
            )
            for nr, (rating, people) in enumerate(counts.items())
        ]
    )


def _column(month: Month, *, nr: int, most: int) -> Column:
    students = _box(month.students, most=most, on=BASE)
    return Column(
        month=month,
        x=LEFT + COLUMN * nr,
        students=students,
        coaches=_box(month.coaches, most=most, on=students.y),
    )


def _box(people: int, *, most: int, on: int) -> Box:
    height = max(round((BASE - TOP) * people / most), LEAST) if people else 0
    return Box(people, y=on - height, height=height)


def _parts(answers: Answers) -> list[Part]:
    """
    The answers that were given, along the bar.

    Each gets the least that can be seen, and its share of what is left; so they fill the bar.
    """
    given = [(tone, word, getattr(answers, answer)) for answer, tone, word in ANSWERS]
    given = [(tone, word, people) for tone, word, people in given if people]
    to_share = BAR_WIDTH - LEAST * len(given)
    widths = [LEAST + to_share * people / answers.invited for _, _, people in given]
    edges = [BAR_X + round(edge) for edge in accumulate(widths, initial=0)]
    return [
        Part(tone, word, people, x=start, width=end - start)
        for (tone, word, people), (start, end) in zip(given, pairwise(edges), strict=True)
    ]
