"""The switches: who turns them, from where, what is written down of it, and where it is seen."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from chapters.models import Chapter
from invitations.services import delivering
from logs.models import Activity, EntryStatus, LogStatus, Switch
from logs.services import holds, slots, switches
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    organiser_of,
)
from tests.support.database import execute
from tests.support.together import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def chapter() -> Chapter:
    return ChapterFactory(name="Brighton", slug="brighton")


@pytest.fixture
def admin() -> Client:
    return signed_in(MemberFactory(name="Ada", surname="Admin", superuser=True))


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", response.content.decode()).split())


def turned() -> dict[str | None, bool]:
    """Every switch by its chapter."""
    return dict(Switch.objects.values_list("chapter__name", "is_on"))


def history() -> list[tuple[str | None, str, str | None, str]]:
    return [
        (a.by and a.by.name, a.did, a.chapter and a.chapter.name, a.remark)
        for a in Activity.objects.order_by("pk").select_related("by", "chapter")
    ]


# ---- The service -----------------------------------------------------------------------------


def test_stop_and_resume_are_written_down_once(chapter):
    asha = MemberFactory(name="Asha")

    assert switches.stop(by=asha, reason="Wrong chapter")
    assert not switches.stop(by=asha)
    assert switches.stop(chapter, by=asha)
    assert turned() == {None: False, "Brighton": False}
    assert switches.resume(by=asha)
    assert not switches.resume(by=asha)
    assert switches.resume(chapter, by=asha)

    assert turned() == {None: True, "Brighton": True}
    assert history() == [
        ("Asha", "stopped all sending", None, "Wrong chapter"),
        ("Asha", "stopped the letters of this chapter", "Brighton", ""),
        ("Asha", "let letters leave again", None, ""),
        ("Asha", "let the letters of this chapter leave again", "Brighton", ""),
    ]


def test_a_missing_global_switch_is_off_and_a_missing_one_of_a_chapter_on(chapter):
    Switch.objects.all().delete()

    assert not switches.stop()
    assert not switches.resume(chapter)
    assert switches.resume()

    assert turned() == {None: True, "Brighton": True}
    assert [did for _, did, _, _ in history()] == ["let letters leave again"]


def admin_or_command_line(who: str) -> Member | None:
    return MemberFactory(name="Ada", superuser=True) if who == "an admin" else None


@pytest.mark.parametrize("who", ["an admin", "the command line"])
def test_what_an_admin_has_stopped_only_an_admin_lets_go_on(who, chapter):
    by, olu = admin_or_command_line(who), organiser_of(chapter)
    assert switches.stop(chapter, by=by, reason="Wrong people")

    assert not switches.stop(chapter, by=olu, reason="Me too")
    with pytest.raises(switches.OnlyAnAdmin):
        switches.resume(chapter, by=olu)
    assert turned()["Brighton"] is False
    assert switches.resume(chapter, by=by)

    name = by.name if by else None
    assert history() == [
        (name, switches.STOPPED_AS_ADMIN, "Brighton", "Wrong people"),
        (name, "let the letters of this chapter leave again", "Brighton", ""),
    ]


def test_it_stays_so_when_they_are_no_admin_any_more(chapter):
    ada = MemberFactory(superuser=True)
    switches.stop(chapter, by=ada)
    Member.objects.update(is_superuser=False)

    with pytest.raises(switches.OnlyAnAdmin):
        switches.resume(chapter, by=organiser_of(chapter))


def test_an_admin_stops_what_an_organiser_has_stopped_once(chapter):
    ada, olu = MemberFactory(name="Ada", superuser=True), organiser_of(chapter)
    switches.stop(chapter, by=olu)

    assert switches.stop(chapter, by=ada)
    assert not switches.stop(chapter, by=ada)
    with pytest.raises(switches.OnlyAnAdmin):
        switches.resume(chapter, by=olu)
    assert switches.resume(chapter, by=ada)

    assert switches.stop(chapter, by=olu)
    assert switches.resume(chapter, by=olu)


def test_what_nobody_knows_who_has_stopped_an_admin_lets_go_on(chapter):
    Switch.objects.create(chapter=chapter, is_on=False)

    with pytest.raises(switches.OnlyAnAdmin):
        switches.resume(chapter, by=organiser_of(chapter))
    assert switches.resume(chapter, by=MemberFactory(superuser=True))


@pytest.mark.django_db(transaction=True)
def test_two_who_stop_at_once_are_one():
    chapter = ChapterFactory()

    told = at_once(*[lambda: switches.stop(chapter)] * 4)

    assert sorted(told) == [False, False, False, True]
    assert Activity.objects.count() == 1


@pytest.mark.parametrize("how", ["missing", "off", "chapter off"])
def test_no_letter_is_claimed_or_allowed_while_it_is_off(how, sink, settings):
    settings.EMAIL_PORT = sink.port
    entry = InvitationLogEntryFactory()
    slots.provide(2)
    if how == "missing":
        Switch.objects.all().delete()
    else:
        switches.stop(entry.workshop.chapter if how == "chapter off" else None)

    delivering.deliver_what_is_due()

    entry.refresh_from_db()
    assert (entry.status, sink.letters) == (EntryStatus.PENDING, [])


@pytest.mark.django_db(transaction=True)
def test_a_switch_that_cannot_be_read_means_stop(ledger, sink, settings):
    settings.EMAIL_PORT = sink.port
    entry = InvitationLogEntryFactory()
    slots.provide(2)
    execute("ALTER TABLE logs_switch RENAME TO logs_switch_away")
    try:
        assert not delivering.deliver_what_is_due()
    finally:
        execute("ALTER TABLE logs_switch_away RENAME TO logs_switch")

    entry.refresh_from_db()
    assert (entry.status, sink.letters) == (EntryStatus.PENDING, [])
    assert slots.free_count() == 2


# ---- The pages ---------------------------------------------------------------------------------


def test_an_admin_stops_everything_and_lets_it_go_on(admin):
    InvitationLogEntryFactory.create_batch(3)

    page = admin.get(reverse("delivery_stop"))
    assert "No further letter leaves, of any chapter" in words(page)
    assert "3 wait now, and none of them is lost." in words(page)
    assert turned() == {None: True}
    stopped = admin.post(reverse("delivery_stop"), {"reason": "Wrong people"}, follow=True)
    assert "Stopped. The letters that wait leave when you let them." in words(stopped)
    assert "No letter leaves, of no chapter. None is lost: 3 wait now." in words(stopped)
    assert "Stopped all sending “Wrong people”" in words(stopped)
    assert re.search(
        r"Ada Admin stopped it on \d+ \w+ at \d\d:\d\d \(UTC\): “Wrong people”", words(stopped)
    )
    again = admin.post(reverse("delivery_stop"), follow=True)
    assert "It was so already." in words(again)

    assert "3 letters wait and leave" in words(admin.get(reverse("delivery_resume")))
    resumed = admin.post(reverse("delivery_resume"), follow=True)
    assert "The letters leave again." in words(resumed)
    assert "It was so already." in words(admin.post(reverse("delivery_resume"), follow=True))

    assert turned() == {None: True}
    assert [(by, did, remark) for by, did, _, remark in history()] == [
        ("Ada", "stopped all sending", "Wrong people"),
        ("Ada", "let letters leave again", ""),
    ]


def test_an_organiser_stops_the_letters_of_their_chapter(chapter):
    InvitationLogEntryFactory(log__workshop__chapter=chapter)
    InvitationLogEntryFactory()
    client = signed_in(organiser_of(chapter))
    page = reverse("chapter", args=[chapter.pk])
    assert reverse("chapter_stop", args=[chapter.pk]) in client.get(page).content.decode()

    assert "1 waits now" in words(client.get(reverse("chapter_stop", args=[chapter.pk])))
    stopped = client.post(reverse("chapter_stop", args=[chapter.pk]), follow=True)
    assert "Sending is stopped for codebar Brighton." in words(stopped)
    assert reverse("chapter_resume", args=[chapter.pk]) in stopped.content.decode()
    assert turned() == {None: True, "Brighton": False}

    switches.stop()
    resume = client.get(reverse("chapter_resume", args=[chapter.pk]))
    assert "they wait until an admin lets that go on" in words(resume)
    client.post(reverse("chapter_resume", args=[chapter.pk]))
    assert turned() == {None: False, "Brighton": True}


def test_who_stopped_a_chapter_when_and_why_stands_where_it_is_stopped(admin, chapter):
    olu = organiser_of(chapter)
    switches.stop(chapter, by=olu, reason="Wrong room")
    Activity.objects.update(at=datetime(2026, 7, 1, 17, 3, tzinfo=UTC))
    sentence = "Olu Organiser stopped it on 1 July at 18:03 (BST): “Wrong room”"
    page, resume = (reverse(name, args=[chapter.pk]) for name in ("chapter", "chapter_resume"))

    for address in (page, resume, reverse("workshops")):
        assert sentence in words(signed_in(olu).get(address)), address
    assert sentence in words(admin.get(reverse("delivery")))


def test_the_page_of_what_an_admin_has_stopped_has_no_button_and_refuses(admin, chapter):
    client = signed_in(organiser_of(chapter))
    admin.post(reverse("chapter_stop", args=[chapter.pk]), {"reason": "Wrong people"})
    resume = reverse("chapter_resume", args=[chapter.pk])
    assert "Only an admin lets them leave again." in words(
        client.get(reverse("chapter", args=[chapter.pk]))
    )

    for page in (client.get(resume), client.post(resume)):
        assert "Ada Admin, an admin, stopped it on" in words(page)
        assert "Only an admin lets them leave again." in words(page)
        assert 'type="submit">Let the letters' not in page.content.decode()
    assert client.post(resume).status_code == 403
    assert turned()["Brighton"] is False
    assert "The letters leave again." in words(admin.post(resume, follow=True))


def test_the_page_leads_an_admin_to_stop_what_an_organiser_has_stopped(admin, chapter):
    olu = organiser_of(chapter)
    switches.stop(chapter, by=olu)
    page, too = reverse("chapter", args=[chapter.pk]), "Stop them until an admin lets them leave…"
    assert too in words(admin.get(page))
    assert too not in words(signed_in(olu).get(page))

    admin.post(reverse("chapter_stop", args=[chapter.pk]), {"reason": "Wrong people"})

    assert too not in words(admin.get(page))


def test_a_reason_that_is_too_long_comes_back(admin):
    answer = admin.post(reverse("delivery_stop"), {"reason": "x" * 201})

    assert answer.status_code == 400
    assert "x" * 201 in answer.content.decode()
    assert turned() == {None: True}


def test_what_is_being_sent_is_shown(admin):
    log = InvitationLogFactory()
    InvitationLogEntryFactory(log=log, status=EntryStatus.SUCCESS)
    InvitationLogEntryFactory(log=log)
    InvitationLogFactory(status=LogStatus.COMPLETED)

    page = admin.get(reverse("delivery"))

    assert "Letters leave 1 letter waits for its turn." in words(page)
    assert "1 sent, 1 to go" in words(page)
    assert page.content.decode().count("/invitation_logs/") == 1


def test_nothing_is_being_sent(admin):
    text = words(admin.get(reverse("delivery")))

    assert "Nothing waits." in text
    assert "No log is at work" in text
    assert "Nobody has, so far." in text


def test_the_page_of_sending_names_the_hold_and_the_stopped_chapters(admin, chapter):
    holds.hold(reason="421 too many connections")
    switches.stop(chapter)

    text = words(admin.get(reverse("delivery")))

    assert "Waiting for the mail server 421 too many connections." in text
    assert "Stopped for one chapter Brighton stopped" in text


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_of_sending_asks_as_often_whatever_the_size(
    rows, admin, django_assert_num_queries
):
    for _ in range(rows):
        InvitationLogEntryFactory()
        switches.stop(ChapterFactory(), by=MemberFactory())

    with django_assert_num_queries(13):
        admin.get(reverse("delivery"))


# ---- The banner --------------------------------------------------------------------------------


def banner_for(member: Member, name: str = "workshops") -> str:
    found = re.search(
        r"<aside.*?</aside>", signed_in(member).get(reverse(name)).content.decode(), re.S
    )
    return " ".join(re.sub(r"<[^>]+>", "", found[0]).split()) if found else ""


def test_every_organisers_page_says_that_sending_is_stopped(chapter):
    switches.stop()

    for name in ("workshops", "members", "search", "sponsors", "portal", "chapters"):
        assert banner_for(organiser_of(chapter), name).startswith("Sending is stopped."), name


def test_the_banner_names_the_chapters_that_concern_its_reader(chapter):
    switches.stop(chapter)
    workshop = WorkshopFactory(chapter=chapter)
    beside = MemberFactory()
    workshop.organisers.add(beside)

    assert banner_for(organiser_of(chapter)).startswith("Sending is stopped for codebar Brighton.")
    assert banner_for(beside).startswith("Sending is stopped for codebar Brighton.")
    assert banner_for(organiser_of(ChapterFactory())) == ""
    assert banner_for(MemberFactory(superuser=True)).endswith("See why, and let it go on")


def test_the_banner_says_of_each_of_a_few_chapters_who_has_stopped_it(chapter):
    zagreb = ChapterFactory(name="Zagreb")
    olu = organiser_of(chapter, zagreb)
    switches.stop(chapter, by=MemberFactory(name="Ada", surname="Admin", superuser=True))
    switches.stop(zagreb, by=olu, reason="Wrong room")

    banner = banner_for(olu)

    assert banner.startswith("Sending is stopped for codebar Brighton, codebar Zagreb.")
    assert "Brighton: Ada Admin, an admin, stopped it on" in banner
    assert "Zagreb: Olu Organiser stopped it on" in banner


def test_members_read_no_banner(chapter):
    switches.stop()
    member = MemberFactory()

    assert banner_for(member, "dashboard") == banner_for(organiser_of(chapter), "dashboard") == ""
    nowhere = signed_in(member).get("/admin/nowhere")
    assert nowhere.status_code == 404
    assert "Sending is stopped" not in nowhere.content.decode()


# ---- The command -------------------------------------------------------------------------------


def test_the_command_turns_the_switches(chapter, capsys):
    call_command("delivery", "pause")
    call_command("delivery", "pause", "--chapter", "brighton")
    assert turned() == {None: False, "Brighton": False}
    Activity.objects.update(at=datetime(2026, 7, 1, 17, 3, tzinfo=UTC))
    capsys.readouterr()
    call_command("delivery", "status")
    since = "since 2026-07-01 17:03 UTC, by the command line: From the command line."
    assert capsys.readouterr().out.splitlines() == [
        f"Sending is stopped; “delivery resume” lets it go on, {since}",
        f"Sending is stopped for brighton, {since}",
        "0 of 0 connections are sending.",
        "No log is at work.",
    ]

    call_command("delivery", "resume", "--chapter", "brighton")
    call_command("delivery", "resume")

    assert turned() == {None: True, "Brighton": True}
    assert [(by, remark) for by, _, _, remark in history()] == [
        (None, "From the command line."),
        (None, "From the command line."),
        (None, ""),
        (None, ""),
    ]


def test_the_command_says_who_stopped_a_chapter_by_their_number(chapter, capsys):
    ada, olu = MemberFactory(superuser=True), organiser_of(chapter)
    other = ChapterFactory(name="Zagreb", slug="zagreb")
    switches.stop(chapter, by=ada, reason="Wrong people")
    switches.stop(other, by=olu)
    lost = ChapterFactory(name="Zurich", slug="zurich")
    Switch.objects.create(chapter=lost, is_on=False)
    Activity.objects.update(at=datetime(2026, 7, 1, 17, 3, tzinfo=UTC))

    call_command("delivery", "status")

    since = "since 2026-07-01 17:03 UTC, by member"
    assert capsys.readouterr().out.splitlines()[:3] == [
        f"Sending is stopped for brighton, {since} {ada.pk}, an admin: Wrong people",
        f"Sending is stopped for zagreb, {since} {olu.pk}.",
        "Sending is stopped for zurich. Nobody knows who stopped it.",
    ]


def test_the_command_refuses_an_unknown_chapter_and_two_things_at_once():
    with pytest.raises(CommandError, match="There is no chapter nowhere"):
        call_command("delivery", "pause", "--chapter", "nowhere")
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("delivery", "pause", "1", "--chapter", "nowhere")

    assert turned() == {None: True}
