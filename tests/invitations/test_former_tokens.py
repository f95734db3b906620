"""Of two invitations that became one, both links work, until the account is closed."""

import pytest
from django.utils import timezone

from invitations.models import Answer, FormerToken, Invitation
from invitations.services import closing, forgetting
from tests.factories import InvitationFactory, InvitationLogFactory, WorkshopFactory, in_days

pytestmark = pytest.mark.django_db

OLD = "planner-gave-me-twice"


@pytest.fixture
def invitation():
    invitation = InvitationFactory()
    FormerToken.objects.create(token=OLD, invitation=invitation)
    invitation.refresh_from_db()
    return invitation


def test_an_old_link_shows_the_invitation_that_is_left(client, invitation):
    pages = [client.get(f"/invitation/{token}") for token in (OLD, invitation.token)]

    assert [page.status_code for page in pages] == [200, 200]
    assert [page.context["invitation"] for page in pages] == [invitation, invitation]


def test_somebody_can_answer_by_an_old_link(client, invitation):
    client.post(f"/invitation/{OLD}/reject")

    invitation.refresh_from_db()
    assert invitation.answer == Answer.DECLINED


def test_a_link_of_today_costs_as_many_statements_as_before(
    client, invitation, django_assert_num_queries
):
    FormerToken.objects.bulk_create(
        FormerToken(token=f"another-{nr}", invitation=invitation) for nr in range(3)
    )
    client.get(f"/invitation/{invitation.token}")
    with django_assert_num_queries(1):
        client.get(f"/invitation/{invitation.token}/calendar.ics")
    with django_assert_num_queries(2):
        client.get(f"/invitation/{OLD}/calendar.ics")


def test_a_closed_account_has_no_old_links(client, invitation):
    closing.close(invitation.member, at=timezone.now())

    assert client.get(f"/invitation/{OLD}").status_code == 404
    assert not FormerToken.objects.exists()


def test_an_old_link_is_forgotten_with_its_invitation(settings):
    settings.RETENTION_DAYS = 180
    over = WorkshopFactory(starts_at=in_days(-400), ends_at=in_days(-399))
    log = InvitationLogFactory(workshop=over, status="completed", finished_at=in_days(-400))
    invitation = InvitationFactory(workshop=over)
    FormerToken.objects.create(token=OLD, invitation=invitation)

    assert forgetting.forget(at=timezone.now()) is False

    assert not FormerToken.objects.exists()
    assert not Invitation.objects.filter(workshop=log.workshop).exists()
