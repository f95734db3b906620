"""Whether English is left on a page, or in a letter, that should be in another language."""

from __future__ import annotations

import re
from html import unescape

# Words that English sentences can hardly do without, and German and French do not have.
WORDS = (
    "the and or you your yours we our ours us it is are was were be been have has had"
    " would can cannot could should do does did not this that these those there here with"
    " without from for to by as at if when where what who how why which yes no please thank"
    " more than any some all each every other others only about after before again"
)
# Those of them that German or French do have, with another meaning.
THEIRS = "or us was to as at all no are has do"
ENGLISH = re.compile(rf"\b({'|'.join(sorted(set(WORDS.split()) - set(THEIRS.split())))})\b", re.I)
UNSEEN = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->", re.S)
IN_ANOTHER_LANGUAGE = re.compile(r"<(\w+)[^>]*\blang=\"en[^>]*>.*?</\1>", re.S)
READ_ALOUD = re.compile(r"\b(?:aria-label|title|alt|placeholder|content)=\"([^\"]*)\"")
ADDRESSES = re.compile(r"https?://\S+|\S+@\S+")


def english_in(html: str) -> list[str]:
    """Each piece of text that has an English word in it, also where only screen readers say it."""
    html = IN_ANOTHER_LANGUAGE.sub(" ", UNSEEN.sub(" ", html))
    pieces = [*READ_ALOUD.findall(html), *re.split(r"<[^>]*>|\n\s*\n", html)]
    texts = (" ".join(ADDRESSES.sub(" ", unescape(piece)).split()) for piece in pieces)
    return [text for text in texts if ENGLISH.search(text)]
