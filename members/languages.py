"""Which language somebody reads: ours (`Language`), and Django's code for it, such as en-gb."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from members.models import Language, Member


def code_of(language: str) -> str:
    """
    Django's code, for a member's language.

    :raises LookupError: when it is none of ours
    """
    return translation.get_supported_language_variant(language)


def language_of(code: str) -> Language:
    """
    Ours, for a language code such as en-GB.

    :raises ValueError: when we do not write in it
    """
    return Language(code.lower().partition("-")[0])


def of_this_page() -> Language:
    """The one that whoever asks for the page reads it in."""
    return language_of(translation.get_language() or Language.ENGLISH)


def speak_as_letters_do(request: HttpRequest, member: Member) -> None:
    """
    Let the page behind a link in a letter to this member speak the letter's language.

    Unless whoever opens it has signed in or chosen another. English is what letters speak to those
    who never chose: then the page asks the browser, as any other.
    """
    has_chosen = request.user.is_authenticated or settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    if not has_chosen and member.language != Language.ENGLISH:
        translation.activate(code_of(member.language))
