"""A line of the log: what it carries, and what it never says."""

from __future__ import annotations

import json
import logging
import re
import sys

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from structlog.contextvars import bound_contextvars

from codebar.log_lines import formatter
from members.models import Member
from tests.factories import MemberFactory

ADDRESS = "amina@people.example"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture(autouse=True)
def release(settings) -> None:
    settings.RELEASE = "1.0+abc"


def _record(said: str, *values: object, level: int = logging.WARNING, broke=None):
    return logging.LogRecord("invitations", level, __file__, 1, said, values, broke)


def _broken(words: str):
    try:
        raise ValueError(words)
    except ValueError:
        return sys.exc_info()


def _as_json(record: logging.LogRecord) -> dict[str, object]:
    line = formatter(as_json=True).format(record)
    assert "\n" not in line
    read = json.loads(line)
    assert MOMENT.fullmatch(read.pop("at"))
    return read


def test_a_line_names_its_release_and_the_numbers_of_what_it_is_about():
    line = _as_json(_record("entry %s of log %s waits", 12, 7))

    assert line == {
        "event": "entry 12 of log 7 waits", "level": "warning", "logger": "invitations",
        "release": "1.0+abc", "entry_id": 12, "log_id": 7,
    }  # fmt: skip


def test_a_line_belongs_to_its_request():
    with bound_contextvars(request_id="a1b2c3d4", log_id=3):
        line = _as_json(_record("settled log 7"))

    assert (line["request_id"], line["log_id"]) == ("a1b2c3d4", 3)


def test_what_broke_stands_in_the_line():
    line = _as_json(_record("it broke", level=logging.ERROR, broke=_broken("what")))

    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("\nValueError: what")


@pytest.mark.parametrize("as_json", [True, False])
def test_nobody_is_named_wherever_they_stand(as_json):
    broke = _broken(f"Key (email)=({ADDRESS}) exists; see /invitation/Ab-_9")
    with bound_contextvars(q=f"search?{ADDRESS.replace('@', '%40')}"):
        line = formatter(as_json=as_json).format(_record("no %s", ADDRESS, broke=broke))

    assert "people" not in line
    assert "Ab-_9" not in line
    assert "Key (email)=(…) exists; see /invitation/…" in line


@pytest.mark.django_db
@pytest.mark.parametrize(
    "break_a_rule",
    [
        lambda ada: Member.objects.filter(pk=ada.pk).update(email=" UPPER "),
        lambda ada: Member.objects.filter(pk=MemberFactory().pk).update(email=ada.email),
        lambda ada: Member.objects.filter(pk=ada.pk).update(name=None, about="(so).\nI am"),
    ],
    ids=["check", "unique", "not null"],
)
def test_a_row_that_the_database_refuses_is_not_told(break_a_rule):
    """PostgreSQL names all that stands in it, the password as well."""
    ada = MemberFactory(name="Ada", surname="Lovelace", email=ADDRESS, password="secret-hash")
    try:
        with transaction.atomic():
            break_a_rule(ada)
    except IntegrityError:
        broke = sys.exc_info()

    line = formatter(as_json=True).format(_record("no", broke=broke))

    assert "IntegrityError" in line
    assert [word for word in ("Lovelace", "secret-hash", "people", "Ada") if word in line] == []


def test_as_text_it_is_one_sentence_and_then_what_is_known():
    with bound_contextvars(request_id="a1b2c3d4"):
        line = formatter(as_json=False).format(_record("entry %s waits", 12))

    at, _, rest = line.partition(" ")
    assert MOMENT.fullmatch(at)
    assert rest == (
        "WARNING invitations entry 12 waits entry_id=12 release=1.0+abc request_id=a1b2c3d4"
    )


def test_as_text_what_broke_comes_below():
    line = formatter(as_json=False).format(_record("it broke", broke=_broken("what")))

    first, second, *_, last = line.splitlines()
    assert first.endswith("WARNING invitations it broke release=1.0+abc")
    assert (second, last) == ("Traceback (most recent call last):", "ValueError: what")


@pytest.mark.django_db
def test_what_django_says_of_an_answer_belongs_to_its_request_too():
    handler = logging.getLogger().handlers[0]
    lines: list[str] = []
    handler.emit = lambda record: lines.append(formatter(as_json=True).format(record))

    Client().get("/nothing", headers={"X-Request-ID": "a1b2c3d4"})
    logging.getLogger("invitations").warning("afterwards")
    del handler.emit

    read = [json.loads(line) for line in lines]
    assert [(line["event"], line.get("request_id")) for line in read] == [
        ("Not Found: /nothing", "a1b2c3d4"),
        ("afterwards", None),
    ]
