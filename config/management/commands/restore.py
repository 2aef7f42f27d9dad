"""``manage.py restore FILE``: a backup back in its place, checked before and after."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from config.backup import BackupError
from config.backup.restoring import (
    attachments_are_empty,
    database_is_empty,
    restore_backup,
)


class Command(BaseCommand):
    help = "Läser tillbaka en säkerhetskopia till en tom databas, eller med --replace i stället."
    # The database may be empty.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FIL", type=Path)
        parser.add_argument(
            "--replace", action="store_true", help="ersätt det som finns, efter en fråga"
        )
        parser.add_argument(
            "--no-input", action="store_true", help="fråga inte; för skript som vet vad de gör"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"].absolute()
        try:
            if options["replace"] and not options["no_input"]:
                self._confirm()
            done = restore_backup(file, replace=options["replace"], now=timezone.now())
        except BackupError as error:
            raise CommandError(f"{error} Inget är ändrat.") from error
        manifest = done.manifest
        self.stdout.write(f"Återläst: {file}, tagen {manifest.taken_at}.")
        self.stdout.write(
            f"{done.rows} rader i {len(manifest.rows)} tabeller, "
            f"{len(manifest.attachments)} bilagor."
        )
        if done.to_migrate:
            self.stdout.write(
                f"Kopian är av en äldre version ({manifest.version}). Kör nu manage.py migrate."
            )
        if not done.log.holds:
            raise CommandError(
                f"Kopian är återläst, men åtkomstloggen håller inte: {done.log.breaks[0].text}"
                " Kör manage.py verify_log."
            )
        self.stdout.write(
            f"Åtkomstloggen håller: {done.log.rows} rader i {done.log.seals} förseglingar, "
            f"till och med {manifest.seal_number} {manifest.seal_hash}"
        )

    def _confirm(self) -> None:
        """Ask for the database's name when there is something to lose."""
        if database_is_empty() and attachments_are_empty():
            return
        name = str(connection.settings_dict["NAME"])
        self.stdout.write(f"Allt i databasen {name} och alla bilagor ersätts.")
        if input("Skriv databasens namn för att fortsätta: ").strip() != name:
            raise CommandError("Avbrutet. Inget är ändrat.")
