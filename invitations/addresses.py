"""
Which addresses the site keeps for itself.

Every chapter has its page at `/SLUG`, as in planner; so no chapter may be called like a page that
exists, and no chapter's page may stand in the way of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import SlugConverter

FIRST_WORD = re.compile(r"\^?([a-zA-Z0-9_-]+)")


class ChapterSlug(SlugConverter):
    """
    The name of a chapter in an address, and none of the words with which other addresses begin.

    Refusing these, instead of only coming last, lets `/admin` still lead to `/admin/`.
    """

    def to_python(self, value: str) -> str:
        """:raises ValueError: which Django takes for "this address is somebody else's\""""
        if value in kept_words():
            raise ValueError(value)
        return value


@lru_cache(maxsize=1)
def kept_words() -> frozenset[str]:
    """The first words of all addresses that are fixed: "admin", "events", "workshops" …"""
    return frozenset(_first_words(get_resolver().url_patterns))


def _first_words(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if word := FIRST_WORD.match(str(pattern.pattern)):
            yield word[1]
        elif isinstance(pattern, URLResolver) and not str(pattern.pattern):
            yield from _first_words(pattern.url_patterns)
