"""Choosing the language of one's letters and pages."""

from __future__ import annotations

from members.models import Language, Member


def choose(member: Member, *, language: Language) -> None:
    """From now on pages and letters, also those that are waiting to leave, are in this language."""
    Member.objects.filter(pk=member.pk, closed_at=None).update(language=language)
