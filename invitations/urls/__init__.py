"""Every page, one module for each story. The paths are planner's, so that old links still work."""

from django.urls import include, path
from django.views.generic import RedirectView

from invitations.views import organising, searching

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="portal"), name="start"),
    path("", include("invitations.urls.answering")),
    path("admin/", organising.portal, name="portal"),
    path("admin/search", searching.search, name="search"),
    path("admin/", include("invitations.urls.planning")),
    path("admin/", include("invitations.urls.chapters")),
    path("admin/", include("invitations.urls.members")),
    path("admin/workshops/<int:workshop_id>", organising.workshop, name="organiser_workshop"),
    path("admin/workshops/<int:workshop_id>/", include("invitations.urls.sending")),
    path("admin/workshops/<int:workshop_id>/", include("invitations.urls.attendance")),
    path("admin/workshops/<int:workshop_id>/", include("invitations.urls.logs")),
]
