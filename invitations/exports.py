"""Lists that organisers take with them, as CSV that no spreadsheet runs as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

# OWASP, "CSV Injection", names these; their full-width twins are read as formulas, too.
_STARTS_A_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for the letters of another century


def safe_cell(value: object) -> str:
    """
    The value as text that a spreadsheet shows and never runs.

    Text that would start a formula gets an apostrophe in front, also behind spaces, which some
    spreadsheets drop. Nothing at all becomes an empty cell.
    """
    text = "" if value is None else str(value)
    if text.startswith(_STARTS_A_FORMULA) or text.lstrip().startswith(_STARTS_A_FORMULA):
        return f"'{text}"
    return text


def csv_response(rows: Iterable[Sequence[object]], *, filename: str) -> StreamingHttpResponse:
    """
    The rows as a file to download, every cell safe, sent while they are read.

    :param filename: with its ending, in plain letters
    """
    return StreamingHttpResponse(
        _lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def _lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield _BYTE_ORDER_MARK
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


class _Line:
    """What csv writes to: it hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line
