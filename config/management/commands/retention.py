"""``manage.py retention``: archive and thin what has been kept for its time."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from organisations.retention import BATCH, count_due, rules, thin


class Command(BaseCommand):
    help = "Arkiverar och gallrar enligt reglerna; med --dry-run visas bara vad som skulle göras."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="räkna, ändra inget")
        parser.add_argument("--rule", metavar="NAMN", help="bara en av reglerna")
        parser.add_argument("--batch", type=int, default=BATCH, help="rader i varje transaktion")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [rule for rule in rules() if options["rule"] in (None, rule.name)]
        if not chosen:
            names = ", ".join(rule.name for rule in rules())
            raise CommandError(f"Ingen regel heter ”{options['rule']}”. Reglerna är {names}.")
        if options["batch"] < 1:
            raise CommandError("--batch är minst 1.")
        now: datetime = timezone.now()
        self.stdout.write("Skulle göras:" if options["dry_run"] else "Gjort:")
        for rule in chosen:
            if options["dry_run"]:
                count = count_due(rule, now=now)
            else:
                count = thin(rule, now=now, batch=options["batch"])
            self.stdout.write(
                f"  {rule.name}: {count}  {rule.what}, sparas {rule.kept} ({rule.law})"
            )
