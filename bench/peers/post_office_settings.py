"""django-post_office as its documentation recommends for many letters, and tuned: see README.md."""

import os

from bench.peers.base import *  # noqa: F403

INSTALLED_APPS = ["django.contrib.contenttypes", "post_office"]

POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "BATCH_SIZE": int(os.environ["BATCH_SIZE"]),
    "THREADS_PER_PROCESS": int(os.environ["THREADS"]),
    "LOG_LEVEL": 1,  # failures only, which saves a row for each letter
}
