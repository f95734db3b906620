"""Is this number of letters usual here? Where it is not, somebody types it (R21)."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Max

from chapters.models import Chapter
from logs.models import Action, Audience, InvitationLog, LogStatus

FEW = 50  # so many letters are never asked about
FAR_BEYOND = 1.5


def why_type_many(letters: int) -> str:
    """Why so many letters need their number typed, whatever they are; "" where they do not."""
    if letters <= settings.GUARD_SIZE:
        return ""
    return f"More than {settings.GUARD_SIZE:,} letters leave only when their number is typed."


def why_type(chapter: Chapter, audience: Audience, *, letters: int) -> str:
    """Why somebody types how many invitations leave, before they do; "" where a click will do."""
    if why := why_type_many(letters):
        return why
    usual = largest_batch(chapter, audience) if letters > FEW else None
    if usual and letters > usual * FAR_BEYOND:
        return (
            f"That is far more than usual: {chapter} has never sent more than {usual:,} letters to"
            f" {audience.label.lower()} at once."
        )
    return ""


def largest_batch(chapter: Chapter, audience: Audience) -> int | None:
    """
    How many people an invitation to this audience was confirmed for at once, at most; nothing
    before the first. One number a log: it is asked at a click, and no letter is counted.
    """
    logs = InvitationLog.objects.filter(
        chapter=chapter, audience=audience, action=Action.INVITE, status=LogStatus.COMPLETED
    )
    most: int | None = logs.aggregate(most=Max("seen_count"))["most"]
    return most
