"""Letters at the print provider, behind row-level security."""

from django.db import migrations

from organisations.row_security import protect

OF_CASE = "case_is_visible(case_id)"


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0004_texts_stay"),
    ]

    operations = [
        protect("notices_printedletter", navigator=OF_CASE, clinic=OF_CASE, integration=OF_CASE),
    ]
