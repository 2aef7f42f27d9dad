"""The demonstration's invoices: a month's list from each provider, with a few that deviate."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from contracts.files.invoice_rows import COLUMNS
from contracts.files.writing import csv_file
from contracts.models import CallOff
from contracts.services import receive_invoices
from organisations.access import Actor
from organisations.models import Provider
from referral.models import Referral

REGION = "20"
# Days since the treatment: what is younger has not been invoiced yet.
NEWEST, OLDEST = 20, 110
# What is wrong with the line at each place, counted over all lines; the others hold.
PRICE, DATE, CERTIFICATE, WRONG_CASE = 3, 8, 12, 16
KEYS = tuple(column.key for column in COLUMNS)
HEADINGS = [column.heading for column in COLUMNS]

Row = dict[str, object]


def tell_invoices(actor: Actor, *, now: datetime) -> int:
    """Read one list for each provider of the region; returns how many invoices."""
    rows = list(_rows(timezone.localdate(now)))
    for place, row in enumerate(rows):
        _bend(place, row)
    sellers = sorted({str(row["seller"]) for row in rows})
    for seller in sellers:
        own = [row for row in rows if row["seller"] == seller]
        _receive(own, f"{seller[-4:]}.csv", actor, now=now - timedelta(days=6))
    double = dict(rows[0]) | {"number": f"{rows[0]['number']}-2"} if rows else {}
    if double:
        _receive([double], "komplettering.csv", actor, now=now - timedelta(days=3))
    credit = next(iter(rows[1:]), None)
    if credit:
        changed = {"number": f"K{credit['number']}", "kind": "kredit", "credits": credit["number"]}
        _receive([credit | changed], "kredit.csv", actor, now=now - timedelta(days=2))
    return len(sellers) + bool(double) + bool(credit)


def _rows(today: date) -> Iterator[Row]:
    """A line for each of the region's patients treated some weeks ago, as agreed."""
    treated = (
        Referral.objects.filter(
            treated_on__range=(today - timedelta(days=OLDEST), today - timedelta(days=NEWEST)),
            offer__case__region=REGION,
            offer__call_off__state=CallOff.State.USED,
        )
        .select_related("offer__care_unit", "offer__certificate", "offer__call_off", "offer__case")
        .order_by("treated_on", "pk")
    )
    providers = Provider.objects.in_bulk(
        {referral.offer.care_unit.provider_id for referral in treated}
    )
    for referral in treated:
        offer = referral.offer
        seller = providers[offer.care_unit.provider_id].organisation_number
        yield {
            "seller": seller,
            "number": f"F{seller[-4:]}-{today.year % 100}{today.month:02d}",
            "issued_on": str(today - timedelta(days=7)),
            "due_on": str(today + timedelta(days=23)),
            "case": offer.case.number,
            "certificate": offer.certificate.number,
            "treated_on": str(referral.treated_on),
            "amount": offer.call_off.amount_sek,
            "text": offer.case.procedure_name,
        }


def _bend(place: int, row: Row) -> None:
    """Let a few lines deviate, as they do."""
    if place == PRICE:
        row["amount"] = Decimal(str(row["amount"])) + 2_450
    elif place == DATE:
        row["treated_on"] = str(date.fromisoformat(str(row["treated_on"])) - timedelta(days=7))
    elif place == CERTIFICATE:
        row["certificate"] = ""
    elif place == WRONG_CASE:
        number = str(row["case"])
        row["case"] = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
        row["certificate"] = ""


def _receive(rows: list[Row], name: str, actor: Actor, *, now: datetime) -> None:
    lines = [[str(row.get(key, "")) for key in KEYS] for row in rows]
    receive_invoices(csv_file([HEADINGS, *lines]), name=name, actor=actor, now=now)
