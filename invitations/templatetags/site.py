"""What every page asks about the person who looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from invitations import policies

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from members.models import Member

register = template.Library()


@register.simple_tag
def organises_anything(user: Member | AnonymousUser) -> bool:
    """Whether this person has an organiser's pages at all."""
    return policies.organises_anything(user)
