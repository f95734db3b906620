"""X15: logs hold ids, and no address, name or token, although mail servers repeat the address."""

from __future__ import annotations

import json
import re
from collections import Counter

from django.conf import settings

from invitations.models import Invitation
from invitations.services.manager import InvitationManager
from members.models import Member
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.processes import Station
from tests.support.smtp_sink import DROP, STORE_AND_DROP

ANSWERS = [
    ("rcpt", "550 5.1.1 <{address}>: no such mailbox"),
    ("rcpt", "451 4.7.1 {address} is greylisted"),
    ("data", "554 5.7.1 refused for {address}"),
    ("dot", "552 5.2.2 mailbox of {address} is full"),
    ("dot", STORE_AND_DROP),
    ("rcpt", DROP),
]


def test_x15_logs_of_a_batch_with_every_trouble_name_nobody(station: Station):
    station.variables |= {"LOG_FORMAT": "json", "RELEASE": "1.0+x15"}
    workshop = WorkshopFactory(chapter=chapter_with(students=4 * len(ANSWERS)))
    people = list(workshop.chapter.groups.get(role="student").members.order_by("pk"))
    troubles = dict(zip([one.email for one in people[::4]], ANSWERS, strict=True))
    broken = people[1]
    Member.objects.filter(pk=broken.pk).update(email=f"no\u200bascii@{broken.pk}.people.example")
    struck: Counter[str] = Counter()

    def answer(step: str, address: str) -> str | None:
        at, act = troubles.get(address, ("", ""))
        if at != step or struck[address]:
            return None
        struck[address] += 1
        return act.format(address=address)

    station.sink.script = answer
    beat, worker = station.start_beat(), station.start_worker(concurrency=2)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    station.wait_until_quiet(log)
    beat.kill()
    worker.kill()  # nobody writes half a line while all are read

    lines = [
        json.loads(line)
        for process in (beat, worker)
        for line in process.output.splitlines()
        if line.startswith("{")
    ]
    assert set(troubles) == set(struck)
    assert len(lines) > 20
    assert {line["release"] for line in lines} == {"1.0+x15"}
    assert {line.get("log_id") for line in lines} >= {log.pk}
    assert any(line.get("entry_id") for line in lines)
    assert re.findall(r"[^\s@]+@[\w-]+\.[\w.-]+", json.dumps(lines)) == []
    said = beat.output + worker.output
    assert [one.pk for one in people if one.email in said or one.surname in said] == []
    tokens = Invitation.objects.filter(workshop=workshop).values_list("token", flat=True)
    assert [token for token in tokens if token in said] == []
    assert settings.SECRET_KEY not in said
