"""``manage.py load_reference``: regions, municipalities, MVO and procedures into the database."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from contracts.reference import loader as procedures
from organisations.reference import loader as places


class Command(BaseCommand):
    help = "Läser in kodverk och regioner. Kan köras hur många gånger som helst."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="räkna men ändra inget")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            counts = places.load() | procedures.load()
            if options["dry_run"]:
                transaction.set_rollback(True)
        said = ", ".join(f"{number} {name}" for name, number in counts.items())
        self.stdout.write(f"Kodverk{' (utan att ändra)' if options['dry_run'] else ''}: {said}.")
