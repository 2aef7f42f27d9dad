"""``manage.py run_due --at``: the letter on day 14 and not on day 13."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pypdf import PdfReader

from notices.models import Notice
from organisations.models import SweepRun
from referral.models import CaseState
from tests.factories import make_case, stockholm

pytestmark = pytest.mark.django_db


def run_due(at: Any, *options: str) -> str:
    out = io.StringIO()
    at = at if isinstance(at, str) else at.isoformat()
    call_command("run_due", "--at", at, *options, stdout=out)
    return out.getvalue()


def test_the_letter_goes_out_on_day_14_and_not_on_day_13(settings: Any, tmp_path: Path) -> None:
    settings.PRINT_DROP = tmp_path
    sent = stockholm(2026, 12, 7, 15, 0)
    made = make_case(CaseState.OFFERED, now=sent)
    Notice.objects.all()
    run_due("2026-12-20T23:59+01:00")
    letter = Notice.objects.get(kind="offer_letter")
    assert (letter.state, list(tmp_path.iterdir())) == ("waiting", [])
    run_due("2026-12-21T00:01+01:00")
    letter.refresh_from_db()
    assert letter.state == "sent"
    (folder,) = tmp_path.iterdir()
    (file,) = folder.glob("*.pdf")
    assert file.name.startswith(made.case.number)
    text = "".join(page.extract_text() for page in PdfReader(file).pages)
    assert made.case.number in text
    index = (folder / "index.csv").read_text()
    assert made.case.number in index
    run_due(sent + timedelta(days=15))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_time_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(CommandError, match="ingen tidpunkt"):
        run_due("i morgon")


def test_what_is_to_come_is_done_ahead_only_in_a_demonstration_or_when_told_so(
    settings: Any,
) -> None:
    to_come = timezone.now() + timedelta(hours=1)
    settings.DEMO = False
    with pytest.raises(CommandError, match="har inte varit än"):
        run_due(to_come)
    assert not SweepRun.objects.exists()
    assert "Utfört" in run_due(timezone.now() - timedelta(hours=1))
    assert "Utfört" in run_due(to_come, "--ahead")
    settings.DEMO = True
    assert "Utfört" in run_due(to_come)
