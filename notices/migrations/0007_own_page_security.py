"""The patient's own page: tries at codes, and what the patient reads of calls and their times.

A time is read by the patient whose call stands on it; all else of times is for staff. The tries are
the product's alone.
"""

import importlib

from django.db import migrations

from organisations.row_security import change_reading, protect

OF_CASE = "case_is_visible(case_id)"
OF_REGION = "region_id = (SELECT acting_region())"
STAFFS_CALLS = {"navigator": OF_CASE, "clinic": OF_CASE, "integration": OF_CASE}
STAFFS_TIMES = {"navigator": OF_REGION, "clinic": OF_REGION}
OF_OFFER = importlib.import_module("notices.migrations.0004_texts_stay").OF_OFFER
STAFFS_TEXTS = {"navigator": OF_OFFER, "clinic": OF_OFFER, "integration": OF_OFFER}
OWN_TIME = "EXISTS (SELECT FROM notices_callback c WHERE c.time_id = notices_phonetime.id)"


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0006_campaigns_hold"),
        ("referral", "0007_own_case"),
    ]

    operations = [
        protect("notices_answercode"),
        change_reading(
            "notices_callback", before=STAFFS_CALLS, after=STAFFS_CALLS | {"patient": OF_CASE}
        ),
        change_reading(
            "notices_writtenoffer", before=STAFFS_TEXTS, after=STAFFS_TEXTS | {"patient": OF_OFFER}
        ),
        change_reading(
            "notices_phonetime", before=STAFFS_TIMES, after=STAFFS_TIMES | {"patient": OWN_TIME}
        ),
    ]
