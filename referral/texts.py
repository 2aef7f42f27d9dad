"""The offer as the patient reads it.

What patients need to know is taken from pilot 3 (cataracts): provider and place, expected wait
against the wait at home, that it costs nothing extra, travel, escort, what a no means, whom to
call and how to answer.
"""

from datetime import date, timedelta

from django.template.loader import render_to_string

from capacity.selectors import median_wait_days
from contracts.models import ContractLine
from referral.models import Case


def offer_text(case: Case, line: ContractLine, *, today: date, message: str = "") -> str:
    """Plain text of the offer, shown to the navigator before it is sent."""
    unit = line.care_unit
    home_wait = None
    if case.home_wait_days is not None:
        home_wait = max(0, case.home_wait_days - (today - case.decision_date).days)
    text = render_to_string(
        "referral/offer_text.txt",
        {
            "case": case,
            "unit": unit,
            "town": unit.municipality.name,
            "region": case.region,
            "wait_days": median_wait_days(unit, kva=case.kva, today=today),
            "home_wait": home_wait,
            "answer_by": today + timedelta(days=case.region.offer_stands_days),
            "escort": case.form.escort,
            "message": message.strip(),
        },
    )
    return text.strip() + "\n"
