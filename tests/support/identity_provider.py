"""
An account elsewhere: an OpenID Connect provider, and GitHub, as one HTTP server on loopback.

It speaks the protocols as RFC 6749, RFC 7636 and OpenID Connect Core say: a code works once, with
the verifier of its challenge, and identities are signed with RS256.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_django.fixtures import Settings

CLIENT_ID = "planner"
KEY_ID = "key-1"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _own_key() -> rsa.RSAPrivateKey:
    return new_key()  # which takes a while


@dataclass
class IdentityProvider:
    """`person` is who signs in there; the other fields make it lie, break or be silent."""

    person: dict[str, Any] = field(default_factory=dict)
    emails: list[dict[str, Any]] = field(default_factory=list)  # GitHub's list
    claims: dict[str, Any] = field(default_factory=dict)  # instead of what is true, in the identity
    userinfo: dict[str, Any] = field(default_factory=dict)  # instead of what is true, beside it
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)  # path → status and body
    algorithm: str = "RS256"
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.key = self.signs_with = _own_key()
        self.challenges: dict[str, str] = {}

    def start(self) -> IdentityProvider:
        provider = self

        class Handler(_Handler):
            house = provider

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        serve = threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True)
        serve.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self, path: str, asked: dict[str, str]) -> tuple[int, str]:
        pages = {
            "/.well-known/openid-configuration": self._configuration,
            "/jwks": self._keys,
            "/userinfo": lambda asked: self.person | self.userinfo,
            "/token": self._token,
            "/login/oauth/access_token": self._token,
            "/user": lambda asked: self.person,
            "/user/emails": lambda asked: self.emails,
        }
        try:
            return 200, json.dumps(pages[path](asked))
        except (KeyError, ValueError) as refusal:
            return 400, json.dumps({"error": str(refusal)})

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes after somebody agreed: back, with a code."""
        code = secrets.token_urlsafe(16)
        assert asked["code_challenge_method"] == "S256"
        self.challenges[code] = asked["code_challenge"]
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _configuration(self, asked: dict[str, str]) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
        }

    def _keys(self, asked: dict[str, str]) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [public | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}]}

    def _token(self, asked: dict[str, str]) -> dict[str, Any]:
        challenge = self.challenges.pop(asked["code"])
        digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            raise ValueError("invalid_grant")
        return {"access_token": "token", "token_type": "bearer", "id_token": self._identity()}

    def _identity(self) -> str:
        true = {"iss": self.url, "aud": CLIENT_ID, "exp": time.time() + 60} | self.person
        said = {name: value for name, value in (true | self.claims).items() if value is not None}
        key = self.signs_with if self.algorithm == "RS256" else "a shared secret of 32 characters"
        return jwt.encode(said, key, algorithm=self.algorithm, headers={"kid": KEY_ID})


def lead_buttons_to(
    provider: IdentityProvider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with GITHUB_KEY and OIDC_URL set; GitHub's own addresses lead to the provider too."""
    settings.SOCIALACCOUNT_PROVIDERS = {
        "github": {
            "APPS": [{"client_id": CLIENT_ID, "secret": "secret", "name": "GitHub"}],
            "OAUTH_PKCE_ENABLED": True,
        },
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "codebar",
                    "name": "our accounts",
                    "client_id": CLIENT_ID,
                    "secret": "",
                    "settings": {
                        "server_url": provider.url,
                        "token_auth_method": "client_secret_post",
                    },
                }
            ],
            "OAUTH_PKCE_ENABLED": True,
        },
    }
    for name, path in {
        "authorize_url": "/login/oauth/authorize",
        "access_token_url": "/login/oauth/access_token",
        "profile_url": "/user",
        "emails_url": "/user/emails",
    }.items():
        monkeypatch.setattr(GitHubOAuth2Adapter, name, f"{provider.url}{path}")


class _Handler(BaseHTTPRequestHandler):
    house: IdentityProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._answer(parts.path, _flat(parts.query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(self.path, _flat(body))

    def _answer(self, path: str, asked: dict[str, str]) -> None:
        house = self.house
        house.asked.append((path, asked))
        if path.endswith("/authorize"):
            self.send_response(302)
            self.send_header("Location", house.authorize(asked))
            self.end_headers()
            return
        house.agents.add(self.headers["User-Agent"])
        status, body = house.answers.get(path) or house.page(path, asked)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: object) -> None:
        pass


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
