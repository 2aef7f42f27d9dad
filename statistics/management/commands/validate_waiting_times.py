"""``manage.py validate_waiting_times FILE``: judge a monthly file, without any database."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from statistics.months import Month
from statistics.waiting_times.domains import counties
from statistics.waiting_times.report import FaultWriter, as_json, summary_lines
from statistics.waiting_times.validation import Verdict, validate


class Command(BaseCommand):
    help = (
        "Judges a file for the national waiting-time database; ends with 1 unless it is approved."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file; - for standard input")
        parser.add_argument("--month", metavar="YYYY-MM", help="the month that it must be of")
        parser.add_argument("--owner", metavar="CC", help="the county code that it must be of")
        parser.add_argument(
            "--errors", type=Path, metavar="OUT.csv", help="write every fault there"
        )
        parser.add_argument("--json", action="store_true", help="tell the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        month = Month.parse(options["month"]) if options["month"] else None
        if options["month"] and month is None:
            raise CommandError(_("Månaden skrivs ÅÅÅÅ-MM."))
        owner = options["owner"] or ""
        if owner and owner not in counties():
            raise CommandError(_("Länskoden är ingen regions."))
        try:
            with ExitStack() as files:
                sink = None
                if options["errors"]:
                    out = options["errors"].open("w", encoding="utf-8-sig", newline="")
                    sink = FaultWriter(files.enter_context(out))
                file = (
                    sys.stdin.buffer
                    if options["file"] == "-"
                    else files.enter_context(Path(options["file"]).open("rb"))
                )
                result = validate(file, owner=owner, month=month, sink=sink)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(result), ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(summary_lines(result)))
        if result.verdict != Verdict.APPROVED:
            sys.exit(1)
