"""Why a frozen month's figures changed, as far as rows written since the last count tell."""

from datetime import datetime

from django.db.models import Q

from contracts.models import CallOff
from referral.models import Case, CaseLog, Correction, LogVerb, Pause, Referral
from statistics.frozen.rules import CURRENT
from statistics.months import Month


def causes(region: str, month: Month, *, rules: str, since: datetime) -> list[str]:
    """Codes of ``models.WHY``; never empty.

    They tell of the month, not of one figure: what was written after ``since`` and concerns the
    region's cases in ``month``.
    """
    cases = Case.objects.filter(region_id=region, received_at__lt=month.end)
    first, after = month.first_day, month.back(-1).first_day
    treated = Referral.objects.filter(
        offer__case__in=cases, treated_on__gte=first, treated_on__lt=after
    )
    pauses = Pause.objects.filter(
        Q(last_day__isnull=True) | Q(last_day__gte=first), case__in=cases, first_day__lt=after
    )
    paused_late = CaseLog.objects.filter(
        case__in=pauses.values("case"), verb__in=[LogVerb.PAUSE, LogVerb.END_PAUSE], at__gt=since
    )
    settled = CallOff.objects.filter(offer__referral__in=treated, settled_at__gt=since)
    found = {
        "rules": rules != CURRENT.name,
        "late_treatment": treated.filter(treatment_reported_at__gt=since).exists(),
        "late_pause": paused_late.exists(),
        "invoice": settled.exists(),
        "corrected": Correction.objects.filter(case__in=cases, at__gt=since).exists(),
    }
    return [why for why, holds in found.items() if holds] or ["unknown"]
