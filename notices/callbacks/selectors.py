"""What is free, what is to be called today, and what a week of phone times holds.

A time tells of no patient, but who is booked on it does: another unit's case, or one that its
patient has blocked, shows as a taken time and nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from notices.callbacks.models import CallBack, PhoneTime
from organisations.access import Actor, as_product
from organisations.models import Assignment, Role
from referral.models import Case

MOST_CHOICES = 300


@dataclass(frozen=True)
class ShownTime:
    """A phone time as the actor may see it; ``call`` only when the case is the actor's to see."""

    time: PhoneTime
    taken: bool
    call: CallBack | None
    mine: bool

    @property
    def is_free(self) -> bool:
        return not self.taken


def day_bounds(first: date, days: int = 1) -> tuple[datetime, datetime]:
    """The first moments of the day and of that ``days`` later, Europe/Stockholm."""
    after = first + timedelta(days=days)
    return (
        timezone.make_aware(datetime.combine(first, time.min)),
        timezone.make_aware(datetime.combine(after, time.min)),
    )


def _still_works(user: str, region: str, *, now: datetime) -> Exists:
    """Whether the row's user is a navigator of the row's region now."""
    working = Assignment.objects.live(now=now).filter(
        role=Role.NAVIGATOR, user=OuterRef(user), region=OuterRef(region), user__is_active=True
    )
    return Exists(working)


def free_times(region_id: str, *, now: datetime) -> list[PhoneTime]:
    """The region's free times to come, the next ones first, of navigators who still work."""
    with as_product("free phone times"):
        held = CallBack.objects.filter(time=OuterRef("pk"), state__in=CallBack.HOLDS_TIME)
        return list(
            PhoneTime.objects.filter(
                ~Exists(held),
                _still_works("navigator", "region", now=now),
                region_id=region_id,
                closed_at__isnull=True,
                starts_at__gt=now,
            )
            .select_related("navigator")
            .order_by("starts_at", "pk")[:MOST_CHOICES]
        )


def week_of_times(actor: Actor, *, monday: date, everybody: bool) -> list[ShownTime]:
    """The week's open times: the navigator's own, or those of all the region's."""
    start, end = day_bounds(monday, 7)
    found = PhoneTime.objects.filter(
        region_id=actor.region, closed_at__isnull=True, starts_at__gte=start, starts_at__lt=end
    ).select_related("navigator")
    times = list(found if everybody else found.filter(navigator=actor.user_id))
    with as_product("phone times"):
        held = CallBack.objects.filter(time__in=times, state__in=CallBack.HOLDS_TIME)
        taken = set(held.values_list("time", flat=True))
    calls = calls_of(actor).filter(time__in=times, state__in=CallBack.HOLDS_TIME)
    by_time = {call.time_id: call for call in calls}
    return [
        ShownTime(
            time=one,
            taken=one.pk in taken,
            call=by_time.get(one.pk),
            mine=one.navigator_id == actor.user_id,
        )
        for one in times
    ]


def calls_of(actor: Actor) -> QuerySet[CallBack]:
    """The calls of the cases that the actor may see, for the home side alone."""
    calls = CallBack.objects.select_related("case__patient", "time__navigator")
    if actor.role not in {Role.NAVIGATOR, Role.CLINIC}:
        return calls.none()
    return calls.filter(case__in=Case.objects.visible_to(actor))


def calls_to_make(actor: Actor, *, now: datetime) -> list[CallBack]:
    """The navigator's booked calls up to today's last, then those who asked to be called.

    Who asked, or is booked with somebody who no longer works there, is the case's navigator's, and
    everybody's while the case has none. A call that nobody has written an outcome for stays.
    """
    if actor.role != Role.NAVIGATOR:
        return []
    _start, end = day_bounds(timezone.localdate(now))
    due = Q(state=CallBack.State.BOOKED, time__starts_at__lt=end)
    own = Q(time__navigator=actor.user_id)
    left = ~_still_works("time__navigator", "time__region", now=now)
    of_case = Q(case__navigator=actor.user_id) | Q(case__navigator__isnull=True)
    wanted = due & own | due & left & of_case | Q(state=CallBack.State.ASKED) & of_case
    found = calls_of(actor).filter(wanted, case__closed_at__isnull=True)
    return list(found.order_by(F("time__starts_at").asc(nulls_last=True), "pk"))


def shown_calls(calls: Iterable[CallBack | None]) -> list[tuple[str, int | None]]:
    """What ``record_access`` needs about calls that were shown."""
    return [(call.case.number, call.case.patient_id) for call in calls if call is not None]
