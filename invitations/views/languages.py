"""Choosing a language, at the foot of every page for members."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from members.languages import language_of
from members.services import languages


# Pages behind a token tell no other page where one comes from, so their forms have no origin to
# check. Another site reaches nobody's account: a browser sends it no session (SameSite=Lax).
@csrf_exempt
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """The same page in this language; a member's letters too. An unknown one changes nothing."""
    if request.user.is_authenticated:
        with suppress(ValueError):
            languages.choose(request.user, language=language_of(request.POST.get("language", "")))
    return set_language(request)
