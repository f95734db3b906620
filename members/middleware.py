"""What happens around every page, once it is known who asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_cache_control

from members import languages, limits, ways

FOR_ORGANISERS = ("/admin/", "/staff/")


class ForOnePerson:
    """
    Nobody between us and a browser keeps a page, and the browser asks again before it shows it.

    Nearly every page names whoever is signed in, also the one that says that there is nothing. One
    that is the same for everybody, or that not even the browser may keep, says so itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        return response


class LanguageMiddleware:
    """
    The language of the page: a member's own, else what Django's LocaleMiddleware found.

    Organisers' pages are English, whoever opens them: they talk to each other across chapters.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_for_organisers = request.path_info.startswith(FOR_ORGANISERS)
        if is_for_organisers:
            translation.activate(settings.LANGUAGE_CODE)
        elif request.user.is_authenticated:
            translation.activate(languages.code_of(request.user.language))
        request.has_choice_of_language = not is_for_organisers  # type: ignore[attr-defined]
        return self.get_response(request)


class TermsFirst:
    """
    Whoever is signed in accepts the terms before anything else, and then says who they are.

    A letter's token opens its page without an account, so with one too. What else is open before
    that, `OPEN_BEFORE_TERMS` lists; a new page is not.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        _view: Callable[..., HttpResponse],
        _args: Sequence[object],
        in_address: dict[str, object],
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        is_open = name in settings.OPEN_BEFORE_TERMS or "token" in in_address
        if is_open or not request.user.is_authenticated:
            return None
        came_for = request.get_full_path() if request.method in ("GET", "HEAD") else ""
        if request.user.accepted_terms_at is None:
            return ways.by_way_of("terms", came_for)
        if not request.user.name and name != "details":
            return ways.by_way_of("details", came_for)
        return None


class Limits:
    """
    Whoever tries too often waits, with 429 and for how long (`members/limits.py`).

    Which pages are limited by what, `LIMITED_PAGES` says. Looking at a page is not a try, only
    searching is. A link of a letter that leads nowhere is a guess, wherever it led to; whoever has
    guessed too often is told nothing about the next one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.NOT_FOUND and _token_of(request):
            limits.take(limits.WRONG_LINKS, request)
        return response

    def process_view(
        self,
        request: HttpRequest,
        _view: Callable[..., HttpResponse],
        _args: Sequence[object],
        _in_address: dict[str, object],
    ) -> HttpResponse | None:
        wait = limits.left(limits.WRONG_LINKS, request) if _token_of(request) else 0
        limit = _limit_of(request)
        if limit and not wait:
            wait = limits.take(limit, request, account=_account_of(request))
        return _too_many(request, wait) if wait else None


def _limit_of(request: HttpRequest) -> limits.Limit | None:
    page = request.resolver_match.view_name if request.resolver_match else ""
    name = settings.LIMITED_PAGES.get(page)
    if name is None:
        return None
    limit = limits.LIMITS[name]
    is_try = request.GET if limit == limits.SEARCHES else request.method == "POST"
    return limit if is_try else None


def _token_of(request: HttpRequest) -> str:
    return str(request.resolver_match.kwargs.get("token", "")) if request.resolver_match else ""


def _account_of(request: HttpRequest) -> str:
    """The link, the member, or the session of whoever is about to sign in."""
    if token := _token_of(request):
        return f"link {token}"
    if request.user.is_authenticated:
        return f"member {request.user.pk}"
    return f"session {key}" if (key := request.session.session_key) else ""


def _too_many(request: HttpRequest, wait: int) -> HttpResponse:
    response = render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(wait)
    return response
