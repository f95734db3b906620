"""Every address, by app. Paths follow planner's, so that links in old letters still work."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from codebar import health
from members.views import staff_sign_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("invitations.urls")),
    path("accounts/", include("members.urls")),
    path("staff/login/", staff_sign_in, name="staff_login"),
    path("staff/", admin.site.urls),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]

if settings.MAIL_CATCHER_DIRECTORY:
    urlpatterns.append(path("mail/", include("codebar.local.mailbox")))
