"""``manage.py rotate_keys``: encrypt and hash everything anew with the current keys."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from organisations.keys import CannotDecrypt, encryption_ring, hash_ring
from organisations.rotation import rotate


class Command(BaseCommand):
    help = "Kryptera om allt med den första nyckeln, och räkna om hashvärden. Kan köras om."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="säg vad som skulle göras, ändra inget"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Krypteringsnyckel {encryption_ring().current}")
        self.stdout.write(f"Hashnyckel {hash_ring().current}")
        total = missing = 0
        word = "att kryptera om" if options["dry_run"] else "krypterade om"
        try:
            for column in rotate(dry_run=options["dry_run"]):
                lost = f", {column.missing} saknas" if column.missing else ""
                self.stdout.write(f"  {column.what}: {column.rotated} {word}{lost}")
                total, missing = total + column.rotated, missing + column.missing
        except CannotDecrypt as error:
            raise CommandError(f"{error} Det som redan är gjort står kvar.") from error
        self.stdout.write(f"Totalt: {total} {word}, {missing} filer saknas")
