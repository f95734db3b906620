"""Addresses that cannot receive letters."""

from django.db.models.functions import Now

from members.models import Member


def mark_unusable(member_id: int, address: str, *, reason: str) -> None:
    """No letter goes to this address any more; one that was changed meanwhile is left alone."""
    Member.objects.filter(pk=member_id, email=address, address_unusable_at__isnull=True).update(
        address_unusable_at=Now(), address_unusable_reason=reason
    )
