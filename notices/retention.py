"""When texts of notices and words from the gateway are thinned (organisations.retention)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from notices.models import (
    AnswerCode,
    CallBack,
    CampaignRecipient,
    GatewayCallback,
    Notice,
    PhoneTime,
    PrintedLetter,
    PrintReport,
    WrittenOffer,
)
from organisations.retention import Rule, register_rule
from referral.models import Case
from referral.retention import before_thinning

CALLBACKS_KEPT = timedelta(days=365)
BODIES_KEPT = timedelta(days=730)
TIMES_KEPT = timedelta(days=90)
REPORTS_KEPT = timedelta(days=365)
TRIES_KEPT = timedelta(days=90)


def remove_notices_of(cases: Sequence[Case]) -> None:
    """A case that is thinned takes its notices and calls with it."""
    CallBack.objects.filter(case__in=cases).delete()
    GatewayCallback.objects.filter(notice__case__in=cases).delete()
    PrintedLetter.objects.filter(case__in=cases).delete()
    AnswerCode.objects.filter(case_number__in=[case.number for case in cases]).delete()
    Notice.objects.filter(case__in=cases).delete()
    CampaignRecipient.objects.filter(case__in=cases).delete()
    WrittenOffer.objects.filter(offer__case__in=cases).delete()


def _old_callbacks(now: datetime) -> QuerySet[GatewayCallback]:
    return GatewayCallback.objects.filter(received_at__lt=now - CALLBACKS_KEPT)


def _thin_callbacks(now: datetime, at_most: int) -> int:
    keys = list(_old_callbacks(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    return GatewayCallback.objects.filter(pk__in=keys).delete()[0]


def _old_bodies(now: datetime) -> QuerySet[Notice]:
    """Of closed cases; what was offered stays in the offer, that it was sent in the case log."""
    return Notice.objects.filter(case__closed_at__lt=now - BODIES_KEPT).exclude(body="")


def _thin_bodies(now: datetime, at_most: int) -> int:
    keys = list(_old_bodies(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    return Notice.objects.filter(pk__in=keys).update(body="")


def _unused_times(now: datetime) -> QuerySet[PhoneTime]:
    """Past times that no call hangs on."""
    return PhoneTime.objects.filter(ends_at__lt=now - TIMES_KEPT, calls__isnull=True)


def _thin_times(now: datetime, at_most: int) -> int:
    keys = list(_unused_times(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    return PhoneTime.objects.filter(pk__in=keys).delete()[0]


def _old_reports(now: datetime) -> QuerySet[PrintReport]:
    return PrintReport.objects.filter(received_at__lt=now - REPORTS_KEPT)


def _thin_reports(now: datetime, at_most: int) -> int:
    keys = list(_old_reports(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    return PrintReport.objects.filter(pk__in=keys).delete()[0]


def _old_tries(now: datetime) -> QuerySet[AnswerCode]:
    """The code is the first one and not barred, or there is no such case."""
    of_no_case = ~Exists(Case.objects.filter(number=OuterRef("case_number")))
    return AnswerCode.objects.filter(
        Q(serial=1, barred_at__isnull=True) | of_no_case, tried_at__lt=now - TRIES_KEPT
    )


def _thin_tries(now: datetime, at_most: int) -> int:
    keys = list(_old_tries(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    return AnswerCode.objects.filter(pk__in=keys).delete()[0]


def register_all() -> None:
    before_thinning(remove_notices_of)
    register_rule(
        Rule(
            name="callbacks",
            what=_("Återkopplingar från 1177"),
            kept=_("1 år"),
            law=_("GDPR artikel 5.1 e; svaret står i erbjudandet"),
            due=lambda now: _old_callbacks(now).count(),
            thin=_thin_callbacks,
        )
    )
    register_rule(
        Rule(
            name="notice_texts",
            what=_("Meddelandens text i avslutade ärenden"),
            kept=_("2 år efter avslut"),
            law=_("GDPR artikel 5.1 c och e; texten står i erbjudandet"),
            due=lambda now: _old_bodies(now).count(),
            thin=_thin_bodies,
        )
    )
    register_rule(
        Rule(
            name="phone_times",
            what=_("Telefontider som ingen är bokad på"),
            kept=_("90 dagar"),
            law=_("GDPR artikel 5.1 e; visar när en medarbetare har arbetat"),
            due=lambda now: _unused_times(now).count(),
            thin=_thin_times,
        )
    )
    register_rule(
        Rule(
            name="print_reports",
            what=_("Kvittensfiler från tryckeriet"),
            kept=_("1 år"),
            law=_("GDPR artikel 5.1 e; vad som hände med brevet står i ärendet"),
            due=lambda now: _old_reports(now).count(),
            thin=_thin_reports,
        )
    )
    register_rule(
        Rule(
            name="answer_codes",
            what=_("Försök med svarskoder på patientens egen sida"),
            kept=_("90 dagar; spärrade och bytta koder så länge ärendet"),
            law=_("GDPR artikel 5.1 e; visar att någon har prövat ett ärendenummer"),
            due=lambda now: _old_tries(now).count(),
            thin=_thin_tries,
        )
    )
