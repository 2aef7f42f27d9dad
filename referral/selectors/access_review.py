"""The access log for its reviewers: rows, and what in them is out of the ordinary.

A region administrator sees who looked at which case, and never the patient: what stands here tells
that a name is alike, not what the name is. The comparison is the product's, past the policies that
keep patients from a region administrator; what it gives is narrowed by ``reviewable``.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import (
    Coalesce,
    Concat,
    ExtractHour,
    ExtractIsoWeekDay,
    Length,
    Right,
    TruncDate,
    Upper,
)
from django.db.models.lookups import GreaterThanOrEqual, In, LessThan
from django.utils.translation import gettext_lazy as _
from holidays import country_holidays

from organisations.access import Actor, as_product
from organisations.access_log.reviewing import reviewable, within_days
from organisations.models import AccessLog, AccessReview, User
from patients.models import Patient
from referral.access_log import LOOKS
from referral.models import Case, CaseLog

PAGE_SIZE = 50
MANY_CASES = 30
DAY_BEGINS, DAY_ENDS = 6, 19
SATURDAY = 6
# From before the product's first row to long after this code has been replaced.
YEARS = range(2020, 2051)


@dataclass(frozen=True)
class Mark:
    """Something that is seldom as it should be. It is a reason to look, not a finding."""

    key: str
    label: Any
    meaning: Any


MARKS = (
    Mark("own_name", _("eget efternamn"), _("Patienten har samma efternamn som användaren.")),
    Mark("colleague", _("kollega"), _("Patienten heter som en användare i samma region.")),
    Mark("neighbour", _("granne"), _("Patienten bor på samma gata och postnummer som användaren.")),
    Mark("protected", _("skyddad identitet"), _("Patienten har skyddade personuppgifter.")),
    Mark("many", _("många"), _("Minst 30 olika ärenden öppnades av användaren inom en timme.")),
    Mark("odd_hours", _("utanför kontorstid"), _("Kväll, natt, helg eller helgdag.")),
    Mark("no_action", _("ingen åtgärd"), _("Användaren har aldrig gjort något i ärendet.")),
)
BY_KEY = {mark.key: mark for mark in MARKS}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is asked for; empty is all."""

    user_id: int | None = None
    name: str = ""
    case_number: str = ""
    first_day: date | None = None
    last_day: date | None = None
    mark: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class Page:
    rows: list[AccessLog]
    next_cursor: str


@as_product("access review")
def access_page(actor: Actor, filters: Filters, *, cursor: str = "") -> Page:
    """A page of what the actor may review, newest first, with marks; by key, so page 500 is as
    fast as page 1."""
    rows = _filtered(reviewable(actor), actor, filters)
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        rows = rows.filter(pk__lt=int(cursor))
    # Each half walks an index of its own, in order; an OR would walk the whole log.
    home = rows.filter(home_region=actor.region)[: PAGE_SIZE + 1]
    away = rows.filter(region=actor.region).exclude(home_region=actor.region)[: PAGE_SIZE + 1]
    found = sorted([*home, *away], key=lambda row: row.pk, reverse=True)[: PAGE_SIZE + 1]
    more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    return Page(found, str(found[-1].pk) if more else "")


@as_product("access review")
def get_access(actor: Actor, pk: int) -> AccessLog | None:
    return marked(reviewable(actor)).select_related("user").filter(pk=pk).first()


@as_product("access review")
def sample_rows(actor: Actor, sample_id: int) -> list[AccessLog]:
    """The drawn rows in the order of the draw, with marks and outcome."""
    rows = marked(reviewable(actor)).select_related("user")
    return list(rows.filter(draws__sample_id=sample_id).order_by("draws__position"))


@as_product("access review")
def case_in_region(actor: Actor, number: str) -> Case | None:
    """The case whose log is asked for; its patient's rows are then found by the patient's key."""
    return Case.objects.filter(region_id=actor.region or "", number=number).first()


def marks_on(row: AccessLog) -> list[Mark]:
    return [mark for mark in MARKS if getattr(row, f"mark_{mark.key}")]


def marked(rows: QuerySet[AccessLog]) -> QuerySet[AccessLog]:
    """Each row with what is out of the ordinary about it, and the latest outcome."""
    latest = AccessReview.objects.filter(access=OuterRef("pk")).order_by("-pk")
    return rows.order_by("-pk").annotate(
        latest_outcome=Coalesce(Subquery(latest.values("outcome")[:1]), Value("")),
        **{f"mark_{key}": expression for key, expression in _expressions().items()},
    )


def _filtered(rows: QuerySet[AccessLog], actor: Actor, filters: Filters) -> QuerySet[AccessLog]:
    rows = within_days(rows, first_day=filters.first_day, last_day=filters.last_day)
    if filters.user_id:
        rows = rows.filter(user_id=filters.user_id)
    if filters.name:
        named = User.objects.filter(name__icontains=filters.name).values("pk")
        rows = rows.filter(user_id__in=named)
    if filters.case_number:
        case = case_in_region(actor, filters.case_number)
        same = Q(case_number=filters.case_number)
        rows = rows.filter(same | Q(patient_id=case.patient_id) if case else same)
    rows = marked(rows).select_related("user")
    if filters.mark in BY_KEY:
        rows = rows.filter(**{f"mark_{filters.mark}": True})
    if filters.outcome:
        outcome = "" if filters.outcome == "none" else filters.outcome
        rows = rows.filter(latest_outcome=outcome)  # type: ignore[misc]
    return rows


def _expressions() -> dict[str, Any]:
    """A SQL condition for each mark, so that the page and its filter cannot differ."""
    patient = Patient.objects.filter(pk=OuterRef("patient_id"))
    done_by_user = CaseLog.objects.filter(
        case__number=OuterRef("case_number"), user_id=OuterRef("user_id")
    )
    looked = Q(what__in=list(LOOKS)) & ~Q(case_number="")
    conditions = {
        "own_name": Exists(patient.annotate(ending=_ending()).filter(ending=_spaced_family_name())),
        "colleague": Exists(patient.filter(Exists(_namesakes()))),
        "neighbour": Exists(_living_nearby()),
        "protected": Exists(patient.filter(protection__in=Patient.PROTECTED)),
        "many": GreaterThanOrEqual(_cases_in_the_hour_before(), MANY_CASES),
        "odd_hours": _odd_hours(),
        "no_action": looked & ~Exists(done_by_user),
    }
    staff = Q(user__isnull=False)
    return {
        key: ExpressionWrapper(staff & Q(condition), output_field=BooleanField())
        for key, condition in conditions.items()
    }


def _ending() -> Right:
    """The end of the user's name, as long as a space and the patient's family name."""
    return Right(Upper(OuterRef("actor_name")), Length("family_name") + 1)


def _spaced_family_name() -> Concat:
    return Concat(Value(" "), Upper("family_name"))


def _namesakes() -> QuerySet[User]:
    """Other users of the same region who are called what the patient is called."""
    full_name = Upper(Concat(OuterRef("given_name"), Value(" "), OuterRef("family_name")))
    return (
        User.objects.filter(assignments__region_id=OuterRef(OuterRef("region")))
        .exclude(pk=OuterRef(OuterRef("user_id")))
        .annotate(upper_name=Upper("name"))
        .filter(upper_name=full_name)
    )


def _living_nearby() -> QuerySet[User]:
    """The user, when the patient lives in the same street; compared by hash alone."""
    patient = Patient.objects.filter(
        pk=OuterRef(OuterRef("patient_id")), neighbourhood_hash=OuterRef("home_hash")
    )
    return User.objects.filter(Exists(patient), pk=OuterRef("user_id")).exclude(home_hash="")


def _cases_in_the_hour_before() -> Subquery:
    looks = AccessLog.objects.filter(
        user_id=OuterRef("user_id"),
        at__lte=OuterRef("at"),
        at__gt=OuterRef("at") - timedelta(hours=1),
        what__in=list(LOOKS),
    )
    counted = looks.order_by().annotate(one=Value(1)).values("one")
    return Subquery(
        counted.annotate(cases=Count("case_number", distinct=True)).values("cases"),
        output_field=IntegerField(),
    )


def _odd_hours() -> Q:
    """Evenings, nights, weekends and holidays in Swedish time."""
    zone = ZoneInfo(settings.TIME_ZONE)
    hour, weekday = ExtractHour("at", tzinfo=zone), ExtractIsoWeekDay("at", tzinfo=zone)
    return (
        Q(LessThan(hour, DAY_BEGINS))
        | Q(GreaterThanOrEqual(hour, DAY_ENDS))
        | Q(GreaterThanOrEqual(weekday, SATURDAY))
        | Q(In(TruncDate("at", tzinfo=zone), holidays_on_weekdays()))
    )


@lru_cache(maxsize=1)
def holidays_on_weekdays() -> list[date]:
    """Red days, and the eves that lag (1989:253) om allmänna helgdagar and semesterlagen 3 a § give
    the same rest, for all the years that the log may hold."""
    known = country_holidays(
        "SE", categories=("public", "de_facto"), years=YEARS, include_sundays=False
    )
    return sorted(day for day in known if day.isoweekday() < SATURDAY)
