"""Logs hold ids, not people, and no key to anybody's page."""

import logging
import re

# As a path, or as the page to come back to within another address, where slashes may be escaped.
TOKEN_IN_PATH = re.compile(
    r"((?:/|%2F)(?:(?:workshop_)?invitation|feedback)(?:/|%2F))"
    r"[\s\"']*(?:%(?!2F)|[^%/\s?&\"'])+",
    re.IGNORECASE,
)
# Base64, of which planner's links are made, may hold slashes.
SIGNED_IN_PATH = re.compile(r"((?:/|%2F)unsubscribe(?:/|%2F))[\s\"']*[^\s?&\"']+", re.IGNORECASE)

# Also within a longer word, such as a search or what a database says about a row.
ADDRESS = re.compile(
    r"""[^\s@<>()\[\]{},;:=?&/"'“”\\|]+(?:@|%40)[\w-]+(?:\.[\w-]+)+""", re.IGNORECASE
)

# What PostgreSQL adds to a rule that was broken: all that stands in the row, or in its key.
ROW = re.compile(r"(Failing row contains )\(.*?\)\.$", re.DOTALL | re.MULTILINE)
KEY = re.compile(r"(Key \([^)\n]*\)=)\(.*?\)(?= (?:already|is|conflicts)\b)", re.DOTALL)


def hidden(text: str) -> str:
    """
    The text without anybody's address, without the tokens that open a member's page, and without
    what stands in a row that the database refused.

    Whoever reads a log must neither learn who somebody is nor be able to answer for them.
    """
    text = KEY.sub(r"\1(…)", ROW.sub(r"\1(…).", text))
    for tokens in (TOKEN_IN_PATH, SIGNED_IN_PATH):
        text = tokens.sub(r"\1…", text)
    return ADDRESS.sub("…", text)


class HideTokens(logging.Filter):
    """For every handler: what it is told is `hidden`. A traceback is the formatter's to hide."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = hidden(record.getMessage())
        record.args = None
        return True
