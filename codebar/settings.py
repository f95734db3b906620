"""
Settings, read from the environment once, at start-up.

Every variable is explained in `.env.example`. A missing or malformed one stops the start and is
named in the message.
"""

from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from codebar.variables import Variables, instance_of

BASE_DIR = Path(__file__).resolve().parent.parent

env = Variables()
env.read_env(BASE_DIR / ".env")

# ---- Where and how we run -----------------------------------------------------------------

DEBUG = env.switch("DEBUG")
SECRET_KEY = env.str("SECRET_KEY")
SITE_URL = env.address("SITE_URL", "https", "http").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])

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
    "django.contrib.staticfiles",
]

if find_spec("django_linear_migrations"):  # only among the development requirements
    INSTALLED_APPS.append("django_linear_migrations")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
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
            ],
        },
    },
]

LANGUAGE_CODE = "en-gb"
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
LOGIN_REDIRECT_URL = "portal"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "members.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

# ---- How pages are protected --------------------------------------------------------------

_is_https = _site.scheme == "https"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SECURE_SSL_REDIRECT = _is_https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # probes speak plain HTTP to the process
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _is_https
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.switch("BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

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
PREPARE_GRACE_SECONDS = env.float("PREPARE_GRACE_SECONDS", default=60)
DOUBT_DELAY_SECONDS = env.float("DOUBT_DELAY_SECONDS", default=60)
RETRY_DELAY_SECONDS = env.float("RETRY_DELAY_SECONDS", default=60)
HOLD_PROBE_SECONDS = env.float("HOLD_PROBE_SECONDS", default=15)
CONNECTION_IDLE_SECONDS = env.float("CONNECTION_IDLE_SECONDS", default=30)
MAIL_CONNECTIONS = env.int("MAIL_CONNECTIONS", default=21)
MAIL_RATE_PER_SECOND = env.float(
    "MAIL_RATE_PER_SECOND", default=0
)  # 0: as fast as the server takes

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
CELERY_WORKER_POOL = env.str("WORKER_POOL", default="threads")
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=20)
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "invitations.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
}

# ---- Logs hold ids, not people ------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"hide_tokens": {"()": "codebar.discretion.HideTokens"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["hide_tokens"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
}

# The letters that bin/dev catches are shown at /mail/ when this names their folder.
MAIL_CATCHER_DIRECTORY = env.str("MAIL_CATCHER_DIRECTORY", default="") if DEBUG else ""
