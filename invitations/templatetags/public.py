"""What public pages say about places, and the address they are known by."""

from __future__ import annotations

from email.utils import parseaddr

from django import template
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chapters.models import Role
from invitations.queries.overviews import Places
from invitations.queries.public import Listing

register = template.Library()


@register.simple_tag
def site_url() -> str:
    """How the site is reached, without a slash at the end."""
    return settings.SITE_URL


@register.simple_tag
def our_address() -> str:
    """Where people write to, when no chapter is meant."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


@register.filter
def left_in_words(places: Places) -> str:
    """How many places are left, in a sentence."""
    if places.role == Role.COACH:
        if places.is_full:
            return _("All places for coaches are taken. You can wait for one.")
        words = ngettext(
            "%(left)d place for a coach is free.",
            "%(left)d places for coaches are free.",
            places.left,
        )
    else:
        if places.is_full:
            return _("All places for students are taken. You can wait for one.")
        words = ngettext(
            "%(left)d place for a student is free.",
            "%(left)d places for students are free.",
            places.left,
        )
    return words % {"left": places.left}


@register.filter
def free_for(listing: Listing) -> str:
    """For whom there are places, in a few words: "Places for students and coaches"."""
    roles = {places.role for places in listing.free}
    if roles == set(Role):
        return _("Places for students and coaches")
    if Role.STUDENT in roles:
        return _("Places for students; coaches can wait for one")
    if Role.COACH in roles:
        return _("Places for coaches; students can wait for one")
    return _("Full; you can wait for a place")
