"""X10: whatever people and chapters are called, no letter gets a header or a recipient by it."""

from __future__ import annotations

import pytest

from chapters.models import Chapter
from invitations.services.manager import InvitationManager
from logs.models import LogStatus
from members.models import Member
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.here import send_here
from tests.support.processes import Station
from tests.support.smtp_sink import Caught

BREAKS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
EVIL = "Bcc: evil@people.example"


@pytest.mark.parametrize("line_break", BREAKS, ids=lambda text: f"U+{ord(text[-1]):04X}")
@pytest.mark.parametrize("of", ["member", "chapter"])
def test_x10_a_name_with_a_line_break_brings_no_header_and_the_batch_goes_on(
    station: Station, line_break: str, of: str
):
    """As if it had come into the database by another way than our forms, which refuse it."""
    evil = f"Asha{line_break}{EVIL}"
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    members = Member.objects.filter(groups__chapter=workshop.chapter).order_by("pk")
    named, other = members
    if of == "member":
        Member.objects.filter(pk=named.pk).update(name=evil, surname=evil)
    else:
        Chapter.objects.filter(pk=workshop.chapter_id).update(name=evil)

    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    send_here(log)

    assert log.status == LogStatus.COMPLETED
    if of == "member":
        assert station.sink.recipients[other.email] == 1
    assert station.sink.recipients.keys() <= {named.email, other.email}
    failed = log.entries.filter(status="failed").count()
    assert len(station.sink.letters) + failed == 2
    for letter in station.sink.letters:
        assert_no_header_came_in(letter)


def assert_no_header_came_in(letter: Caught) -> None:
    head = letter.content.split(b"\r\n\r\n", 1)[0]
    assert not any(line.lower().startswith(b"bcc") for line in head.splitlines())
    assert letter.message["Bcc"] is None
    assert letter.message["To"].addresses[0].addr_spec == letter.recipient
