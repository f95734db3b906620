"""
The pictures of the operations page: readings in, whole units of an SVG 360 across out, as in
`invitations.charts`. Every picture has the same steps, so what happened at once stands in line,
and every picture marks when a release went live.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import floor, log10
from operator import attrgetter

from django.contrib.humanize.templatetags.humanize import intcomma

from invitations.queries.operations import STEPS, Span, Step, WentLive

WIDTH = 360
LEFT = 56
STEP_WIDTH = 5
TOP = 26
BASE = 126
LEAST = 2  # so that one failed letter is seen beside a thousand
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MARKS_APART = 4  # in steps; nearer ones share a mark

Value = Callable[[Step], float]


@dataclass(frozen=True)
class Series:
    """One kind of number of a picture, and the tone that draws it."""

    tone: str
    word: str
    value: Value


@dataclass(frozen=True)
class Subject:
    """What a picture is about; `sentence` is filled in with the worst and when, `calm` is none."""

    key: str
    title: str
    series: tuple[Series, ...]
    unit: str
    sentence: str
    calm: str


@dataclass(frozen=True)
class Box:
    """One number of one step."""

    tone: str
    x: int
    y: int
    height: int


@dataclass(frozen=True)
class Mark:
    """Where one release went live, or several so near to each other that they share a mark."""

    x: int
    label: str


@dataclass(frozen=True)
class Gap:
    """Steps of which nothing is known, since nobody looked."""

    x: int
    width: int


@dataclass(frozen=True)
class Row:
    """One line of the table: when, and the numbers as they are written."""

    begins_at: datetime
    numbers: list[str]
    release: str


@dataclass(frozen=True)
class Picture:
    """Columns from left to right as time goes by."""

    subject: Subject
    span: Span
    boxes: list[Box]
    marks: list[Mark]
    gaps: list[Gap]
    most: str
    words: str
    rows: list[Row]
    width: int = WIDTH
    height: int = BASE + 24
    left: int = LEFT
    right: int = LEFT + STEPS * STEP_WIDTH
    step_width: int = STEP_WIDTH
    top: int = TOP
    base: int = BASE
    times_y: int = BASE + 17

    @property
    def labels_x(self) -> int:
        return self.left - 6

    @property
    def middle(self) -> int:
        return (self.left + self.right) // 2

    @property
    def clock(self) -> str:
        """How Django's templates write the times below."""
        return "H:i" if self.span.ends_at - self.span.begins_at <= timedelta(days=1) else "D j M"

    @property
    def half_time(self) -> datetime:
        return self.span.begins_at + STEPS // 2 * self.span.step


SUBJECTS = (
    Subject(
        "speed",
        "Letters a minute",
        (Series("is-sent", "letters a minute", attrgetter("letters_a_minute")),),
        "",
        "At most {most} a minute, {when}.",
        "No letter left.",
    ),
    Subject(
        "line",
        "Letters that waited",
        (Series("is-sending", "letters", attrgetter("pending")),),
        "",
        "At most {most} waited, {when}.",
        "Nobody waited for a letter.",
    ),
    Subject(
        "overdue",
        "How long the first one waited",
        (Series("is-doubt", "minutes", attrgetter("minutes_overdue")),),
        "min",
        "The longest wait was {most} minutes, {when}.",
        "Each letter left when it was due.",
    ),
    Subject(
        "lost",
        "Letters failed and in doubt",
        (
            Series("is-failed", "failed", attrgetter("failed")),
            Series("is-doubt", "in doubt", attrgetter("unknown")),
        ),
        "",
        "At most {most} within {step}, {when}.",
        "None failed, and none is in doubt.",
    ),
    Subject(
        "smtp",
        "What the mail server takes for a letter",
        (Series("is-sending", "milliseconds", attrgetter("ms_a_letter")),),
        "ms",
        "At most {most} ms, {when}.",
        "No letter left, so nothing was measured.",
    ),
    Subject(
        "errors",
        "Pages that failed",
        (Series("is-failed", "pages", attrgetter("server_errors")),),
        "",
        "At most {most} within {step}, {when}.",
        "Every page was answered.",
    ),
)


def pictures(span: Span, steps: Sequence[Step], releases: Sequence[WentLive]) -> list[Picture]:
    """One of each subject."""
    marks = _marks(span, releases)
    gaps = _gaps(steps[:-1])  # of the last one there is a reading in a moment
    return [
        _picture(subject, span=span, steps=steps, releases=releases, marks=marks, gaps=gaps)
        for subject in SUBJECTS
    ]


def written(number: float) -> str:
    """As it stands in a table: "1,940", "0.3"; few digits, and never 0 for what is more."""
    if 0 < number < 10 and number != round(number):
        return f"{max(number, 0.1):.1f}"
    return str(intcomma(round(number)))


def nice(number: float) -> float:
    """The next higher 1, 2 or 5 with noughts: what the top of a picture stands for."""
    if number <= 1:
        return 1
    power: int = 10 ** floor(log10(number))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= number)


def _picture(
    subject: Subject,
    *,
    span: Span,
    steps: Sequence[Step],
    releases: Sequence[WentLive],
    marks: list[Mark],
    gaps: list[Gap],
) -> Picture:
    sums = [sum(series.value(step) for series in subject.series) for step in steps]
    worst = max(sums)
    most = nice(worst)
    return Picture(
        subject=subject,
        span=span,
        boxes=[box for nr, step in enumerate(steps) for box in _boxes(subject, step, nr, most)],
        marks=marks,
        gaps=gaps,
        most=f"{written(most)} {subject.unit}".strip(),
        words=_words(subject, span, worst=worst, at=steps[sums.index(worst)].begins_at),
        rows=_rows(subject, steps, releases),
    )


def _boxes(subject: Subject, step: Step, nr: int, most: float) -> list[Box]:
    """The numbers of a step, one standing on the other."""
    boxes, on = [], BASE
    for series in subject.series:
        if value := series.value(step):
            height = max(round((BASE - TOP) * value / most), LEAST)
            on -= height
            boxes.append(Box(series.tone, x=_x(nr), y=on, height=height))
    return boxes


def _words(subject: Subject, span: Span, *, worst: float, at: datetime) -> str:
    if not worst:
        return subject.calm
    return subject.sentence.format(
        most=written(worst), step=_how_long(span.step), when=_when(at, span)
    )


def _how_long(step: timedelta) -> str:
    return f"{step // HOUR} hours" if step >= HOUR else f"{step // MINUTE} minutes"


def _when(at: datetime, span: Span) -> str:
    """A moment in a sentence; the day is said where the picture shows several."""
    is_of_one_day = span.begins_at.date() == span.ends_at.date()
    return f"at {at:%H:%M}" if is_of_one_day else f"on {at:%a %-d %b at %H:%M}"


def _rows(subject: Subject, steps: Sequence[Step], releases: Sequence[WentLive]) -> list[Row]:
    """The steps that are not all noughts, the latest first, and those in which a release began."""
    rows = []
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        numbers = [series.value(step) for series in subject.series]
        new = [
            mark.name
            for mark in releases
            if step.begins_at <= mark.at and (after is None or mark.at < after.begins_at)
        ]
        if any(numbers) or new:
            rows.append(Row(step.begins_at, [written(one) for one in numbers], ", ".join(new)))
    return rows[::-1]


def _marks(span: Span, releases: Sequence[WentLive]) -> list[Mark]:
    """A mark for each release, by its number in the list."""
    groups: list[list[tuple[int, int]]] = []
    for nr, release in enumerate(releases, start=1):
        step = span.nr(release.at)
        if groups and step - groups[-1][-1][1] < MARKS_APART:
            groups[-1].append((nr, step))
        else:
            groups.append([(nr, step)])
    return [Mark(_x(group[0][1]), _label([nr for nr, _ in group])) for group in groups]


def _label(numbers: list[int]) -> str:
    first, last = numbers[0], numbers[-1]
    return str(first) if first == last else f"{first}-{last}"


def _gaps(steps: Sequence[Step]) -> list[Gap]:
    gaps, nr = [], 0
    for is_read, group in groupby(steps, key=lambda step: step.readings > 0):
        length = len(list(group))
        if not is_read:
            gaps.append(Gap(_x(nr), length * STEP_WIDTH))
        nr += length
    return gaps


def _x(nr: int) -> int:
    return LEFT + nr * STEP_WIDTH
