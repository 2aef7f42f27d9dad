"""What has been decided of the waiting that those who see figures only are shown."""

from collections.abc import Collection

from organisations.access import Actor, as_product
from statistics.guarantee.flows import months_until, totals_hidden, totals_of
from statistics.guarantee.models import WithheldWaiting
from statistics.hiding import MOST_UNDECIDED, hiding_of, treated_after_few
from statistics.months import Month


@as_product("statistics")
def last_decided_month(actor: Actor) -> Month | None:
    """The last month of which it has been decided what figures-only readers see of the clinics."""
    decided = WithheldWaiting.objects.filter(region=actor.region).order_by("-first_day")
    first_day = decided.values_list("first_day", flat=True).first()
    return Month.of(first_day) if first_day else None


@as_product("small numbers")
def withheld_clinics(region: str, month: Month, clinics: set[int]) -> Collection[int]:
    """The clinics whose waiting is not shown: all of them until it has been decided."""
    decided = WithheldWaiting.objects.filter(region=region, first_day=month.first_day)
    return next(iter(decided.values_list("clinics", flat=True)), clinics)


@as_product("small numbers")
def region_told(region: str, month: Month) -> bool:
    """Whether the region's own waiting and cases in work at the month's end are shown.

    Until it has been decided they are, when they are shown of the last month that is decided and
    none of the region's own flows since then is hidden; not when many months are to be decided.
    """
    decided = WithheldWaiting.objects.filter(region=region, first_day__lte=month.first_day)
    last = decided.order_by("-first_day").first()
    if last is not None and (last.region_withheld or last.first_day == month.first_day):
        return not last.region_withheld
    months = months_until(region, month)
    if last is not None:
        months = [one for one in months if one.first_day > last.first_day]
    if len(months) > MOST_UNDECIDED:
        return False
    tables = totals_of(region, months)
    hidings = hiding_of(region, tables)
    return not any(totals_hidden(tables[one], hidings[one]) for one in months)


def is_withheld(region: str, month: Month) -> bool:
    """Whether how many wait in the region at the month's end, or were treated in it, is hidden on
    account of a month of few."""
    return treated_after_few(region, [month]) or not region_told(region, month)
