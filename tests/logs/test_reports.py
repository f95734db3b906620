"""C11: what a mail server or a mail box provider reports, and about which letter of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from logs import reports, return_paths
from logs.models import Bounce
from logs.reports import Report
from logs.return_paths import ReturnPath

HARD, SOFT, COMPLAINT = Bounce.Kind.HARD, Bounce.Kind.SOFT, Bounce.Kind.COMPLAINT
MESSAGES = Path(__file__).parent / "messages"
AMINA = "amina@people.example"


@pytest.fixture(autouse=True)
def with_a_domain(settings) -> None:
    settings.BOUNCE_DOMAIN = "bounces.codebar.example"


def message(name: str, *, path: str) -> bytes:
    """A message as a mail server wrote it, to the return path of one letter."""
    return (MESSAGES / f"{name}.eml").read_text().replace("{path}", path).encode()


# ---- The address a letter comes back to ----------------------------------------------------


def test_a_return_path_says_which_letter_and_to_whom():
    path = return_paths.for_letter(4711, address=AMINA)

    found = return_paths.found_in(f"Delivered-To: <{path}>")

    assert found is not None
    assert (found.entry_id, found.is_of(AMINA), found.is_of("other@people.example")) == (
        4711,
        True,
        False,
    )
    assert path == return_paths.for_letter(4711, address=AMINA)
    assert path.endswith("@bounces.codebar.example")


def test_a_return_path_fits_and_survives_a_change_of_case():
    path = return_paths.for_letter(2**63 - 1, address=AMINA)

    assert len(path.partition("@")[0]) <= 64
    assert return_paths.found_in(path.upper()) == return_paths.found_in(path) is not None


def test_two_letters_to_one_address_share_nothing():
    first, second = (return_paths.for_letter(number, address=AMINA) for number in (1, 2))

    assert first.split(".")[1] != second.split(".")[1]


@pytest.mark.parametrize("place", ["number", "digest", "seal"])
def test_a_forged_return_path_is_none(place: str):
    number, digest, seal = return_paths.for_letter(4711, address=AMINA).partition("@")[0].split(".")
    forged = {
        "number": f"{number[:-1]}2.{digest}.{seal}",
        "digest": f"{number}.{'a' * 8}.{seal}",
        "seal": f"{number}.{digest}.{'a' * 24}",
    }[place]

    assert return_paths.found_in(f"{forged}@bounces.codebar.example") is None


def test_of_several_addresses_the_first_that_is_ours_counts():
    ours = return_paths.for_letter(4711, address=AMINA)
    text = f"hello@codebar.example, bounces+1.aaaaaaaa.{'b' * 24}@x.example, {ours}"

    found = return_paths.found_in(text)

    assert found is not None
    assert found.entry_id == 4711


def test_without_a_domain_a_letter_names_the_usual_sender(settings):
    settings.BOUNCE_DOMAIN = ""

    assert (return_paths.for_letter(1, address=AMINA), return_paths.for_nobody()) == ("", "")


# ---- What comes back -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("5.1.1", Report(HARD, "5.1.1")),
        ("exim", Report(HARD, "5.1.1")),
        ("5.2.2", Report(SOFT, "5.2.2")),
        ("4.4.7", Report(SOFT, "4.4.7")),
        ("complaint", Report(COMPLAINT)),
        ("delayed", None),
        ("on_holiday", None),
    ],
)
def test_what_a_message_reports(name: str, report: Report | None):
    path = return_paths.for_letter(4711, address=AMINA)

    found, about = reports.read(message(name, path=path))

    assert found == report
    assert about == return_paths.found_in(path) is not None


@pytest.mark.parametrize("name", ["5.1.1", "4.4.7", "complaint"])
def test_a_report_about_a_forged_path_is_about_no_letter(name: str):
    forged = f"bounces+4711.aaaaaaaa.{'b' * 24}@bounces.codebar.example"

    report, about = reports.read(message(name, path=forged))

    assert report is not None
    assert about is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("5.1.1", HARD),
        ("5.1.2", HARD),
        ("5.1.10", HARD),
        ("5.1.7", SOFT),
        ("5.1.8", SOFT),
        ("5.2.1", SOFT),
        ("5.7.1", SOFT),
        ("4.1.1", SOFT),
        ("", SOFT),
    ],
)
def test_only_a_code_about_the_address_says_that_there_is_none(code: str, kind: Bounce.Kind):
    assert reports.kind_of(code) == kind


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("smtp; 550 5.1.1 <amina@people.example>: unknown", "5.1.1"),
        ("550-5.1.10 no mail here", "5.1.10"),
        ("host 203.5.1.1[203.5.1.1] said no", ""),
        ("version 15.1.1 and 5.1.1.4", ""),
        ("", ""),
    ],
)
def test_the_code_in_what_a_mail_server_said(said: str, code: str):
    assert reports.code_in(said) == code


NESTED = b"".join(
    b"Content-Type: multipart/report; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(15_000)
)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n",
        b"Content-Type: multipart/report; boundary=\r\n\r\nx",
        b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n"
        b"Content-Type: message/delivery-status; charset=klingon\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--",
        NESTED,
    ],
    ids=["nothing", "noise", "no parts", "no boundary", "no report", "odd encoding", "nested"],
)
def test_whatever_is_sent_to_us_is_read_or_is_no_report(raw: bytes):
    assert reports.read(raw) == (None, None)


def test_fields_in_any_alphabet_do_not_disturb():
    path = return_paths.for_letter(4711, address=AMINA)
    raw = message("5.1.1", path=path).replace(b"User unknown", "Nutzer unbekannt, ü".encode())

    assert reports.read(raw) == (Report(HARD, "5.1.1"), ReturnPath(4711, path.split(".")[1]))
