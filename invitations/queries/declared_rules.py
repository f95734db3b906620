"""
Whether PostgreSQL keeps the rules that the models declare.

A rule that is only in the models refuses nothing: planner's invitations were unique in its code,
and twice in its tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import connection, models
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.expressions import RawSQL

from invitations.queries.auditing import Breach

_APPS = ("members", "chapters", "logs", "invitations")

_INDEXES = """
    SELECT t.relname, i.relname,
        array_agg(coalesce(a.attname, '') ORDER BY k.nr), x.indnullsnotdistinct,
        coalesce(pg_get_expr(x.indpred, x.indrelid), '')
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class t ON t.oid = x.indrelid
    CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, nr)
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum AND k.attnum > 0
    WHERE x.indisunique AND x.indisvalid AND x.indisready AND x.indislive
        AND t.relnamespace = current_schema()::regnamespace AND k.nr <= x.indnkeyatts
    GROUP BY t.relname, i.relname, x.indnullsnotdistinct, x.indpred, x.indrelid
"""
_CHECKS = """
    SELECT conname FROM pg_constraint
    WHERE contype = 'c' AND convalidated AND connamespace = current_schema()::regnamespace
"""


@dataclass(frozen=True)
class _Index:
    name: str
    columns: tuple[str, ...]
    nulls_are_equal: bool
    predicate: str


def broken_rules() -> Iterator[Breach]:
    """Every rule of uniqueness without its index, and every other rule that nothing checks."""
    indexes = _indexes()
    checks = _checks()
    for model in _models():
        there = indexes.get(model._meta.db_table, [])
        for columns in _unique_together(model):
            if not any(i.columns == columns and not i.predicate for i in there):
                name = f"{model._meta.db_table} ({', '.join(columns)})"
                yield Breach("no_index", is_open=False, reason=f"no unique index on {name}")
        for rule in model._meta.constraints:
            if isinstance(rule, models.UniqueConstraint) and (why := _lack(model, rule, there)):
                yield Breach("no_index", is_open=False, reason=f"{rule.name}: {why}")
            elif isinstance(rule, models.CheckConstraint) and rule.name not in checks:
                reason = f"{rule.name}: PostgreSQL does not check it"
                yield Breach("no_check", is_open=False, reason=reason)


def _models() -> list[type[models.Model]]:
    """Ours, with the tables between two of them that Django makes by itself."""
    return [
        model
        for app in _APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]


def _unique_together(model: type[models.Model]) -> Iterator[tuple[str, ...]]:
    for field in model._meta.local_fields:
        if field.unique:
            yield _columns(model, [field.name])
    for names in model._meta.unique_together:
        yield _columns(model, names)


def _lack(model: type[models.Model], rule: models.UniqueConstraint, there: list[_Index]) -> str:
    """What the index of this rule lacks; nothing where it keeps the rule."""
    index = next((index for index in there if index.name == rule.name), None)
    if index is None:
        return "there is no such unique index, or it is not valid"
    if index.columns != _columns(model, rule.fields):
        return f"its index is on {', '.join(index.columns)}"
    if rule.nulls_distinct is False and not index.nulls_are_equal:
        return "its index lets any number of rows without a value pass"
    if not _is_same(model, rule.condition, index.predicate):
        return f"its index is only where {index.predicate or 'nothing is asked'}"
    return ""


def _columns(model: type[models.Model], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(model._meta.get_field(name).column) for name in names)  # type: ignore[union-attr]


def _is_same(model: type[models.Model], condition: Q | None, predicate: str) -> bool:
    """Whether PostgreSQL writes both in the same words, once it has read them."""
    if condition is None or not predicate:
        return condition is None and not predicate
    both = model._base_manager.values_list(
        ExpressionWrapper(condition, output_field=BooleanField()),
        RawSQL(predicate, (), output_field=BooleanField()),  # noqa: S611 -- PostgreSQL's own words
    ).order_by()
    (plan,) = json.loads(both.explain(format="json", verbose=True))
    declared, there = plan["Plan"]["Output"]
    return bool(declared == there)


def _indexes() -> dict[str, list[_Index]]:
    found: dict[str, list[_Index]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES)
        for table, name, columns, nulls_are_equal, predicate in cursor.fetchall():
            index = _Index(name, tuple(columns), nulls_are_equal, predicate)
            found.setdefault(table, []).append(index)
    return found


def _checks() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_CHECKS)
        return {name for (name,) in cursor.fetchall()}
