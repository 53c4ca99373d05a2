"""Django settings, all of them from the environment: `TOLLGATE_*` and `DATABASE_URL`. docs/settings.md lists them."""

import base64
import os
from pathlib import Path

from config import secrets
from config.databases import database_from_url, embedded_url

BASE_DIR = Path(__file__).resolve().parent.parent

DATA_DIR = Path(os.environ.get("TOLLGATE_DATA", BASE_DIR / "var")).resolve()
JOURNAL_DIR = DATA_DIR / "journal"
DATABASE_URL = os.environ.get("DATABASE_URL") or embedded_url(DATA_DIR)
PUBLIC_URL = os.environ.get("TOLLGATE_PUBLIC_URL", "").rstrip("/")
DEFAULT_TIER = os.environ.get("TOLLGATE_DEFAULT_TIER", "scale")

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
    "channels",
    "rest_framework",
    "drf_spectacular",
    "apikeys",
    "metering",
    "relay",
]

DATABASES = {"default": database_from_url(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "apikeys.User"
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
            ],
        },
    },
]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
