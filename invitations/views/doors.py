"""The one door by which organisers enter: what is not theirs is not there."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from chapters.models import Workshop


def workshop_of_organiser(request: HttpRequest, workshop_id: int) -> Workshop:
    """The workshop, with its chapter; 404 for everybody who does not organise it."""
    workshops = Workshop.objects.organised_by(request.user).select_related("chapter")
    return get_object_or_404(workshops, pk=workshop_id)
