"""PostgreSQL and Valkey from wheels, for machines that have neither.

Development, tests and the demonstration run the same engines as production, without anything to
install or configure. Where ``DATABASE_URL`` or ``REDIS_URL`` is set, the embedded counterpart is
left alone; production always sets both.

Both servers listen on Unix sockets in a private directory and nowhere else. Where the sockets lie
follows from the data directory alone, so the settings can name them whether or not the servers run.
"""

from config.embedded.environment import ensure_secrets, save_environment, saved_environment
from config.embedded.errors import EmbeddedServiceError
from config.embedded.services import Services, services_for_command
from config.embedded.urls import celery_broker_url, database_url, redis_url

__all__ = [
    "EmbeddedServiceError",
    "Services",
    "celery_broker_url",
    "database_url",
    "ensure_secrets",
    "redis_url",
    "save_environment",
    "saved_environment",
    "services_for_command",
]
