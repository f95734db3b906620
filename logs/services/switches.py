"""
The switches: whether letters may leave at all, and those of a chapter.

A sender reads them in the statement that allows each letter, so whoever stops sending stops it
within one letter of each connection. A global switch that is missing or cannot be read means off.
Nothing is lost: what waits leaves, from the ledger, once the switch is on again.

An admin, or whoever has the command line, may know of something that an organiser does not. So
what they have stopped only they let go on.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet

from chapters.models import Chapter
from logs.models import Activity, Switch
from logs.services import activities
from members.models import Member

STOPPED, RESUMED = "stopped all sending", "let letters leave again"
STOPPED_CHAPTER = "stopped the letters of this chapter"
STOPPED_AS_ADMIN = "stopped the letters of this chapter until an admin lets them leave"
RESUMED_CHAPTER = "let the letters of this chapter leave again"
STOPS = (STOPPED, STOPPED_CHAPTER, STOPPED_AS_ADMIN)


class OnlyAnAdmin(Exception):
    """An admin has stopped the letters of this chapter, and somebody else wants them to leave."""

    message = "An admin has stopped these letters, so an admin lets them leave again."


@transaction.atomic
def stop(chapter: Chapter | None = None, *, by: Member | None = None, reason: str = "") -> bool:
    """
    Let no further letter leave, of this chapter or at all. Stopping twice changes nothing, except
    that what an organiser has stopped an admin may stop, too.

    :param by: nobody stands for the command line
    :param reason: is noted beside who did it
    :returns: whether this call stopped them
    """
    is_new = _turn(chapter, is_on=False)
    if chapter and not is_new and is_admin(by):
        is_new = not needs_admin(_last_stop(chapter))
    if is_new:
        activities.note(_stopped(chapter, by=by), by=by, chapter=chapter, remark=reason)
    return is_new


@transaction.atomic
def resume(chapter: Chapter | None = None, *, by: Member | None = None) -> bool:
    """
    Let what waits leave, of this chapter or all of it. A chapter that is let go still waits while
    everything is stopped.

    :param by: nobody stands for the command line
    :returns: whether this call did it; the caller rings for the letters once it is committed
    :raises OnlyAnAdmin: and they stay stopped
    """
    is_new = _turn(chapter, is_on=True)
    if is_new:
        if chapter and not is_admin(by) and needs_admin(_last_stop(chapter)):
            raise OnlyAnAdmin
        activities.note(RESUMED_CHAPTER if chapter else RESUMED, by=by, chapter=chapter)
    return is_new


def turned() -> QuerySet[Activity]:
    """Who turned a switch, the newest first."""
    did = (*STOPS, RESUMED, RESUMED_CHAPTER)
    found = Activity.objects.filter(did__in=did).select_related("by", "chapter")
    return found.order_by("-at", "-pk")


def last_stops(chapters: Collection[Chapter | None]) -> dict[int | None, Activity]:
    """Who stopped these chapters last, by their id, when and why; None stands for everything."""
    concerned = Q(chapter__in=[chapter for chapter in chapters if chapter], did__in=STOPS)
    if None in chapters:
        concerned |= Q(chapter=None, did=STOPPED)
    found = Activity.objects.filter(concerned).select_related("by")
    newest = found.order_by("chapter", "-at", "-pk").distinct("chapter")
    return {stop.chapter_id: stop for stop in newest}


def is_admin(by: Member | None) -> bool:
    """Whoever may let go on what an admin has stopped; nobody stands for the command line."""
    return by is None or by.is_superuser


def needs_admin(stop: Activity | None) -> bool:
    """Whether only an admin lets go on what was stopped so, or nobody knows how."""
    return stop is None or stop.did in (STOPPED, STOPPED_AS_ADMIN)


def _last_stop(chapter: Chapter) -> Activity | None:
    return last_stops([chapter]).get(chapter.pk)


def _stopped(chapter: Chapter | None, *, by: Member | None) -> str:
    if chapter is None:
        return STOPPED
    return STOPPED_AS_ADMIN if is_admin(by) else STOPPED_CHAPTER


def _turn(chapter: Chapter | None, *, is_on: bool) -> bool:
    """Whether letters may leave now that could not, or the other way round."""
    switch, is_new = Switch.objects.select_for_update().get_or_create(
        chapter=chapter, defaults={"is_on": is_on}
    )
    was_on = chapter is not None if is_new else switch.is_on  # as a missing one is read
    if switch.is_on != is_on:
        Switch.objects.filter(pk=switch.pk).update(is_on=is_on)
    return was_on != is_on
