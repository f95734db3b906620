"""Companies that help: what is known about them, and at which workshop they are what."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.text import Truncator

from chapters.models import Role, Sponsor, Workshop
from chapters.queries import capacity
from invitations.models import Answer, Invitation
from invitations.services import planning, rsvps
from invitations.services.planning import LONGEST_REMARK, Refused, Saved
from logs.services import activities
from members.models import Member

LABELS = {
    "name": "Name",
    "website": "Website",
    "description": "Description",
    "seats": "Seats for students",
    "coach_seats": "Seats for coaches",
    "flat": "Floor or flat",
    "street": "Street",
    "city": "City",
    "postal_code": "Postal code",
    "directions": "Directions",
    "accessibility_info": "Accessibility",
}


WHERE_IT_IS = {LABELS[name] for name in ("name", "flat", "street", "city", "postal_code")}


class SameName(Refused):
    """There is such a company already; `company` is that one."""

    def __init__(self, company: Sponsor) -> None:
        self.company = company
        where = f" in {company.city}" if company.city else ""
        super().__init__(f"There is a company {company}{where} already. Change that one instead.")


class InACall(Refused): ...


@dataclass(frozen=True)
class Company:
    """Everything organisers write down about a company."""

    name: str
    website: str = ""
    description: str = ""
    seats: int = 15
    coach_seats: int | None = None
    flat: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    directions: str = ""
    accessibility_info: str = ""


@dataclass(frozen=True)
class Changed:
    """What a change of a company has led to."""

    workshops: int
    """How many workshops to come are held there."""
    moved_up: int
    """How many people got a place from a waiting list."""


def details_of(sponsor: Sponsor) -> Company:
    return Company(**{field.name: getattr(sponsor, field.name) for field in fields(Company)})


@transaction.atomic
def add_company(company: Company, *, by: Member) -> Sponsor:
    """
    A new company. The same form sent again finds the first one.

    :raises SameName: when there is another of this name in this city
    """
    _one_at_a_time(by)
    existing = _namesake(company)
    if existing is not None:
        if details_of(existing) == company:
            return existing
        raise SameName(existing)
    sponsor = Sponsor.objects.create(**_columns(company))
    activities.note("added a company", by=by, changes={"Name": ("", company.name)})
    return sponsor


@transaction.atomic
def change_company(
    sponsor: Sponsor,
    company: Company,
    *,
    by: Member,
    at: datetime,
    accepts_fewer_places: bool = False,
) -> Changed:
    """
    Write down what is known now. More seats go to those in line, at every workshop held there.

    Another name or address is news to whoever knows of such a workshop, as another venue is.

    :raises SameName: when there is another of this name in this city
    :raises planning.FewerPlaces: when more people come to one of them than there would be seats
    """
    workshops = _locked_workshops_at(sponsor, at=at)
    sponsor = Sponsor.objects.select_for_update(no_key=True).get(pk=sponsor.pk)
    before = details_of(sponsor)
    if before == company:
        return Changed(len(workshops), 0)
    namesake = _namesake(company, besides=sponsor)
    if namesake is not None:
        raise SameName(namesake)
    places_before = _seats(sponsor)
    for name, value in _columns(company).items():
        setattr(sponsor, name, value)
    places = _seats(sponsor)
    if not accepts_fewer_places:
        for workshop in workshops:
            planning.check_places(workshop, before=places_before, after=places)
    sponsor.save(update_fields=list(_columns(company)))
    changes = _changes(before, company)
    activities.note("changed a company", by=by, changes=changes)
    _note_at_workshops(workshops, changes, by=by)
    has_grown = any(places[role] > places_before[role] for role in Role)
    moved_up = sum(rsvps.fill_free_places(w, at=at) for w in workshops) if has_grown else 0
    return Changed(len(workshops), moved_up)


@transaction.atomic
def choose_venue(
    workshop: Workshop,
    sponsor: Sponsor | None,
    *,
    by: Member,
    at: datetime,
    keeps_former: bool = False,
    accepts_fewer_places: bool = False,
) -> Saved:
    """
    Hold the workshop there from now on; a workshop has one venue, so the former one makes way.

    :param keeps_former: the former venue stays as a sponsor
    :raises InACall: when people do not meet at a venue
    :raises planning.Refused: as for every change of the plan
    """
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    plan = planning.plan_of(workshop)
    if plan.is_virtual:
        raise InACall("People meet in a call. Change that first, then choose a venue.")
    sponsors = (plan.companies if keeps_former else plan.sponsors) - {sponsor}
    return planning.change(
        workshop,
        replace(plan, host=sponsor, sponsors=sponsors),
        by=by,
        at=at,
        accepts_fewer_places=accepts_fewer_places,
    )


@transaction.atomic
def add_sponsor(workshop: Workshop, sponsor: Sponsor, *, by: Member, at: datetime) -> Saved:
    """A sponsor more. One who is there already, as the venue too, stays what they are."""
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    plan = planning.plan_of(workshop)
    sponsors = plan.sponsors if sponsor in plan.companies else plan.sponsors | {sponsor}
    return planning.change(workshop, replace(plan, sponsors=sponsors), by=by, at=at)


@transaction.atomic
def remove_sponsor(workshop: Workshop, sponsor: Sponsor, *, by: Member, at: datetime) -> Saved:
    """A sponsor less. Removing one who is not there changes nothing."""
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    plan = planning.plan_of(workshop)
    return planning.change(
        workshop, replace(plan, sponsors=plan.sponsors - {sponsor}), by=by, at=at
    )


def workshops_to_come(sponsor: Sponsor, *, at: datetime) -> list[Workshop]:
    """Those that are held there, the next one first."""
    held = Workshop.objects.upcoming(at).filter(
        workshop_sponsors__sponsor=sponsor, workshop_sponsors__is_host=True
    )
    return list(held.select_related("chapter").order_by("starts_at", "pk"))


def _one_at_a_time(member: Member) -> None:
    """Two taps of one person wait for each other, so that the second sees what the first made."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)


def _namesake(company: Company, *, besides: Sponsor | None = None) -> Sponsor | None:
    same = Sponsor.objects.filter(name__iexact=company.name, city__iexact=company.city)
    others = same.exclude(pk=besides.pk) if besides else same
    return others.order_by("pk").first()


def _locked_workshops_at(sponsor: Sponsor, *, at: datetime) -> list[Workshop]:
    """
    The workshops held there, then everybody in line at any of them, each in the order of ids.

    As answers do it; filling one workshop after the other could wait for an answer that waits.
    """
    ids = [workshop.pk for workshop in workshops_to_come(sponsor, at=at)]
    workshops = list(
        Workshop.objects.select_for_update(no_key=True, of=("self",))
        .select_related("chapter")
        .filter(pk__in=ids)
        .order_by("pk")
    )
    waiting = Invitation.objects.filter(workshop__in=ids, answer=Answer.WAITING)
    in_line = Member.objects.filter(pk__in=waiting.values("member")).order_by("pk")
    list(in_line.select_for_update(no_key=True))
    return workshops


def _note_at_workshops(
    workshops: list[Workshop], changes: dict[str, tuple[str, str]], *, by: Member
) -> None:
    """In the history of each, with a newer entry for the calendars of those who know of it."""
    is_news = not WHERE_IT_IS.isdisjoint(changes)
    if is_news:
        held = Workshop.objects.filter(pk__in=[workshop.pk for workshop in workshops])
        planning.known(held).update(sequence=F("sequence") + 1)
    did = planning.VENUE_MOVED if is_news else "changed the details of the venue"
    for workshop in workshops:
        activities.note(did, by=by, workshop=workshop, changes=changes)


def _seats(sponsor: Sponsor) -> dict[Role, int]:
    at_a_venue = Workshop(is_virtual=False)
    return {role: capacity(at_a_venue, host=sponsor, role=role) for role in Role}


def _columns(company: Company) -> dict[str, str | int | None]:
    return {field.name: getattr(company, field.name) for field in fields(company)}


def _changes(before: Company, after: Company) -> dict[str, tuple[str, str]]:
    old, new = _columns(before), _columns(after)
    return {
        label: (_in_words(old[name]), _in_words(new[name]))
        for name, label in LABELS.items()
        if old[name] != new[name]
    }


def _in_words(value: str | int | None) -> str:
    return "" if value is None else Truncator(str(value)).chars(LONGEST_REMARK)
