"""Signing in and out. The steps are django-allauth's; there is no password anywhere."""

from __future__ import annotations

from allauth.account.views import ConfirmLoginCodeView, RequestLoginCodeView
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from members.adapter import LetterNotSent
from members.forms import EnterCodeForm, RequestCodeForm

NOT_SENT = "Our mail server does not answer, so no code was sent. Try again in a minute."


class RequestCode(RequestLoginCodeView):  # type: ignore[misc]
    form_class = RequestCodeForm

    def form_valid(self, form: Form) -> HttpResponse:
        try:
            return super().form_valid(form)  # type: ignore[no-any-return]
        except LetterNotSent:
            form.add_error(None, NOT_SENT)
            return self.form_invalid(form)  # type: ignore[no-any-return]


class EnterCode(ConfirmLoginCodeView):  # type: ignore[misc]
    form_class = EnterCodeForm

    def _resend_form_valid(self, form: Form) -> HttpResponse:
        try:
            response: HttpResponse = super()._resend_form_valid(form)
        except LetterNotSent:
            messages.error(self.request, NOT_SENT)
            return redirect(self.request.get_full_path())
        messages.success(self.request, "Another code is on its way. Only the newest one works.")
        return response


class HowToJoin(TemplateView):
    template_name = "account/how_to_join.html"


def staff_sign_in(request: HttpRequest) -> HttpResponse:
    """Django's admin asks for a password; here it sends people to our own sign-in instead."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.GET.get("next", ""))
    if not request.user.is_staff:
        raise PermissionDenied
    return redirect("admin:index")
