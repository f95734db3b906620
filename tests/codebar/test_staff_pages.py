"""Django's admin: everything can be seen by superusers; what a service decides is only read."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chapters.models import (
    Chapter,
    Contact,
    Departure,
    Group,
    Sponsor,
    Subscription,
    Workshop,
    WorkshopSponsor,
)
from invitations.models import Feedback, FeedbackRequest, FormerToken, Invitation
from logs.models import (
    Activity,
    Alert,
    AuditRun,
    Bounce,
    Heartbeat,
    Hold,
    ImportedTable,
    ImportFinding,
    InvitationLog,
    InvitationLogEntry,
    Pace,
    PlannerImport,
    Reading,
    Release,
    Slot,
    Switch,
    Tally,
)
from logs.services import activities, alerts, heartbeats, readings, tallies
from members.models import Ban, Member, Note, Notice
from tests.factories import (
    BanFactory,
    BounceFactory,
    GroupFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    NoteFactory,
    NoticeFactory,
    SponsorFactory,
    SubscriptionFactory,
    WorkshopFactory,
)

pytestmark = pytest.mark.django_db

READ_ONLY = [
    Activity, Alert, AuditRun, Ban, Bounce, Departure, FeedbackRequest, FormerToken, Heartbeat,
    Hold, ImportedTable, ImportFinding, Invitation, InvitationLog, InvitationLogEntry, Note, Notice,
    Pace, PlannerImport, Reading, Release, Slot, Switch, Tally, WorkshopSponsor,
]  # fmt: skip
WRITTEN = [Chapter, Contact, Group, Member, Sponsor, Subscription, Workshop]
NEVER_DELETED = [*READ_ONLY, Chapter, Member, Workshop]
MOST_QUERIES_OF_A_LIST = 8
MOST_QUERIES_OF_A_FORM = 10


def address(model, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(MemberFactory(superuser=True))
    return client


def one_row_each() -> None:
    """One more row of everything, with everything filled that a page could follow."""
    member, other = MemberFactory.create_batch(2)
    workshop = WorkshopFactory()
    workshop.organisers.add(other)
    workshop.chapter.organisers.add(other)
    SubscriptionFactory(member=member)
    invitation = InvitationFactory(workshop=workshop, member=member, answered_by=other)
    FeedbackRequest.objects.create(invitation=invitation)
    FormerToken.objects.create(invitation=invitation, token=f"former-{invitation.pk}")
    Contact.objects.create(sponsor=SponsorFactory(), name="Dee", email="dee@acme.example")
    PlannerImport.objects.get_or_create(id=1, defaults={"zone": "UTC", "schema_version": 1})
    ImportedTable.objects.create(table=f"table_{invitation.pk}")
    ImportFinding.objects.create(table="members", old_id=1, rule="name_blank", outcome="kept")
    AuditRun.objects.create(finished_at=timezone.now())
    Departure.objects.create(member=other, group=GroupFactory(chapter=workshop.chapter))
    entry = InvitationLogEntryFactory(log__workshop=workshop, member=member, reason="550")
    activities.note("did it", by=other, member=member, workshop=workshop)
    Switch.objects.create(chapter=workshop.chapter, is_on=True)
    Hold.objects.get_or_create()
    Slot.objects.get_or_create(nr=1)
    heartbeats.beat("sweep")
    readings.take()
    tallies.count("guard")
    for factory in (BanFactory, NoteFactory, NoticeFactory):
        factory(member=member)
    BounceFactory(member=member)
    alerts.raise_alert("in_doubt", log=entry.log)


def queries(client: Client, url: str) -> int:
    client.get(url)  # what Django remembers of its tables is asked once
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, url
    return len(captured)


def test_every_model_of_ours_is_there_and_nothing_else():
    ours = {
        model
        for app in ("members", "chapters", "logs", "invitations")
        for model in apps.get_app_config(app).get_models()
    }

    # Who reads one answer whole, with its coach and its words, can tell whose it is.
    assert ours - {Feedback} == set(admin.site._registry) == {*READ_ONLY, *WRITTEN}


@pytest.mark.parametrize("model", [*READ_ONLY, *WRITTEN])
def test_every_list_opens_and_costs_the_same_with_more_rows(superuser, model):
    one_row_each()
    few = queries(superuser, address(model, "changelist"))
    one_row_each()
    one_row_each()

    many = queries(superuser, address(model, "changelist"))

    assert many == few <= MOST_QUERIES_OF_A_LIST


@pytest.mark.parametrize("model", [*READ_ONLY, *WRITTEN])
def test_every_row_opens_and_costs_the_same_with_more_rows(superuser, model):
    one_row_each()
    row = address(model, "change", model._default_manager.order_by("-pk").first().pk)
    few = queries(superuser, row)
    one_row_each()
    one_row_each()

    many = queries(superuser, row)

    assert many == few <= MOST_QUERIES_OF_A_FORM


@pytest.mark.parametrize("model", [Chapter, Group, Member, Sponsor, Subscription])
def test_every_form_for_a_new_row_opens(superuser, model):
    one_row_each()

    assert queries(superuser, address(model, "add")) <= MOST_QUERIES_OF_A_FORM


@pytest.mark.parametrize("model", [*READ_ONLY, *WRITTEN])
def test_every_list_can_be_searched_for_anything(superuser, model):
    one_row_each()

    for text in ("Tester", "%", "' OR 1=1", "99999999999999999999"):
        page = superuser.get(address(model, "changelist"), {"q": text})
        assert page.status_code == 200, text


@pytest.mark.parametrize("model", [*READ_ONLY, Workshop])
def test_what_a_service_makes_is_not_made_here(superuser, model):
    assert superuser.get(address(model, "add")).status_code == 403
    assert superuser.post(address(model, "add"), {}).status_code == 403


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_a_service_decides_is_not_changed_here(superuser, model):
    one_row_each()
    before = list(model._default_manager.order_by("pk").values())
    first = before[0][model._meta.pk.attname]

    for page in ("change", "delete"):
        assert superuser.post(address(model, page, first), {"status": "x"}).status_code == 403
    superuser.post(
        address(model, "changelist"),
        {"action": "delete_selected", "_selected_action": [str(first)], "post": "yes"},
    )

    assert list(model._default_manager.order_by("pk").values()) == before


@pytest.mark.parametrize("model", NEVER_DELETED)
def test_what_others_refer_to_is_never_deleted(superuser, model):
    one_row_each()
    row = model._default_manager.order_by("pk").first()

    assert superuser.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_a_list_says_where_its_rows_are_made(superuser):
    page = superuser.get(address(Ban, "changelist")).content.decode()

    assert "suspensions lifted, on the page of the member" in page


def test_a_workshop_keeps_its_time_and_gets_an_organiser(superuser):
    workshop, helper = WorkshopFactory(), MemberFactory()
    before = Workshop.objects.values().get(pk=workshop.pk)

    response = superuser.post(
        address(Workshop, "change", workshop.pk),
        {"organisers": [helper.pk], "starts_at_0": "2030-01-01", "cancelled_at_0": "2026-01-01"},
    )

    assert response.status_code == 302
    assert Workshop.objects.values().get(pk=workshop.pk) == before
    assert list(workshop.organisers.all()) == [helper]


def test_nobody_reads_the_key_to_a_members_page(superuser):
    invitation = InvitationFactory()
    invitation.refresh_from_db()

    for page in (
        superuser.get(address(Invitation, "change", invitation.pk)),
        superuser.get(address(Invitation, "changelist")),
    ):
        assert invitation.token not in page.content.decode()


def test_nobody_is_offered_a_password(superuser):
    member = MemberFactory()

    for page in (
        superuser.get(address(Member, "change", member.pk)),
        superuser.get(address(Member, "add")),
    ):
        assert "password" not in page.context["adminform"].form.fields
        assert 'name="password' not in page.content.decode()


def test_a_new_member_has_no_password(superuser):
    superuser.post(
        address(Member, "add"), {"email": "new@people.example", "language": "en", "name": "New"}
    )

    assert not Member.objects.get(email="new@people.example").has_usable_password()


def test_somebody_becomes_an_admin_and_stays_who_they_are(superuser):
    member = MemberFactory(without_terms=True, dietary_needs=["vegan"])

    response = superuser.post(
        address(Member, "change", member.pk),
        {
            "email": member.email, "language": "en", "name": member.name, "is_superuser": "on",
            "dietary_needs": "vegan", "accepted_terms_at_0": "2026-01-01",
            "accepted_terms_at_1": "12:00", "closed_at_0": "2026-01-01", "closed_at_1": "12:00",
        },
    )  # fmt: skip

    assert response.status_code == 302
    member.refresh_from_db()
    assert (member.is_superuser, member.accepted_terms_at, member.closed_at) == (True, None, None)
    assert member.dietary_needs == ["vegan"]


def test_a_subscription_is_added_by_looking_up_the_member_and_the_group(superuser):
    subscription = SubscriptionFactory()
    for model, field, text in (("member", "member", "Tester"), ("group", "group", "Students")):
        found = superuser.get(
            reverse("admin:autocomplete"),
            {
                "term": text, "app_label": "chapters", "model_name": "subscription",
                "field_name": field,
            },
        )  # fmt: skip
        assert str(getattr(subscription, model)) in str(found.json())
