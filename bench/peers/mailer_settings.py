"""django-mailer as its documentation recommends."""

import os

from bench.peers.base import *  # noqa: F403

INSTALLED_APPS = ["django.contrib.contenttypes", "mailer"]

EMAIL_BACKEND = "mailer.backend.DbBackend"
MAILER_EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
MAILER_EMAIL_MAX_BATCH = None
MAILER_LOCK_PATH = os.environ["LOCK_PATH"]
