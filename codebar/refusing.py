"""Who asks for what is not theirs leaves a line in the log (OWASP ASVS 16.3.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path

from members.middleware import FOR_ORGANISERS

REFUSED = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)

logger = logging.getLogger(__name__)


class Refusals:
    """
    One line for each page of organisers that somebody signed in asked for and was not given.

    What is not theirs is not there, so such a page is answered like one that never was.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_for_organisers = request.path_info.startswith(FOR_ORGANISERS)
        if response.status_code in REFUSED and is_for_organisers and request.user.is_authenticated:
            asked_for = escape_uri_path(request.path)
            logger.warning(
                "member %s was refused %s %s", request.user.pk, request.method, asked_for
            )
        return response
