"""``manage.py verify_log``: is the access log whole and unchanged?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from organisations.access_log.verifying import Break, verify

SHOWN = 20


class Command(BaseCommand):
    help = "Kontrollerar åtkomstloggens hashkedja och varje rad. Avslutas med 1 om något är fel."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--expect",
            metavar="HASH",
            default="",
            help="en tidigare förseglings hash, noterad utanför databasen, som måste finnas kvar",
        )
        parser.add_argument(
            "--no-seal",
            action="store_true",
            help="försegla inte nya rader först, till exempel på en läskopia",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = verify(
            now=timezone.now(),
            expect=options["expect"].strip().lower(),
            seal_first=not options["no_seal"],
        )
        self.stdout.write(
            f"{found.rows} rader i {found.seals} förseglingar kontrollerade, "
            f"{len(found.breaks)} fel."
        )
        self.stdout.write(f"Sista förseglingen: {found.last_number} {found.last_hash}")
        for broken in found.breaks[:SHOWN]:
            self.stderr.write(_line(broken))
        if len(found.breaks) > SHOWN:
            self.stderr.write(f"… och {len(found.breaks) - SHOWN} till.")
        if not found.holds:
            raise CommandError(f"Åtkomstloggen håller inte. Först: {_line(found.breaks[0])}")


def _line(broken: Break) -> str:
    place = [f"rad {broken.row}"] if broken.row is not None else []
    place += [f"försegling {broken.seal}"] if broken.seal is not None else []
    return f"{', '.join(place) or 'loggen'}: {broken.text}"
