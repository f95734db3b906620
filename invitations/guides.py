"""The pages that only tell something, each a template of its name in `templates/public/guides`."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Guide:
    """A page of text at planner's address."""

    name: str
    address: str
    title: str | Promise
    description: str | Promise


GUIDES = (
    Guide(
        "code_of_conduct",
        "code-of-conduct",
        _("Code of conduct"),
        _("Everybody should feel welcome and safe with us. This is how we see to it together."),
    ),
    Guide(
        "breach_of_conduct",
        "breach-code-of-conduct",
        _("When the code of conduct is broken"),
        _("Whom to tell, what we do then, and what may follow."),
    ),
    Guide(
        "attendance_policy",
        "attendance-policy",
        _("Saying that you come, and coming"),
        _("Places are few and free. This is how they reach somebody who uses them."),
    ),
    Guide(
        "student_guide",
        "student-guide",
        _("For students"),
        _("Who our workshops are for, what to bring, and how an evening goes."),
    ),
    Guide(
        "coaching_guide",
        "effective-teacher-guide",
        _("For coaches"),
        _("How to help somebody learn, by people who have done it for years."),
    ),
    Guide(
        "faq",
        "faq",
        _("Questions and answers"),
        _("What people ask before they come, and after."),
    ),
    Guide(
        "volunteer",
        "volunteer",
        _("Help codebar"),
        _("Coach, organise, lend us a room: codebar is what volunteers make of it."),
    ),
    Guide(
        "podcast",
        "codebar-stories-podcast",
        _("codebar stories"),
        _("A podcast: people tell how they came to code, and what became of it."),
    ),
    Guide(
        "privacy_policy",
        "privacy-policy",
        _("Privacy"),
        _("What we know about you, what for, who sees it, and how to have it deleted."),
    ),
    Guide(
        "cookie_policy",
        "cookie-policy",
        _("Cookies"),
        _("The few cookies we use, and what each is for."),
    ),
)
