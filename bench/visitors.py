"""
Who comes to the site while letters leave: organisers, members, and people who answer a letter.

Locust runs it in a process of its own (`bench/load.py` starts it). Whom it plays and which pages
there are, it reads from the file that BENCH_CAST names; at its end it writes each request, and when
each answer was given, into the file that BENCH_SEEN names. Every visit comes from an address of its
own, told as a proxy tells it, and waits between two pages as people do.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from itertools import count
from pathlib import Path
from typing import Any

from locust import HttpUser, between, events, task

FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
STOP_POLLING = 286  # what our log page says to htmx when nothing changes any more
DECLINING = 6  # every sixth says no

cast: dict[str, Any] = json.loads(Path(os.environ["BENCH_CAST"]).read_text())
requests: list[tuple[str, float, float, str]] = []
answers: dict[str, float] = {}
_visits = count()


class Visitor(HttpUser):
    """A browser behind the proxy of production, which tells the address and speaks TLS."""

    abstract = True

    def come(self, session: str = "") -> None:
        """From another address, signed in by this session or not at all."""
        number = next(_visits)
        self.client.cookies.clear()
        if session:
            self.client.cookies.set("sessionid", session)
        self.client.headers.update(
            {
                "Host": cast["host"],
                "Referer": f"https://{cast['host']}/",
                "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
                "X-Forwarded-Proto": "https",
            }
        )

    def see(self, name: str, path: str, *, statuses: tuple[int, ...] = (200,), **more: Any) -> str:
        """The text of a page; another status than one of these is an error."""
        method = "POST" if "data" in more else "GET"
        with self.client.request(
            method, path, name=name, allow_redirects=False, catch_response=True, **more
        ) as answer:
            if answer.status_code in statuses:
                answer.success()
            else:
                answer.failure(str(answer.error or f"status {answer.status_code}"))
        for cookie in self.client.cookies:
            cookie.secure = False  # TLS would have ended at the proxy
        return str(answer.text)

    def think(self) -> None:
        time.sleep(self.wait_time())


class Organiser(Visitor):
    """Watches the log, and looks things up meanwhile."""

    fixed_count = cast["organisers_at_once"]
    wait_time = between(1, 3)

    def on_start(self) -> None:
        self.come(random.choice(cast["organisers"]))

    @task(4)
    def watches_the_log(self) -> None:
        self.see("Log", cast["log"])
        self.see("Log: whom the button would reach now", f"{cast['log']}/top_up")
        for _ in range(3):
            time.sleep(2)  # what the page itself waits before it asks again
            self.see("Log: progress", f"{cast['log']}/progress", statuses=(200, STOP_POLLING))

    @task(2)
    def looks_at_the_workshop(self) -> None:
        self.see("Start of organisers", "/admin/")
        self.think()
        self.see("Workshop of organisers", f"/admin/workshops/{cast['workshop']}")

    @task(1)
    def wants_to_send(self) -> None:
        self.see("Send invitations", f"/admin/workshops/{cast['workshop']}/send_invites")

    @task(2)
    def searches(self) -> None:
        letters = random.choice(cast["searched"])
        self.see("Members, by name", f"/admin/members?q={letters}")


class Member(Visitor):
    """Signed in, or not yet, and curious about what comes."""

    fixed_count = cast["members_at_once"]
    wait_time = between(1, 3)

    @task(3)
    def looks_around(self) -> None:
        self.come(random.choice(cast["members"]))
        self.see("Dashboard", "/dashboard")
        self.think()
        self.see("Workshop", f"/workshops/{random.choice(cast['workshops'])}")
        self.think()
        self.see("Subscriptions", "/subscriptions")

    @task(2)
    def passes_by(self) -> None:
        self.come()
        self.see("Home", "/")
        self.think()
        self.see("Workshop", f"/workshops/{random.choice(cast['workshops'])}")


class Invited(Visitor):
    """Opens a letter and answers; each letter once."""

    fixed_count = cast["answering_at_once"]
    wait_time = between(3, 6)

    @task
    def answers(self) -> None:
        if not cast["invited"]:
            return
        address, token = cast["invited"].pop()
        self.come()
        page = self.see("Invitation", f"/invitation/{token}")
        self.think()
        found = FORM_TOKEN.search(page)
        answer = "reject" if len(answers) % DECLINING == 0 else "accept"
        data = {"csrfmiddlewaretoken": found[1] if found else "", "role": "coach"}
        answers[address] = time.monotonic()
        self.see("Answer", f"/invitation/{token}/{answer}", statuses=(302,), data=data)
        self.see("Invitation", f"/invitation/{token}")


@events.request.add_listener
def note(name: str, response_time: float, exception: Exception | None, **_: object) -> None:
    """Each request: its name, when it was answered, its milliseconds, and what was wrong."""
    error = f"{name}: {exception}" if exception else ""
    requests.append((name, time.monotonic(), response_time, error))


@events.quit.add_listener
def write(**_: object) -> None:
    """All that was seen."""
    seen = {"requests": requests, "answers": answers}
    Path(os.environ["BENCH_SEEN"]).write_text(json.dumps(seen))
