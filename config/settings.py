"""Settings, read from the environment once.

Development runs without any variable. Production (``VARDLOTS_ENV=production``) refuses to start
when a secret or an address is missing: see ``REQUIRED_IN_PRODUCTION`` and docs/operations.md.
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django_guid.integrations.celery import CeleryIntegration

from config.api_words import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from config.embedded import celery_broker_url, database_url, redis_url, saved_environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

ENVIRONMENT = env.str("VARDLOTS_ENV", default="development")
if ENVIRONMENT not in {"development", "test", "production"}:
    raise ImproperlyConfigured("VARDLOTS_ENV must be development, test or production.")
PRODUCTION = ENVIRONMENT == "production"

REQUIRED_IN_PRODUCTION = (
    "SECRET_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "ALLOWED_HOSTS",
    "VARDLOTS_BASE_URL",
    "VARDLOTS_DATA",
    "VARDLOTS_ENCRYPTION_KEYS",
    "VARDLOTS_HASH_KEYS",
    "VARDLOTS_GATEWAY_URL",
    "VARDLOTS_GATEWAY_SECRET",
    "VARDLOTS_LOG_KEYS",
    "EMAIL_URL",
    "VARDLOTS_OIDC_ISSUER",
    "VARDLOTS_OIDC_CLIENT_ID",
    "VARDLOTS_OIDC_CLIENT_SECRET",
)
# Each of these may stand in a file that the variable with _FILE names, as SECRET_KEY_FILE: a secret
# in a file is in no list of processes.
BY_FILE = (
    *REQUIRED_IN_PRODUCTION,
    *("DATABASE_OWNER_URL", "VARDLOTS_METRICS_TOKEN", "VARDLOTS_IDENTITY_CLIENT_SECRET"),
)
try:
    in_files = {
        name: Path(path).read_text(encoding="utf-8").strip()
        for name in BY_FILE
        if (path := env.str(f"{name}_FILE", default=""))
    }
except OSError as error:
    raise ImproperlyConfigured(f"{error.filename}: {error.strerror}.") from error
env.ENVIRON = {**os.environ, **in_files}
if PRODUCTION:
    missing = [name for name in REQUIRED_IN_PRODUCTION if not env.str(name, default="")]
    if missing:
        raise ImproperlyConfigured(f"Production needs these variables: {', '.join(missing)}.")

DATA_DIR = Path(env.str("VARDLOTS_DATA", default=str(BASE_DIR / "var"))).resolve()
if not PRODUCTION:
    # What `manage.py start` runs in another terminal, and its secrets; the environment wins.
    env.ENVIRON = {**saved_environment(DATA_DIR), **env.ENVIRON}

# Outside production a fixed key is fine: nothing it signs leaves the machine.
SECRET_KEY = env.str("SECRET_KEY", default="development-only-" + "x" * 50)
# Keys of what is encrypted at rest, "id:base64,id:base64", the current one first; and of the hashes
# that it is found by (docs/decisions/0006-encryption.md). `manage.py start` makes a data
# directory its own; the fixed ones are for tests and for commands before the first start.
ENCRYPTION_KEYS = env.str("VARDLOTS_ENCRYPTION_KEYS", default="dev:" + "A" * 43 + "=")
HASH_KEYS = env.str("VARDLOTS_HASH_KEYS", default="dev:" + "B" * 42 + "A=")
DEBUG = env.bool("DEBUG", default=False) and not PRODUCTION
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
BASE_URL = env.str("VARDLOTS_BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Password login and demo data exist for demonstration and development only.
DEMO = env.bool("VARDLOTS_DEMO", default=not PRODUCTION)
if PRODUCTION and DEMO:
    raise ImproperlyConfigured("VARDLOTS_DEMO cannot be on in production.")

INSTALLED_APPS = [
    "config",
    "organisations",
    "patients",
    "contracts",
    "capacity",
    "referral",
    "notices",
    "statistics",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_guid",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]

MIDDLEWARE = [
    "organisations.request_log.RequestLineMiddleware",
    "django_guid.middleware.guid_middleware",
    # Before the check of the host name: a probe asks by address.
    "config.monitoring.middleware.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "organisations.middleware.AnswerHeadersMiddleware",
    "organisations.middleware.OpenToAllMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "organisations.login.middleware.SessionClockMiddleware",
    "organisations.middleware.KeptLooksMiddleware",
    "organisations.middleware.ActorMiddleware",
    "organisations.middleware.DomainErrorMiddleware",
]

# Where everybody gets the same, without login and cookies (docs/open-data.md).
OPEN_TO_ALL = ("/open-data/", "/datasets/")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.product",
                "organisations.login.context.session_clock",
            ],
        },
    },
]

# Migrations run as the role that owns the tables; all else as one that owns nothing, which the
# policies bind (organisations/row_security.py). DATABASE_OWNER_URL names a login of its own for
# the owner; without it DATABASE_URL's login is the owner and steps down to the application's role.
AS_OWNER = env.bool("VARDLOTS_AS_OWNER", default=False)
DATABASE_APP_ROLE = "vardlots_app"
owner_url = env.str("DATABASE_OWNER_URL", default="")
DATABASES = {
    "default": env.db_url_config(
        (AS_OWNER and owner_url) or env.str("DATABASE_URL", default="") or database_url(DATA_DIR)
    ),
}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("Vårdlots supports PostgreSQL only.")
DATABASES["default"]["ENGINE"] = "organisations.database"
# A page is one transaction: what it shows, its row in the access log, and who acts.
DATABASES["default"]["ATOMIC_REQUESTS"] = True
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})
if not AS_OWNER and not owner_url:
    DATABASES["default"]["OPTIONS"]["assume_role"] = DATABASE_APP_ROLE
if AS_OWNER and PRODUCTION:
    # A migration that must wait for a table gives up, before all others queue up behind it.
    lock_timeout = env.str("VARDLOTS_LOCK_TIMEOUT", default="5s")
    DATABASES["default"]["OPTIONS"]["options"] = f"-c lock_timeout={lock_timeout}"

REDIS_URL = env.str("REDIS_URL", default="") or redis_url(DATA_DIR)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # A cache that is away must not hold a person's request.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    },
    # Where the limits below are counted while Redis is away.
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
# Requests a minute (organisations/throttling.py). An address may be a whole hospital's.
RATES = {
    "api_user": env.int("VARDLOTS_RATE_API_USER", default=1200),
    "api_address": env.int("VARDLOTS_RATE_API_ADDRESS", default=3000),
    "bad_tokens": env.int("VARDLOTS_RATE_BAD_TOKENS", default=60),
    "login_pages": env.int("VARDLOTS_RATE_LOGIN_PAGES", default=300),
    "bad_callbacks": env.int("VARDLOTS_RATE_BAD_CALLBACKS", default=60),
    # Messages a minute that each gateway is given (notices/gateways/rates.py); 0 is no limit.
    "gateway_1177": env.int("VARDLOTS_RATE_GATEWAY_1177", default=0),
    "gateway_digital": env.int("VARDLOTS_RATE_GATEWAY_DIGITAL", default=0),
    "gateway_email": env.int("VARDLOTS_RATE_GATEWAY_EMAIL", default=0),
    "gateway_letter": env.int("VARDLOTS_RATE_GATEWAY_PRINT", default=0),
    "answer_codes": env.int("VARDLOTS_RATE_ANSWER_CODES", default=30),
    "open_data": env.int("VARDLOTS_RATE_OPEN_DATA", default=300),
}
# Who answers for the open data (docs/open-data.md): name, ten-digit organisation number, address.
OPEN_DATA_PUBLISHER = env.str("VARDLOTS_OPEN_DATA_PUBLISHER", default="Vårdlots")
OPEN_DATA_ORGANISATION = env.str("VARDLOTS_OPEN_DATA_ORGANISATION", default="")
OPEN_DATA_EMAIL = env.str("VARDLOTS_OPEN_DATA_EMAIL", default="")
# How many proxies of our own stand before the web process and add to X-Forwarded-For.
TRUSTED_PROXIES = env.int("VARDLOTS_PROXIES", default=1 if PRODUCTION else 0)

CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "Europe/Stockholm"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A lost broker must not hold a person's request: waking up is a courtesy, beat does the rest.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5}
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
# How often beat wakes the sweeps up, and how long one run of them goes on.
SWEEP_SECONDS = env.float("VARDLOTS_SWEEP_SECONDS", default=60.0)
CELERY_BEAT_SCHEDULE = {
    "run-due-work": {
        "task": "config.tasks.run_due_work",
        "schedule": SWEEP_SECONDS,
        # A worker that comes back after hours runs once, not once for each beat it missed.
        "options": {"expires": SWEEP_SECONDS},
    },
}

AUTH_USER_MODEL = "organisations.User"
AUTHENTICATION_BACKENDS = [
    *(["django.contrib.auth.backends.ModelBackend"] if DEMO else []),
    "organisations.login.backends.SithsBackend",
]
# OpenID Connect with the region's identity provider for SITHS (docs/operations.md).
OIDC_ISSUER = env.str("VARDLOTS_OIDC_ISSUER", default="")
OIDC_CLIENT_ID = env.str("VARDLOTS_OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("VARDLOTS_OIDC_CLIENT_SECRET", default="")
OIDC_SCOPES = env.str("VARDLOTS_OIDC_SCOPES", default="openid profile")
if PRODUCTION and not OIDC_ISSUER.startswith("https://"):
    raise ImproperlyConfigured("VARDLOTS_OIDC_ISSUER must be an https address in production.")
# OpenID Connect with whoever identifies patients on their own page (docs/integrations.md); without
# it nobody can answer there. The claims and the level are those of the Swedish profile (oidc.se).
IDENTITY_ISSUER = env.str("VARDLOTS_IDENTITY_ISSUER", default="")
IDENTITY_CLIENT_ID = env.str("VARDLOTS_IDENTITY_CLIENT_ID", default="")
IDENTITY_CLIENT_SECRET = env.str("VARDLOTS_IDENTITY_CLIENT_SECRET", default="")
IDENTITY_SCOPES = env.str(
    "VARDLOTS_IDENTITY_SCOPES", default="openid https://id.oidc.se/scope/naturalPersonNumber"
)
IDENTITY_CLAIMS = env.list(
    "VARDLOTS_IDENTITY_CLAIMS",
    default=[
        "https://id.oidc.se/claim/personalIdentityNumber",
        "https://id.oidc.se/claim/coordinationNumber",
    ],
)
IDENTITY_ASSURANCE = env.list(
    "VARDLOTS_IDENTITY_ASSURANCE",
    default=[
        "http://id.elegnamnden.se/loa/1.0/loa3",
        "http://id.swedenconnect.se/loa/1.0/uncertified-loa3",
    ],
)
SIMULATED_IDENTITY = "/simulated-eid"
if PRODUCTION and IDENTITY_ISSUER:
    if not IDENTITY_ISSUER.startswith("https://"):
        raise ImproperlyConfigured("VARDLOTS_IDENTITY_ISSUER must be an https address.")
    if IDENTITY_ISSUER.rstrip("/").endswith(SIMULATED_IDENTITY):
        raise ImproperlyConfigured("A simulator identifies nobody in production.")
    if not IDENTITY_CLIENT_ID or not IDENTITY_CLIENT_SECRET:
        raise ImproperlyConfigured("VARDLOTS_IDENTITY_ISSUER needs a client id and a secret.")
# A session ends after so long without a sign of its person, and after so long in all.
SESSION_IDLE = timedelta(minutes=env.int("VARDLOTS_IDLE_MINUTES", default=15))
SESSION_LONGEST = timedelta(hours=env.int("VARDLOTS_SESSION_HOURS", default=12))
SESSION_WARNING = min(timedelta(minutes=2), SESSION_IDLE / 2)
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
]

LANGUAGE_CODE = "sv"
# The last is easy Swedish; the three are those of the patient's own page, staff read Swedish.
LANGUAGES = [("sv", "Svenska"), ("en", "English"), ("sv-x-lattlast", "Lättläst svenska")]
LANGUAGE_COOKIE_NAME = "own_page_language"
LANGUAGE_COOKIE_PATH = "/svar/"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Stockholm"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_root"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {
        "BACKEND": "organisations.storage.EncryptedFileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "attachments", "base_url": None},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
# 20 MB attachments (referral/forms.py) and room for the rest of the form.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "organisations.tokens.ActorTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "organisations.tokens.HasActor",
        "organisations.tokens.HasScope",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "organisations.throttling.AddressThrottle",
        "organisations.throttling.UserThrottle",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "organisations.schema.ScopedSchema",
    "DEFAULT_PAGINATION_CLASS": "config.paging.CursorPagination",
    "EXCEPTION_HANDLER": "config.problems.problem_details",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
KNOX_TOKEN_MODEL = "organisations.ApiToken"  # noqa: S105 – a model  # nosec B105
# Its own token table is not used, so it is not made.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {"TOKEN_TTL": timedelta(hours=12), "AUTH_HEADER_PREFIX": "Token"}

# Keys of the access log's hashes, newest first: ``id:secret`` and comma (docs/operations.md). Old
# ones stay for as long as rows made with them do; a secret alone has the id 1.
ACCESS_LOG_KEYS = {
    key.rpartition(":")[0] or "1": key.rpartition(":")[2]
    for key in env.list("VARDLOTS_LOG_KEYS", default=["development-only-log-key"])
}

# The gateway that carries 1177 notices (docs/integrations.md); the simulator in development.
GATEWAY_URL = env.str("VARDLOTS_GATEWAY_URL", default="http://127.0.0.1:8171")
GATEWAY_SECRET = env.str("VARDLOTS_GATEWAY_SECRET", default="development-only-gateway-secret")
GATEWAY_TIMEOUT_SECONDS = env.float("VARDLOTS_GATEWAY_TIMEOUT", default=10.0)
# Files of PEM for mutual TLS: our certificate, its key, and whom to trust instead of the machine's
# own list. Read when the process first calls.
GATEWAY_CERT = env.str("VARDLOTS_GATEWAY_CERT", default="")
GATEWAY_KEY = env.str("VARDLOTS_GATEWAY_KEY", default="")
GATEWAY_CA = env.str("VARDLOTS_GATEWAY_CA", default="")
# A gateway that fails so often in a row is left alone for so many seconds; 0 is never.
GATEWAY_BREAKER_FAILURES = env.int("VARDLOTS_BREAKER_FAILURES", default=10)
GATEWAY_BREAKER_PAUSE = env.int("VARDLOTS_BREAKER_PAUSE", default=30)
GATEWAY_BREAKER_CACHE = "default"
PRINT_DROP = Path(env.str("VARDLOTS_PRINT_DROP", default=str(DATA_DIR / "print")))
# sftp://user@host:port/folder instead of the folder, with the private key's file and known_hosts.
PRINT_SFTP = env.str("VARDLOTS_PRINT_SFTP", default="")
PRINT_SFTP_KEY = env.str("VARDLOTS_PRINT_SFTP_KEY", default="")
PRINT_SFTP_KNOWN_HOSTS = env.str("VARDLOTS_PRINT_SFTP_KNOWN_HOSTS", default="")
if PRINT_SFTP and not (PRINT_SFTP_KEY and PRINT_SFTP_KNOWN_HOSTS):
    raise ImproperlyConfigured(
        "VARDLOTS_PRINT_SFTP needs VARDLOTS_PRINT_SFTP_KEY and VARDLOTS_PRINT_SFTP_KNOWN_HOSTS."
    )
# Working hours within which a delivery is acknowledged; 0 where the provider sends no files.
PRINT_REPORT_HOURS = env.int("VARDLOTS_PRINT_REPORT_HOURS", default=16)

vars().update(env.email_url_config(env.str("EMAIL_URL", default="smtp://127.0.0.1:8172")))
EMAIL_TIMEOUT = env.float("VARDLOTS_EMAIL_TIMEOUT", default=10.0)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Vårdlots <noreply@vardlots.example>")

# No inline script or style anywhere, so none is allowed; SVG data images come from the CSS base.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        # Logging out leads on to the identity provider, which ends its session too.
        "form-action": [SELF, *([urljoin(OIDC_ISSUER, "/")] if OIDC_ISSUER else [])],
        "frame-ancestors": [NONE],
    },
}

SESSION_COOKIE_HTTPONLY = True
# Lax, not Strict: the way back from the identity provider must find the login it began.
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(SESSION_LONGEST.total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.csrf.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    # The prefix has the browser refuse the cookie from another host or without TLS.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

DEFAULT_EXCEPTION_REPORTER_FILTER = "organisations.masking.NothingPersonal"

# One id for all that a request sets going (organisations/tracing.py).
DJANGO_GUID = {
    "GUID_HEADER_NAME": "X-Request-ID",
    "EXPOSE_HEADER": False,
    "INTEGRATIONS": [CeleryIntegration(use_django_logging=True)],
}
# JSON lines for machines, or lines for people. Both mask identity numbers and keep one record on
# one line. The product logs each request itself; the web server's own access log is off.
LOG_FORMAT = env.str("LOG_FORMAT", default="json" if PRODUCTION else "text")
if LOG_FORMAT not in {"json", "text"}:
    raise ImproperlyConfigured("LOG_FORMAT must be json or text.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "organisations.tracing.RequestIdFilter"}},
    "formatters": {
        "text": {
            "()": "organisations.masking.MaskingFormatter",
            "format": "%(levelname)s %(name)s %(message)s [%(request_id)s]",
        },
        "json": {
            "()": "organisations.masking.MaskingJsonFormatter",
            "fmt": ["levelname", "name", "message", "request_id", "process"],
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": "time",
        },
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["request_id"],
            "formatter": LOG_FORMAT,
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Their own lines for each request and task say nothing that ours do not.
        "celery": {"level": "WARNING"},
        "django.request": {"level": "WARNING"},
        "django_guid": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "gunicorn.error": {"handlers": ["stderr"], "propagate": False},
    },
}

# Prometheus asks with this token; without it there are no metrics to ask for.
METRICS_TOKEN = env.str("VARDLOTS_METRICS_TOKEN", default="")
METRICS_DIR = Path(env.str("PROMETHEUS_MULTIPROC_DIR", default=str(DATA_DIR / "metrics")))
