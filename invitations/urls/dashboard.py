"""A member's own pages."""

from django.urls import path

from invitations.views import closing, dashboard

urlpatterns = [
    path("dashboard", dashboard.dashboard, name="dashboard"),
    path("invitations", dashboard.my_invitations, name="my_invitations"),
    path("account/letters", dashboard.letters_again, name="letters_again"),
    path("account/data", dashboard.my_data, name="my_data"),
    path("account/close", closing.account_close, name="account_close"),
]
