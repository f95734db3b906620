"""Columns that several apps have, and what PostgreSQL works out where a row is made."""

from __future__ import annotations

import uuid

from django.db import models


class RandomUUID(models.Func):
    """PostgreSQL's own random UUID, so that set-based inserts get one for each row."""

    function = "gen_random_uuid"
    template = "%(function)s()"
    output_field = models.UUIDField()


class OrderedUUID(models.Func):
    """
    A UUID of version 7 (RFC 9562): the time in front, so that a batch of rows fills the last pages
    of its index and not all of them in turn. A name, and no secret: `random()` costs a tenth of
    PostgreSQL's strong source.

    PostgreSQL has one of its own from version 18 on.
    """

    template = (
        "encode(int8send("
        "((date_part('epoch', clock_timestamp()) * 1000)::bigint << 16)"
        " | 28672 | (random() * 4095)::int"
        ") || int8send(-9223372036854775807 + (random() * 4611686018427387900)::bigint), 'hex')"
        "::uuid"
    )
    output_field = models.UUIDField()


def request_key() -> models.UUIDField[uuid.UUID, uuid.UUID]:
    """
    What one sent form is known by. The form carries it, so that a form that arrives twice (a
    double tap, a lost answer) finds the row that it made the first time.
    """
    return models.UUIDField(
        unique=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False
    )
