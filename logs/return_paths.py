"""
The address that a letter comes back to, when it comes back (VERP, RFC 5321's reverse-path).

It names the entry and, sealed with it, whom the letter went to; so a report says by itself which
letter it is about, and one about an address that was changed meanwhile is told from one about the
new. Nothing is stored for it, and nobody but us can make one.
"""

from __future__ import annotations

import re
from base64 import b32encode
from dataclasses import dataclass

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

MAILBOX = "bounces"

# Small letters and digits alone, since a mail server may change the case of an address, and 63
# characters at most, since its first half may have 64 (RFC 5321, 4.5.3.1.1).
_OURS = re.compile(rf"{MAILBOX}\+(\d{{1,19}})\.([a-z2-7]{{8}})\.([a-z2-7]{{24}})", re.IGNORECASE)
_LARGEST_ID = 2**63 - 1
# Deriving a key anew would cost more than all the rest of an address. The first key seals.
_keyed = [
    salted_hmac("logs.return_paths", b"", secret, algorithm="sha256")
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
]


@dataclass(frozen=True)
class ReturnPath:
    """What one of these addresses says: which entry, and to whom, as a digest."""

    entry_id: int
    digest: str

    def is_of(self, address: str) -> bool:
        """Whether the letter went to this address."""
        return _is_one_of(self.digest, _codes(f"{self.entry_id} {address}", size=5))


def for_letter(entry_id: int, *, address: str) -> str:
    """
    The envelope's sender of this entry's letter to this address.

    Always the same for the same letter; "" without BOUNCE_DOMAIN, since then nobody reads them.
    """
    if not settings.BOUNCE_DOMAIN:
        return ""
    said = f"{entry_id}.{_digest(entry_id, address)}"
    return f"{MAILBOX}+{said}.{_code(said, size=15)}@{settings.BOUNCE_DOMAIN}"


def for_nobody() -> str:
    """The sender of a conversation that hands over no letter; "" without BOUNCE_DOMAIN."""
    return f"{MAILBOX}@{settings.BOUNCE_DOMAIN}" if settings.BOUNCE_DOMAIN else ""


def found_in(text: str) -> ReturnPath | None:
    """The first address of ours in a text, such as the head of a report; a forged one is none."""
    for entry_id, digest, seal in _OURS.findall(text.lower()):
        is_ours = _is_one_of(seal, _codes(f"{entry_id}.{digest}", size=15))
        if is_ours and int(entry_id) <= _LARGEST_ID:
            return ReturnPath(int(entry_id), digest)
    return None


def _digest(entry_id: int, address: str) -> str:
    return _code(f"{entry_id} {address}", size=5)


def _code(text: str, *, size: int) -> str:
    return _codes(text, size=size)[0]


def _codes(text: str, *, size: int) -> list[str]:
    """What each of our keys makes of it, the present one first."""
    codes = []
    for key in _keyed:
        keyed = key.copy()
        keyed.update(text.encode())
        codes.append(b32encode(keyed.digest()[:size]).decode().lower())
    return codes


def _is_one_of(code: str, codes: list[str]) -> bool:
    return any(constant_time_compare(code, one) for one in codes)
