"""OpenID Connect, each identity checked as its Core 1.0 says in 3.1.3.7."""

from __future__ import annotations

from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest


class SignedIdentity(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """
    allauth believes what comes straight from the provider; here its key must have signed it, it
    must be meant for us and not be over, and what the provider adds must be about the same person.
    """

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **answer: Any
    ) -> SocialLogin:
        """:raises OAuth2Error: when the identity is missing, or not to be trusted"""
        identity = self._checked(answer["response"].get("id_token"), audience=app.client_id)
        told = self._fetch_user_info(token.token)
        if told.get("sub") != identity["sub"]:
            raise OAuth2Error("userinfo is about somebody else")
        claims = identity | told
        said = claims.get("email_verified")
        claims["email_verified"] = said is True or said == "true"
        if "github_id" in claims:
            claims["github_id"] = identity.get("github_id")
        return self.get_provider().sociallogin_from_response(request, {"userinfo": claims})

    def _checked(self, identity: str | None, *, audience: str) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
        answer.raise_for_status()
        try:
            key_id = jwt.get_unverified_header(identity or "")["kid"]
            return jwt.decode(
                identity or "",
                key=jwt.PyJWKSet.from_dict(answer.json())[key_id],
                algorithms=["RS256"],
                issuer=self.openid_config["issuer"],
                audience=audience,
                options={"require": ["sub", "exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, KeyError) as refusal:
            raise OAuth2Error("the identity is not to be trusted") from refusal
