"""What members tell about themselves."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from members.models import Member


class AccountClosed(Exception):
    """What a former member told is gone, and nothing is written back."""

    message = _("This account is closed.")


def change(member: Member, **details: Any) -> None:
    """
    Keep these details, and leave every other column as it is by now.

    :param details: values by the name of their field, all checked by the form
    :raises AccountClosed: also when it was closed at the same moment
    """
    # One statement: where the account is closing, it waits for that and then finds nobody.
    if not Member.objects.filter(pk=member.pk, closed_at=None).update(**details):
        raise AccountClosed
