"""The parts of docs/performance.md that a measurement writes itself."""

from __future__ import annotations

from codebar.local.paths import CHECKOUT

PAGE = CHECKOUT / "docs" / "performance.md"


def write(command: str, section: str) -> None:
    """Put it between the marks of this command."""
    PAGE.write_text(with_section(PAGE.read_text(), command, section))


def with_section(page: str, command: str, section: str) -> str:
    """
    The page with this between the marks of the command, and nothing else changed.

    :raises ValueError: for a page without those marks
    """
    begins, ends = f"<!-- {command} writes this -->\n", f"<!-- {command} ends -->\n"
    start, end = page.index(begins) + len(begins), page.index(ends)
    return f"{page[:start]}\n{section}\n\n{page[end:]}"
