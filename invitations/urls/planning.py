"""Planning workshops, their venues and sponsors."""

from django.urls import path

from invitations.views import planning, sponsoring

urlpatterns = [
    path("workshops", planning.workshops, name="workshops"),
    path("workshops/new", planning.workshop_new, name="workshop_new"),
    path("workshops/<int:workshop_id>/edit", planning.workshop_edit, name="workshop_edit"),
    path("workshops/<int:workshop_id>/copy", planning.workshop_copy, name="workshop_copy"),
    path("workshops/<int:workshop_id>/tell", planning.workshop_tell, name="workshop_tell"),
    path("workshops/<int:workshop_id>/cancel", planning.workshop_cancel, name="workshop_cancel"),
    path("workshops/<int:workshop_id>/delete", planning.workshop_delete, name="workshop_delete"),
    path(
        "workshops/<int:workshop_id>/sponsors",
        sponsoring.workshop_sponsors,
        name="workshop_sponsors",
    ),
    path("workshops/<int:workshop_id>/host", sponsoring.workshop_host, name="workshop_host"),
    path(
        "workshops/<int:workshop_id>/sponsors/add",
        sponsoring.workshop_sponsor_add,
        name="workshop_sponsor_add",
    ),
    path(
        "workshops/<int:workshop_id>/sponsors/<int:sponsor_id>/remove",
        sponsoring.workshop_sponsor_remove,
        name="workshop_sponsor_remove",
    ),
    path("sponsors", sponsoring.sponsors, name="sponsors"),
    path("sponsors/new", sponsoring.sponsor_new, name="sponsor_new"),
    path("sponsors/<int:sponsor_id>", sponsoring.sponsor_edit, name="sponsor_edit"),
]
