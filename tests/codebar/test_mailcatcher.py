"""The catcher keeps what a real SMTP conversation brings."""

import smtplib
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from codebar.local import ports
from codebar.local.mailcatcher import MailCatcher


@pytest.fixture
def catcher(tmp_path):
    with MailCatcher(tmp_path / "mail", port=ports.pick()) as catcher:
        yield catcher


def test_each_accepted_letter_is_one_file_in_the_order_of_arrival(catcher):
    with smtplib.SMTP(ports.LOOPBACK, catcher.port) as connection:
        for subject in ("First", "Second", "Third — mit Umlaut: ü"):
            connection.send_message(letter(subject))

    kept = [parsed(path) for path in sorted(catcher.directory.iterdir())]
    assert [message["Subject"] for message in kept] == ["First", "Second", "Third — mit Umlaut: ü"]
    assert kept[0].get_content() == "Hello Ada\r\n"


def test_the_envelope_is_kept_as_headers(catcher):
    with smtplib.SMTP(ports.LOOPBACK, catcher.port) as connection:
        connection.send_message(
            letter("Hidden"),
            from_addr="bounces@codebar.example",
            to_addrs=["a@a.example", "b@b.example"],
        )

    (kept,) = map(parsed, catcher.directory.iterdir())
    assert kept["X-Envelope-From"] == "bounces@codebar.example"
    assert kept.get_all("X-Envelope-To") == ["a@a.example", "b@b.example"]


def test_a_conversation_broken_before_the_final_dot_leaves_nothing(catcher):
    connection = smtplib.SMTP(ports.LOOPBACK, catcher.port)
    connection.ehlo()
    connection.mail("hello@codebar.example")
    connection.rcpt("ada@codebar.example")
    connection.docmd("DATA")
    connection.send(b"Subject: Half a letter\r\n\r\nHello")
    connection.close()

    with smtplib.SMTP(ports.LOOPBACK, catcher.port) as another:
        another.send_message(letter("Whole"))
    assert [parsed(path)["Subject"] for path in catcher.directory.iterdir()] == ["Whole"]


def test_letters_stay_when_the_catcher_starts_again(catcher):
    with smtplib.SMTP(ports.LOOPBACK, catcher.port) as connection:
        connection.send_message(letter("Before"))

    catcher.kill()
    catcher.start()

    assert [parsed(path)["Subject"] for path in catcher.directory.iterdir()] == ["Before"]


def letter(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "codebar <hello@codebar.example>"
    message["To"] = "ada@codebar.example"
    message["Subject"] = subject
    message.set_content("Hello Ada\n")
    return message


def parsed(path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)
