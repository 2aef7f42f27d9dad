"""Celery entry points. They only wake the sweeps up; what is due stands in the database."""

from celery import shared_task
from django.utils import timezone

from organisations.sweeps import run_due


@shared_task(name="config.tasks.run_due_work", ignore_result=True)
def run_due_work() -> None:
    run_due(now=timezone.now())
