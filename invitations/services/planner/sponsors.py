"""Companies under their old numbers, where they are, and whom organisers write to there."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

from chapters.models import Contact, Sponsor
from invitations.services.planner.bookkeeping import Chunk, here
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Step
from members.models import normalize_email

SPONSORS = Step("sponsors")
ADDRESSES = Step("addresses", key="sponsor_id")
CONTACTS = Step("contacts", key="sponsor_id")

_LONGEST_WEBSITE = 200
_LONGEST_ADDRESS = 254
_is_a_page = URLValidator(schemes=["http", "https"])


def bring_sponsors(chunk: Chunk) -> None:
    """Every company; what it is called may be blank there, and is its number then."""
    Sponsor.objects.bulk_create(
        Sponsor(
            id=row.id,
            name=chunk.cut(row.name, 200, row.id, name="name") or f"Company {row.id}",
            website=_website(chunk, row),
            description=(row.description or "").strip(),
            accessibility_info=(row.accessibility_info or "").strip(),
            seats=_seats(chunk, row),
            coach_seats=_coach_seats(chunk, row),
            created_at=row.created_at or chunk.at,
        )
        for row in chunk.rows
    )


def bring_addresses(chunk: Chunk) -> None:
    """One for each company: the newest one with a street, or else the newest."""
    companies = Sponsor.objects.in_bulk(set(here("sponsors", _companies(chunk)).values()))
    chosen: dict[int, Row] = {}
    for row in sorted(chunk.rows, key=lambda row: (bool((row.street or "").strip()), row.id)):
        if row.sponsor_id not in companies:
            chunk.leave_out(Rule.ADDRESS_OF_NOBODY, row.id)
            continue
        if former := chosen.get(row.sponsor_id):
            chunk.leave_out(Rule.SEVERAL_ADDRESSES, former.id)
        chosen[row.sponsor_id] = row
    for number, row in chosen.items():
        _move_in(chunk, companies[number], row)
    Sponsor.objects.bulk_update(
        [companies[number] for number in chosen],
        ["flat", "street", "city", "postal_code", "directions"],
        batch_size=500,
    )


def bring_contacts(chunk: Chunk) -> None:
    """Each address once at a company."""
    companies = here("sponsors", _companies(chunk))
    first: dict[tuple[int, str], int] = {}
    contacts = []
    for row in chunk.rows:
        if row.sponsor_id not in companies:
            chunk.leave_out(Rule.CONTACT_OF_NOBODY, row.id)
            continue
        contact = _contact(chunk, row)
        key = (row.sponsor_id, contact.email)
        if key in first:
            chunk.merge(Rule.CONTACT_TWICE, row.id, into=first[key])
        else:
            first[key] = row.id
            contacts.append(contact)
    Contact.objects.bulk_create(contacts)


def _companies(chunk: Chunk) -> list[int | None]:
    return [row.sponsor_id for row in chunk.rows]


def _website(chunk: Chunk, row: Row) -> str:
    website = (row.website or "").strip()
    try:
        if website:
            _is_a_page(website)
    except ValidationError:
        chunk.note(Rule.WEBSITE_INVALID, row.id)
        return ""
    if len(website) > _LONGEST_WEBSITE:
        chunk.note(Rule.WEBSITE_INVALID, row.id)
        return ""
    return website


def _seats(chunk: Chunk, row: Row) -> int:
    if row.seats is None or row.seats < 0:
        chunk.note(Rule.SEATS_REPAIRED, row.id, detail="seats")
        return 15
    return int(row.seats)


def _coach_seats(chunk: Chunk, row: Row) -> int | None:
    """Planner's rule where none are given is ours, too: half of the seats."""
    if row.number_of_coaches is None:
        return None
    if row.number_of_coaches < 0:
        chunk.note(Rule.SEATS_REPAIRED, row.id, detail="number_of_coaches")
        return None
    return int(row.number_of_coaches)


def _move_in(chunk: Chunk, company: Sponsor, row: Row) -> None:
    company.flat = chunk.cut(row.flat, 100, row.id, name="flat")
    company.street = chunk.cut(row.street, 200, row.id, name="street")
    company.city = chunk.cut(row.city, 100, row.id, name="city")
    company.postal_code = chunk.cut(row.postal_code, 20, row.id, name="postal_code")
    company.directions = (row.directions or "").strip()


def _contact(chunk: Chunk, row: Row) -> Contact:
    return Contact(
        sponsor_id=row.sponsor_id,
        name=chunk.cut(row.name, 100, row.id, name="name") or "Contact",
        surname=chunk.cut(row.surname, 100, row.id, name="surname"),
        email=_email(chunk, row),
        comment=(row.comment or "").strip(),
        on_mailing_list=row.mailing_list_consent is True,
        created_at=row.created_at or chunk.at,
    )


def _email(chunk: Chunk, row: Row) -> str:
    email = normalize_email(row.email or "")
    try:
        validate_email(email)
    except ValidationError:
        email = ""
    if not email or not email.isascii() or len(email) > _LONGEST_ADDRESS:
        chunk.note(Rule.CONTACT_ADDRESS_REPAIRED, row.id)
        return f"contact-{row.id}@codebar.invalid"
    return email
