"""
A letter as a complete message, with gaps for what differs (RFC 5322, 2045, 2047, 6047, 8058).

The message is put together once and cut at its gaps. Filling in one person is a few pieces in
between, since a batch has thousands.
"""

from __future__ import annotations

import re
import secrets
import time
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from html import escape
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.urls import reverse
from django.utils.translation import get_language

from chapters.models import Role
from invitations import calendars
from invitations.services import unsubscribing

CRLF = "\r\n"

# What stands in a gap while templates are rendered. Nobody can guess it, so nobody can write it
# into a description or a name; it is made of letters and digits, so nothing escapes or splits it.
HTML_NAME, TEXT_NAME, TOKEN, UNSUBSCRIBE, GUEST, ENTRY, SEQUENCE = (
    f"{gap}{secrets.token_hex(16)}" for gap in "hntuges"
)
GAPS = re.compile(f"({HTML_NAME}|{TEXT_NAME}|{TOKEN}|{UNSUBSCRIBE}|{GUEST}|{ENTRY}|{SEQUENCE})")

# The gaps of a letter's head, where nothing is quoted.
ADDRESS, DATE, MESSAGE_ID, HEAD_UNSUBSCRIBE, FIRST_LETTER = (
    f"{gap}{secrets.token_hex(16)}".encode() for gap in "admlf"
)
HEAD_GAPS = b"|".join([ADDRESS, DATE, MESSAGE_ID, HEAD_UNSUBSCRIBE, FIRST_LETTER])
ALL_GAPS = re.compile(b"(%s|%s)" % (HEAD_GAPS, GAPS.pattern[1:-1].encode()))

LINE_BREAKS_AND_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
PLAIN_WORDS = re.compile(r"[A-Za-z0-9'-]+( [A-Za-z0-9'-]+)*")
PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
PLAIN_ADDRESS = re.compile(  # a part of what is valid, and nearly all there are
    r"[A-Za-z0-9_-]+(?:[.+][A-Za-z0-9_-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
LONGEST_PLAIN_ADDRESS = 254


@dataclass(frozen=True)
class Recipient:
    """
    One person who gets a letter: where it goes, and what differs in it.

    The token is that of their invitation, or empty where there is none; so is the number of its
    answers so far. A letter about a first one, such as an apology, names the `Message-ID` of that.
    """

    member_id: int
    address: str
    name: str
    token: str
    message_id: UUID
    answer_number: int = 0
    first_message_id: UUID | None = None


@dataclass(frozen=True)
class Draft:
    """
    A letter as far as it is the same for everybody; `html`, `text` and `calendar` have gaps, and
    `mould` is the whole message, cut at each of them. `nobody` greets whoever has no name.
    """

    subject: str
    sender: str
    html: str
    text: str
    calendar: str
    nobody: str
    mould: tuple[bytes, ...]
    gaps: frozenset[str]
    chapter_id: int
    workshop_id: int
    sequence: int
    role: Role

    def letter_to(self, recipient: Recipient) -> bytes:
        """
        The complete message (RFC 5322, lines end in CRLF), for SMTP's DATA.

        Made again for the same entry it has the same `Message-ID`; only its date is new.

        :raises ValueError: when the address cannot be written to, or when it, the name or the
            token holds what has no place in a letter, such as a line break
        """
        fillings = self._fillings(recipient)
        pieces = {gap.encode(): _quoted(filling) for gap, filling in fillings.items()}
        pieces[ADDRESS] = ascii_address(recipient.address).encode()
        pieces[DATE] = _date(int(time.time()))
        pieces[MESSAGE_ID] = str(recipient.message_id).encode()
        pieces[HEAD_UNSUBSCRIBE] = fillings.get(UNSUBSCRIBE, "").encode()
        pieces[FIRST_LETTER] = _in_reply_to(recipient.first_message_id)
        return b"".join([pieces.get(piece, piece) for piece in self.mould])

    def html_for(self, recipient: Recipient) -> str:
        """
        The HTML part as this person gets it.

        :raises ValueError: as `letter_to`
        """
        return _filled_in(self.html, self._fillings(recipient))

    def text_for(self, recipient: Recipient) -> str:
        """
        The text part as this person gets it.

        :raises ValueError: as `letter_to`
        """
        return _filled_in(self.text, self._fillings(recipient))

    def calendar_for(self, recipient: Recipient) -> str:
        """
        The calendar entry as this person gets it (RFC 5545), or "" where the letter has none.

        :raises ValueError: as `letter_to`
        """
        return _filled_in(self.calendar, self._fillings(recipient))

    def _fillings(self, recipient: Recipient) -> dict[str, str]:
        """What goes into each gap."""
        name = _one_line(recipient.name).strip() or self.nobody
        fillings = {HTML_NAME: escape(name), TEXT_NAME: name}
        if TOKEN in self.gaps:
            if not PLAIN_TOKEN.fullmatch(recipient.token):
                raise ValueError("The token of the invitation is malformed.")
            fillings[TOKEN] = recipient.token
        if UNSUBSCRIBE in self.gaps:
            fillings[UNSUBSCRIBE] = unsubscribing.token_for(
                member_id=recipient.member_id, chapter_id=self.chapter_id, role=self.role
            )
        if self.calendar:
            fillings[GUEST] = calendars.filled(ascii_address(recipient.address))
            fillings[ENTRY] = calendars.uid_of(self.workshop_id, recipient.member_id)
            fillings[SEQUENCE] = str(
                calendars.sequence_of(self.sequence, answers=recipient.answer_number)
            )
        return fillings


@lru_cache(maxsize=100)  # asked for the head, and again for RCPT
def ascii_address(address: str) -> str:
    """
    The address as it stands in the head of a letter and in SMTP's RCPT.

    A domain with other letters is written in their ASCII form (IDNA). A local part with other
    letters would need SMTPUTF8, which few servers speak.

    :raises ValueError: when it is not an address, or not one we can write to
    """
    if len(address) <= LONGEST_PLAIN_ADDRESS and PLAIN_ADDRESS.fullmatch(address):
        return address
    try:
        validate_email(_one_line(address))
    except ValidationError as error:
        raise ValueError("The address is not one we can write to.") from error
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        raise ValueError("The address has letters that our mail server cannot write.")
    return address if domain.isascii() else f"{local}@{domain.encode('idna').decode()}"


def head(
    name: str,
    subject: str,
    *,
    reply_to: str,
    list_name: str = "",
    can_be_stopped: bool = False,
    is_about_a_letter: bool = False,
) -> list[bytes]:
    """
    The header's fields, each with its line end, with gaps for what differs.

    The language is the one that is active: whoever asks for a draft chooses it.
    """
    host = _host()
    language = get_language() or settings.LANGUAGE_CODE
    fields = [
        _field("From", name, f"<{sender_address()}>"),
        b"To: %s\r\n" % ADDRESS,
        _field("Reply-To", "", ascii_address(reply_to)),
        _field("Subject", subject),
        b"Date: %s\r\n" % DATE,
        b"Message-ID: <%s@%s>\r\n" % (MESSAGE_ID, host.encode("ascii")),
        *([FIRST_LETTER] if is_about_a_letter else []),
        b"Content-Language: %s\r\n" % language.encode("ascii"),
        b"Auto-Submitted: auto-generated\r\n",
        b"X-Auto-Response-Suppress: All\r\n",
        b"X-Codebar-Delivery: %s\r\n" % MESSAGE_ID,
    ]
    if list_name:
        fields.append(_field("List-Id", name, f"<{list_name}.{host}>"))
    if can_be_stopped:
        link = settings.SITE_URL + reverse("unsubscribe", args=[HEAD_UNSUBSCRIBE.decode()])
        fields += [
            b"List-Unsubscribe: <%s>\r\n" % link.encode("ascii"),
            b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        ]
    return fields


def _host() -> str:
    return urlsplit(settings.SITE_URL).hostname or ""


def _in_reply_to(first: UUID | None) -> bytes:
    """The fields by which mail programs show a letter below the first one (RFC 5322, 3.6.4)."""
    if first is None:
        return b""
    name = f"<{first}@{_host()}>"
    return f"In-Reply-To: {name}\r\nReferences: {name}\r\n".encode("ascii")


def _field(name: str, words: str, literal: str = "") -> bytes:
    """One field of the header: words, in RFC 2047's form where needed, then ASCII as it is."""
    field = Header(header_name=name, maxlinelen=76)
    if words:
        field.append(_one_line(words), "us-ascii" if PLAIN_WORDS.fullmatch(words) else "utf-8")
    if literal:
        field.append(_one_line(literal), "us-ascii")
    return f"{name}: {field.encode(linesep=CRLF)}{CRLF}".encode("ascii")


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(second, UTC)).encode()


def cut(head: list[bytes], *, html: str, text: str, calendar: str) -> tuple[bytes, ...]:
    """
    The whole message in pieces; each gap is one by itself.

    A calendar entry is there twice, as in what Google Calendar sends: as one more form of the
    letter, which mail programs act on, and as a file, for those who open it by hand.
    """
    words = [
        _part(b'text/plain; charset="utf-8"', text),
        _part(b'text/html; charset="utf-8"', html),
    ]
    if not calendar:
        message = _multipart(b"alternative", words)
    else:
        method = b"CANCEL" if "METHOD:CANCEL" in calendar else b"REQUEST"
        kind = b'text/calendar; charset="utf-8"; method=%s' % method
        file = b'application/ics; name="invitation.ics"'
        disposition = b'Content-Disposition: attachment; filename="invitation.ics"\r\n'
        words.append(_part(kind, calendar))
        message = _multipart(
            b"mixed", [_multipart(b"alternative", words), _part(file, calendar, disposition)]
        )
    return tuple(ALL_GAPS.split(b"".join([*head, b"MIME-Version: 1.0\r\n", message])))


def _multipart(kind: bytes, parts: list[bytes]) -> bytes:
    boundary = f"=_{secrets.token_hex(16)}".encode()  # no quoted-printable text can contain "=_"
    return b"".join(
        [
            b'Content-Type: multipart/%s;\r\n boundary="%s"\r\n\r\n' % (kind, boundary),
            *(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts),
            b"--%s--\r\n" % boundary,
        ]
    )


def _part(kind: bytes, body: str, disposition: bytes = b"") -> bytes:
    return b"".join(
        [
            b"Content-Type: %s\r\n" % kind,
            disposition,
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            *_quoted_with_gaps(body),
        ]
    )


def _quoted_with_gaps(body: str) -> list[bytes]:
    """
    Quoted-printable, with a soft line break before and after every gap.

    So whatever fills a gap is encoded by itself, and no line can become too long.
    """
    return [
        b"=\r\n%s=\r\n" % piece.encode() if GAPS.fullmatch(piece) else _quoted(piece)
        for piece in GAPS.split(body)
    ]


def _quoted(text: str) -> bytes:
    """Quoted-printable whose last line has room for the `=` of a soft line break."""
    return b2a_qp(text.encode() + b"x")[:-1].replace(b"\n", b"\r\n")


def _one_line(text: str) -> str:
    """
    The text, when it is safe in a header.

    :raises ValueError: when it holds a line break of any alphabet or a control character
    """
    if LINE_BREAKS_AND_CONTROLS.search(text):
        raise ValueError("A line break or control character cannot stand in a letter's head.")
    return text


def _filled_in(text: str, fillings: dict[str, str]) -> str:
    return GAPS.sub(lambda gap: fillings[gap[0]], text)


def sender_address() -> str:
    return ascii_address(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
