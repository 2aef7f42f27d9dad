"""Who looks may write its own row in the access log, in its own name and role.

Then a page need not become the product and back for the one row: two statements less a request.
"""

from django.db import migrations

from organisations.row_security import AS_PRODUCT

OWN = "user_id = (SELECT acting_user()) AND role = (SELECT acting_role())"
ADD = "ALTER POLICY organisations_accesslog_add ON organisations_accesslog WITH CHECK ({})"


class Migration(migrations.Migration):
    dependencies = [("organisations", "0003_rules")]

    operations = [
        migrations.RunSQL(ADD.format(f"{AS_PRODUCT} OR ({OWN})"), ADD.format(AS_PRODUCT)),
    ]
