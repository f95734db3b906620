"""
Everything we hold about a member, for themselves (GDPR, article 15).

No other person is named, and no link that answers for somebody is in it. What organisers noted for
each other may speak about other people, too (article 15 (4)): the file says how many notes there
are and of which days, and a person reads them before they are handed out.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import parseaddr
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db.models import Case, F, QuerySet, Value, When

from invitations.models import FeedbackRequest
from members.models import Member

Rows = list[dict[str, Any]]


def of(member: Member, *, at: datetime) -> dict[str, Any]:
    """The whole file, ready for JSON but for its moments; about fifteen statements."""
    return {
        "about_this_file": _comment(),
        "made_at": at,
        "profile": _profile(member),
        "sign_in": _sign_in(member),
        "groups": _groups(member.subscriptions.all(), since="created_at"),
        "groups_left": _groups(member.departures.all(), since="left_at"),
        "invitations": _invitations(member),
        "letters": _letters(member),
        "letters_that_came_back": _rows(
            member.bounces.all(), "at", "kind", "code", "told_by", letter=F("entry__action")
        ),
        "questions_how_it_was": _questions(member),
        "suspensions": _suspensions(member),
        "letters_of_organisers": _rows(member.notices.all(), "kind", "created_at"),
        "notes_of_organisers": _days_of_notes(member),
        "organises": _organises(member),
        "history": _history(member),
    }


def _comment() -> list[str]:
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return [
        "This is what codebar holds about you. Moments are in UTC.",
        "Other people are not named, and the links of your letters are left out, since whoever"
        " has one can answer for you.",
        "Feedback you gave is not here: it is kept without your name and cannot be found again.",
        "Of the notes that organisers wrote about you, the days are listed. Notes may speak about"
        f" other people, so somebody reads them before you get them: write to {address}.",
        f"Questions, and what is wrong here and you cannot change yourself: {address}.",
    ]


def _profile(member: Member) -> dict[str, Any]:
    return {
        field: getattr(member, field)
        for field in (
            "email",
            "name",
            "surname",
            "pronouns",
            "about",
            "skills",
            "dietary_needs",
            "other_dietary_needs",
            "language",
            "heard_from",
            "heard_from_other",
            "created_at",
            "accepted_terms_at",
            "last_login",
            "address_unusable_at",
            "address_unusable_reason",
            "complained_at",
        )
    }


def _sign_in(member: Member) -> dict[str, Rows]:
    return {
        "addresses": _rows(EmailAddress.objects.filter(user=member), "email", "verified"),
        "accounts_elsewhere": _rows(
            SocialAccount.objects.filter(user=member),
            "provider",
            "uid",
            "date_joined",
            "last_login",
            "extra_data",
        ),
    }


def _groups(rows: QuerySet[Any], *, since: str) -> Rows:
    return _rows(
        rows, chapter_name=F("group__chapter__name"), group_name=F("group__name"), since=F(since)
    )


def _invitations(member: Member) -> Rows:
    return _rows(
        member.invitations.all(),
        "role",
        "answer",
        "answered_at",
        "note",
        "tutorial",
        "override_reason",
        "attended_at",
        "created_at",
        chapter_name=F("workshop__chapter__name"),
        workshop_starts_at=F("workshop__starts_at"),
        who_answered=Case(When(answered_by=None, then=Value("you")), default=Value("an organiser")),
    )


def _letters(member: Member) -> Rows:
    """Also those that were not sent, with the reason."""
    return _rows(
        member.log_entries.all(),
        "action",
        "status",
        "reason",
        "created_at",
        "changed_at",
        chapter_name=F("workshop__chapter__name"),
        workshop_starts_at=F("workshop__starts_at"),
    )


def _questions(member: Member) -> Rows:
    return _rows(
        FeedbackRequest.objects.filter(invitation__member=member),
        "created_at",
        "answered_on",
        chapter_name=F("invitation__workshop__chapter__name"),
    )


def _suspensions(member: Member) -> Rows:
    return _rows(
        member.bans.all(), "reason", "explanation", "created_at", "expires_at", "is_permanent"
    )


def _days_of_notes(member: Member) -> list[datetime]:
    """Of those by themselves, and of those beside a suspension."""
    notes = member.notes.values_list("created_at", flat=True)
    beside = member.bans.exclude(note="").values_list("created_at", flat=True)
    return sorted([*notes, *beside])


def _organises(member: Member) -> dict[str, list[Any]]:
    return {
        "chapters": list(member.organised_chapters.order_by("name").values_list("name", flat=True)),
        "workshops": _rows(
            member.organised_workshops.all(), "starts_at", chapter_name=F("chapter__name")
        ),
    }


def _history(member: Member) -> Rows:
    """What you did, and what was done to your account; not to whom you did it."""
    by_you = _rows(member.activities_of_theirs.all(), "at", "did", who=Value("you"))
    others = Case(When(by=None, then=Value("codebar")), default=Value("an organiser"))
    to_you = _rows(member.activities.exclude(by=member), "at", "did", "remark", who=others)
    return sorted(by_you + to_you, key=lambda row: row["at"])


def _rows(rows: QuerySet[Any], *fields: str, **named: Any) -> Rows:
    return list(rows.order_by("pk").values(*fields, **named))
