"""
How often something happened, minute by minute: what is noticed too often to be a line of its own.

It counts beside the work, and never instead of it: whatever breaks here is logged and forgotten.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import Error, connection, transaction
from django.db.models import Sum

from logs.models import Tally

logger = logging.getLogger(__name__)

SERVER_ERRORS = "server_errors"  # answers of 500 and above


def count(name: str, *, by: int = 1) -> None:
    """
    One more of these in this minute. Never raises.

    Inside a transaction it is undone together with that, and whoever counts the same meanwhile
    waits for its end: so a refusal is counted after it, and nothing in a long one.

    :param name: at most 60 characters, such as "server_errors"
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO logs_tally (name, minute, count)
                VALUES (%s, date_trunc('minute', now()), %s)
                ON CONFLICT (name, minute) DO UPDATE SET count = logs_tally.count + excluded.count
                """,
                [name, by],
            )
    except Error as error:
        logger.warning("%s more %s were not counted (%s)", by, name, type(error).__name__)


def counted(name: str, *, since: datetime) -> int:
    """How many of these there were since then; the minute of `since` counts as a whole."""
    minutes = Tally.objects.filter(name=name, minute__gte=since.replace(second=0, microsecond=0))
    return minutes.aggregate(all=Sum("count"))["all"] or 0
