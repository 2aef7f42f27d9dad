"""What a process counts about itself, for Prometheus (docs/operations.md).

Several processes serve the web; prometheus-client adds them up over files in the folder that
``PROMETHEUS_MULTIPROC_DIR`` names (config/gunicorn.py sets it). What the database knows is not
counted here but asked for when Prometheus comes: config/monitoring/readings.py.
"""

from prometheus_client import Counter, Histogram

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter("vardlots_http_requests", "Besvarade anrop.", ["method", "route", "status"])
SECONDS = Histogram(
    "vardlots_http_request_seconds",
    "Tid i webbprocessen för ett anrop.",
    ["route", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; ``route`` is a name from the route table, never a path."""
    known = method if method in _METHODS else "other"
    REQUESTS.labels(known, route, str(status)).inc()
    SECONDS.labels(route, f"{status // 100}xx").observe(seconds)
