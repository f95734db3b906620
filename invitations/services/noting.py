"""What organisers write down for each other about a member."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from logs.services import activities
from members.models import Member, Note


@transaction.atomic
def add(member: Member, *, author: Member, text: str, at: datetime, request_key: uuid.UUID) -> Note:
    """The note; the same `request_key` again finds the same one."""
    note, is_new = Note.objects.get_or_create(
        request_key=request_key,
        defaults={"member": member, "author": author, "text": text, "created_at": at},
    )
    if is_new:
        activities.note("wrote a note", by=author, member=member)
    return note


@transaction.atomic
def delete(note: Note, *, by: Member) -> None:
    """Forget the note; that there was one stays in the history. Deleting twice changes nothing."""
    deleted, _ = Note.objects.filter(pk=note.pk).delete()
    if deleted:
        activities.note("deleted a note", by=by, member=note.member)
