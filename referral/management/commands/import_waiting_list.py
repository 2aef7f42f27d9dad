"""``manage.py import_waiting_list FILE --unit HSA-id``: read a clinic's waiting list."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import DomainError
from organisations.models import CareUnit
from referral.models import WaitingListFile
from referral.waiting_list_file.selectors import outcomes_of
from referral.waiting_list_file.services import hand_in, read_now

FAULTS_SHOWN = 50


class Command(BaseCommand):
    help = "Makes a case of each new row of a waiting list; a file read before changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--unit", required=True, metavar="HSA-ID", help="whose list it is")
        parser.add_argument("--dry-run", action="store_true", help="check only, store nothing")
        parser.add_argument(
            "--good-rows", action="store_true", help="store the rows that hold though others do not"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now, path = timezone.now(), options["file"]
        with as_product("waiting list from a file"):
            unit = CareUnit.objects.select_related("region", "medical_area").filter(
                hsa_id=options["unit"]
            )
            found = unit.first()
            if found is None:
                raise CommandError(_("Ingen enhet har HSA-id %(id)s.") % {"id": options["unit"]})
            try:
                made = hand_in(
                    path.read_bytes(),
                    name=path.name,
                    sending_unit=found,
                    to_store=not options["dry_run"],
                    good_rows_only=options["good_rows"],
                    actor=Actor.system(_("Inläsning från katalog")),
                    now=now,
                )
                made = read_now(made, now=now)
            except (OSError, DomainError) as error:
                raise CommandError(str(getattr(error, "message", error))) from error
            self._tell(made)

    def _tell(self, made: WaitingListFile) -> None:
        told = {"rows": made.rows, "new": made.new, "known": made.known, "faulty": made.faulty}
        self.stdout.write(
            _("%(rows)s rader: %(new)s nya, %(known)s finns redan, %(faulty)s fel") % told
        )
        self.stdout.write(_("%(stored)s ärenden inlästa") % {"stored": made.stored})
        faults = [fault for one in outcomes_of(made) for fault in one.faults]
        for fault in faults[:FAULTS_SHOWN]:
            self.stderr.write(f"  {_('rad')} {fault.row}, {fault.heading}: {fault.text}")
        if made.state == WaitingListFile.State.FAILED:
            raise CommandError(made.refusal)
        if made.faulty and not made.stored and made.to_store:
            raise CommandError(_("Inget är inläst: rätta raderna eller använd --good-rows."))
