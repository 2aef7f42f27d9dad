"""``manage.py export_patient``: the extract for who runs the installation, on record."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from organisations.models import AccessLog
from referral.models import CaseState
from tests.factories import RegionFactory, make_case, navigator_actor, region_admin_actor, user_of

pytestmark = pytest.mark.django_db


def export(number: str, login: str, output: Path, **options: str) -> None:
    call_command("export_patient", number, login=login, reason="Begäran.", output=output, **options)


def test_the_file_is_the_owners_alone_and_the_log_names_who_ordered_it(tmp_path):
    made = make_case(CaseState.ACCEPTED)
    admin = user_of(region_admin_actor(made.unit.region))
    output = tmp_path / "utdrag.json"
    export(made.case.number, admin.login, output)
    assert output.stat().st_mode & 0o777 == 0o600
    assert json.loads(output.read_text())["cases"][0]["number"] == made.case.number
    row = AccessLog.objects.filter(case_number=made.case.number).latest("pk")
    assert (row.what, row.user_id) == ("export", admin.pk)
    assert row.unit == "kommandot export_patient"


def test_it_can_be_a_pdf(tmp_path):
    made = make_case()
    output = tmp_path / "utdrag.pdf"
    admin = user_of(region_admin_actor(made.unit.region))
    export(made.case.number, admin.login, output, format="pdf")
    assert output.read_bytes().startswith(b"%PDF")


def test_an_old_file_is_not_written_over(tmp_path):
    made = make_case()
    output = tmp_path / "utdrag.json"
    output.write_text("gammal")
    admin = user_of(region_admin_actor(made.unit.region))
    with pytest.raises(CommandError, match="finns redan"):
        export(made.case.number, admin.login, output)
    assert output.read_text() == "gammal"


def test_only_an_administrator_of_the_cases_region_can_order_it(tmp_path):
    made = make_case()
    for other in (
        navigator_actor(made.unit.region),
        region_admin_actor(RegionFactory(code="14")),
    ):
        with pytest.raises(CommandError):
            export(made.case.number, user_of(other).login, tmp_path / "x")
    assert not (tmp_path / "x").exists()
