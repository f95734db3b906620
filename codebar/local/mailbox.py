"""
The letters that the mail catcher caught, as pages. For development: `bin/dev` shows them at /mail/.
"""

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from csp.decorators import csp
from django.conf import settings
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, register_converter
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

PER_PAGE = 50
MOST_HEADERS = 64 * 1024  # bytes, far more than the headers of any letter of ours

# A letter may bring its own styles and pictures, and nothing that runs.
LETTER_POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["*", "data:"],
    "frame-ancestors": ["'self'"],
    "sandbox": [
        "allow-popups",
        "allow-popups-to-escape-sandbox",
        "allow-top-navigation-by-user-activation",
    ],
}


class LetterName:
    """A file name as the catcher makes them, and so never a way out of its folder."""

    regex = r"[0-9]+-[0-9]+\.eml"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(LetterName, "letter")


@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    """Letters, newest first. `?to=` keeps those to or from an address that contains it."""
    wanted = request.GET.get("to", "").strip()
    page = Paginator(list(_names(wanted)), PER_PAGE).get_page(request.GET.get("page"))
    shown = [{"name": name, "headers": _headers(_folder() / name)} for name in page.object_list]
    return render(request, "local/letters.html", {"letters": shown, "page": page, "wanted": wanted})


@require_safe
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """One letter: its headers, its text, and its HTML in a frame."""
    message = _message(name)
    context = {
        "name": name,
        "message": message,
        "headers": [(header, str(value)) for header, value in message.items()],
        "text": _part(message, "plain"),
        "has_html": message.get_body(("html",)) is not None,
    }
    return render(request, "local/letter.html", context)


@require_safe
@xframe_options_sameorigin
@csp(LETTER_POLICY)  # type: ignore[arg-type] # django-csp forgets the arguments of views
def letter_html(_request: HttpRequest, name: str) -> HttpResponse:
    """The letter as its reader sees it."""
    return HttpResponse(_part(_message(name), "html"))


@require_safe
def letter_source(_request: HttpRequest, name: str) -> FileResponse:
    """The letter as it came."""
    return FileResponse(_path(name).open("rb"), as_attachment=True, content_type="message/rfc822")


app_name = "mailbox"
urlpatterns = [
    path("", letters, name="letters"),
    path("<letter:name>/", letter, name="letter"),
    path("<letter:name>/html", letter_html, name="html"),
    path("<letter:name>/source", letter_source, name="source"),
]


def _folder() -> Path:
    return Path(settings.MAIL_CATCHER_DIRECTORY)


def _path(name: str) -> Path:
    path = _folder() / name
    if not path.is_file():
        raise Http404("There is no such letter.")
    return path


def _names(wanted: str) -> Iterator[str]:
    newest_first = sorted((path.name for path in _folder().glob("*.eml")), reverse=True)
    return (name for name in newest_first if not wanted or _is_about(_folder() / name, wanted))


def _is_about(path: Path, wanted: str) -> bool:
    with path.open("rb") as letter:
        for line in letter:
            if not line.startswith(b"X-Envelope-"):  # the catcher puts them first
                return False
            if wanted.casefold() in line.decode(errors="replace").partition(": ")[2].casefold():
                return True
    return False


def _headers(path: Path) -> EmailMessage:
    with path.open("rb") as letter:
        return BytesParser(EmailMessage, policy=policy.default).parsebytes(
            letter.read(MOST_HEADERS), headersonly=True
        )


def _message(name: str) -> EmailMessage:
    with _path(name).open("rb") as letter:
        return BytesParser(EmailMessage, policy=policy.default).parse(letter)


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return "" if part is None else str(part.get_content())
