"""``manage.py backup DIR|FILE``: database and attachments in one file, while the product runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.backup import BackupError
from config.backup.taking import take_backup


class Command(BaseCommand):
    help = "Tar en säkerhetskopia av databas och bilagor till en fil. Nycklarna ingår inte."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "target", metavar="MAPP|FIL", type=Path, help="en mapp, eller en fil som inte finns"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            file, manifest = take_backup(options["target"].absolute(), now=timezone.now())
        except BackupError as error:
            raise CommandError(str(error)) from error
        size = file.stat().st_size / 1_000_000
        self.stdout.write(f"{file} ({size:.1f} MB)")
        self.stdout.write(
            f"{sum(manifest.rows.values())} rader i {len(manifest.rows)} tabeller, "
            f"{len(manifest.attachments)} bilagor."
        )
        self.stdout.write(f"Åtkomstloggens försegling: {manifest.seal_number} {manifest.seal_hash}")
        for name in manifest.missing:
            self.stderr.write(f"Bilagan {name} saknas på disken.")
