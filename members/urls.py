"""Signing in and out. The names are those that django-allauth looks for."""

from allauth.account.views import account_inactive, logout
from django.urls import path
from django.views.generic import RedirectView

from members import views

urlpatterns = [
    path("login/", views.RequestCode.as_view(), name="account_login"),
    path(
        "login/code/",
        RedirectView.as_view(pattern_name="account_login", query_string=True),
        name="account_request_login_code",
    ),
    path("login/code/confirm/", views.EnterCode.as_view(), name="account_confirm_login_code"),
    path("logout/", logout, name="account_logout"),
    path("inactive/", account_inactive, name="account_inactive"),
    path("signup/", views.HowToJoin.as_view(), name="account_signup"),
]
