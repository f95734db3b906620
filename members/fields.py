"""Columns that several apps have, and what PostgreSQL works out where a row is made."""

from __future__ import annotations

import uuid

from django.db import models


class RandomUUID(models.Func):
    """PostgreSQL's own random UUID, so that set-based inserts get one for each row."""

    function = "gen_random_uuid"
    template = "%(function)s()"
    output_field = models.UUIDField()


def request_key() -> models.UUIDField[uuid.UUID, uuid.UUID]:
    """
    What one sent form is known by. The form carries it, so that a form that arrives twice (a
    double tap, a lost answer) finds the row that it made the first time.
    """
    return models.UUIDField(
        unique=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False
    )
