"""
Telling people that something is wrong, and that it is over: by mail to ALERT_EMAILS, to
ALERT_WEBHOOK_URL, and what cannot wait also to PAGER_WEBHOOK_URL.

Whatever began or ended since the last time is one message. It holds ids and numbers, no people,
and is no entry of the ledger (DESIGN §2): it must leave when the ledger is what is wrong. A way
that fails is tried again after a minute, two, four…, at most an hour, and the others are not told
twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse

from logs import clock
from logs.models import Alert, Severity
from logs.services import alerts

logger = logging.getLogger(__name__)

PAUSE = timedelta(minutes=2)  # between two mails, so that a storm is few of them
LATELY = timedelta(days=1)  # who has not heard of it by then need not hear that it was
LONGEST_DELAY_MINUTES = 60
WEBHOOK_SECONDS = 3
MOST_NAMED = 20  # in one message


@dataclass(frozen=True)
class News:
    """One alert as it is told: that it began, or that it is over."""

    alert: Alert

    @property
    def is_over(self) -> bool:
        return self.alert.ended_at is not None

    @property
    def title(self) -> str:
        return alerts.title(self.alert)

    @property
    def sentence(self) -> str:
        return alerts.sentence(self.alert)

    @property
    def is_urgent(self) -> bool:
        return self.alert.severity == Severity.PAGE

    @property
    def runbook(self) -> str:
        """The address of what to do."""
        return f"{_address('runbook')}#{self.alert.kind}"

    @property
    def page(self) -> str:
        """The address of what it is about: its log, or the operations page."""
        log = self.alert.log
        if log is None or log.workshop_id is None:
            return _address("operations")
        return _address("invitation_log", log.workshop_id, log.pk)

    def as_dict(self) -> dict[str, Any]:
        alert = self.alert
        return {
            "kind": alert.kind,
            "key": alert.key,
            "severity": alert.severity,
            "state": "over" if self.is_over else "began",
            "title": self.title,
            "sentence": self.sentence,
            "numbers": alert.numbers,
            "log": alert.log_id,
            "release": alert.release,
            "began_at": alert.began_at.isoformat(),
            "ended_at": alert.ended_at.isoformat() if alert.ended_at else None,
            "page": self.page,
            "runbook": self.runbook,
        }


@dataclass(frozen=True)
class _Way:
    """A way to tell people; `told_at` is the field that says what it told when."""

    told_at: str
    tell: Callable[[Sequence[News]], None]
    urgent_only: bool = False

    @property
    def untold(self) -> Q:
        untold = Q(**{f"{self.told_at}__isnull": True}) | Q(ended_at__gt=F(self.told_at))
        return untold & Q(severity=Severity.PAGE) if self.urgent_only else untold

    def is_untold(self, alert: Alert) -> bool:
        if self.urgent_only and alert.severity != Severity.PAGE:
            return False
        told_at: datetime | None = getattr(alert, self.told_at)
        return told_at is None or (alert.ended_at is not None and alert.ended_at > told_at)


def unheard() -> str:
    """Why an alert would not be heard, or not in the night; "" where somebody is told."""
    if settings.PAGER_WEBHOOK_URL:
        is_read = settings.ALERT_EMAILS or settings.ALERT_WEBHOOK_URL
        return "" if is_read else "Only what cannot wait is told: ALERT_EMAILS is empty."
    if settings.ALERT_EMAILS or settings.ALERT_WEBHOOK_URL:
        return "What cannot wait wakes nobody: PAGER_WEBHOOK_URL is empty."
    return "Nobody is told when something is wrong: ALERT_EMAILS and PAGER_WEBHOOK_URL are empty."


def warn_where_unheard() -> None:
    """A line of the log, for whoever starts codebar in production."""
    if not settings.DEBUG and (why := unheard()):
        logger.warning(why)


def is_due() -> bool:
    """Whether something is to be told now."""
    ways = _ways()
    return bool(ways) and _untold(ways).exists()


def tell() -> None:
    """Tell what began and what is over. Told by two at once, it is told once."""
    ways = _ways()
    taken, at = _take(ways)
    failed = [way for way in ways if not _tell(way, taken, at=at)]
    if taken and not failed:
        Alert.objects.filter(pk__in=[alert.pk for alert in taken]).update(tries=0)


def _ways() -> list[_Way]:
    """Those that are set; not by mail while the last one left a moment ago."""
    ways = []
    if settings.PAGER_WEBHOOK_URL:
        ways.append(_Way("paged_at", _page, urgent_only=True))
    if settings.ALERT_WEBHOOK_URL:
        ways.append(_Way("posted_at", _post))
    if settings.ALERT_EMAILS and not Alert.objects.filter(mailed_at__gt=Now() - PAUSE).exists():
        ways.append(_Way("mailed_at", _mail))
    return ways


def _untold(ways: Sequence[_Way]) -> QuerySet[Alert]:
    by_any = Q()
    for way in ways:
        by_any |= way.untold
    is_news = Q(ended_at__isnull=True) | Q(ended_at__gt=Now() - LATELY)
    return Alert.objects.filter(is_news, by_any, tell_at__lte=Now())


@transaction.atomic
def _take(ways: Sequence[_Way]) -> tuple[list[Alert], datetime]:
    """
    What is to be told, and the moment as of which it is. Nobody else gets the same before the
    next try is due; whoever dies in between leaves it to that.
    """
    at = clock.now()
    if not ways:
        return [], at
    taken = list(
        _untold(ways).select_related("log").select_for_update(skip_locked=True, of=("self",))
    )
    for alert in taken:
        minutes = min(2 ** min(alert.tries, 10), LONGEST_DELAY_MINUTES)
        Alert.objects.filter(pk=alert.pk).update(
            tries=F("tries") + 1, tell_at=at + timedelta(minutes=minutes)
        )
    return taken, at


def _tell(way: _Way, taken: Sequence[Alert], *, at: datetime) -> bool:
    """Whether nothing is left to tell this way."""
    untold = [alert for alert in taken if way.is_untold(alert)]
    if not untold:
        return True
    try:
        way.tell([News(alert) for alert in sorted(untold, key=_most_urgent_first)])
    except Exception as error:  # noqa: BLE001 -- no way may silence the others
        # The message of an error may hold the address of a webhook, which is a secret.
        kind = type(error).__name__
        logger.error("%s alerts could not be told (%s)", len(untold), kind)  # noqa: TRY400 -- ditto
        return False
    Alert.objects.filter(pk__in=[alert.pk for alert in untold]).update(**{way.told_at: at})
    logger.info("told %s alerts", len(untold))
    return True


def _most_urgent_first(alert: Alert) -> tuple[bool, bool, datetime]:
    return alert.ended_at is not None, alert.severity != Severity.PAGE, alert.began_at


def _mail(news: Sequence[News]) -> None:
    EmailMessage(
        subject=_headline(news),
        body=_text(news),
        to=settings.ALERT_EMAILS,
        headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no answers from holidays
    ).send()


def _post(news: Sequence[News]) -> None:
    _post_to(settings.ALERT_WEBHOOK_URL, news)


def _page(news: Sequence[News]) -> None:
    _post_to(settings.PAGER_WEBHOOK_URL, news)


def _post_to(address: str, news: Sequence[News]) -> None:
    """`text` is what chat programs show; the rest is for programs."""
    with requests.post(
        address,
        json={
            "text": f"{_headline(news)}\n\n{_text(news)}",
            "release": settings.RELEASE,
            "alerts": [one.as_dict() for one in news],
        },
        timeout=WEBHOOK_SECONDS,
        allow_redirects=False,
        stream=True,
    ) as response:
        if not 200 <= response.status_code < 300:
            raise requests.HTTPError(f"it said {response.status_code}")


def _headline(news: Sequence[News]) -> str:
    """Such as "codebar, now: Letters wait too long, and 2 more"."""
    first = news[0]
    urgency = "over" if first.is_over else Severity(first.alert.severity).label
    more = f", and {len(news) - 1} more" if len(news) > 1 else ""
    return f"codebar, {urgency}: {first.title}{more}"


def _text(news: Sequence[News]) -> str:
    return render_to_string(
        "invitations/emails/alerts.txt",
        {
            "news": news[:MOST_NAMED],
            "unnamed": max(len(news) - MOST_NAMED, 0),
            "release": settings.RELEASE,
            "operations": _address("operations"),
        },
    )


def _address(name: str, *args: object) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}"
