"""Signing up, in and out. The steps are django-allauth's; there is no password anywhere."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.stages import LoginStage
from allauth.account.views import ConfirmLoginCodeView, RequestLoginCodeView
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from members import limits
from members.adapter import LetterNotSent
from members.codes import SignInCode
from members.forms.signing_in import TOO_OFTEN, EnterCodeForm, RequestCodeForm, refuse
from members.models import normalize_email
from members.views.providers import ways_in


class RequestCode(RequestLoginCodeView):  # type: ignore[misc]
    """Where one asks for a code; an address that we do not know gets the same answer."""

    form_class = RequestCodeForm

    def _redirect_to_pending_stage(
        self, request: HttpRequest, stage: LoginStage
    ) -> HttpResponse | None:
        """While a code waits, on to it: a second tap sends no second one. Another address does."""
        asked_for = normalize_email(request.POST.get("email", ""))
        if request.method == "POST" and asked_for != stage.state.get("email"):
            return None
        return redirect(self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        ways = ways_in(self.request)
        return super().get_context_data(ways=ways, **kwargs)  # type: ignore[no-any-return]

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **kwargs)
        # A browser asks the policy about every page that a form leads to, by redirects too.
        sites = [way.site for way in context["ways"]]
        response._csp_update = {"form-action": sites}  # type: ignore[attr-defined]
        refuse(response, context["form"])
        return response

    def form_valid(self, form: Form) -> HttpResponse:
        try:
            SignInCode.start(self.request, email=form.cleaned_data["email"])
        except LetterNotSent as not_sent:
            form.add_error(None, not_sent.message)
            return self.form_invalid(form)  # type: ignore[no-any-return]
        return redirect(self.get_success_url())


class Join(RequestCode):
    """The same for people who come for the first time, in other words."""

    template_name = "account/signup.html"


class EnterCode(ConfirmLoginCodeView):  # type: ignore[misc]
    form_class = EnterCodeForm

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **kwargs)
        if context["form"].errors:
            response.status_code = 400
        return response

    def _verify_form_valid(self, form: Form) -> HttpResponse:
        return SignInCode(stage=self.stage).finish(self.get_next_url())

    def _resend_form_valid(self, form: Form) -> HttpResponse:
        email = self.stage.state["email"]
        if wait := limits.take(limits.CODES, self.request, account=email):
            return self._too_many(wait)
        try:
            SignInCode(stage=self.stage).resend()
        except LetterNotSent as not_sent:
            messages.error(self.request, not_sent.message)
        else:
            messages.success(
                self.request, _("Another code is on its way. Only the newest one works.")
            )
        return redirect(self.request.get_full_path())

    def _too_many(self, wait: int) -> HttpResponse:
        """The page again; whoever has a code can still type it."""
        messages.error(self.request, get_adapter().error_messages[TOO_OFTEN])
        context = self.get_context_data(form=EnterCodeForm(code=self._process.code))
        response = self.render_to_response(context)
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(wait)
        return response


def staff_sign_in(request: HttpRequest) -> HttpResponse:
    """Django's admin asks for a password; here it sends people to our own sign-in instead."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.GET.get("next", ""))
    if not request.user.is_staff:
        raise PermissionDenied
    return redirect("admin:index")
