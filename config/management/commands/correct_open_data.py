"""``manage.py correct_open_data 2026Q3 --reason …``: publish a quarter of open data anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from organisations.errors import DomainError
from statistics.open_data.quarters import Quarter
from statistics.open_data.services import correct


class Command(BaseCommand):
    help = "Publicerar en ny version av ett kvartals öppna data. Skälet visas för alla."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("period", metavar="KVARTAL", help="till exempel 2026Q3")
        parser.add_argument(
            "--reason", required=True, help="visas på den öppna sidan; skriv inget om någon patient"
        )
        parser.add_argument("--dry-run", action="store_true", help="säg bara vad som skulle ändras")

    def handle(self, *args: Any, **options: Any) -> None:
        quarter = Quarter.parse(options["period"])
        if quarter is None:
            raise CommandError(f"”{options['period']}” är inget kvartal. Skriv som 2026Q3.")
        try:
            found = correct(
                quarter,
                reason=options["reason"],
                now=timezone.now(),
                dry_run=options["dry_run"],
            )
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        verb = "Skulle publicera" if options["dry_run"] else "Publicerade"
        self.stdout.write(
            f"{verb} {found.period} version {found.version}: {found.changed} uppgifter ändrade, "
            f"varav {found.newly_hidden} nu dolda."
        )
