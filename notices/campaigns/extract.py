"""Campaigns in a patient's extract (referral.patient_extract)."""

from django.utils.translation import gettext as _

from referral.models import Case
from referral.patient_extract import Part, facts_of


def answers_of_case(case: Case) -> Part:
    """In which campaigns the case was, and what the patient answered."""
    names = ("state", "why", "told_at", "answer", "answer_channel", "answered_at")
    return Part(
        "campaigns", _("Kampanjer"), [facts_of(row, *names) for row in case.campaigns.all()]
    )
