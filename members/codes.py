"""Codes by e-mail: whoever types the code reads the letters of the address."""

from __future__ import annotations

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.models import Login
from allauth.account.stages import LoginByCodeStage, LoginStageController
from django.http import HttpRequest, HttpResponse

from members import languages
from members.services import joining


class SignInCode(LoginCodeVerificationProcess):  # type: ignore[misc]
    """
    allauth's code to sign in, for people without an account too.

    Who has the address is looked up when the code was typed and not before, so that until then a
    stranger and a member are the same: same page, same letter, same time.
    """

    @classmethod
    def start(cls, request: HttpRequest, *, email: str) -> None:
        """
        Send a code to this address, and remember it in the session.

        :raises members.adapter.LetterNotSent: then nothing is remembered
        """
        login = Login(email=email)
        login.state["stages"] = {"current": LoginByCodeStage.key}
        stage = LoginByCodeStage(LoginStageController(request, login), request, login)
        stage.state.update(cls.initial_state(user=None, email=email))
        stage.state["initiated_by_user"] = True
        process = cls(stage=stage)
        process.send()
        process.persist()

    def send_by_email(self, email: str, skip_enumeration_mails: bool = False) -> None:
        _send(self, "account/email/login_code", email)

    def finish(self, redirect_url: str | None) -> HttpResponse:
        self._user = joining.by_address(self.state["email"], language=languages.of_this_page())
        return super().finish(redirect_url)  # type: ignore[no-any-return]


class AddressCode(AbstractCodeVerificationProcess):  # type: ignore[misc]
    """A code to the address that a signed-in member wants to use from now on."""

    KEY = "address_code"

    def __init__(self, request: HttpRequest, state: dict[str, object]) -> None:
        super().__init__(
            max_attempts=app_settings.LOGIN_BY_CODE_MAX_ATTEMPTS,
            timeout=app_settings.LOGIN_BY_CODE_TIMEOUT,
            state=state,
        )
        self.request = request

    @classmethod
    def start(cls, request: HttpRequest, *, email: str) -> None:
        """
        Send a code to this address, and remember it in the session.

        :raises members.adapter.LetterNotSent: then nothing is remembered
        """
        process = cls(request, cls.initial_state(user=None, email=email))
        process.send()
        process.persist()

    @classmethod
    def resume(cls, request: HttpRequest) -> AddressCode | None:
        """The one that waits for its code; none where nothing was asked, or too long ago."""
        state = request.session.get(cls.KEY)
        return cls(request, state).abort_if_invalid() if state else None

    @property
    def email(self) -> str:
        return str(self.state["email"])

    def send(self) -> None:
        _send(self, "account/email/address_code", self.email)

    def persist(self) -> None:
        self.request.session[self.KEY] = self.state

    def abort(self) -> None:
        self.request.session.pop(self.KEY, None)


def _send(process: AbstractCodeVerificationProcess, letter: str, email: str) -> None:
    """A code is only remembered once its letter has left: a failed one leaves the last valid."""
    code = get_adapter().generate_login_code()
    get_adapter().send_mail(letter, email, {"request": process.request, "code": code})
    process.state["code"] = code
