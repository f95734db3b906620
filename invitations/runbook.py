"""`docs/runbook.md` as a page, for those who have no copy of the repository at hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import nh3
from django.conf import settings
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

FILE = settings.BASE_DIR / "docs" / "runbook.md"
ALLOWED = {
    "a": {"href"},
    "pre": {"tabindex"},
    "div": {"class", "tabindex", "role", "aria-label"},
    **{heading: {"id"} for heading in ("h2", "h3", "h4")},
    **{tag: set() for tag in ("code", "em", "strong", "p", "br", "hr", "blockquote")},
    **{tag: set() for tag in ("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td")},
}
NOT_IN_AN_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Section:
    """One part of the runbook, and where in the page it begins."""

    anchor: str
    title: str


@dataclass(frozen=True)
class Runbook:
    """The text as HTML that is safe to show, without its title, and its sections."""

    html: str
    sections: list[Section]


@cache
def runbook() -> Runbook:
    """As it was when this process began to show it."""
    return rendered(FILE.read_text())


def rendered(text: str) -> Runbook:
    """
    Markdown as the page shows it. A heading is found by what GitHub calls it: "In doubt" by
    `#in-doubt`; one that names its kind of alert in code, by that: "Letters are in doubt
    (`in_doubt`)" by `#in_doubt`.
    """
    markdown = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")
    tokens = _without_title(markdown.parse(text))
    sections = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            section = Section(_anchor(inline), _title(inline))
            opening.attrSet("id", section.anchor)
            if opening.tag == "h2":
                sections.append(section)
    html = markdown.renderer.render(tokens, markdown.options, {})
    return Runbook(_safe(html), sections)


class _Renderer(RendererHTML):
    """What is wider than a phone scrolls by itself, also by the keyboard."""

    def table_open(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        nr = sum(token.type == "table_open" for token in tokens[: idx + 1])
        return f'<div class="figures" tabindex="0" role="region" aria-label="Table {nr}"><table>'

    def table_close(self, *_: Any) -> str:
        return "</table></div>"

    def fence(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f'<pre tabindex="0"><code>{escapeHtml(tokens[idx].content)}</code></pre>'


def _without_title(tokens: list[Token]) -> list[Token]:
    """The page has a heading of its own."""
    has_title = bool(tokens) and tokens[0].tag == "h1"
    return tokens[3:] if has_title else tokens


def _anchor(heading: Token) -> str:
    codes = [part.content for part in heading.children or () if part.type == "code_inline"]
    return (
        codes[-1] if codes else NOT_IN_AN_ANCHOR.sub("", _words(heading).lower()).replace(" ", "-")
    )


def _title(heading: Token) -> str:
    """Without what only names it: "Letters are in doubt: `in_doubt`"."""
    said = "".join(part.content for part in heading.children or () if part.type != "code_inline")
    return said.strip().removesuffix(":") or _words(heading)


def _words(heading: Token) -> str:
    return "".join(part.content for part in heading.children or ())


def _safe(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(ALLOWED),
        attributes=ALLOWED,
        url_schemes={"https", "mailto"},
        url_relative=_within_the_page,
    )


def _within_the_page(address: str) -> str | None:
    """Other files of the repository are no pages here."""
    return address if address.startswith(("#", "/")) else None
