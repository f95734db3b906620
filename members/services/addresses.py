"""The address that letters go to."""

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models import FAILING, Member, normalize_email


class AddressTaken(Exception):
    """Another account has this address."""

    message = _(
        "There is another account with this address. Sign in with it, or take another address."
    )


class AccountClosed(Exception):
    """A former member has no address any more, and gets none."""

    message = _("This account is closed.")


def change(member: Member, *, email: str) -> None:
    """
    From now on letters and sign-in codes go to this address, which the member proved to read. The
    same as before is usable again, as `mark_usable` says.

    :raises AddressTaken: when another account has it; two who ask at once do not both get it
    :raises AccountClosed: also when it was closed at the same moment
    """
    address = normalize_email(email)
    still_open = Member.objects.filter(pk=member.pk, closed_at=None)
    try:
        with transaction.atomic():
            # One statement: where the account is closing, it waits and then finds nobody.
            changed = still_open.update(
                email=address,
                address_unusable_at=None,
                address_unusable_reason="",
                complained_at=Case(When(email=address, then=F("complained_at"))),
            )
    except IntegrityError as conflict:
        raise AddressTaken from conflict
    if not changed:
        raise AccountClosed


def mark_unusable(member_id: int, address: str, *, reason: str) -> bool:
    """
    No letter to many people goes to this address any more, and where it does not exist none at all.

    :param reason: `FAILING`, or what a mail server said of an address that is not there, which
        counts more
    :returns: whether that is news; it is not of an address that was changed meanwhile
    """
    less_wrong = Q(address_unusable_at=None)
    if reason != FAILING:
        less_wrong |= Q(address_unusable_reason=FAILING)
    theirs = Member.objects.filter(less_wrong, pk=member_id, email=address)
    return bool(theirs.update(address_unusable_at=Now(), address_unusable_reason=reason))


def mark_usable(member: Member) -> None:
    """
    The member has just read a letter there, so none comes back any more. Where one was marked as
    unwanted that stays, since reading our letters is not wanting them.
    """
    theirs = Member.objects.filter(pk=member.pk, email=member.email)
    theirs.update(address_unusable_at=None, address_unusable_reason="")


def note_complaint(member_id: int, address: str) -> bool:
    """
    A letter to this address was marked as unwanted: none to many people goes there any more.

    :returns: whether that is news; it is not of an address that was changed meanwhile
    """
    theirs = Member.objects.filter(pk=member_id, email=address, complained_at=None)
    return bool(theirs.update(complained_at=Now()))


def forget_complaint(member: Member) -> bool:
    """
    As if no letter had been marked as unwanted; whatever is wrong with the address stays.

    :returns: whether one had been
    """
    theirs = Member.objects.filter(pk=member.pk, complained_at__isnull=False)
    return bool(theirs.update(complained_at=None))
