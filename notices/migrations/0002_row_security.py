"""Notices behind row-level security: for the home region, never for providers (design 5.6)."""

from django.db import migrations

from organisations.row_security import protect

OF_CASE = "case_is_visible(case_id)"


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0001_initial"),
        ("referral", "0002_row_security"),
    ]

    operations = [
        protect("notices_notice", navigator=OF_CASE, clinic=OF_CASE, integration=OF_CASE),
        protect("notices_gatewaycallback"),
    ]
