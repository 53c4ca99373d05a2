"""Django settings, all of them from the environment: `TOLLGATE_*` and `DATABASE_URL`. docs/settings.md lists them."""

import base64
import os
from pathlib import Path
from typing import Literal

from config import secrets
from config.addresses import allowed_hosts
from config.databases import database_from_url, embedded_url
from config.proxies import parse_networks

BASE_DIR = Path(__file__).resolve().parent.parent

DATA_DIR = Path(os.environ.get("TOLLGATE_DATA", BASE_DIR / "var")).resolve()
JOURNAL_DIR = DATA_DIR / "journal"
JOURNAL_SYNC: Literal["interval", "each"] = "each" if os.environ.get("TOLLGATE_JOURNAL_SYNC") == "each" else "interval"
DATABASE_URL = os.environ.get("DATABASE_URL") or embedded_url(DATA_DIR)
PUBLIC_URL = os.environ.get("TOLLGATE_PUBLIC_URL", "").rstrip("/")
KEEP_REQUESTS_MONTHS = int(os.environ.get("TOLLGATE_KEEP_REQUESTS", "13"))
UPSTREAM_CONNECT_SECONDS = float(os.environ.get("TOLLGATE_CONNECT_SECONDS", "5"))
UPSTREAM_JSON_SECONDS = float(os.environ.get("TOLLGATE_JSON_SECONDS", "600"))
UPSTREAM_STREAM_SECONDS = float(os.environ.get("TOLLGATE_STREAM_SECONDS", "60"))
UPSTREAM_IDLE_SECONDS = float(os.environ.get("TOLLGATE_IDLE_SECONDS", "120"))
PING_SECONDS = float(os.environ.get("TOLLGATE_PING_SECONDS", "15"))
TRUSTED_PROXIES = parse_networks(os.environ.get("TOLLGATE_TRUSTED_PROXIES", ""))
DEFAULT_TIER = os.environ.get("TOLLGATE_DEFAULT_TIER", "custom")

_secret = secrets.load_secret(DATA_DIR)
SECRET_KEY = secrets.derive(_secret, "django").hex()
SECRET_FINGERPRINT = secrets.derive(_secret, "fingerprint").hex()
KEY_PEPPER = secrets.derive(_secret, "api-key-pepper")
CREDENTIAL_KEY = base64.urlsafe_b64encode(secrets.derive(_secret, "upstream-credentials")).decode()

DEBUG = os.environ.get("TOLLGATE_DEBUG") == "1"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "django_ratelimit",
    "rest_framework",
    "drf_spectacular",
    "apikeys",
    "metering",
    "relay",
]

DATABASES = {"default": database_from_url(DATABASE_URL)}
if os.environ.get("TOLLGATE_PROCESS") == "worker":  # a page that asks too much must not keep its thread for ever
    DATABASES["default"]["OPTIONS"]["options"] = "-c statement_timeout=30000"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "apikeys.User"
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

MIDDLEWARE = [
    "apikeys.request_ids.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "apikeys.console.assets.Assets",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apikeys.api.hosts.HostsOfTheConsole",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "apikeys.console.outage.Outage",
]

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
                "apikeys.console.frame.context",
                "relay.console.banner",
            ],
        },
    },
]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MAX_AGE = 3600

ALLOWED_HOSTS = allowed_hosts(PUBLIC_URL, os.environ.get("TOLLGATE_HOST", ""))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "tollgate: {levelname} {name}[{process}]: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django": {"handlers": [], "level": "WARNING"}},
}

# --- Console: sign-in -------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "console"
ACCOUNT_ADAPTER = "apikeys.console.accounts.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,10/300s/key"}  # behind the counts of apikeys/console/attempts.py
ACCOUNT_FORMS = {"login": "apikeys.console.accounts.LoginForm"}
MFA_ADAPTER = "apikeys.console.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Tollgate"

# --- Console: attempts ------------------------------------------------------------------------------------------------

CACHES = {"default": {"BACKEND": "apikeys.ratelimit_cache.RateLimitCache"}}
SILENCED_SYSTEM_CHECKS = [
    "django_ratelimit.W001",  # our own cache backend: shared and atomic, though not on its short list
    "security.W005",  # HSTS for subdomains and preloading: other names below the operator's domain are not ours
    "security.W021",
    "security.W008",  # redirecting to https is the reverse proxy's part; an API must not invite keys over http
]

# --- Console: cookies and addresses -----------------------------------------------------------------------------------

_IS_HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_NAME = "__Host-tollgate-session" if _IS_HTTPS else "tollgate-session"
CSRF_COOKIE_NAME = "__Host-tollgate-csrf" if _IS_HTTPS else "tollgate-csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "apikeys.console.error_pages.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _IS_HTTPS else 0
X_FRAME_OPTIONS = "DENY"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Console: content security policy ---------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # data: for the second factor's QR code
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Admin API ---------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],  # a view that is not an AdminView lets nobody in
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apikeys.api.errors.render",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tollgate Admin API",
    "DESCRIPTION": "What an organization uses, for scripts that hold one of its admin keys.",
    "VERSION": "2026-10-21",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/v1/organizations",
}
SIMULATED_ROWS_COUNT = "relay.console.is_simulated"
"""Asked by reports: whether answers of the simulator count, because there are no others."""
