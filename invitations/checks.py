"""What `manage.py check --deploy` asks besides Django's own list."""

from __future__ import annotations

from typing import Any

import redis
from django.core.checks import CheckMessage, Warning, register  # noqa: A004 -- Django's name

from logs import broker


@register(deploy=True)
def somebody_hears_alerts(**_: Any) -> list[CheckMessage]:
    from invitations.services import telling

    why = telling.unheard()
    hint = "See “How alerts work” in docs/runbook.md."
    return [Warning(why, hint=hint, id="invitations.W001")] if why else []


@register(deploy=True)
def the_broker_keeps_what_it_was_given(**_: Any) -> list[CheckMessage]:
    """One that does not answer is not known: the check may run where it cannot be reached."""
    try:
        with broker.client() as client:
            policy = client.info("memory").get("maxmemory_policy", "noeviction")
    except redis.RedisError:
        return []
    if policy == "noeviction":
        return []
    why = f"The broker throws bells away when its memory is full ({policy})."
    return [Warning(why, hint="Set maxmemory-policy noeviction.", id="invitations.W002")]
