"""How gunicorn runs the web processes: ``gunicorn -c python:config.gunicorn config.wsgi``.

The command line wins over what stands here.
"""

import os
import shutil
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

wsgi_app = "config.wsgi:application"
workers = int(os.environ.get("WEB_CONCURRENCY", "3"))
threads = 4
timeout = 60
graceful_timeout = 20
# Heartbeat files in memory: a busy disk must not look like a dead process.
_MEMORY = "/dev/shm"  # noqa: S108 – gunicorn makes files of its own there  # nosec B108
worker_tmp_dir = _MEMORY if Path(_MEMORY).is_dir() else None
control_socket_disable = True
# The product logs each request itself, without the query string (organisations/request_log.py).
accesslog = None
logconfig_dict = settings.LOGGING

# Each process writes its counts to a file of its own here, and whoever answers /metrics adds them
# up (docs/operations.md). Set before prometheus-client is loaded, which asks for it then.
_METRICS = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(settings.METRICS_DIR)))


def on_starting(server: Any) -> None:
    """Begin counting from nothing: files of the processes of yesterday would count again."""
    shutil.rmtree(_METRICS, ignore_errors=True)
    _METRICS.mkdir(parents=True, exist_ok=True)


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a process that is gone; its counts stay."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)
