"""What every page asks about the person who looks at it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django import template

from invitations import policies
from invitations.queries.surroundings import Surroundings
from invitations.queries.surroundings import surroundings as surroundings_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from members.models import Member

register = template.Library()


@register.simple_tag
def organises_anything(user: Member | AnonymousUser) -> bool:
    """Whether this person has an organiser's pages at all."""
    return policies.organises_anything(user)


@register.simple_tag
def surroundings(user: Member | AnonymousUser) -> Surroundings:
    """What an organiser's page says around its own story."""
    return surroundings_of(user)


@register.simple_tag
def with_a_page(people: Iterable[Member], user: Member | AnonymousUser) -> set[int]:
    """The ids of those among these people whose page the user may open, by one query."""
    visible = policies.members_visible_to(user).filter(pk__in=[person.pk for person in people])
    return set(visible.values_list("pk", flat=True))


@register.filter
def if_on_the_web(address: str) -> str:
    """The address where a browser opens it as a page; empty for every other kind."""
    return address if address.startswith(("https://", "http://")) else ""
