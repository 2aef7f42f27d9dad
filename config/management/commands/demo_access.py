"""``manage.py demo_access``: logins and API tokens of the demonstration's users."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from config.demo import PASSWORD
from notices.outgoing import place_for
from organisations.access import as_product, current_assignment
from organisations.models import ApiToken, User
from organisations.scopes import Scope
from referral.models import Offer

TOKEN_DAYS = 30
KEPT_TOKENS = 5
KEY_NAME = "manage.py demo_access"


class Command(BaseCommand):
    help = "Visar demonstrationens användare med lösenord och API-nycklar."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="skriv som JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Finns bara där VARDLOTS_DEMO är på.")
        with transaction.atomic():
            users = [self._describe(user) for user in User.objects.order_by("login")]
        if options["json"]:
            self.stdout.write(json.dumps(users, ensure_ascii=False, indent=1))
            return
        for user in users:
            place = user["unit"] or user["region"] or ""
            self.stdout.write(f"{user['login']:<30} {user['role']:<15} {place}")
        self.stdout.write(f"Lösenord för alla: {PASSWORD}")
        if patient := _patient():
            self.stdout.write("")
            self.stdout.write(
                "En patient med ett erbjudande att svara på, på patientens egen sida:"
            )
            for name, value in patient.items():
                self.stdout.write(f"  {name:<14} {value}")

    def _describe(self, user: User) -> dict[str, str | None]:
        assignment = current_assignment(user, now=timezone.now())
        unit = assignment.care_unit if assignment else None
        if assignment and assignment.provider:
            unit = assignment.provider.care_units.order_by("pk").first()
        # Not those that a person has issued: only this command's own, which have no issuer.
        own = ApiToken.objects.filter(user=user, issued_by=None)
        old = own.order_by("-created")[KEPT_TOKENS - 1 :]
        ApiToken.objects.filter(pk__in=[token.pk for token in old]).delete()
        _row, token = ApiToken.objects.create(
            user, expiry=timedelta(days=TOKEN_DAYS), name=KEY_NAME, scopes=Scope.values
        )
        return {
            "login": user.login,
            "password": PASSWORD,
            "role": assignment.role if assignment else None,
            "unit": unit.hsa_id if unit else None,
            "region": assignment.region_id if assignment else None,
            "authorization": f"{settings.REST_KNOX['AUTH_HEADER_PREFIX']} {token}",
        }


def _patient() -> dict[str, str]:
    """The latest offer that waits for an answer, and what opens its patient's own page."""
    with as_product("demo access"):
        offer = (
            Offer.objects.filter(state=Offer.State.SENT, due_at__gt=timezone.now())
            .select_related("case__patient")
            .order_by("-sent_at", "-pk")
            .first()
        )
        if offer is None:
            return {}
        place = place_for(offer.case.number)
        return {
            "sida": place.url,
            "svarskod": place.code,
            "personnummer": offer.case.patient.identity_formatted,
        }
