"""Who can be invited: one rule, everywhere."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.models import Ban, Member
from tests.factories import BanFactory, MemberFactory

pytestmark = pytest.mark.django_db


def test_an_open_account_with_terms_an_address_and_no_ban_can_be_invited():
    amina = MemberFactory()

    assert list(Member.objects.able_to_be_invited()) == [amina]


@pytest.mark.parametrize("trait", ["banned", "closed", "without_terms", "unreachable"])
def test_one_reason_is_enough_to_be_left_out(trait):
    left_out = MemberFactory(**{trait: True})

    assert left_out not in Member.objects.able_to_be_invited()


@pytest.mark.parametrize(
    ("bans", "is_banned"),
    [
        ([{"expired": True}], False),
        ([{"expired": True}, {"expired": True}], False),
        ([{}], True),
        ([{"permanent": True}], True),
        ([{"expired": True}, {}], True),
        ([{"expired": True}, {"permanent": True}], True),
    ],
)
def test_whoever_has_an_active_ban_is_banned_whatever_else_expired(bans, is_banned):
    amina = MemberFactory()
    for ban in bans:
        BanFactory(member=amina, **ban)

    now = timezone.now()
    assert (amina not in Member.objects.not_banned()) == is_banned
    assert any(ban.is_active_at(now) for ban in amina.bans.all()) == is_banned


def test_a_ban_ends_at_its_moment():
    now = timezone.now()
    ends_now = Ban(expires_at=now)

    assert ends_now.is_active_at(now - timedelta(seconds=1))
    assert not ends_now.is_active_at(now)


def test_an_address_is_kept_trimmed_and_in_lower_case():
    amina = Member.objects.create_user(" Amina@People.Example ", name="Amina")

    assert amina.email == "amina@people.example"
    assert Member.objects.get_by_natural_key("AMINA@people.example ") == amina
    assert not amina.has_usable_password()
