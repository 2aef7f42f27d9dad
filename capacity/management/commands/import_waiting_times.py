"""``manage.py import_waiting_times --source SPOR FILE…``: read the daily files, by cron or hand."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.services import import_waiting_times
from organisations.errors import InvalidInput

FAULTS_SHOWN = 20


class Command(BaseCommand):
    help = "Reads files of waiting times; a file that has been read before changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--source", required=True, help="the register, as pages name it")

    def handle(self, *args: Any, **options: Any) -> None:
        refused = 0
        for path in options["files"]:
            try:
                made = import_waiting_times(
                    path.read_bytes(),
                    name=path.name,
                    source=options["source"],
                    made_by=_("Inläsning från katalog"),
                    now=timezone.now(),
                )
            except (OSError, InvalidInput) as error:
                refused += 1
                self.stderr.write(f"{path.name}: {getattr(error, 'message', error)}")
                continue
            self.stdout.write(
                _("%(name)s: %(rows)s rader, %(added)s nya, %(changed)s ändrade, %(faults)s fel")
                % {
                    "name": path.name,
                    "rows": made.rows,
                    "added": made.added,
                    "changed": made.changed,
                    "faults": len(made.faults),
                }
            )
            for fault in made.faults[:FAULTS_SHOWN]:
                self.stderr.write(f"  {_('rad')} {fault['row']}: {' '.join(fault['errors'])}")
        if refused:
            raise CommandError(_("%(n)s filer gick inte att läsa.") % {"n": refused})
