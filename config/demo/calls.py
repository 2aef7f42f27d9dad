"""Phone times of the demonstration's navigator in Dalarna, and calls on a few of them."""

from datetime import datetime, time, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from notices.callbacks.services import ask_for_call, book_call, call_done, call_missed
from notices.callbacks.times import Series, open_times
from organisations.access import Actor
from referral.models import Case, CaseLog, CaseState

SUBJECTS = (
    *("Resan till vårdgivaren", "Frågor om erbjudandet", "Vill ha ledsagare", "Annat datum"),
    "Väntetiden hemma",
)
NUMBER = "070-174 06 1{n}"  # of the series that is kept for fiction
AFTER_TODAY = 2


def book_calls(actor: Actor | None, *, now: datetime) -> int:
    """Two weeks of times, opened two days ago, and as many calls as there are subjects."""
    if actor is None:
        return 0
    opened_at = now - timedelta(days=2)
    first = timezone.localdate(opened_at)
    hours = Series(
        first_day=first,
        last_day=first + timedelta(days=16),
        start=time(8, 30),
        end=time(16),
        minutes=30,
        weekdays=frozenset({0, 1, 2, 3, 4}),
    )
    times = open_times(hours, actor=actor, now=opened_at)
    past = [one for one in times if one.ends_at < now][-2:]
    coming = [one for one in times if one.starts_at > now][:AFTER_TODAY]
    later = CaseLog.objects.filter(case=OuterRef("pk"), at__gt=opened_at)
    cases = Case.objects.filter(
        ~Exists(later),
        navigator=actor.user_id,
        state__in=[CaseState.IN_PROGRESS, CaseState.OFFERED, CaseState.ACCEPTED],
    ).order_by("last_day", "pk")
    booked = [*past, *coming]
    found = list(zip(cases[: len(SUBJECTS)], SUBJECTS, strict=False))
    for n, (case, about) in enumerate(found):
        number = NUMBER.format(n=n)
        if n >= len(booked):
            ask_for_call(
                case, about=about, phone=number, actor=Actor.patient("Patienten i 1177"), now=now
            )
            continue
        at = booked[n]
        call = book_call(case, time_id=at.pk, about=about, phone=number, actor=actor, now=opened_at)
        if at in past[:1]:
            call_done(call, outcome="Fick svar på sina frågor.", actor=actor, now=at.ends_at)
        elif at in past:
            call_missed(call, actor=actor, now=at.ends_at)
    return len(found)
