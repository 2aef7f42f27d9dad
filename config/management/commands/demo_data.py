"""``manage.py demo_data``: make the demonstration once."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from config.demo.build import build, is_built
from organisations.models import Region


class Command(BaseCommand):
    help = "Gör demodata: sex regioner, vårdgivare, avtal och omkring 300 ärenden."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="samma frö ger samma data")
        parser.add_argument("--at", help="tidpunkten som räknas som nu")
        parser.add_argument("--dry-run", action="store_true", help="räkna men ändra inget")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demodata finns bara där VARDLOTS_DEMO är på.")
        if is_built():
            self.stdout.write("Demodata finns redan.")
            return
        now = parse_datetime(options["at"]) if options["at"] else timezone.now()
        if now is None or timezone.is_naive(now):
            raise CommandError("Skriv --at med tidszon, till exempel 2026-11-24T12:00+01:00.")
        with transaction.atomic():
            if not Region.objects.exists():
                call_command("load_reference", stdout=self.stdout)
            counts = build(seed=options["seed"], now=now)
            if options["dry_run"]:
                transaction.set_rollback(True)
        said = ", ".join(f"{number} {name}" for name, number in counts.items())
        self.stdout.write(f"Demodata: {said}.")
