"""Systematic and recurring control of the access log (HSLF-FS 2016:40 4 kap. 9 §)."""

import secrets
from datetime import date, datetime, time

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import AccessLog, AccessReview, AccessSample, AccessSampleRow, Role

MAX_SAMPLE = 200
# A list writes a row for each line it shows; they would crowd out the looks at single patients.
IN_LISTS = frozenset(
    {
        *("list", "drafts", "allocation", "allocation_file", "offer_drafts"),
        *("phone_times", "calls_today", "undelivered", "campaign_patients"),
        *("waiting_list", "waiting_list_file"),
    }
)


def reviewable(actor: Actor) -> QuerySet[AccessLog]:
    """What the actor may review: what its region's staff did, and what was done with its patients.

    Only a region administrator may. A private provider's staff are reviewed by the patient's
    region.
    """
    if actor.role != Role.REGION_ADMIN or not actor.region:
        return AccessLog.objects.none()
    return AccessLog.objects.filter(Q(home_region=actor.region) | Q(region=actor.region))


def reviewable_samples(actor: Actor) -> QuerySet[AccessSample]:
    if actor.role != Role.REGION_ADMIN or not actor.region:
        return AccessSample.objects.none()
    return AccessSample.objects.filter(region_id=actor.region)


@transaction.atomic
@as_product("access review")
def draw_sample(
    *,
    first_day: date,
    last_day: date,
    size: int,
    actor: Actor,
    now: datetime,
    seed: int | None = None,
) -> AccessSample:
    """Draw ``size`` of the period's looks and changes by staff, by chance, and record the draw.

    Raises :class:`InvalidInput` when the period holds nothing to draw from.
    """
    region, reviewer_id = _reviewer(actor)
    _refuse_odd_period(first_day, last_day, size=size, today=timezone.localdate(now))
    seed = secrets.randbits(31) if seed is None else seed
    rows = _population(actor, first_day=first_day, last_day=last_day)
    told = rows.aggregate(last=Max("pk"), count=Count("pk"))
    if not told["count"]:
        text = _("Det finns inga åtkomster i perioden.")
        raise InvalidInput(text, fields={"first_day": text})
    sample = AccessSample.objects.create(
        region_id=region,
        drawn_at=now,
        drawn_by_id=reviewer_id,
        first_day=first_day,
        last_day=last_day,
        last_log_id=told["last"],
        population=told["count"],
        size=min(size, told["count"]),
        seed=seed,
    )
    AccessSampleRow.objects.bulk_create(
        AccessSampleRow(sample=sample, access_id=pk, position=place)
        for place, pk in enumerate(drawn(sample, actor=actor), start=1)
    )
    return sample


@as_product("access review")
def drawn(sample: AccessSample, *, actor: Actor) -> list[int]:
    """The rows that the sample's seed draws, in its order. Anyone can draw again and compare."""
    rows = _population(actor, first_day=sample.first_day, last_day=sample.last_day)
    shuffled = MD5(Concat(Value(f"{sample.seed}:"), Cast("pk", TextField())))
    return list(
        rows.filter(pk__lte=sample.last_log_id)
        .order_by(shuffled, "pk")
        .values_list("pk", flat=True)[: sample.size]
    )


@transaction.atomic
@as_product("access review")
def review(
    access: AccessLog, *, outcome: str, comment: str, actor: Actor, now: datetime
) -> AccessReview:
    """Record what the reviewer found; nobody reviews what they did themselves."""
    _region, reviewer_id = _reviewer(actor)
    if not reviewable(actor).filter(pk=access.pk).exists():
        raise NotAllowed(_("Åtkomsten hör inte till din region."))
    if access.user_id == actor.user_id:
        raise NotAllowed(_("Din egen åtkomst ska granskas av någon annan."))
    comment = comment.strip()
    if outcome == AccessReview.Outcome.FOLLOW_UP and not comment:
        text = _("Skriv vad som ska följas upp.")
        raise InvalidInput(text, fields={"comment": text})
    return AccessReview.objects.create(
        access=access,
        outcome=outcome,
        comment=comment,
        reviewer_id=reviewer_id,
        reviewed_at=now,
    )


def within_days(
    rows: QuerySet[AccessLog], *, first_day: date | None, last_day: date | None
) -> QuerySet[AccessLog]:
    """The rows of these days in Swedish time, both included."""
    if first_day:
        rows = rows.filter(at__gte=_midnight(first_day))
    if last_day:
        rows = rows.filter(at__lt=_midnight(last_day, days_on=1))
    return rows


def _midnight(day: date, *, days_on: int = 0) -> datetime:
    ordinal = min(day.toordinal() + days_on, date.max.toordinal())
    return timezone.make_aware(datetime.combine(date.fromordinal(ordinal), time.min))


def _population(actor: Actor, *, first_day: date, last_day: date) -> QuerySet[AccessLog]:
    rows = reviewable(actor).filter(user__isnull=False).exclude(what__in=IN_LISTS)
    rows = rows.exclude(case_number="", form_id__isnull=True)  # a review of many
    return within_days(rows.order_by(), first_day=first_day, last_day=last_day)


def _reviewer(actor: Actor) -> tuple[str, int]:
    if actor.role != Role.REGION_ADMIN or not actor.region or not actor.user_id:
        raise NotAllowed(_("Bara en regionadministratör granskar åtkomstloggen."))
    return actor.region, actor.user_id


def _refuse_odd_period(first_day: date, last_day: date, *, size: int, today: date) -> None:
    problems: dict[str, str] = {}
    if last_day < first_day:
        problems["last_day"] = _("Sista dagen kan inte ligga före den första.")
    if first_day > today:
        problems["first_day"] = _("Perioden har inte börjat.")
    if first_day.year < 2000:
        problems["first_day"] = _("Välj en senare dag.")
    if not 1 <= size <= MAX_SAMPLE:
        problems["size"] = _("Välj mellan 1 och 200.")
    if problems:
        raise InvalidInput(_("Stickprovet kan inte dras."), fields=problems)
