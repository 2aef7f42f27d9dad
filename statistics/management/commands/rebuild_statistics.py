"""``manage.py rebuild_statistics [--region 13]``: make all facts and counted months anew."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from organisations.access import as_product
from organisations.models import Region
from statistics.facts.rollup import plan, rebuild


class Command(BaseCommand):
    help = (
        "Räknar om statistikens underlag och alla månader från ärendena. Går att köra när som "
        "helst och hur många gånger som helst."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--region", help="länskod; utan: alla regioner")
        parser.add_argument(
            "--dry-run", action="store_true", help="säg vad som skulle räknas om, ändra inget"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        regions = Region.objects.order_by("code")
        if options["region"]:
            regions = regions.filter(code=options["region"])
            if not regions:
                raise CommandError(f"Ingen region har koden {options['region']}.")
        now = timezone.now()
        with as_product("statistics"):
            for region in regions:
                began = time.monotonic()
                if options["dry_run"]:
                    cases, months = plan(region.code, now=now)
                    self.stdout.write(f"{region.name}: {cases} ärenden, {months} månader")
                    continue
                cases, months = rebuild(region.code, now=now)
                took = time.monotonic() - began
                self.stdout.write(f"{region.name}: {cases} ärenden, {months} månader, {took:.1f} s")
