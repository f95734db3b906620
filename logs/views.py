"""What others tell us about letters."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from logs import providers, signatures
from logs.providers import Told
from logs.services import bounces
from logs.services.tallies import count

MOST_BYTES = 2**20


@csrf_exempt  # it comes from no browser; the provider's secret is what proves it
@require_POST
def told_by_provider(request: HttpRequest, provider: str) -> HttpResponse:
    """
    What the provider of BOUNCE_PROVIDER tells about our letters; no other one is listened to.

    Told again, it is welcome again and changes nothing: a provider repeats what was not taken.
    """
    if not settings.BOUNCE_PROVIDER or provider != settings.BOUNCE_PROVIDER:
        raise Http404
    if _length(request) > MOST_BYTES:  # before anything reads it
        return _refused("too_large", status=413)
    try:
        told = providers.what_is_told(request)
    except providers.Forged:
        return _refused("forged", status=403)
    except providers.Unreadable:
        return _refused("unreadable", status=400)
    except signatures.CannotBeChecked:
        return HttpResponse("later\n", status=503, content_type="text/plain")
    for one in told:
        _take(one)
    return HttpResponse("taken\n", content_type="text/plain")


def _take(told: Told) -> None:
    try:
        bounces.take_from_provider(
            told.report,
            recipient=told.recipient,
            message_id=told.message_id,
            told_by=settings.BOUNCE_PROVIDER,
            event=told.event,
            at=timezone.now(),
        )
    except bounces.ToldBefore:
        count("bounces_replayed")
    except bounces.UnknownLetter:
        count("bounces_unknown")


def _refused(why: str, *, status: int) -> HttpResponse:
    count(f"bounces_{why}")
    return HttpResponse(f"{why}\n", status=status, content_type="text/plain")


def _length(request: HttpRequest) -> int:
    """What was announced; without a number Django reads nothing at all."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isdecimal() else 0
