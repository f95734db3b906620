"""Somebody who is told of alerts, by mail, in a chat and by a pager; and time that goes by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from logs.models import (
    Alert,
    InvitationLog,
    InvitationLogEntry,
)
from tests.factories import (
    InvitationLogEntryFactory,
)
from tests.support.http_sink import HttpSink
from tests.support.smtp_sink import SmtpSink


@pytest.fixture
def told_nobody(broker_url: str, settings: Settings) -> None:
    settings.BROKER_URL = broker_url
    settings.WATCH_SECONDS = 0


@pytest.fixture
def chat() -> Iterator[HttpSink]:
    sink = HttpSink().start()
    yield sink
    sink.stop()


@pytest.fixture
def pager() -> Iterator[HttpSink]:
    sink = HttpSink().start()
    yield sink
    sink.stop()


@pytest.fixture
def on_call(sink: SmtpSink, chat: HttpSink, pager: HttpSink, settings: Settings) -> None:
    """Somebody can be told in every way."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    settings.ALERT_EMAILS = ["amina@ops.example"]
    settings.ALERT_WEBHOOK_URL, settings.PAGER_WEBHOOK_URL = chat.url, pager.url
    settings.RELEASE = "1.2+abc"


def minutes_ago(minutes: float):
    return timezone.now() - timedelta(minutes=minutes)


def later(time: timedelta) -> None:
    """So much time goes by for every alert."""
    Alert.objects.update(
        began_at=F("began_at") - time,
        tell_at=F("tell_at") - time,
        ended_at=F("ended_at") - time,
        mailed_at=F("mailed_at") - time,
        posted_at=F("posted_at") - time,
        paged_at=F("paged_at") - time,
    )


def going_on() -> dict[str, dict[str, object]]:
    """The numbers of each alert that is not over, by its kind."""
    return dict(Alert.objects.filter(ended_at=None).values_list("kind", "numbers"))


def waiting(log: InvitationLog, *, minutes: float, count: int = 1) -> list[InvitationLogEntry]:
    moment = minutes_ago(minutes)
    return InvitationLogEntryFactory.create_batch(
        count, log=log, due_at=moment, created_at=moment, changed_at=moment
    )
