"""Sentry is told what broke and in which release, and nobody's name, address, words or token."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import BadDsn
from structlog.contextvars import get_contextvars

from codebar import discretion


def start(dsn: str, *, release: str) -> None:
    """
    Tell it of every exception and every line of the log that is an error, from now on.

    What frames hold and what was typed is not sent: names and letters are in there.

    :raises ImproperlyConfigured: when the address names no project or no key
    """
    try:
        sentry_sdk.init(
            dsn,
            release=release,
            before_send=name_nobody,
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
        )
    except BadDsn as error:
        raise ImproperlyConfigured("SENTRY_DSN must look like https://key@host/1") from error


def name_nobody(event: Event, _hint: Hint) -> Event:
    """As our own lines are (`discretion.hidden`), with the request and the ids that these carry."""
    asked = event.pop("request", {})
    event.pop("user", None)
    if asked:
        url = str(asked.get("url", ""))
        event["request"] = {"method": asked.get("method"), "url": urlsplit(url).path}
    tags = {str(key): str(value) for key, value in get_contextvars().items()}
    event["tags"] = {**dict(event.get("tags") or {}), **tags}
    hidden: Event = _hidden(event)
    return hidden


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return discretion.hidden(value)
    if isinstance(value, dict):
        return {key: _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(inner) for inner in value]
    return value
