"""
What a mail server writes when a letter came back (RFC 3464), or a mail box provider when somebody
marked it as unwanted (RFC 5965).

Anybody can send such a message. What it says about a letter counts only when it names the letter's
own return path, which is signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from logs import return_paths
from logs.models import Bounce
from logs.return_paths import ReturnPath

# Where a mail server leaves the address that a message was delivered to.
_DELIVERED_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
# RFC 3463. 5.1.7 and 5.1.8 speak about the sender's address, ours.
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_BAD_ADDRESS = re.compile(r"5\.1\.(?![78]$)")
# A policy of theirs: what is blocked is us or the letter, whoever it goes to.
POLICY = r"^[245]\.7\."
UNNAMED_POLICY = "5.7.0"


@dataclass(frozen=True)
class Report:
    """One letter came back for good, or was complained about: why, and by which code."""

    kind: Bounce.Kind
    code: str = ""


def code_in(text: str) -> str:
    """The first enhanced status code (RFC 3463) in what a mail server said, or ""."""
    found = _CODE.search(text)
    return found[1] if found else ""


def kind_of(code: str) -> Bounce.Kind:
    """Whether this code says that there is no such address, or only that it did not work."""
    return Bounce.Kind.HARD if _BAD_ADDRESS.match(code) else Bounce.Kind.SOFT


def read(raw: bytes) -> tuple[Report | None, ReturnPath | None]:
    """
    What a message reports, and which letter of ours it is about.

    :returns: no report where it is none: an answer of a person or of a holiday, a delay after
        which the mail server still tries; no path where none of ours is in it
    """
    try:
        message = message_from_bytes(raw)
        return _report(message), _path(message)
    except (RecursionError, LookupError, ValueError):
        return None, None  # nested or encoded in a way that no mail server does


def _report(message: Message) -> Report | None:
    if message.get_content_type() != "multipart/report":
        return None
    for part in message.walk():
        match part.get_content_type():
            case "message/delivery-status":
                return _failure(part)
            case "message/feedback-report":
                is_complaint = any(
                    _field(block, "Feedback-Type").lower() == "abuse" for block in _blocks(part)
                )
                return Report(Bounce.Kind.COMPLAINT) if is_complaint else None
    return None


def _failure(part: Message) -> Report | None:
    """Our letters go to one person each, so the first that failed is the one."""
    for block in _blocks(part):
        if _field(block, "Action").lower() != "failed":
            continue
        code = code_in(_field(block, "Status"))
        if not code or code.endswith(".0.0"):  # some put what they know only beside it
            code = code_in(_field(block, "Diagnostic-Code")) or code
        return Report(kind_of(code), code)
    return None


def _path(message: Message) -> ReturnPath | None:
    """From the address it came to, or else from what it sends back of the letter."""
    heads = [" ".join(_fields(message, name)) for name in _DELIVERED_TO]
    for part in message.walk():
        match part.get_content_type():
            case "message/feedback-report":
                heads += [_field(block, "Original-Mail-From") for block in _blocks(part)]
            case "message/rfc822" | "text/rfc822-headers":
                heads += [_field(block, "Return-Path") for block in _blocks(part)]
    return return_paths.found_in("\n".join(heads))


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields that a part consists of."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))
    elif isinstance(content := part.get_payload(decode=True), bytes):
        yield message_from_bytes(content)


def _field(block: Message, name: str) -> str:
    return next(iter(_fields(block, name)), "")


def _fields(block: Message, name: str) -> list[str]:
    return [str(value).strip() for value in block.get_all(name, [])]
