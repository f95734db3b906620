"""Companies that help, and which of them help at a workshop."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chapters.models import Sponsor, Workshop
from chapters.queries import host_of
from invitations.forms.sponsoring import ChooseCompany, ChooseVenue, CompanyForm, CompanySearch
from invitations.services import planning, sponsoring
from invitations.views import doors
from invitations.views.planning import INVALID, REFUSED, SHOW_OR_SAVE, after_a_change
from members.models import Member

COMPANIES_A_PAGE = 20
LONGEST_ID = 19


@login_required
@require_safe
def sponsors(request: HttpRequest) -> HttpResponse:
    """Every company, by name, with what it has done so far."""
    doors.organiser_of_anything(request)
    search = CompanySearch(request.GET)
    search.is_valid()
    name = search.cleaned_data.get("name", "")
    companies = Sponsor.objects.annotate(
        held=Count("workshop_sponsors", filter=Q(workshop_sponsors__is_host=True)),
        helped=Count("workshop_sponsors", filter=Q(workshop_sponsors__is_host=False)),
    ).order_by(Lower("name"), "pk")
    if name:
        companies = companies.filter(Q(name__icontains=name) | Q(city__icontains=name))
    page = Paginator(companies, COMPANIES_A_PAGE).get_page(request.GET.get("page"))
    context = {"search": search, "name": name, "page": page}
    return render(request, "invitations/planning/sponsors.html", context)


@login_required
@require_http_methods(SHOW_OR_SAVE)
def sponsor_new(request: HttpRequest) -> HttpResponse:
    """A form for a company that nobody has written down yet; `?for=` leads back to a workshop."""
    doors.organiser_of_anything(request)
    workshop = _wanted_workshop(request)
    if request.method != "POST":
        return _company_page(request, CompanyForm(), workshop=workshop)
    form = CompanyForm(request.POST)
    if not form.is_valid():
        return _company_page(request, form, workshop=workshop, status=INVALID)
    try:
        sponsor = sponsoring.add_company(form.company(), by=_organiser(request))
    except sponsoring.SameName as refusal:
        form.add_error("name", refusal.message)
        return _company_page(
            request, form, namesake=refusal.company, workshop=workshop, status=REFUSED
        )
    messages.success(request, f"{sponsor} can be chosen now, by every chapter.")
    return redirect("workshop_sponsors", workshop.pk) if workshop else redirect("sponsors")


@login_required
@require_http_methods(SHOW_OR_SAVE)
def sponsor_edit(request: HttpRequest, sponsor_id: int) -> HttpResponse:
    """What is known about a company; every organiser may correct it."""
    doors.organiser_of_anything(request)
    sponsor = get_object_or_404(Sponsor, pk=sponsor_id)
    if request.method != "POST":
        initial = vars(sponsoring.details_of(sponsor))
        return _company_page(request, CompanyForm(initial=initial), sponsor=sponsor)
    form = CompanyForm(request.POST)
    if not form.is_valid():
        return _company_page(request, form, sponsor=sponsor, status=INVALID)
    try:
        changed = sponsoring.change_company(
            sponsor,
            form.company(),
            by=_organiser(request),
            at=timezone.now(),
            accepts_fewer_places=form.cleaned_data["accepts_fewer_places"],
        )
    except sponsoring.SameName as refusal:
        form.add_error("name", refusal.message)
        return _company_page(
            request, form, sponsor=sponsor, namesake=refusal.company, status=REFUSED
        )
    except planning.FewerPlaces as refusal:
        form.asks_for_fewer_places = True
        form.add_error(None, refusal.message)
        return _company_page(request, form, sponsor=sponsor, status=REFUSED)
    messages.success(request, _what_came_of(changed))
    return redirect("sponsor_edit", sponsor.pk) if changed.workshops else redirect("sponsors")


@login_required
@require_safe
def workshop_sponsors(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Where the workshop is held, and who else helps."""
    return _sponsors_page(request, doors.workshop_of_organiser(request, workshop_id))


@login_required
@require_POST
def workshop_host(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Another venue; the former one makes way."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    form = ChooseVenue(request.POST, companies=Sponsor.objects.all(), former=host_of(workshop))
    if not form.is_valid():
        return _sponsors_page(request, workshop, venue=form, status=INVALID)
    try:
        saved = sponsoring.choose_venue(
            workshop,
            form.cleaned_data["sponsor"],
            by=_organiser(request),
            at=timezone.now(),
            keeps_former=bool(form.cleaned_data.get("keeps_former")),
            accepts_fewer_places=form.cleaned_data["accepts_fewer_places"],
        )
    except planning.Refused as refusal:
        form.asks_for_fewer_places = isinstance(refusal, planning.FewerPlaces)
        form.add_error(None, refusal.message)
        return _sponsors_page(request, workshop, venue=form, status=REFUSED)
    return after_a_change(request, saved)


@login_required
@require_POST
def workshop_sponsor_add(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """One sponsor more."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    form = ChooseCompany(request.POST, companies=Sponsor.objects.all())
    if not form.is_valid():
        return _sponsors_page(request, workshop, more=form, status=INVALID)
    try:
        sponsoring.add_sponsor(
            workshop, form.cleaned_data["sponsor"], by=_organiser(request), at=timezone.now()
        )
    except planning.Refused as refusal:
        form.add_error(None, refusal.message)
        return _sponsors_page(request, workshop, more=form, status=REFUSED)
    return redirect("workshop_sponsors", workshop.pk)


@login_required
@require_POST
def workshop_sponsor_remove(
    request: HttpRequest, workshop_id: int, sponsor_id: int
) -> HttpResponse:
    """One sponsor less; a second tap changes nothing."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    sponsor = get_object_or_404(Sponsor, pk=sponsor_id)
    try:
        sponsoring.remove_sponsor(workshop, sponsor, by=_organiser(request), at=timezone.now())
    except planning.Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("workshop_sponsors", workshop.pk)


def _company_page(
    request: HttpRequest,
    form: CompanyForm,
    *,
    sponsor: Sponsor | None = None,
    namesake: Sponsor | None = None,
    workshop: Workshop | None = None,
    status: int = 200,
) -> HttpResponse:
    held = sponsoring.workshops_to_come(sponsor, at=timezone.now()) if sponsor else []
    mine = Workshop.objects.organised_by(request.user).filter(pk__in=[w.pk for w in held])
    context = {
        "form": form,
        "sponsor": sponsor,
        "namesake": namesake,
        "workshop": workshop,
        "held": held,
        "contacts": sponsor.contacts.order_by("name", "surname", "pk") if sponsor else [],
        "mine": set(mine.values_list("pk", flat=True)),
        "to_tell": set(planning.not_told(mine).values_list("pk", flat=True)),
    }
    return render(request, "invitations/planning/sponsor.html", context, status=status)


def _sponsors_page(
    request: HttpRequest,
    workshop: Workshop,
    *,
    venue: ChooseVenue | None = None,
    more: ChooseCompany | None = None,
    status: int = 200,
) -> HttpResponse:
    host = host_of(workshop)
    there = Sponsor.objects.filter(
        workshop_sponsors__workshop=workshop, workshop_sponsors__is_host=False
    )
    others = Sponsor.objects.exclude(workshop_sponsors__workshop=workshop)
    elsewhere = Sponsor.objects.exclude(pk=host.pk) if host else Sponsor.objects.all()
    context = {
        "workshop": workshop,
        "host": host,
        "sponsors": there.order_by(Lower("name"), "pk"),
        "venue": venue or ChooseVenue(companies=elsewhere, former=host),
        "more": more or ChooseCompany(companies=others),
    }
    return render(request, "invitations/planning/workshop_sponsors.html", context, status=status)


def _wanted_workshop(request: HttpRequest) -> Workshop | None:
    """Where the venue was missing, if the address names a workshop of theirs."""
    wanted = request.GET.get("for", "")
    if not (wanted.isdecimal() and len(wanted) < LONGEST_ID):
        return None
    mine = Workshop.objects.organised_by(request.user).select_related("chapter")
    return mine.filter(pk=wanted).first()


def _what_came_of(changed: sponsoring.Changed) -> str:
    sentences = ["Saved."]
    if changed.moved_up:
        who = "1 person" if changed.moved_up == 1 else f"{changed.moved_up} people"
        sentences.append(f"{who} got a place from a waiting list, and a letter.")
    return " ".join(sentences)


def _organiser(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required
