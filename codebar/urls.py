"""Every address, by app. Paths follow planner's, so that links in old letters still work."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from codebar import health, metrics
from logs.views import told_by_provider
from members.views.signing_in import staff_sign_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("invitations.urls")),
    path("", include("members.urls")),
    path("bounces/<slug:provider>/", told_by_provider, name="bounces"),
    path("staff/login/", staff_sign_in, name="staff_login"),
    path("staff/", admin.site.urls),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("deadman", health.deadman, name="deadman"),
]

if settings.MAIL_CATCHER_DIRECTORY:
    urlpatterns.append(path("mail/", include("codebar.local.mailbox")))

urlpatterns.append(path("", include("invitations.urls.by_slug")))
