"""The patient, on the own page, sees the one case that it has proved to be the patient of."""

import importlib

from django.db import migrations

from organisations.row_security import change_reading

CASE = importlib.import_module("referral.migrations.0002_row_security").CASE
OWN_CASE = "id = (SELECT acting_case())"


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0004_acting_case"),
        ("referral", "0006_waiting_list_security"),
    ]

    operations = [
        change_reading("referral_case", before=CASE, after=CASE | {"patient": OWN_CASE}),
    ]
