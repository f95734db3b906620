"""Writing down who did what; called by the service that does it, inside its transaction."""

from __future__ import annotations

from collections.abc import Mapping

from chapters.models import Chapter, Workshop
from logs.models import Activity
from members.models import Member


def note(
    did: str,
    *,
    by: Member | None,
    chapter: Chapter | None = None,
    workshop: Workshop | None = None,
    member: Member | None = None,
    changes: Mapping[str, tuple[str, str]] | None = None,
    remark: str = "",
) -> Activity:
    """
    One line of history: "Asha moved the workshop".

    :param did: what completes a sentence that begins with the person; it names nobody
    :param by: who did it, or nobody where it happened by itself
    :param member: whom it was done to, where that is somebody else
    :param changes: what changed, by its label: how it was and how it is, in words
    :param remark: the reason that was given
    """
    return Activity.objects.create(
        did=did,
        by=by,
        chapter=chapter or (workshop.chapter if workshop else None),
        workshop=workshop,
        member=member,
        changes={label: list(values) for label, values in (changes or {}).items()},
        remark=remark,
    )
