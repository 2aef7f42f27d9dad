"""Celery entry points. They only wake the sweeps up; what is due stands in the database."""

import time

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from organisations.events import wake
from organisations.sweeps import run_due


@shared_task(name="config.tasks.run_due_work", ignore_result=True)
def run_due_work() -> None:
    """Run what is due; a backlog that takes longer than a beat goes on in a run of its own, by a
    clock of its own."""
    began = time.monotonic()
    run_due(now=timezone.now(), budget=settings.SWEEP_SECONDS)
    if time.monotonic() - began >= settings.SWEEP_SECONDS:
        wake()
