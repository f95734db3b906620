"""The pages of the caught letters, as bin/dev shows them."""

from email.message import EmailMessage

import pytest
from django.test import override_settings
from django.urls import include, path

from codebar.urls import urlpatterns as codebars

urlpatterns = [*codebars, path("mail/", include("codebar.local.mailbox"))]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def mailbox(tmp_path):
    with override_settings(MAIL_CATCHER_DIRECTORY=str(tmp_path)):
        yield tmp_path


def test_an_empty_mailbox_says_so(client):
    assert "No letter yet" in client.get("/mail/").text


def test_letters_are_listed_newest_first_fifty_a_page(client, mailbox):
    for number in range(51):
        keep(mailbox, number, subject=f"Letter {number}.")

    newest, older = client.get("/mail/").text, client.get("/mail/?page=2").text

    assert newest.index("Letter 50.") < newest.index("Letter 1.")
    assert "Letter 0." not in newest
    assert "Letter 0." in older


def test_letters_are_found_by_part_of_an_address(client, mailbox):
    keep(mailbox, 1, to="ada@codebar.example", subject="For Ada")
    keep(mailbox, 2, to="grace@codebar.example", subject="For Grace")

    page = client.get("/mail/", {"to": "ADA@"}).text

    assert "For Ada" in page
    assert "For Grace" not in page


def test_a_letter_shows_headers_text_and_html_in_a_frame_that_runs_nothing(client, mailbox):
    name = keep(mailbox, 1, subject="Come and code")

    page = client.get(f"/mail/{name}/").text
    frame = client.get(f"/mail/{name}/html")

    assert "Come and code" in page
    assert '<a href="https://codebar.example/1"' in page
    assert f'<iframe src="/mail/{name}/html"' in page
    assert frame.text.strip() == "<p style='color: red'>Hello</p>"
    assert "default-src 'none'" in frame["Content-Security-Policy"]
    assert "style-src 'unsafe-inline'" in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"


def test_a_letter_can_be_downloaded_as_it_came(client, mailbox):
    name = keep(mailbox, 1)

    assert client.get(f"/mail/{name}/source").getvalue() == (mailbox / name).read_bytes()


@pytest.mark.parametrize("name", ["..%2f1-1.eml", "../settings.py", "1-2.eml", "log"])
def test_nothing_but_letters_is_shown(client, mailbox, name):
    (mailbox.parent / "1-1.eml").write_text("Subject: Outside\n\n")
    (mailbox / "log").write_text("")

    assert client.get(f"/mail/{name}/source").status_code == 404


def keep(mailbox, number, *, to="ada@codebar.example", subject="Hello") -> str:
    message = EmailMessage()
    message["X-Envelope-From"] = "bounces@codebar.example"
    message["X-Envelope-To"] = to
    message["From"] = "codebar <hello@codebar.example>"
    message["To"] = to
    message["Subject"] = subject
    message.set_content("Hello, see https://codebar.example/1\n")
    message.add_alternative("<p style='color: red'>Hello</p>\n", subtype="html")
    name = f"{number:020d}-000001.eml"
    (mailbox / name).write_bytes(message.as_bytes())
    return name
