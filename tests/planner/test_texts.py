"""HTML of planner's workshops as plain text."""

import pytest

from invitations.services.planner import texts


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (None, ""),
        ("Just words.", "Just words."),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("Two\r\nlines  of\nsource", "Two lines of source"),
        ("<ul><li>Laptop</li><li>Charger</li></ul>Come!", "- Laptop\n- Charger\n\nCome!"),
        (
            'Read <a href="https://a.example/b">the guide</a> first.',
            "Read the guide (https://a.example/b) first.",
        ),
        ('<a href="https://a.example/">https://a.example/</a>', "https://a.example/"),
        ('<a href="mailto:a@b.example">Write</a>', "Write (a@b.example)"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ('<a href="https://a.example/b"><img src="x"></a>', "https://a.example/b"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("Tea &amp; cake&nbsp;&lt;3", "Tea & cake <3"),
        ("<b>bold <i>and</i></b> <script>alert(1)</script>not", "bold and not"),
        ("<p>never <a href='https://a.example'>closed", "never closed"),
        ("</p></a></script>odd", "odd"),
        ("<p> </p><p>&nbsp;</p>", ""),
    ],
)
def test_it_reads_as_on_the_page(html, text):
    assert texts.plain(html) == text
