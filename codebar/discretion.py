"""Logs hold ids, not people, and no key to anybody's page."""

import logging
import re

TOKEN_IN_PATH = re.compile(r"/(invitation|unsubscribe)/[^/\s?]+")


class HideTokens(logging.Filter):
    """Whoever reads a log must not be able to answer or unsubscribe for a member."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = TOKEN_IN_PATH.sub(r"/\1/…", record.getMessage())
        record.args = None
        return True
