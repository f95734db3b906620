"""Every page, one module for each story. The paths are planner's, so that old links still work."""

from django.urls import include, path

from invitations.views import languages, organising, searching

urlpatterns = [
    path("", include("invitations.urls.public")),
    path("language", languages.choose_language, name="choose_language"),
    path("", include("invitations.urls.answering")),
    path("", include("invitations.urls.feedback")),
    path("", include("invitations.urls.dashboard")),
    path("", include("invitations.urls.subscribing")),
    path("", include("invitations.urls.of_planner")),
    path("admin/", organising.portal, name="portal"),
    path("admin/search", searching.search, name="search"),
    path("admin/", include("invitations.urls.planning")),
    path("admin/", include("invitations.urls.chapters")),
    path("admin/", include("invitations.urls.members")),
    path("admin/", include("invitations.urls.auditing")),
    path("admin/", include("invitations.urls.operations")),
    path("admin/", include("invitations.urls.stopping")),
    path("admin/workshops/<int:workshop_id>", organising.workshop, name="organiser_workshop"),
    path("admin/workshops/<int:workshop_id>/", include("invitations.urls.sending")),
    path("admin/workshops/<int:workshop_id>/", include("invitations.urls.attendance")),
    path("admin/workshops/<int:workshop_id>/", include("invitations.urls.logs")),
]
