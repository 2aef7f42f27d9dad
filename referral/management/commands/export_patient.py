"""``manage.py export_patient``: one patient's data to a file, for who runs the installation."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from organisations.access import Actor
from organisations.errors import DomainError
from organisations.models import Assignment, Role
from referral.patient_extract import PatientExtract, extract_for_administrator
from referral.pdf import extract_pdf


class Command(BaseCommand):
    help = (
        "Skriver en patients uppgifter i regionen till en fil som bara ägaren kan läsa. "
        "Beställs av en regionadministratör, som åtkomstloggen nämner."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="ärendenummer för något av patientens ärenden")
        parser.add_argument(
            "--for", dest="login", required=True, help="regionadministratörens namn"
        )
        parser.add_argument("--reason", required=True, help="varför utdraget görs; sparas i loggen")
        parser.add_argument("--output", type=Path, required=True, help="filen, som inte får finnas")
        parser.add_argument("--format", choices=("json", "pdf"), default="json")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        live = Assignment.objects.live(now=now).filter(user__login=options["login"])
        ordered_by = live.filter(role=Role.REGION_ADMIN, user__is_active=True).first()
        if ordered_by is None:
            raise CommandError("Ingen regionadministratör har det användarnamnet.")
        actor = Actor(
            role=Role.REGION_ADMIN,
            name=ordered_by.user.name,
            user_id=ordered_by.user_id,
            region=ordered_by.region_id,
            place="kommandot export_patient",
        )
        output: Path = options["output"]
        if output.exists():
            raise CommandError(f"{output} finns redan.")
        try:
            extract = extract_for_administrator(
                options["number"], reason=options["reason"], actor=actor, now=now
            )
        except DomainError as error:
            raise CommandError(" ".join(map(str, error.fields.values())) or str(error)) from error
        _write(output, _content(extract, options["format"]))
        self.stdout.write(f"{len(extract.cases)} ärenden skrivna till {output}.")


def _content(extract: PatientExtract, file_format: str) -> bytes:
    if file_format == "pdf":
        return extract_pdf(extract)
    text = json.dumps(extract.as_data(), cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
    return text.encode()


def _write(output: Path, content: bytes) -> None:
    """Nobody else can read the file at any moment, and an old one is not written over."""
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{output} går inte att skriva: {error.strerror}.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(content)
