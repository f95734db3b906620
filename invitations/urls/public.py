"""The pages that everybody may open."""

from django.contrib.sitemaps.views import sitemap
from django.urls import path
from django.views.generic import RedirectView

from invitations.guides import GUIDES
from invitations.sitemaps import SITEMAPS
from invitations.views import public

# Planner had pages for these, and led from one to another.
DONATE = ("donate", "donations/new", "payments/new", "fundraise")

urlpatterns = [
    path("", public.home, name="home"),
    path("workshops/<int:workshop_id>", public.workshop, name="workshop"),
    path("workshops/<int:workshop_id>/rsvp", public.rsvp_here, name="rsvp_here"),
    path("events", RedirectView.as_view(pattern_name="upcoming"), name="events"),
    path("events/upcoming", public.upcoming, name="upcoming"),
    path("events/past", public.past, name="past"),
    *(path(guide.address, public.guide, {"name": guide.name}, name=guide.name) for guide in GUIDES),
    path("how-to-support-us", RedirectView.as_view(pattern_name="volunteer"), name="support_us"),
    *(path(old, RedirectView.as_view(url="/volunteer#donate"), name="donate") for old in DONATE),
    path("robots.txt", public.robots, name="robots"),
    path("sitemap.xml", public.for_everybody(sitemap), {"sitemaps": SITEMAPS}, name="sitemap"),
]
