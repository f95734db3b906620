"""The catalogs of what members read: all of it is translated, and what is not would be named."""

from __future__ import annotations

import re

import pytest
from babel.messages import Catalog

from codebar.local import messages


def catalog(*sentences: tuple[object, object], language: str | None = "de") -> Catalog:
    made = Catalog(locale=language)
    for sentence, translated in sentences:
        made.add(sentence, translated)
    return made


def problems(marked: object, translated: object) -> list[str]:
    found = messages.problems_between(
        catalog((marked, translated)), catalog((marked, ""), language=None)
    )
    return [what for what, _ in found]


def test_everything_that_members_read_is_translated():
    assert messages.problems() == []


def test_no_line_of_french_begins_with_a_mark():
    """A phone put ": qui es-tu ?" below "Presque fini": the space before it could break."""
    said = [message.string for message in messages.catalog_of("fr") if message.id]
    words = [text for each in said for text in ([each] if isinstance(each, str) else each)]

    assert [text for text in words if re.search(" [:;?!»]|« ", text)] == []


def test_sentences_are_found_in_pages_letters_and_code():
    found = messages.extracted()

    assert found.get("There is nothing here")  # in a tag's argument
    assert found.get("everybody at %(chapter)s")  # in a block of a letter's text
    assert found.get("%(number)s coach").id == ("%(number)s coach", "%(number)s coaches")
    assert found.get("See you on %(day)s")  # in Python, translated later
    assert found.get("Coach", "what one can do").id == found.get("Coach").id == "Coach"


@pytest.mark.parametrize(
    ("marked", "translated"),
    [
        ("Yes", "Ja"),
        ("Hello %(name)s", "Hallo %(name)s"),
        (("%(n)d place", "%(n)d places"), ("ein Platz", "%(n)d Plätze")),
        ('<a href="%(page)s">here</a>', 'gleich <a href="%(page)s">hier</a>'),
    ],
)
def test_a_good_translation_is_no_problem(marked, translated):
    assert problems(marked, translated) == []


@pytest.mark.parametrize(
    ("marked", "translated", "problem"),
    [
        ("Yes", "", "not translated"),
        (("%(n)d place", "%(n)d places"), ("%(n)d Platz", ""), "not translated"),
        ("Hello %(name)s", "Hallo", "other placeholders or tags"),
        ("Hello %(name)s", "Hallo %(Name)s", "other placeholders or tags"),
        ("Hello", "Hallo %(name)s", "other placeholders or tags"),
        (("%(n)d place", "%(n)d places"), ("%(n)d Platz", "Plätze"), "other placeholders or tags"),
        ("<strong>Now</strong>", "Jetzt", "other placeholders or tags"),
    ],
)
def test_a_bad_translation_is_named(marked, translated, problem):
    assert problems(marked, translated) == [problem]


def test_a_catalog_that_is_behind_the_sources_is_named():
    behind, sources = catalog(("Old", "Alt")), catalog(("New", ""), language=None)

    assert [what.partition(",")[0] for what, _ in messages.problems_between(behind, sources)] == [
        "not in the catalog",
        "not in the sources any more",
    ]
