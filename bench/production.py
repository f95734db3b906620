"""The settings of production; only static files are collected into the bench's own folder."""

import os
from pathlib import Path

from codebar.settings import *  # noqa: F403 -- all of them

STATIC_ROOT = Path(os.environ["BENCH_STATIC_ROOT"])
# Nobody here asks for one, so they are not compressed, which takes half a minute.
STORAGES["staticfiles"]["BACKEND"] = (  # noqa: F405
    "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
)
