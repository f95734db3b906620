"""What providers of mail tell by webhooks, as each of them words it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from logs.models import Bounce, EntryStatus, InvitationLogEntry, Tally
from members.models import Member
from tests.factories import InvitationLogEntryFactory, MemberFactory

pytestmark = pytest.mark.django_db

SECRET = "a-secret-that-nobody-guesses"
HARD, SOFT, COMPLAINT = Bounce.Kind.HARD, Bounce.Kind.SOFT, Bounce.Kind.COMPLAINT
AMINA = "amina@people.example"
NO_USER = "550 5.1.1 The email account that you tried to reach does not exist."


@pytest.fixture
def amina() -> Member:
    return MemberFactory(name="Amina", email=AMINA)


@pytest.fixture
def letter(amina, settings) -> InvitationLogEntry:
    settings.SITE_URL = "https://codebar.example"
    return InvitationLogEntryFactory(member=amina, status=EntryStatus.SUCCESS)


@pytest.fixture
def postmark(settings) -> None:
    settings.BOUNCE_PROVIDER, settings.BOUNCE_SECRET = "postmark", SECRET


def password(secret: str = SECRET) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": "Basic " + b64encode(f"codebar:{secret}".encode()).decode()}


def tell(told: object, provider: str = "postmark", **head: str) -> int:
    """The status that the provider gets for this, with the password where nothing else is said."""
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    response = Client().post(
        reverse("bounces", args=[provider]),
        raw,
        content_type="application/json",
        **(head or password()),
    )
    return response.status_code


def of_postmark(**fields: object) -> dict[str, object]:
    return {
        "RecordType": "Bounce",
        "ID": 4323372036854775807,
        "Type": "HardBounce",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Details": NO_USER,
        "Email": AMINA,
        "BouncedAt": "2026-11-22T10:00:00Z",
        **fields,
    }


def signature(text: bytes) -> str:
    return hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()


def of_mailgun(
    letter: InvitationLogEntry, *, seconds_ago: float = 0, **event: object
) -> dict[str, Any]:
    token, moment = uuid4().hex, str(int(time.time() - seconds_ago))
    return {
        "signature": {
            "token": token,
            "timestamp": moment,
            "signature": signature(f"{moment}{token}".encode()),
        },
        "event-data": {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "timestamp": 1763805600.5,
            "recipient": AMINA,
            "message": {"headers": {"message-id": f"{letter.message_id}@codebar.example"}},
            "delivery-status": {"code": 550, "message": NO_USER},
            **event,
        },
    }


def of_mailersend(kind: str) -> dict[str, object]:
    return {
        "type": f"activity.{kind}",
        "data": {
            "id": "62f114f8165fe0d8db0288e5",
            "type": kind,
            "created_at": "2026-11-22T10:00:00.000000Z",
            "email": {"message": {"id": "62fb66bef54a112e920b5493"}, "recipient": {"email": AMINA}},
            "morph": {"object": "recipient_bounce", "reason": NO_USER},
        },
    }


def of_sparkpost(**fields: object) -> list[dict[str, object]]:
    event = {
        "type": "bounce",
        "event_id": "92356927693813856",
        "bounce_class": "10",
        "raw_rcpt_to": AMINA,
        "raw_reason": NO_USER,
        "timestamp": "1763805600",
        **fields,
    }
    return [{"msys": {"message_event": event}}]


BREVO = {"event": "hard_bounce", "email": AMINA, "reason": NO_USER, "ts_epoch": 1763805600000}
MAILJET = {"event": "bounce", "email": AMINA, "error": "user unknown", "smtp_reply": NO_USER}
MAILTRAP = {"event": "bounce", "email": AMINA, "message_id": "1", "event_id": "2"}
MAILTRAP |= {"timestamp": 1763805600, "response": NO_USER}

BY_PASSWORD = {
    "postmark": [
        (of_postmark(), HARD, "5.1.1"),
        (of_postmark(Type="SoftBounce", Details="552 5.2.2 full"), SOFT, "5.2.2"),
        (of_postmark(Details="unknown user"), SOFT, ""),
        (of_postmark(Type="BadEmailAddress", Details=""), HARD, ""),
        (of_postmark(RecordType="SpamComplaint", Type="SpamComplaint"), COMPLAINT, ""),
        (of_postmark(Type="SpamNotification"), SOFT, "5.7.0"),
        (of_postmark(Type="Blocked", Details="our network"), SOFT, "5.7.0"),
        (of_postmark(Type="Blocked", Details="552 5.2.2 full"), SOFT, "5.2.2"),
        (of_postmark(Type="Transient"), None, ""),
        (of_postmark(RecordType="Delivery"), None, ""),
        (of_postmark(RecordType="Open"), None, ""),
    ],
    "brevo": [
        (BREVO, HARD, "5.1.1"),
        (BREVO | {"event": "soft_bounce", "reason": "452 4.2.2 full"}, SOFT, "4.2.2"),
        (BREVO | {"event": "spam"}, COMPLAINT, ""),
        (BREVO | {"event": "blocked", "reason": "our network"}, SOFT, "5.7.0"),
        (BREVO | {"event": "deferred"}, None, ""),
    ],
    "mailjet": [
        (MAILJET, HARD, "5.1.1"),
        ([MAILJET | {"event": "spam", "source": "JMRPP"}], COMPLAINT, ""),
        (MAILJET | {"event": "blocked", "error": "spam reporter"}, COMPLAINT, ""),
    ],
    "sparkpost": [
        (of_sparkpost(), HARD, "5.1.1"),
        (of_sparkpost(bounce_class="22", raw_reason="452 4.2.2 full"), SOFT, "4.2.2"),
        (of_sparkpost(bounce_class="51", raw_reason="554 5.7.1 spam"), SOFT, "5.7.1"),
        (of_sparkpost(bounce_class="51", raw_reason="looks like spam"), SOFT, "5.7.0"),
        (of_sparkpost(type="spam_complaint"), COMPLAINT, ""),
        ([{"msys": {}}], None, ""),
    ],
}
WORDED = [
    pytest.param(provider, *told, id=f"{provider} {number}")
    for provider, examples in BY_PASSWORD.items()
    for number, told in enumerate(examples)
]


@pytest.mark.parametrize(("provider", "told", "kind", "code"), WORDED)
def test_what_each_provider_means(amina, settings, provider, told, kind, code):
    settings.BOUNCE_PROVIDER, settings.BOUNCE_SECRET = provider, SECRET

    assert tell(told, provider) == 200

    kept = list(Bounce.objects.values_list("member", "kind", "code", "told_by"))
    assert kept == ([(amina.pk, kind, code, provider)] if kind else [])
    assert tell(told, provider) == 200
    assert Bounce.objects.count() == len(kept)


def test_mailgun_signs(letter, settings):
    settings.BOUNCE_PROVIDER, settings.BOUNCE_SECRET = "mailgun", SECRET
    forged = of_mailgun(letter)
    forged["signature"]["token"] += "0"

    assert tell(forged, "mailgun") == 403
    assert tell({"event-data": {}}, "mailgun") == 403
    assert tell(of_mailgun(letter, severity="temporary"), "mailgun") == 200
    assert Bounce.objects.count() == 0
    assert tell(of_mailgun(letter), "mailgun") == 200

    bounce = Bounce.objects.get()
    assert (bounce.entry, bounce.kind, bounce.code) == (letter, HARD, "5.1.1")


@pytest.mark.parametrize(
    ("provider", "header", "told"),
    [
        ("mailersend", "Signature", of_mailersend("hard_bounced")),
        ("mailtrap", "Mailtrap-Signature", {"events": [MAILTRAP]}),
    ],
)
def test_others_that_sign(amina, settings, provider, header, told):
    settings.BOUNCE_PROVIDER, settings.BOUNCE_SECRET = provider, SECRET
    raw = json.dumps(told).encode()
    name = f"HTTP_{header.upper().replace('-', '_')}"

    assert tell(raw, provider, **password()) == 403
    assert tell(raw + b" ", provider, **{name: signature(raw)}) == 403
    assert Bounce.objects.count() == 0
    assert tell(raw, provider, **{name: signature(raw)}) == 200

    bounce = Bounce.objects.get()
    assert (bounce.member, bounce.kind, bounce.code) == (amina, HARD, "5.1.1")


# ---- Whom and which letter it is about -------------------------------------------------------


def test_an_address_is_known_in_any_case(amina, postmark):
    tell(of_postmark(Email=" Amina@People.Example "))

    assert Bounce.objects.get().member == amina


def test_a_letter_is_known_by_our_message_id_wherever_it_stands(letter, postmark):
    tell(of_postmark(Content=f"Message-ID: <{letter.message_id}@codebar.example>"))

    assert Bounce.objects.get().entry == letter


def test_the_letter_of_somebody_else_is_not_believed(letter, postmark):
    other = InvitationLogEntryFactory(status=EntryStatus.SUCCESS)

    tell(of_postmark(Content=f"Message-ID: <{other.message_id}@codebar.example>"))

    bounce = Bounce.objects.get()
    assert (bounce.member, bounce.entry) == (letter.member, None)


@pytest.mark.parametrize(
    "address", ["stranger@people.example", "", None, 5, ["a"], "a\x00@b.example"]
)
def test_who_is_not_a_member_is_counted_and_nobody_is_touched(amina, postmark, address):
    assert tell(of_postmark(Email=address)) == 200

    assert Bounce.objects.count() == 0
    amina.refresh_from_db()
    assert amina.address_unusable_at is None


def test_several_events_are_each_taken(amina, settings):
    settings.BOUNCE_PROVIDER, settings.BOUNCE_SECRET = "mailjet", SECRET
    bruno = MemberFactory(email="bruno@people.example")
    stranger = MAILJET | {"email": "stranger@people.example"}
    told = [MAILJET, stranger, MAILJET | {"email": bruno.email, "event": "spam"}]

    assert tell(told, "mailjet") == 200

    bruno.refresh_from_db()
    assert sorted(Bounce.objects.values_list("member", "kind")) == sorted(
        [(amina.pk, HARD), (bruno.pk, COMPLAINT)]
    )
    assert bruno.complained_at
    assert dict(Tally.objects.values_list("name", "count")) == {"bounces_unknown": 1}


def test_events_without_a_number_are_told_apart_by_what_they_tell(amina, settings):
    settings.BOUNCE_PROVIDER, settings.BOUNCE_SECRET = "brevo", SECRET
    soft = BREVO | {"event": "soft_bounce", "reason": "452 4.2.2 full"}

    for told in (soft, soft | {"ts_epoch": 1763905600000}, soft):
        assert tell(told, "brevo") == 200

    assert Bounce.objects.count() == 2
