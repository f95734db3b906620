"""R31: beat is killed. Whoever looks from outside, or at a page, sees it; it is told afterwards."""

from __future__ import annotations

import time
from pathlib import Path

from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from logs.models import Alert
from members.models import Member
from tests.factories import WorkshopFactory, chapter_with, organiser_of
from tests.support.http_sink import HttpSink
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until
from tests.support.web import serving

SILENT_SECONDS = 10  # twenty sweeps of the station's
ON_CALL = "amina@ops.example"


def test_r31_a_beat_that_was_killed_is_seen_from_outside_on_pages_and_told_afterwards(
    station: Station, pager: HttpSink, tmp_path: Path, settings: Settings
):
    file = tmp_path / "alive"
    settings.DEADMAN_SECONDS = SILENT_SECONDS
    station.variables |= PATIENT | {
        "DEADMAN_FILE": str(file),
        "DEADMAN_SECONDS": str(SILENT_SECONDS),
        "ALERT_EMAILS": ON_CALL,
        "PAGER_WEBHOOK_URL": pager.url,
        "WATCH_SECONDS": "0",
    }
    organiser = organiser_of(WorkshopFactory(chapter=chapter_with(students=1)).chapter)
    station.start_worker()
    beat = station.start_beat()

    with serving(**station.variables) as web:
        wait_until(lambda: web.status("/deadman") == 200, what="the first sweep")
        touched_at = file.stat().st_mtime
        wait_until(lambda: file.stat().st_mtime > touched_at, what="the file to be touched again")
        assert "Nothing has looked after the letters" not in _portal(organiser)

        beat.kill()
        wait_until(lambda: web.status("/deadman") == 503, what="the silence to be seen")
        # The file is touched a moment after the sweep has begun, which the web reads.
        wait_until(
            lambda: time.time() - file.stat().st_mtime >= SILENT_SECONDS,
            what="an old file",
            seconds=1,
        )
        assert web.status("/readyz") == 200  # pages go on
        assert "Nothing has looked after the letters" in _portal(organiser)
        assert not Alert.objects.exists()  # whoever raises them is what has stopped
        assert not pager.posted

        station.start_beat()
        wait_until(lambda: web.status("/deadman") == 200, what="the sweep to be back")

    wait_until(lambda: pager.posted, what="somebody to be paged")
    wait_until(lambda: station.sink.recipients[ON_CALL], what="somebody to be told by mail")
    assert [alert["kind"] for alert in pager.posted[0].json["alerts"]] == ["sweep_silent"]
    assert "Nothing has looked after the letters" not in _portal(organiser)


def _portal(member: Member) -> str:
    browser = Client()
    browser.force_login(member)
    return str(browser.get(reverse("portal")).content.decode())
