"""Every address that planner's letters and pages had answers, or leads on to what there is."""

import pytest
from django.urls import reverse

from invitations.models import FeedbackRequest
from tests.factories import InvitationFactory, MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def named():
    """What stands in the addresses below."""
    invitation = InvitationFactory()
    asked = FeedbackRequest.objects.create(invitation=invitation)
    for row in (invitation, asked):
        row.refresh_from_db()
    workshop = invitation.workshop
    return {
        "token": invitation.token,
        "asked": asked.token,
        "workshop": workshop.pk,
        "slug": workshop.chapter.slug,
    }


SHOWN, GONE, ASKED_TO_SIGN_IN = 200, 410, "/accounts/login/"

# What a visitor is answered, by the address: the page, that it is gone, or the way to where it is.
FOR_VISITORS = {
    # In letters
    "/invitation/{token}": SHOWN,
    "/invitation/{token}/accept": "/invitation/{token}",
    "/invitation/{token}/reject": "/invitation/{token}",
    "/invitation/{token}/waiting_list": "/invitation/{token}",
    "/workshop_invitation/{token}": "/invitation/{token}",
    "/workshop_invitation/{token}/accept": "/invitation/{token}",
    "/workshop_invitation/{token}/reject": "/invitation/{token}",
    "/workshop_invitation/{token}/waiting_list": "/invitation/{token}",
    "/feedback/{asked}": SHOWN,
    "/feedback/{asked}/submit": "/feedback/{asked}",
    "/workshops/{workshop}": SHOWN,
    "/contact_preferences?token=x": GONE,
    "/events/summer-party/invitation/x": GONE,
    "/meetings/2026-march-meeting-1/invitation/x/cancel": GONE,
    # Signing in, and one's own pages
    "/login": "/accounts/login/",
    "/logout": "/accounts/logout/",
    "/register?member_type=student": "/accounts/signup/?member_type=student",
    "/member/new": "/accounts/signup/",
    "/auth/failure": "/accounts/login/",
    "/terms_and_conditions": SHOWN,
    "/dashboard": ASKED_TO_SIGN_IN,
    "/profile": ASKED_TO_SIGN_IN,
    "/invitations": ASKED_TO_SIGN_IN,
    "/subscriptions": ASKED_TO_SIGN_IN,
    "/member/edit": ASKED_TO_SIGN_IN,
    "/member/details/edit": ASKED_TO_SIGN_IN,
    "/member/step2": "/subscriptions",
    "/mailing_lists": GONE,
    # Pages for everybody
    "/": SHOWN,
    "/{slug}": SHOWN,
    "/code-of-conduct": SHOWN,
    "/breach-code-of-conduct": SHOWN,
    "/effective-teacher-guide": SHOWN,
    "/student-guide": SHOWN,
    "/faq": SHOWN,
    "/attendance-policy": SHOWN,
    "/cookie-policy": SHOWN,
    "/privacy-policy": SHOWN,
    "/volunteer": SHOWN,
    "/codebar-stories-podcast": SHOWN,
    "/coaches": "/volunteer",
    "/sponsors": "/volunteer",
    "/how-to-support-us": "/volunteer",
    "/donate": "/volunteer#donate",
    "/fundraise": "/volunteer#donate",
    "/donations/new": "/volunteer#donate",
    "/payments/new": "/volunteer#donate",
    "/my/jobs/new": GONE,
    "/payments": GONE,
    "/events": "/events/upcoming",
    "/events/upcoming": SHOWN,
    "/events/past": SHOWN,
    "/events/summer-party": GONE,
    "/events/summer-party/student": GONE,
    "/meetings/2026-march-meeting-1": GONE,
    "/meetings/2026-march-meeting-1/invitation/attend": GONE,
}

# What an organiser's bookmarks lead to.
FOR_ORGANISERS = {
    "/admin": "/admin/",
    "/admin/guide": "/admin/runbook",
    "/admin/contacts": "/admin/sponsors",
    "/admin/sponsors/7/edit": "/admin/sponsors/7",
    "/admin/members/search?q=asha": "/admin/members?q=asha",
    "/admin/member-search": "/admin/members",
    "/admin/members/7/events": "/admin/members/7",
    "/admin/members/7/bans/new": "/admin/members/7/ban",
    "/admin/chapters/status": "/admin/chapters",
    "/admin/chapters/7/members": "/admin/chapters/7/subscribers",
    "/admin/chapters/7/workshops": "/admin/workshops?chapter=7",
    "/admin/announcements": GONE,
    "/admin/announcements/7/edit": GONE,
    "/admin/events/summer-party": GONE,
    "/admin/meetings/2026-march-meeting-1": GONE,
    "/admin/groups/7": GONE,
    "/admin/feedback": GONE,
    "/admin/testimonials": GONE,
}


@pytest.mark.parametrize("address", FOR_VISITORS)
def test_an_old_address_answers(client, named, address):
    expected = FOR_VISITORS[address]

    response = client.get(address.format(**named))

    if expected == ASKED_TO_SIGN_IN:
        assert response.headers["Location"].startswith(ASKED_TO_SIGN_IN)
    elif isinstance(expected, str):
        assert response.headers["Location"] == expected.format(**named)
    else:
        assert response.status_code == expected


@pytest.mark.parametrize("provider", ["codebar", "github"])
def test_the_ways_in_of_planner_lead_to_the_sign_in_page(client, provider):
    response = client.get(f"/auth/{provider}")

    assert response.headers["Location"].startswith(ASKED_TO_SIGN_IN)


@pytest.mark.parametrize("address", FOR_ORGANISERS)
def test_a_bookmark_leads_on(client, address):
    client.force_login(MemberFactory(superuser=True))
    expected = FOR_ORGANISERS[address]

    response = client.get(address)

    if isinstance(expected, str):
        assert response.headers["Location"] == expected
    else:
        assert response.status_code == expected


@pytest.mark.parametrize(
    ("address", "way_on"),
    [
        ("/events/summer-party", "upcoming"),
        ("/contact_preferences", "upcoming"),
        ("/mailing_lists", "subscriptions"),
        ("/admin/testimonials", "upcoming"),
    ],
)
def test_what_is_gone_says_so_and_leads_on(client, address, way_on):
    page = client.get(address).content.decode()

    assert "This page is no longer here" in page
    assert f'<a href="{reverse(way_on)}">' in page


def test_somebody_signed_in_reads_it_too_before_the_terms(client):
    client.force_login(MemberFactory(accepted_terms_at=None))

    assert client.get("/events/summer-party").status_code == GONE
