"""
Signing up, in and out, and one's own profile. The names of accounts/ are those that django-allauth
looks for, the other paths are planner's.
"""

from allauth.account.views import account_inactive, logout
from django.urls import path
from django.views.generic import RedirectView

from members.views import addresses, profiles, providers, signing_in, terms

SIGN_IN = RedirectView.as_view(pattern_name="account_login", query_string=True)

urlpatterns = [
    path("accounts/login/", signing_in.RequestCode.as_view(), name="account_login"),
    path("accounts/login/code/", SIGN_IN, name="account_request_login_code"),
    path(
        "accounts/login/code/confirm/",
        signing_in.EnterCode.as_view(),
        name="account_confirm_login_code",
    ),
    path("accounts/logout/", logout, name="account_logout"),
    path("accounts/inactive/", account_inactive, name="account_inactive"),
    path("accounts/signup/", signing_in.Join.as_view(), name="account_signup"),
    path("login", SIGN_IN, name="login"),
    path(
        "member/new",
        RedirectView.as_view(pattern_name="account_signup", query_string=True),
        name="member_new",
    ),
    path("auth/github", providers.sign_in_with, {"provider_id": "github"}, name="github_login"),
    path(
        "auth/github/callback",
        providers.callback,
        {"provider_id": "github"},
        name="github_callback",
    ),
    path("auth/<slug:provider_id>", providers.sign_in_with, name="openid_connect_login"),
    path("auth/<slug:provider_id>/callback", providers.callback, name="openid_connect_callback"),
    path("terms_and_conditions", terms.terms, name="terms"),
    path("member/details/edit", profiles.details, name="details"),
    path("profile", profiles.profile, name="profile"),
    path("member/edit", profiles.profile_edit, name="profile_edit"),
    path("member/address", addresses.address_change, name="address_change"),
    path("member/address/code", addresses.address_confirm, name="address_confirm"),
]
