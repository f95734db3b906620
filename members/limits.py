"""
How often one may try: to sign in, to guess a link, to answer, to search, to write to many.

Counted in the cache by the minute, for each address of the network and for each account: a member,
a link of a letter, or the e-mail address somebody types. Whoever asks for codes to somebody else's
uses up their own tries with it, and not those of its owner, who asks from elsewhere. An evening's
worth of people behind one router stays below all of it. Where the cache does not answer nobody can
be counted, and everybody may go on: that somebody can sign in and say no to an evening matters
more. Then it is left alone for half a minute, so that a silent one slows down nobody twice.

Behind a proxy (BEHIND_PROXY) the address is the one that the proxy itself has seen; whatever else a
request says about where it comes from is not believed.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any, cast

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

IPV6_HOME = 64  # bits: whoever has one address of IPv6 has as many as they like
SILENCE_SECONDS = 30

_silent_until: dict[str, float] = {}  # by the address of the cache


@dataclass(frozen=True)
class Limit:
    """
    So many tries a minute from one address of the network, by one account, and by one account from
    one address; 0: any number.
    """

    name: str
    per_address: int
    per_account: int = 0
    per_pair: int = 0


CODES = Limit("codes", per_address=20, per_account=15, per_pair=3)
SIGN_IN = Limit("sign_in", per_address=60, per_account=10)
WRONG_LINKS = Limit("wrong_links", per_address=60)
ANSWERS = Limit("answers", per_address=600, per_account=30)
SEARCHES = Limit("searches", per_address=300, per_account=120)
BATCHES = Limit("batches", per_address=240, per_account=60)

LIMITS = {limit.name: limit for limit in (CODES, SIGN_IN, WRONG_LINKS, ANSWERS, SEARCHES, BATCHES)}


def take(limit: Limit, request: HttpRequest, *, account: str = "") -> int:
    """
    Count one try.

    :returns: how many seconds to wait until the next one is allowed; 0 where this one is
    """
    return _ask(limit, request, account=account, counts=True)


def left(limit: Limit, request: HttpRequest) -> int:
    """What `take` would return, without a try."""
    return _ask(limit, request, account="", counts=False)


def _ask(limit: Limit, request: HttpRequest, *, account: str, counts: bool) -> int:
    address = _address(request)
    tries = [  # an account last, so that what is refused before it does not count against it
        (limit.per_address, "address", address),
        (limit.per_pair, "pair", f"{address} {account}" if address and account else ""),
        (limit.per_account, "account", account),
    ]
    cache: str = _cache()["LOCATION"]
    if time.monotonic() < _silent_until.get(cache, 0):
        return 0
    try:
        for allowed, kind, whose in tries:
            if not allowed or not whose:
                continue
            wait = _wait(RateLimitItemPerMinute(allowed), (limit.name, kind, whose), counts=counts)
            if wait:
                logger.warning("too many %s for one %s", limit.name, kind)
                return wait
    except RedisError as error:
        _silent_until[cache] = time.monotonic() + SILENCE_SECONDS
        logger.warning("nobody is counted: the cache does not answer (%s)", type(error).__name__)
    return 0


def _wait(allowed: RateLimitItemPerMinute, key: tuple[str, str, str], *, counts: bool) -> int:
    name, kind, whose = key
    counter = _counter()
    secret = salted_hmac("members.limits", whose).hexdigest()  # the cache learns no address
    ask = counter.hit if counts else counter.test
    if ask(allowed, name, kind, secret):
        return 0
    until = counter.get_window_stats(allowed, name, kind, secret).reset_time
    return max(ceil(until - time.time()), 1)


def _address(request: HttpRequest) -> str:
    """Of IPv6 its network, since that is what one customer has; nothing where there is none."""
    try:
        address = ipaddress.ip_address(get_adapter().get_client_ip(request))
    except PermissionDenied:  # a socket without an address, and no proxy that tells
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_HOME), strict=False))
    return str(address)


def _cache() -> dict[str, Any]:
    return cast("dict[str, Any]", settings.CACHES["default"])


def _counter() -> MovingWindowRateLimiter:
    cache = _cache()
    options = tuple(sorted(cache.get("OPTIONS", {}).items()))
    return _counter_in(cache["LOCATION"], cache.get("KEY_PREFIX", ""), options)


@lru_cache(maxsize=1)
def _counter_in(
    url: str, prefix: str, options: tuple[tuple[str, Any], ...]
) -> MovingWindowRateLimiter:
    more: dict[str, Any] = dict(options) | {"retry": Retry(NoBackoff(), 0)}
    return MovingWindowRateLimiter(RedisStorage(url, key_prefix=f"{prefix}:limits", **more))
