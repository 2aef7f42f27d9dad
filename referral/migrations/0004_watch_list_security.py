"""Hits tell of patients: whoever sees the case at home sees them, a provider never (design 5.6)."""

from django.db import migrations

from organisations.row_security import protect

OF_CASE = "case_is_visible(case_id)"


class Migration(migrations.Migration):
    dependencies = [("referral", "0003_append_only_and_thinning")]

    operations = [
        protect("referral_watchhit", navigator=OF_CASE, clinic=OF_CASE, integration=OF_CASE),
    ]
