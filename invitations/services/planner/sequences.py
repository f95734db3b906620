"""Room for planner's ids: what is made here meanwhile, or later, gets a number beyond them."""

from __future__ import annotations

from django.apps import apps
from django.db import connection

from invitations.services.planner.bookkeeping import SAME_IDS
from invitations.services.planner.source import Source

OUR_APPS = ("members", "chapters", "logs", "invitations", "socialaccount")


def make_room(planner: Source) -> None:
    """
    Every sequence goes on beyond planner's highest id, or where it was.

    ALTER SEQUENCE and not setval, since it is undone with its transaction: a dry run leaves the
    sequences as they were, also those that it used.
    """
    taken = {model._meta.db_table: planner.highest_id(table) for table, model in SAME_IDS.items()}
    with connection.cursor() as cursor:
        for name, table in _sequences():
            cursor.execute(f"SELECT last_value + is_called::int FROM {name}")  # noqa: S608 -- from the catalogue
            (following,) = cursor.fetchone() or (1,)
            following = max(following, taken.get(table, 0) + 1)
            cursor.execute(f"ALTER SEQUENCE {name} RESTART WITH {following}")


def _sequences() -> list[tuple[str, str]]:
    """Each sequence of ours, with the table whose ids it counts."""
    models = [
        model
        for app in OUR_APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    ]
    with connection.cursor() as cursor:
        return [
            (str(sequence["name"]), model._meta.db_table)
            for model in models
            for sequence in connection.introspection.get_sequences(cursor, model._meta.db_table)
        ]
