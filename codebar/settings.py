"""
Settings, read from the environment once, at start-up.

Every variable is explained in `.env.example`. A missing or malformed one stops the start and is
named in the message.
"""

import sys
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from re import fullmatch
from urllib.parse import urlsplit

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from codebar import release
from codebar.variables import Variables, instance_of

BASE_DIR = Path(__file__).resolve().parent.parent

env = Variables()
env.read_env(BASE_DIR / ".env")

# ---- Where and how we run -----------------------------------------------------------------

DEBUG = env.switch("DEBUG")
SECRET_KEY = env.str("SECRET_KEY")
# Keys of before, so that what they signed, such as the links in old letters, is still ours.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
SITE_URL = env.address("SITE_URL", "https", "http").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
RELEASE = env.str("RELEASE", default="") or release.name_of(BASE_DIR)
if len(RELEASE) > 100:
    raise ImproperlyConfigured("RELEASE must be at most 100 characters.")

_site = urlsplit(SITE_URL)
if not ALLOWED_HOSTS:
    ALLOWED_HOSTS = [_site.hostname]

env.address("DATABASE_URL", "postgres", "postgresql")
DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"] |= {
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
    "CONN_HEALTH_CHECKS": True,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = env.address("CACHE_URL", "redis", "rediss")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        # A cache that stays silent must not hold up whoever signs in.
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}

ROOT_URLCONF = "codebar.urls"
WSGI_APPLICATION = "codebar.wsgi.application"

INSTALLED_APPS = [
    "invitations",
    "logs",
    "chapters",
    "members",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.openid_connect",
    "bootstrap",
    "csp",
    "django_htmx",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.forms",  # for its templates beside ours
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
]

if find_spec("django_linear_migrations"):  # only among the development requirements
    INSTALLED_APPS.append("django_linear_migrations")

MIDDLEWARE = [
    "codebar.observing.Observed",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "members.middleware.ForOnePerson",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "codebar.refusing.Refusals",
    "members.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "members.middleware.Limits",
    "members.middleware.TermsFirst",
]

# So that a form with far too much text comes back with a sentence, and the rest of it, instead of
# a page that has lost everything.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]  # bin/messages
FORMAT_MODULE_PATH = "codebar.formats"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
if not DEBUG:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

# ---- Who signs in, and how ----------------------------------------------------------------

AUTH_USER_MODEL = "members.Member"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "account_login"

# After a new member has told who they are.
AFTER_DETAILS_URL = "subscriptions"

# What one may open before one has accepted the terms, besides the pages that a letter's token
# opens: what they speak of, what concerns nobody's account, and the way out.
OPEN_BEFORE_TERMS = {
    *("terms", "code_of_conduct", "breach_of_conduct", "attendance_policy", "student_guide"),
    *("coaching_guide", "faq", "volunteer", "support_us", "donate"),
    *("podcast", "privacy_policy", "cookie_policy"),
    *("healthz", "readyz", "deadman", "metrics"),
    *("robots", "sitemap", "chapter_feed", "choose_language", "fresh_link", "gone", "moved"),
    *("account_login", "account_logout", "account_inactive", "staff_login"),
    *("my_data", "account_close", "leave_all"),  # whoever does not accept them may still go
}

ACCOUNT_ADAPTER = "members.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

SOCIALACCOUNT_ADAPTER = "members.adapter.ProviderAdapter"
SOCIALACCOUNT_PROVIDERS = {}
if github_key := env.str("GITHUB_KEY", default=""):
    SOCIALACCOUNT_PROVIDERS["github"] = {
        "APPS": [{"client_id": github_key, "secret": env.str("GITHUB_SECRET"), "name": "GitHub"}],
        "OAUTH_PKCE_ENABLED": True,
    }
if env.str("OIDC_URL", default=""):
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "codebar",  # planner's path: /auth/codebar/callback
                "name": env.str("OIDC_NAME", default="codebar"),
                "client_id": env.str("OIDC_CLIENT_ID"),
                "secret": env.str("OIDC_SECRET", default=""),
                "settings": {
                    "server_url": env.address("OIDC_URL", "https", "http").rstrip("/"),
                    # In the form, since a client without a secret has none to put into a header.
                    "token_auth_method": "client_secret_post",
                },
            }
        ],
        "OAUTH_PKCE_ENABLED": True,
    }

# ---- How pages are protected --------------------------------------------------------------

_is_https = _site.scheme == "https"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SECURE_SSL_REDIRECT = _is_https
# Probes speak plain HTTP to the process.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^deadman$", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _is_https
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.switch("BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # else all of us share the rate limits of one address

# How often one may try, by the name of the page (members/limits.py says how often that is).
LIMITED_PAGES = {
    **dict.fromkeys(("account_confirm_login_code", "address_confirm"), "sign_in"),
    **dict.fromkeys(("github_login", "openid_connect_login"), "sign_in"),
    **dict.fromkeys(("accept", "decline", "waiting_list", "leave_line", "rsvp_here"), "answers"),
    **dict.fromkeys(("feedback", "rsvp_member"), "answers"),
    **dict.fromkeys(("search", "members", "subscribers", "rsvp"), "searches"),
    **dict.fromkeys(("invite", "nudge", "write", "send_test", "write_test"), "batches"),
    **dict.fromkeys(("workshop_tell", "workshop_cancel"), "batches"),
    **dict.fromkeys(("log_retry", "log_send_again", "letter_retry", "repair"), "batches"),
    **dict.fromkeys(("doubt_decide", "doubts_decide"), "batches"),
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # Bootstrap draws its small icons as data: images.
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    },
}

# ---- Letters ------------------------------------------------------------------------------

env.address("EMAIL_URL", "smtp", "smtp+tls", "smtp+ssl")
_mail = env.email("EMAIL_URL")
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = _mail["EMAIL_HOST"]
EMAIL_PORT = _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL")
if "@" not in parseaddr(DEFAULT_FROM_EMAIL)[1]:
    raise ImproperlyConfigured("DEFAULT_FROM_EMAIL must look like codebar <hello@codebar.example>.")

# The protocol's times, in seconds (docs/delivery.md): one socket step < one letter < one lease.
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", default=10)
LETTER_SECONDS = env.float("LETTER_SECONDS", default=20)
TASK_SECONDS = env.float("TASK_SECONDS", default=10)
LEASE_SECONDS = env.float("LEASE_SECONDS", default=60)
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=30)
WATCH_SECONDS = env.float("WATCH_SECONDS", default=20)
PREPARE_GRACE_SECONDS = env.float("PREPARE_GRACE_SECONDS", default=60)
DOUBT_DELAY_SECONDS = env.float("DOUBT_DELAY_SECONDS", default=60)
RETRY_DELAY_SECONDS = env.float("RETRY_DELAY_SECONDS", default=60)
HOLD_PROBE_SECONDS = env.float("HOLD_PROBE_SECONDS", default=15)
CONNECTION_IDLE_SECONDS = env.float("CONNECTION_IDLE_SECONDS", default=30)
MAIL_CONNECTIONS = env.int("MAIL_CONNECTIONS", default=21)
MAIL_RATE_PER_SECOND = env.float(
    "MAIL_RATE_PER_SECOND", default=0
)  # 0: as fast as the server takes

# Whoever is frozen in the middle of a transaction must not keep others waiting for its locks:
# PostgreSQL ends a session that has said nothing in one for a lease.
_options = DATABASES["default"].setdefault("OPTIONS", {})
_options["options"] = (
    f"{_options.get('options', '')}"
    f" -c idle_in_transaction_session_timeout={LEASE_SECONDS * 1000:.0f}"
).strip()

if not 0 < EMAIL_TIMEOUT < LETTER_SECONDS < LEASE_SECONDS:
    raise ImproperlyConfigured("EMAIL_TIMEOUT < LETTER_SECONDS < LEASE_SECONDS must hold.")
CELERY_TASK_SOFT_TIME_LIMIT = LEASE_SECONDS * 2 / 3
CELERY_TASK_TIME_LIMIT = LEASE_SECONDS * 5 / 6
if not 0 < TASK_SECONDS + LETTER_SECONDS < CELERY_TASK_SOFT_TIME_LIMIT:
    raise ImproperlyConfigured("TASK_SECONDS + LETTER_SECONDS must be < 2/3 of LEASE_SECONDS.")
if MAIL_CONNECTIONS < 2:
    raise ImproperlyConfigured(
        "MAIL_CONNECTIONS must be at least 2: slot 1 is kept for single letters."
    )
if MAIL_RATE_PER_SECOND < 0:
    raise ImproperlyConfigured("MAIL_RATE_PER_SECOND must not be negative.")

# Letters that come back (docs/bounces.md). A domain of its own whose letters are given to
# `manage.py take_bounce`, or a provider that tells us, or both, or neither.
BOUNCE_DOMAIN = env.str("BOUNCE_DOMAIN", default="").strip().lower()
if BOUNCE_DOMAIN and not fullmatch(r"([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", BOUNCE_DOMAIN):
    raise ImproperlyConfigured("BOUNCE_DOMAIN must look like bounces.codebar.example.")
BOUNCE_PROVIDER = env.str("BOUNCE_PROVIDER", default="").strip().lower()
_providers = ["brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "postmark", "sparkpost"]
if BOUNCE_PROVIDER not in ("", *_providers):
    raise ImproperlyConfigured(f"BOUNCE_PROVIDER must be one of {', '.join(_providers)}.")
BOUNCE_SECRET = env.str("BOUNCE_SECRET") if BOUNCE_PROVIDER else ""
if BOUNCE_PROVIDER and (len(BOUNCE_SECRET) < 20 or not BOUNCE_SECRET.isascii()):
    raise ImproperlyConfigured("BOUNCE_SECRET must have 20 characters or more.")
# Mailgun signs a moment; for eight hours it repeats what was not taken, with the first signature.
BOUNCE_HOURS = env.float("BOUNCE_HOURS", default=9)
if BOUNCE_HOURS <= 0:
    raise ImproperlyConfigured("BOUNCE_HOURS must be more than 0.")

# Hellos after three months leave at ten in the morning, so many a day at most; 0: none.
HELLO_PER_DAY = env.int("HELLO_PER_DAY", default=200)
if HELLO_PER_DAY < 0:
    raise ImproperlyConfigured("HELLO_PER_DAY must not be negative.")

# Beyond so many letters at once somebody types their number (docs/delivery.md).
GUARD_SIZE = env.int("GUARD_SIZE", default=2_000)
if GUARD_SIZE < 1:
    raise ImproperlyConfigured("GUARD_SIZE must be at least 1.")

# The secret_key_base of the planner that was left, so that its links to stop letters still work.
PLANNER_SECRET = env.str("PLANNER_SECRET", default="")

# ---- What is kept, and for how long --------------------------------------------------------

# Whom a letter went to is forgotten so many days after its workshop; 0: never.
RETENTION_DAYS = env.int("RETENTION_DAYS", default=180)
if RETENTION_DAYS and RETENTION_DAYS < 31:  # a month of letters that came back is counted
    raise ImproperlyConfigured("RETENTION_DAYS must be 31 or more, or 0: keep everything.")

# ---- Being looked at (docs/signals.md) ------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if METRICS_TOKEN and len(METRICS_TOKEN) < 20:
    raise ImproperlyConfigured("METRICS_TOKEN must have 20 characters or more.")

# ---- Telling somebody (docs/runbook.md) ----------------------------------------------------

ALERT_EMAILS = [address.strip() for address in env.list("ALERT_EMAILS", default=[])]
if not all("@" in parseaddr(address)[1] for address in ALERT_EMAILS):
    raise ImproperlyConfigured("ALERT_EMAILS must look like amina@codebar.example,olu@….")
ALERT_WEBHOOK_URL = env.address_if_set("ALERT_WEBHOOK_URL", "https", "http")
PAGER_WEBHOOK_URL = env.address_if_set("PAGER_WEBHOOK_URL", "https", "http")
DEADMAN_FILE = env.str("DEADMAN_FILE", default="")
DEADMAN_SECONDS = env.float("DEADMAN_SECONDS", default=300)
if DEADMAN_SECONDS <= SWEEP_SECONDS:
    raise ImproperlyConfigured("DEADMAN_SECONDS must be more than SWEEP_SECONDS.")

# ---- Celery: the doorbell -----------------------------------------------------------------

BROKER_URL = env.address("BROKER_URL", "redis", "rediss")
if not DEBUG and instance_of(BROKER_URL) == instance_of(CACHE_URL):
    raise ImproperlyConfigured(
        "BROKER_URL and CACHE_URL must be two instances: a cache that fills up evicts the queue."
    )
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": env.int("VISIBILITY_TIMEOUT", default=3600),
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 10,
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "health_check_interval": 10,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# Celery would close it around each task, and each sender of a batch would begin by connecting;
# CONN_MAX_AGE decides, here as in the web.
CELERY_DB_REUSE_MAX = sys.maxsize
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Loaded before the pool forks: its processes share them, and no task pays for the import.
CELERY_IMPORTS = ["invitations.services.preparing", "invitations.services.sweeping"]
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = TASK_SECONDS + LETTER_SECONDS
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Senders wait for PostgreSQL and the mail server most of the time: twenty threads need 80 MB,
# twenty processes a gigabyte. No time limit ends a thread; each letter keeps a clock of its own.
# By default there are two more than a batch has connections: while all of these are busy one sends
# confirmations, and one prepares and sweeps.
CELERY_WORKER_POOL = env.str("WORKER_POOL", default="threads")
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=22)
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "invitations.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "hello": {
        "task": "invitations.tasks.say_hello",
        "schedule": crontab(hour=10, minute=0),
        "options": {"expires": 3600},
    },
    "audit": {
        "task": "invitations.tasks.audit_nightly",
        "schedule": crontab(hour=3, minute=0),
        "options": {"expires": 3600},
    },
    "forget": {
        "task": "invitations.tasks.forget",
        "schedule": crontab(hour=4, minute=0),
        "options": {"expires": 3600},
    },
}

# ---- Logs hold ids, not people ------------------------------------------------------------

LOG_FORMAT = env.str("LOG_FORMAT", default="text" if DEBUG else "json")
if LOG_FORMAT not in ("json", "text"):
    raise ImproperlyConfigured("LOG_FORMAT must be json or text.")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "codebar.log_lines.formatter", "as_json": LOG_FORMAT == "json"},
    },
    "filters": {"hide_tokens": {"()": "codebar.discretion.HideTokens"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["hide_tokens"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    # Django's own handlers, which speak while DEBUG is on and in runserver, know no such filter.
    "loggers": {
        "django": {"handlers": []},
        "django.server": {"handlers": [], "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True},
    },
}

SENTRY_DSN = env.address_if_set("SENTRY_DSN", "https", "http")
if SENTRY_DSN:
    from codebar import sentry

    sentry.start(SENTRY_DSN, release=RELEASE)

# The letters that bin/dev catches are shown at /mail/ when this names their folder.
MAIL_CATCHER_DIRECTORY = env.str("MAIL_CATCHER_DIRECTORY", default="") if DEBUG else ""
