"""Redis as the doorbell, asked how it is; nothing that must not be lost depends on the answer."""

from __future__ import annotations

import redis
from django.conf import settings

SECONDS = 0.3  # so long it may take to answer


def client() -> redis.Redis:
    """A connection of its own, to be closed; asking raises `redis.RedisError` where it is away."""
    return redis.Redis.from_url(
        settings.BROKER_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
    )
