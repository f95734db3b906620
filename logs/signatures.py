"""
A signature that covers a moment and a token, and not what is told: how long and for what it holds.

Mailgun signs so. Without this, whoever saw one of its requests could tell whatever they like with
its signature, for ever. Mailgun advises both: to look at the moment, and to keep what was used.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError


class Outworn(Exception):
    """Of another time, or used for something else before."""


class CannotBeChecked(Exception):
    """The cache, which keeps the signatures, does not answer: whoever asks may ask again."""


def use(signature: str, *, signed_at: float, told: bytes, at: datetime) -> None:
    """
    Use up a signature for what is told. The same again is no misuse: a provider repeats what was
    not taken, with the signature of the first time.

    :param signature: and not its token, since where in what it covers the moment ends is not signed
    :param signed_at: in seconds since 1970
    :raises Outworn: when it is more than BOUNCE_HOURS old, or that far ahead, or tells anything
        else than the first time
    :raises CannotBeChecked: and nothing is used up
    """
    seconds = settings.BOUNCE_HOURS * 3600
    if not abs(at.timestamp() - signed_at) <= seconds:
        raise Outworn
    name = f"signature:{hashlib.sha256(signature.encode()).hexdigest()}"
    content = hashlib.sha256(told).hexdigest()
    try:
        # As long as its moment is believed, which may lie ahead.
        is_first = cache.add(name, content, timeout=2 * seconds)
        if not is_first and cache.get(name) != content:
            raise Outworn
    except RedisError as error:
        raise CannotBeChecked from error
