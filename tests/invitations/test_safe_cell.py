"""Names come from members; a spreadsheet must not run them."""

import csv
from io import StringIO

import pytest

from invitations.exports import csv_response, safe_cell


@pytest.mark.parametrize(
    "typed",
    [
        "=1+1",
        '=HYPERLINK("http://evil.example","Ada")',
        "+441234",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "  =1+1",
        "\uff1d1+1",
        "\u00a0@SUM(A1)",
    ],
)
def test_what_would_be_a_formula_stays_text(typed):
    assert safe_cell(typed) == f"'{typed}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [("Ada Lovelace", "Ada Lovelace"), ("O'Neil", "O'Neil"), (12, "12"), (None, ""), ("", "")],
)
def test_everything_else_stays_as_it_is(value, cell):
    assert safe_cell(value) == cell


def test_a_file_keeps_every_cell_in_its_place():
    response = csv_response(
        [["Name", "Note"], ["=A1", 'two\nlines, and "quotes"']], filename="x.csv"
    )

    text = b"".join(response.streaming_content).decode("utf-8-sig")

    assert list(csv.reader(StringIO(text))) == [
        ["Name", "Note"],
        ["'=A1", 'two\nlines, and "quotes"'],
    ]
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="x.csv"'
