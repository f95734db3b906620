"""Planner's workshops are described in HTML; here they are plain text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

PARAGRAPHS = {"p", "div", "ul", "ol", "table", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5"}
LINES = {"br", "tr", "li"}
UNSEEN = {"script", "style"}


def plain(html: str | None) -> str:
    """The text as one reads it: paragraphs apart, and links as “text (address)”."""
    reader = _Reader()
    reader.feed(html or "")
    reader.close()
    text = re.sub(r"[ \t\r\f\v\xa0]+", " ", "".join(reader.parts))
    text = re.sub(r" ?\n ?", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[tuple[str, int]] = []  # where it leads, and where its text begins
        self._unseen = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in UNSEEN
        self._break(tag)
        if tag == "li":
            self.parts.append("- ")
        elif tag == "a":
            self._links.append((dict(attributes).get("href") or "", len(self.parts)))

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in UNSEEN and self._unseen > 0
        if tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in PARAGRAPHS:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in LINES:
            self.parts.append("\n")

    def _end_link(self, address: str, begin: int) -> None:
        """An address that says itself is not said twice."""
        address = address.strip()
        text = "".join(self.parts[begin:]).strip()
        if address.startswith(("http://", "https://", "mailto:")) and text not in address:
            self.parts.append(f" ({address.removeprefix('mailto:')})")
        elif not text:
            self.parts.append(address)
