"""Addresses for machines; see ``config.monitoring.middleware``."""

from django.urls import path

from config.monitoring import metrics, probes

urlpatterns = [
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
