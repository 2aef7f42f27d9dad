"""``manage.py import_invoices --region 13 FILE…``: read invoices from files or drop folders."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.models import InvoiceFile, InvoiceLine
from contracts.services import receive_invoices
from organisations.access import Actor
from organisations.errors import InvalidInput
from organisations.models import Region

ENDINGS = frozenset({".xml", ".csv", ".xlsx"})


class Command(BaseCommand):
    help = "Reads invoices to a region; a file that has been read before changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
        parser.add_argument("--region", required=True, help="county code of the region that pays")

    def handle(self, *args: Any, **options: Any) -> None:
        region = options["region"]
        if not Region.objects.filter(code=region).exists():
            raise CommandError(_("Ingen region har länskoden %(code)s.") % {"code": region})
        refused = 0
        for path in _files(options["paths"]):
            try:
                self.stdout.write(f"{path.name}: {self._read(path, region)}")
            except (OSError, InvalidInput) as error:
                refused += 1
                self.stderr.write(f"{path.name}: {getattr(error, 'message', error)}")
        if refused:
            raise CommandError(_("%(n)s filer gick inte att läsa.") % {"n": refused})

    def _read(self, path: Path, region: str) -> str:
        with path.open("rb") as file:
            content = file.read(InvoiceFile.MAX_BYTES + 1)
        received = receive_invoices(
            content,
            name=path.name,
            actor=Actor.system(_("Inläsning från katalog")),
            region=region,
            now=timezone.now(),
        )
        if received.is_known:
            return _("redan inläst")
        lines = InvoiceLine.objects.filter(invoice__in=received.invoices)
        return _("%(invoices)s fakturor, %(settled)s rader godkända, %(deviating)s avviker") % {
            "invoices": len(received.invoices),
            "settled": lines.filter(state=InvoiceLine.State.SETTLED).count(),
            "deviating": lines.filter(state=InvoiceLine.State.DEVIATES).count(),
        }


def _files(paths: list[Path]) -> Iterator[Path]:
    """The files, and those in the folders that end as invoices do, in the order of their names."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.suffix.lower() in ENDINGS)
        else:
            yield path
