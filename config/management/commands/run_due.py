"""``manage.py run_due``: do all that is due, now or as of another time (design 5.3)."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from organisations.sweeps import run_due


class Command(BaseCommand):
    help = "Utför allt som ska ske nu, eller senast vid en annan tidpunkt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--at",
            metavar="TID",
            help="till exempel 2026-12-20T08:00+01:00; utan tidszon gäller svensk tid",
        )
        parser.add_argument(
            "--ahead",
            action="store_true",
            help="utför också det som ännu inte ska ske, där ärendena är riktiga",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = _time(options["at"]) if options["at"] else timezone.now()
        if now > timezone.now() and not (settings.DEMO or options["ahead"]):
            raise CommandError(
                f"{timezone.localtime(now):%Y-%m-%d %H.%M} har inte varit än, och ärendena här är "
                "riktiga: brev och meddelanden skulle gå i förtid och månader som inte är slut "
                "frysas för gott. Inget är gjort. Är det ändå meningen, skriv till --ahead."
            )
        handled = run_due(now=now)
        self.stdout.write(f"Utfört till och med {timezone.localtime(now):%Y-%m-%d %H.%M}:")
        for name, count in handled.items():
            self.stdout.write(f"  {name}: {count}")


def _time(text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"”{text}” är ingen tidpunkt. Skriv som 2026-12-20T08:00+01:00.")
    return timezone.make_aware(found) if timezone.is_naive(found) else found
