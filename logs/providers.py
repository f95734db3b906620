"""
What a provider of mail tells about our letters, by django-anymail: who may tell it, and what it
means.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailersend import MailerSendTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.mailtrap import MailtrapTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from logs import reports, signatures
from logs.models import Bounce
from logs.reports import Report

USER = "codebar"

# Those that sign what they tell have a key for it; the others send the password of our address.
_WITH_A_PASSWORD = {
    "brevo": BrevoTrackingWebhookView,
    "mailjet": MailjetTrackingWebhookView,
    "postmark": PostmarkTrackingWebhookView,
    "sparkpost": SparkPostTrackingWebhookView,
}
_SIGNED = {
    "mailersend": (MailerSendTrackingWebhookView, "signing_secret"),
    "mailgun": (MailgunTrackingWebhookView, "webhook_signing_key"),
    "mailtrap": (MailtrapTrackingWebhookView, "tracking_secret"),
}
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_LONGEST_EVENT = 200


class Forged(Exception):
    """Whoever asked does not know the secret, or knows only a signature that was used before."""


class Unreadable(Exception):
    """Not what this provider sends."""


@dataclass(frozen=True)
class Told:
    """One letter came back or was complained about. `message_id` is its uuid, or "" if unknown."""

    report: Report
    recipient: str
    message_id: str
    event: str


def what_is_told(request: HttpRequest) -> list[Told]:
    """
    What BOUNCE_PROVIDER tells by this request, without what is none of our business here.

    :raises Forged: when the request does not prove that it comes from there
    :raises Unreadable: when it makes no sense
    :raises signatures.CannotBeChecked: when it is to be told again later
    """
    if request.content_type != "application/json":
        raise Unreadable
    view = _view()
    try:
        view.run_validators(request)
        _use_up_signature(request)
        return [told for event in view.parse_events(request) if (told := _told(event))]
    except (AnymailWebhookValidationFailure, signatures.Outworn) as failure:
        raise Forged from failure
    except (AnymailError, ArithmeticError, AttributeError, LookupError) as error:
        raise Unreadable from error
    except (OSError, RecursionError, TypeError, ValueError) as error:
        raise Unreadable from error


def _view() -> Any:
    provider, secret = settings.BOUNCE_PROVIDER, settings.BOUNCE_SECRET
    if provider in _SIGNED:
        view, name = _SIGNED[provider]
        return view(webhook_secret=[], **{name: secret})
    return _WITH_A_PASSWORD[provider](webhook_secret=f"{USER}:{secret}")


def _use_up_signature(request: HttpRequest) -> None:
    """Mailgun's covers nothing of what it tells; the others' cover all of it, or are a password."""
    if settings.BOUNCE_PROVIDER != "mailgun":
        return
    signed = json.loads(request.body)["signature"]
    signatures.use(
        signed["signature"],
        signed_at=float(signed["timestamp"]),
        told=request.body,
        at=timezone.now(),
    )


def _told(event: AnymailTrackingEvent) -> Told | None:
    report = _report(event)
    recipient = _text(event.recipient)
    if report is None or not recipient:
        return None
    return Told(report, recipient, message_id=_message_id(event), event=_event_number(event))


def _report(event: AnymailTrackingEvent) -> Report | None:
    """Providers word it differently; the code of the mail server behind them decides, if any."""
    unwanted = (RejectReason.SPAM, RejectReason.UNSUBSCRIBED)
    policy = (RejectReason.SPAM, RejectReason.BLOCKED)
    match event.event_type:
        case EventType.COMPLAINED if _is_from_a_filter(event):
            return Report(Bounce.Kind.SOFT, reports.UNNAMED_POLICY)
        case EventType.COMPLAINED:
            return Report(Bounce.Kind.COMPLAINT)
        case EventType.REJECTED if event.reject_reason in unwanted:
            return Report(Bounce.Kind.COMPLAINT)
        case EventType.BOUNCED | EventType.REJECTED:
            said = f"{_text(event.mta_response)} {_text(event.description)}"
            code = reports.code_in(said)
            if not code and event.reject_reason in policy:
                code = reports.UNNAMED_POLICY
            is_invalid = event.reject_reason == RejectReason.INVALID
            return Report(Bounce.Kind.HARD if is_invalid else reports.kind_of(code), code)
    return None


def _is_from_a_filter(event: AnymailTrackingEvent) -> bool:
    """Whether a program took it for spam and no person (Postmark's name, beside SpamComplaint)."""
    return bool(event.esp_event.get("Type") == "SpamNotification")


def _message_id(event: AnymailTrackingEvent) -> str:
    """Ours, wherever the provider repeats it: each has a field of its own for it, or none."""
    host = re.escape(urlsplit(settings.SITE_URL).hostname or "")
    said = f"{event.message_id} {json.dumps(event.esp_event, default=str)}"
    found = re.search(rf"({_UUID})@{host}\b", said, re.IGNORECASE)
    return found[1].lower() if found else ""


def _event_number(event: AnymailTrackingEvent) -> str:
    """The provider's own, or else one made of what it tells: the same event, the same number."""
    number = _text(event.event_id)
    if number and len(number) <= _LONGEST_EVENT:
        return number
    told = [event.event_type, event.recipient, event.message_id, event.timestamp]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


def _text(value: object) -> str:
    """What was sent, as text that PostgreSQL can hold; nothing of what is no text at all."""
    if not isinstance(value, str | int):
        return ""
    return str(value).replace("\x00", "").encode("utf-8", "ignore").decode()
