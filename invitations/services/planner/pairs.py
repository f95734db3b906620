"""Rows of codebar for people of workshops: for these pairs alone, and not for each with each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

WANTED = "WITH wanted (workshop, member) AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))"


def rows_of(select: str, pairs: Iterable[tuple[int, int]]) -> list[tuple[Any, ...]]:
    """
    What this statement finds, in one question.

    :param select: SQL that joins `wanted`, which has the columns `workshop` and `member`
    """
    wanted = list(pairs)
    columns = [[workshop for workshop, _ in wanted], [member for _, member in wanted]]
    with connection.cursor() as cursor:
        cursor.execute(f"{WANTED} {select}", columns)
        return list(cursor.fetchall())
