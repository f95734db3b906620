"""Signing in by GitHub and OpenID Connect, at a provider that really answers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from members.models import Member
from tests.factories import MemberFactory
from tests.support.identity_provider import CLIENT_ID, IdentityProvider, lead_buttons_to, new_key
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

OIDC, GITHUB = "/auth/codebar", "/auth/github"
SIGN_IN = reverse("account_login")
NO_CONFIRMED_ADDRESS = "No confirmed e-mail address came with this account"
DID_NOT_WORK = "did not work. Try again, or use a code."


@pytest.fixture
def provider(settings, monkeypatch) -> Iterator[IdentityProvider]:
    """Asha's account elsewhere, at a provider that both buttons lead to."""
    provider = IdentityProvider(
        person={
            "sub": "asha-there",
            "id": 4711,
            "name": "Asha Rao Iyer",
            "email": f"asha-{uuid.uuid4().hex}@people.example",
            "email_verified": True,
        }
    ).start()
    address = {"email": provider.person["email"], "primary": True, "verified": True}
    provider.emails = [address]
    lead_buttons_to(provider, settings, monkeypatch)
    yield provider
    provider.stop()


@pytest.fixture
def browser() -> Client:
    return Client()


def words(response) -> str:
    return " ".join(response.content.decode().split())


def go_there(browser: Client, button: str, **form: str) -> str:
    """Press the button and agree there; the address that the provider sends the browser back to."""
    leaving = browser.post(button, form)
    assert leaving.status_code == 302, words(leaving)
    back = requests.get(leaving.url, allow_redirects=False, timeout=5).headers["Location"]
    return back.removeprefix("http://testserver")


def sign_in(browser: Client, button: str, **form: str):
    return browser.get(go_there(browser, button, **form))


def who_is_signed_in(browser: Client) -> Member | None:
    return Member.objects.filter(pk=browser.session.get("_auth_user_id")).first()


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_a_stranger_becomes_a_member_who_then_says_who_they_are(browser, provider, button):
    response = sign_in(browser, button)

    member = Member.objects.get(email=provider.person["email"])
    assert who_is_signed_in(browser) == member
    assert (member.name, member.accepted_terms_at) == ("", None)
    page = browser.get(response.url, follow=True)
    assert page.redirect_chain[-1][0] == reverse("terms")
    details = browser.post(reverse("terms"), {"accepted": "on"}, follow=True)
    assert 'value="Asha"' in words(details)
    assert 'value="Rao Iyer"' in words(details)


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_a_member_is_found_by_the_confirmed_address(browser, provider, button):
    asha = MemberFactory(email=provider.person["email"])
    provider.person["email"] = provider.person["email"].upper()
    provider.emails[0]["email"] = provider.emails[0]["email"].upper()

    response = sign_in(browser, button)

    assert who_is_signed_in(browser) == asha
    assert response.url == reverse("dashboard")
    assert Member.objects.count() == 1


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_a_known_identity_counts_more_than_an_address(browser, provider, button):
    sign_in(browser, button)
    asha = who_is_signed_in(browser)
    browser.post(reverse("account_logout"))
    provider.person["email"] = provider.emails[0]["email"] = MemberFactory().email

    sign_in(browser, button)

    assert who_is_signed_in(browser) == asha


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_an_address_that_is_not_confirmed_finds_nobody(browser, provider, button):
    MemberFactory(email=provider.person["email"])
    provider.person["email_verified"] = provider.emails[0]["verified"] = False

    page = browser.get(go_there(browser, button), follow=True)

    assert NO_CONFIRMED_ADDRESS in words(page)
    assert who_is_signed_in(browser) is None
    assert not SocialAccount.objects.exists()
    assert Member.objects.count() == 1


@pytest.mark.parametrize("said", ["false", "yes", 1, None])
def test_only_a_clear_yes_confirms_an_address(browser, provider, said):
    MemberFactory(email=provider.person["email"])
    provider.person["email_verified"] = said

    assert NO_CONFIRMED_ADDRESS in words(browser.get(go_there(browser, OIDC), follow=True))


def test_a_github_account_without_addresses_gets_a_sentence(browser, provider):
    del provider.person["email"]
    provider.emails = []

    assert NO_CONFIRMED_ADDRESS in words(browser.get(go_there(browser, GITHUB), follow=True))


def test_any_confirmed_address_finds_a_member(browser, provider):
    asha = MemberFactory()
    provider.emails.append({"email": asha.email, "primary": False, "verified": True})

    sign_in(browser, GITHUB)

    assert who_is_signed_in(browser) == asha


def test_an_older_identity_counts_more_than_an_address(browser, provider):
    asha, bruno = MemberFactory(), MemberFactory(email=provider.person["email"])
    SocialAccount.objects.create(provider="github", uid="12345", user=asha)
    provider.person["github_id"] = 12345

    sign_in(browser, OIDC)

    assert who_is_signed_in(browser) == asha
    assert not bruno.socialaccount_set.exists()


def test_an_older_identity_nobody_has_leads_to_the_address(browser, provider):
    bruno = MemberFactory(email=provider.person["email"])
    provider.person["github_id"] = 12345

    sign_in(browser, OIDC)

    assert who_is_signed_in(browser) == bruno


def test_an_older_identity_counts_only_where_it_is_signed(browser, provider):
    asha, bruno = MemberFactory(), MemberFactory(email=provider.person["email"])
    SocialAccount.objects.create(provider="github", uid="12345", user=asha)
    provider.userinfo = {"github_id": 12345}

    sign_in(browser, OIDC)

    assert who_is_signed_in(browser) == bruno


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_a_closed_account_cannot_sign_in(browser, provider, button):
    MemberFactory(closed=True, email=provider.person["email"])

    page = browser.get(go_there(browser, button), follow=True)

    assert "This account is closed" in words(page)
    assert who_is_signed_in(browser) is None
    assert not SocialAccount.objects.exists()


def test_an_account_closed_after_it_was_linked_cannot_sign_in(browser, provider):
    sign_in(browser, OIDC)
    browser.post(reverse("account_logout"))
    Member.objects.update(closed_at="2026-01-01T00:00Z", email="closed@people.example")

    page = browser.get(go_there(browser, OIDC), follow=True)

    assert "This account is closed" in words(page)
    assert who_is_signed_in(browser) is None


def test_an_incomplete_member_gets_the_details_form(browser, provider):
    asha = MemberFactory(email=provider.person["email"], name="")
    sign_in(browser, OIDC)
    browser.post(reverse("account_logout"))

    page = browser.get(go_there(browser, GITHUB), follow=True)

    assert page.status_code == 200
    assert page.redirect_chain[-1][0] == reverse("details")
    assert who_is_signed_in(browser) == asha


def test_nothing_is_kept_but_the_id(browser, provider):
    sign_in(browser, OIDC)

    (account,) = SocialAccount.objects.all()
    assert (account.provider, account.uid, account.extra_data) == ("codebar", "asha-there", {})
    assert not SocialToken.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_two_callbacks_at_once_make_one_member(provider, button):
    browsers = [Client() for _ in range(4)]
    backs = [go_there(browser, button) for browser in browsers]

    answers = at_once(
        *(lambda b=b, back=back: b.get(back) for b, back in zip(browsers, backs, strict=True))
    )

    assert [answer.status_code for answer in answers] == [302] * 4
    (member,) = Member.objects.all()
    assert [who_is_signed_in(browser) for browser in browsers] == [member] * 4
    assert SocialAccount.objects.get().user == member


# ---- Who may send somebody where ------------------------------------------------------------


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_a_link_does_not_lead_to_the_provider(browser, provider, button):
    response = browser.get(button, {"next": "/admin/"})

    assert (response.status_code, response.url) == (302, f"{SIGN_IN}?next=%2Fadmin%2F")
    assert provider.asked == []


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_the_button_needs_our_own_page(provider, button):
    assert Client(enforce_csrf_checks=True).post(button).status_code == 403


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_each_start_has_a_state_and_a_challenge_of_its_own(browser, provider, button):
    first, second = (parse_qs(urlsplit(browser.post(button).url).query) for _ in range(2))

    for asked in (first, second):
        assert asked["response_type"] == ["code"]
        assert asked["client_id"] == [CLIENT_ID]
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["redirect_uri"] == [f"http://testserver{button}/callback"]
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_a_callback_that_nobody_began_is_refused(browser, provider, button):
    back = go_there(Client(), button)

    page = browser.get(back, follow=True)

    assert DID_NOT_WORK in words(page)
    assert who_is_signed_in(browser) is None


def test_a_callback_works_once(browser, provider):
    back = go_there(browser, OIDC)
    browser.get(back)
    browser.post(reverse("account_logout"))

    assert DID_NOT_WORK in words(browser.get(back, follow=True))
    assert who_is_signed_in(browser) is None


@pytest.mark.parametrize(
    "query", ["", "?code=1", "?state=1", "?code=1&state=", "?state=%00&code=1"]
)
def test_a_callback_without_its_parts_gets_a_sentence(browser, provider, query):
    browser.post(OIDC)

    page = browser.get(f"{OIDC}/callback{query}", follow=True)

    assert page.redirect_chain[-1][0] == SIGN_IN
    assert DID_NOT_WORK in words(page)


def test_whoever_changes_their_mind_there_is_told_so(browser, provider):
    state = parse_qs(urlsplit(browser.post(OIDC, {"next": "/admin/"}).url).query)["state"][0]

    page = browser.get(f"{OIDC}/callback", {"error": "access_denied", "state": state}, follow=True)

    assert page.redirect_chain[-1][0] == f"{SIGN_IN}?next=%2Fadmin%2F"
    assert "You did not sign in with our accounts." in words(page)


def test_the_session_gets_a_new_key(browser, provider):
    back = go_there(browser, OIDC)
    before = browser.session.session_key

    browser.get(back)

    assert browser.session.session_key != before
    assert not Session.objects.filter(pk=before).exists()


@pytest.mark.parametrize("button", [OIDC, GITHUB])
def test_one_comes_back_to_where_one_wanted_to_go(browser, provider, button):
    MemberFactory(email=provider.person["email"])

    assert sign_in(browser, button, next="/admin/workshops/7").url == "/admin/workshops/7"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "https:evil.example", "/\\evil.example"]
)
def test_one_never_comes_out_on_another_site(browser, provider, elsewhere):
    MemberFactory(email=provider.person["email"])

    assert sign_in(browser, OIDC, next=elsewhere).url == reverse("dashboard")


def test_nobody_is_signed_in_over_somebody_else(browser, provider):
    """Else a callback of a stranger's could put their account in the place of one's own."""
    back = go_there(browser, OIDC)
    asha = MemberFactory()
    browser.force_login(asha)

    assert browser.get(back).url == reverse("dashboard")

    assert who_is_signed_in(browser) == asha
    assert not SocialAccount.objects.exists()


def test_an_account_is_not_linked_to_whoever_is_signed_in(browser, provider):
    browser.force_login(MemberFactory())

    assert browser.post(OIDC, {"process": "connect"}).url == reverse("dashboard")


# ---- A provider that lies, breaks or is silent ----------------------------------------------


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://evil.example"},
        {"aud": "somebody else"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sub": "somebody else"},
    ],
    ids=str,
)
def test_an_identity_that_is_not_ours_is_refused(browser, provider, lie):
    MemberFactory(email=provider.person["email"])
    provider.claims = lie

    assert DID_NOT_WORK in words(browser.get(go_there(browser, OIDC), follow=True))
    assert who_is_signed_in(browser) is None


def test_an_identity_that_another_key_signed_is_refused(browser, provider):
    provider.signs_with = new_key()

    assert DID_NOT_WORK in words(browser.get(go_there(browser, OIDC), follow=True))
    assert not Member.objects.exists()


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_an_identity_without_a_real_signature_is_refused(browser, provider, algorithm):
    provider.algorithm = algorithm
    if algorithm == "none":
        provider._identity = lambda: "eyJhbGciOiJub25lIiwia2lkIjoia2V5LTEifQ.e30."

    assert DID_NOT_WORK in words(browser.get(go_there(browser, OIDC), follow=True))
    assert not Member.objects.exists()


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/token", "/jwks", "/userinfo"]
)
@pytest.mark.parametrize(
    "answer",
    [(500, "broken"), (200, "not JSON"), (200, "{}"), (200, "[]"), (200, '{"keys": [{}]}')],
)
def test_a_broken_provider_is_a_sentence(browser, provider, path, answer):
    back = go_there(browser, OIDC)
    provider.answers[path] = answer

    page = browser.get(back, follow=True)

    assert page.redirect_chain[-1][0] == SIGN_IN
    assert "Signing in with our accounts did not work" in words(page)
    assert not Member.objects.exists()


@pytest.mark.parametrize("path", ["/login/oauth/access_token", "/user", "/user/emails"])
@pytest.mark.parametrize("answer", [(500, "broken"), (200, "not JSON"), (200, "{}"), (200, "[1]")])
def test_a_broken_github_is_a_sentence(browser, provider, path, answer):
    back = go_there(browser, GITHUB)
    provider.answers[path] = answer
    del provider.person["email"]

    page = browser.get(back, follow=True)

    assert page.redirect_chain[-1][0] == SIGN_IN
    assert not Member.objects.exists()


def test_a_provider_that_is_down_is_a_sentence(browser, provider):
    provider.stop()

    page = browser.post(OIDC, follow=True)

    assert "Signing in with our accounts did not work" in words(page)


def test_a_name_far_too_long_is_cut_by_whoever_has_it(browser, provider):
    provider.person["name"] = "\x00" + "A" * 1000

    browser.get(sign_in(browser, OIDC).url)
    page = browser.post(reverse("terms"), {"accepted": "on"}, follow=True)

    assert page.status_code == 200


def test_without_the_cache_people_still_sign_in(browser, provider, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    provider.person["jti"] = "1"

    sign_in(browser, OIDC)

    assert who_is_signed_in(browser).email == provider.person["email"]


def test_we_say_who_we_are(browser, provider):
    sign_in(browser, OIDC)

    assert provider.agents == {"codebar"}


def test_a_client_without_a_secret_sends_none(browser, provider):
    sign_in(browser, OIDC)

    (asked,) = (form for path, form in provider.asked if path == "/token")
    assert asked["client_id"] == CLIENT_ID
    assert "client_secret" not in asked


def test_the_logs_hold_no_names_addresses_or_tokens(browser, provider, caplog):
    caplog.set_level(logging.DEBUG)
    sign_in(browser, OIDC)
    browser.post(reverse("account_logout"))
    provider.claims = {"exp": 1}
    back = go_there(browser, OIDC)
    browser.get(back, follow=True)

    said = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("members"))
    assert said == "Signing in by codebar failed."
    for secret in (provider.person["email"], "Asha", "asha-there"):
        assert secret not in caplog.text.replace(back, "")


# ---- The buttons ----------------------------------------------------------------------------


def test_the_buttons_are_there_where_they_lead_somewhere(browser, provider):
    for page in (SIGN_IN, reverse("account_signup")):
        response = browser.get(page)
        assert "Continue with GitHub" in words(response)
        assert "Continue with our accounts" in words(response)
        assert f'action="{GITHUB}"' in words(response)
        assert f'action="{OIDC}"' in words(response)
        policy = response.headers["Content-Security-Policy"]
        assert f"form-action 'self' {provider.url};" in f"{policy};"


def test_without_keys_there_is_no_button_and_no_way(browser):
    page = browser.get(SIGN_IN)

    assert "Continue with" not in words(page)
    assert "form-action 'self';" in f"{page.headers['Content-Security-Policy']};"
    for button in (OIDC, GITHUB):
        assert browser.post(button).status_code == 404
        assert browser.get(f"{button}/callback").status_code == 404
