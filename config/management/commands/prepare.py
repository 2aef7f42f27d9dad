"""``manage.py prepare``: code lists and demonstration, in one process."""

import gc
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.working_days import is_working_day


class Command(BaseCommand):
    """What ``start`` needs beside the tables, which are made as their owner by ``migrate``."""

    help = _("Läser in kodverk och gör demodata om de inte finns.")
    # They would read every page's code for nothing.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help=_("gör inga demodata"))
        parser.add_argument(
            "--when-told",
            action="store_true",
            help=_("gör allt redo, men vänta på en rad innan databasen ändras"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # The process ends with its work; looking for cycles takes a tenth of the time.
        gc.disable()
        if options["when_told"]:
            if not options["no_demo"]:
                make_ready()
            if not sys.stdin.readline():
                raise CommandError(_("Den som skulle säga till är borta."))
        prepare_statements()
        self._say(_("Läser in kodverk och regioner"))
        call_command("load_reference", stdout=self.stdout)
        if not options["no_demo"]:
            self._say(_("Gör demodata, om de inte redan finns"))
            call_command("demo_data", stdout=self.stdout)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def make_ready() -> None:
    """Do for the demonstration what takes a while and needs no tables."""
    from config.demo.build import hashed_password

    hashed_password()
    is_working_day(timezone.localdate())


def prepare_statements() -> None:
    """Let PostgreSQL keep the plans of this process's statements, which come again and again.

    Planning, with the policies of row-level security, takes it longer than most of the statements.
    Not for pages: a plan that is kept suits them worse, and a pooler may not keep it at all.
    """
    connection.close()
    connection.settings_dict["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 3}
