"""The weights of matching are kept as they were: they explain the rankings of their time."""

from django.db import migrations

from organisations.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("capacity", "0003_agreed_plans_stay"), ("organisations", "0003_rules")]

    operations = [append_only("capacity_matchingweights")]
