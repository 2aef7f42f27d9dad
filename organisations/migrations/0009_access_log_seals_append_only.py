"""Seals, samples and reviews can be added to and nothing else, like the log."""

from django.db import migrations

from organisations.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("organisations", "0008_access_log_seals_and_reviews")]

    operations = [
        append_only("organisations_accesslogseal"),
        append_only("organisations_accesssample"),
        append_only("organisations_accesssamplerow"),
        append_only("organisations_accessreview"),
    ]
