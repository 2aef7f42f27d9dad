"""Phone times: open one or a series, close free ones, take over a colleague's."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from notices.callbacks.models import LONGEST, CallBack, PhoneTime
from notices.callbacks.verbs import VERBS
from organisations.access import Actor, as_product
from organisations.errors import DomainError, InvalidInput, NotAllowed, WrongState
from organisations.models import Role, User
from organisations.working_days import free_days
from referral.machine import perform
from referral.models import Case, LogVerb

EARLIEST, LATEST = time(6), time(22)
SHORTEST_MINUTES = 5
MOST_TIMES = 1000
MOST_DAYS = 366
MOST_NAMED = 20


class PhoneTimeNotFound(DomainError):
    """There is no such time in the actor's region."""

    status = 404
    code = "not_found"


@dataclass(frozen=True, kw_only=True)
class Series:
    """Times of ``minutes`` each from ``start`` to ``end``, Swedish time, on some weekdays.

    ``weekdays`` are 0 for Monday to 6 for Sunday; without any, every day from the first to the
    last. No time lies on a public holiday, and none goes past ``end``.
    """

    first_day: date
    last_day: date
    start: time
    end: time
    minutes: int
    weekdays: frozenset[int] = frozenset()

    def days(self) -> Iterator[date]:
        for offset in range((self.last_day - self.first_day).days + 1):
            day = self.first_day + timedelta(days=offset)
            if (not self.weekdays or day.weekday() in self.weekdays) and day not in free_days():
                yield day

    def times(self) -> Iterator[tuple[datetime, datetime]]:
        """Start and end of each: the clock on the wall stays when summer time begins or ends."""
        length = timedelta(minutes=self.minutes)
        for day in self.days():
            start, last = datetime.combine(day, self.start), datetime.combine(day, self.end)
            while start + length <= last:
                yield timezone.make_aware(start), timezone.make_aware(start + length)
                start += length


@transaction.atomic
def open_times(series: Series, *, actor: Actor, now: datetime) -> list[PhoneTime]:
    """Open the navigator's own times, all or none.

    Raises :class:`InvalidInput` at the field, and with each time that meets one already open.
    """
    if actor.role != Role.NAVIGATOR or actor.region is None or actor.user_id is None:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
    _check(series, now=now)
    wanted = [(start, end) for start, end in series.times() if start > now]
    if not wanted:
        text = _("Det blir inga tider: dagarna är helgdagar, eller så har tiden redan passerat.")
        raise InvalidInput(text, fields={"first_day": text})
    if len(wanted) > MOST_TIMES:
        text = _("Det blir %(n)s tider. Lägg upp högst %(most)s på en gång.") % {
            "n": len(wanted),
            "most": MOST_TIMES,
        }
        raise InvalidInput(text, fields={"last_day": text})
    with as_product("phone times"):
        _lock_calendars(actor.user_id)
        _refuse_overlaps(actor.user_id, wanted)
        return PhoneTime.objects.bulk_create(
            PhoneTime(
                navigator_id=actor.user_id,
                region_id=actor.region,
                starts_at=start,
                ends_at=end,
                opened_at=now,
            )
            for start, end in wanted
        )


@transaction.atomic
def close_times(keys: Collection[int], *, actor: Actor, now: datetime) -> int:
    """Close free times of the region, all or none; returns how many.

    Raises :class:`WrongState` naming those that a call is booked on.
    """
    if actor.role != Role.NAVIGATOR:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
    if not keys:
        text = _("Välj minst en tid.")
        raise InvalidInput(text, fields={"times": text})
    with as_product("phone times"):
        found = list(
            PhoneTime.objects.select_for_update(of=("self",))
            .filter(pk__in=keys, region=actor.region, closed_at__isnull=True)
            .order_by("pk")
        )
        if len(found) != len(set(keys)):
            raise PhoneTimeNotFound(_("Tiden finns inte eller är redan stängd."))
        taken = CallBack.objects.filter(time__in=found, state=CallBack.State.BOOKED)
        booked = {call.time_id for call in taken}
        if named := [one.when for one in found if one.pk in booked]:
            raise WrongState(
                _("Tider med bokad uppringning kan inte stängas: %(times)s.")
                % {"times": _some(named)},
                code="time_booked",
            )
        return PhoneTime.objects.filter(pk__in=[one.pk for one in found]).update(closed_at=now)


@transaction.atomic
def take_over(phone_time: PhoneTime, *, actor: Actor, now: datetime) -> PhoneTime:
    """Take over a colleague's time, with the call on it: the colleague is ill.

    The actor's own free times at that hour are closed; a booked one raises :class:`WrongState`.
    """
    if actor.role != Role.NAVIGATOR or actor.user_id is None:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
    taker = actor.user_id
    if phone_time.region_id != actor.region:
        raise PhoneTimeNotFound(_("Tiden finns inte."))
    with as_product("phone times"):
        call = _call_on(phone_time)
    if call is None:
        with as_product("phone times"):
            return _hand_over(phone_time, booked=False, to=taker, now=now)

    def change(_locked: Case) -> None:
        taken = _hand_over(phone_time, booked=True, to=taker, now=now)
        details["phone_time"] = taken.when

    details: dict[str, str] = {}
    perform(
        call.case,
        VERBS[LogVerb.CALL_TAKEN_OVER],
        actor=actor,
        now=now,
        details=details,
        change=change,
    )
    phone_time.refresh_from_db()
    return phone_time


def locked_time(key: int, *, region_id: str | None, now: datetime) -> PhoneTime:
    """The free time to come, locked.

    Raises :class:`InvalidInput` at ``time_id``, so that what else was typed is kept, for one that
    is past or taken meanwhile, and :class:`PhoneTimeNotFound`.
    """
    found = (
        PhoneTime.objects.select_for_update(of=("self",)).filter(pk=key, region=region_id).first()
    )
    if found is None:
        raise PhoneTimeNotFound(_("Tiden finns inte."))
    if found.starts_at <= now:
        text = _("Tiden har redan passerat. Välj en annan.")
        raise InvalidInput(text, code="time_past", fields={"time_id": text})
    held = CallBack.objects.filter(time=found, state__in=CallBack.HOLDS_TIME).exists()
    if held or found.closed_at is not None:
        text = _("Tiden är inte längre ledig. Välj en annan.")
        raise InvalidInput(text, code="time_taken", fields={"time_id": text})
    return found


def _check(series: Series, *, now: datetime) -> None:
    today = timezone.localdate(now)
    wrong: dict[str, str] = {}
    if series.first_day < today:
        wrong["first_day"] = _("Första dagen kan inte ha passerat.")
    if series.last_day < series.first_day:
        wrong["last_day"] = _("Sista dagen kan inte vara före den första.")
    elif (series.last_day - today).days > MOST_DAYS:
        wrong["last_day"] = _("Lägg upp tider högst ett år framåt.")
    if not EARLIEST <= series.start < series.end <= LATEST:
        wrong["end"] = _("Tiderna ligger mellan 06.00 och 22.00, och slutet efter början.")
    if not SHORTEST_MINUTES <= series.minutes <= LONGEST.total_seconds() // 60:
        wrong["minutes"] = _("En tid är mellan 5 minuter och 4 timmar.")
    if wrong:
        raise InvalidInput(_("Uppgifterna behöver rättas."), fields=wrong)


def _lock_calendars(*users: int) -> None:
    """One change at a time of what a navigator has open."""
    list(User.objects.select_for_update(no_key=True).filter(pk__in=users).order_by("pk"))


def _refuse_overlaps(user_id: int, wanted: list[tuple[datetime, datetime]]) -> None:
    standing = list(
        PhoneTime.objects.filter(
            navigator=user_id,
            closed_at__isnull=True,
            starts_at__lt=wanted[-1][1],
            ends_at__gt=wanted[0][0],
        )
    )
    met = [
        _("%(new)s krockar med %(old)s")
        % {"new": PhoneTime(starts_at=start, ends_at=end).when, "old": old.clock}
        for start, end in wanted
        for old in standing
        if old.starts_at < end and old.ends_at > start
    ]
    if met:
        text = _("Inga tider är upplagda, för några krockar med dem du har: %(times)s.") % {
            "times": _some(met)
        }
        raise InvalidInput(text, fields={"start": text})


def _call_on(phone_time: PhoneTime) -> CallBack | None:
    booked = CallBack.objects.filter(time=phone_time, state=CallBack.State.BOOKED)
    return booked.select_related("case").first()


def _hand_over(phone_time: PhoneTime, *, booked: bool, to: int, now: datetime) -> PhoneTime:
    """Give the time to ``to``, whose own free times at that hour close."""
    _lock_calendars(phone_time.navigator_id, to)
    own = Q(
        navigator=to,
        closed_at__isnull=True,
        starts_at__lt=phone_time.ends_at,
        ends_at__gt=phone_time.starts_at,
    )
    times = PhoneTime.objects.select_for_update(of=("self",)).filter(Q(pk=phone_time.pk) | own)
    locked = {one.pk: one for one in times.order_by("pk")}
    wanted = locked.pop(phone_time.pk)
    over = wanted.ends_at <= now and not booked
    has_call = _call_on(wanted) is not None
    if wanted.closed_at or wanted.navigator_id == to or has_call != booked or over:
        raise WrongState(_("Tiden kan inte tas över längre. Läget har ändrats."))
    held = CallBack.objects.filter(time__in=locked, state__in=CallBack.HOLDS_TIME)
    if call := held.first():
        raise WrongState(
            _("Du har själv en uppringning %(time)s.") % {"time": call.time}, code="time_taken"
        )
    PhoneTime.objects.filter(pk__in=locked).update(closed_at=now)
    wanted.navigator_id = to
    wanted.save(update_fields=["navigator"])
    return wanted


def _some(texts: Iterable[str]) -> str:
    listed = list(texts)
    shown = "; ".join(listed[:MOST_NAMED])
    more = len(listed) - MOST_NAMED
    return shown + (_(" och %(n)s till") % {"n": more} if more > 0 else "")
