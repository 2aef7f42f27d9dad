"""Monthly files for tests."""

import csv
import io
from collections.abc import Iterable

from django.utils import timezone

from organisations.access import Actor
from statistics.months import Month
from statistics.waiting_times import services
from statistics.waiting_times.layout import Model, columns
from statistics.waiting_times.models import WaitingTimeDelivery
from statistics.waiting_times.validation import Result, validate

SPECIALISED = {
    "rapportmanad": "2026-10",
    "status": "G",
    "beslut": "2026-08-03T09:15",
    "start": "2026-10-05T13:00",
    "medicinskt_maldatum": "",
    "akut_start": "EA",
    "akut_bedomning": "EA",
    "akut_avslut": "EA",
    "fodelsear": "1954",
    "kon": "2",
    "kommunkod": "1480",
    "listning": "SE2321000131-E000000001",
    "diagnos": "M17.1 I10.9",
    "diagnostyp": "H B",
    "yttre_orsak": "EA",
    "atgard": "NGB49",
    "huvudman": "14",
    "vardgivare": "2321000131",
    "vardenhet1": "SE2321000131-S0001",
    "vardenhet1_namn": "Sjukhuset",
    "vardenhet2": "SE2321000131-K0001",
    "vardenhet3": "",
    "vardkontakt_id": "14-26-000001",
    "vardgaranti": "1",
    "fas": "2",
    "mvo": "311",
    "aktivitet": "NGB49",
    "bokningssatt": "2",
    "vardkontakt": "5",
    "yrkesgrupp": "LK",
    "avvikelse": "EA",
    "remittenttyp": "1",
    "akutverksamhet": "EA",
    "avbruten_vard": "EA",
    "remissid": "R1",
    "remittent": "SE2321000131-E000000001",
}
WAITS = {"status": "V"} | dict.fromkeys(
    ("start", "diagnos", "diagnostyp", "yttre_orsak", "atgard"), "EA"
)
AGAIN = {"fas": "4", "vardgaranti": "2", "aktivitet": "EA"}
EMERGENCY = {
    "fas": "5",
    "vardgaranti": "2",
    "aktivitet": "EA",
    "akut_start": "2026-10-05T13:00",
    "akut_bedomning": "2026-10-05T13:40",
    "akut_avslut": "2026-10-05T17:05",
    "akutverksamhet": "1",
    "avbruten_vard": "2",
}
PRIMARY = {
    "rapportmanad": "2026-10",
    "beslut": "2026-10-05T08:10",
    "medicinskt_maldatum": "2026-10-08",
    "genomford": "2026-10-06T10:00",
    "fodelsear": "1999",
    "kon": "1",
    "kommunkod": "1480",
    "region": "SE2321000131-E000000000001",
    "vardcentral": "SE2321000131-V0001",
    "listning": "SE2321000131-V0001",
    "diagnos": "J06-",
    "yttre_orsak": "EA",
    "atgard": "EA",
    "vardande_enhet": "",
    "vardkontakt_id": "P1",
    "remittenttyp": "2",
    "bokningssatt": "1",
    "delomrade": "311",
    "forsta_linje": "2",
    "kontaktform": "1",
    "vardgaranti": "1",
    "yrkesgrupp": "LK",
    "remittent": "EA",
    "avvikelse": "EA",
}


def written(
    rows: Iterable[dict[str, str]], *, model: str = Model.SPECIALISED, delimiter: str = ";"
) -> bytes:
    """A file of the rows under all the model's headings; what a row does not say is missing."""
    names = [one.name for one in columns(model)]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return out.getvalue().encode()


def judged(*changes: dict[str, str], model: str = Model.SPECIALISED) -> Result:
    """The verdict on good contacts with these changes, each under an id of its own."""
    base = SPECIALISED if model == Model.SPECIALISED else PRIMARY
    rows = [base | {"vardkontakt_id": f"id-{n}"} | change for n, change in enumerate(changes)]
    return validate(io.BytesIO(written(rows, model=model)))


def codes(result: Result) -> set[tuple[str, str]]:
    return set(result.faults)


def delivered(number: str, actor: Actor, **changes: str) -> WaitingTimeDelivery:
    """Last month's file as the actor's region hands it in today, with a contact of this id."""
    now = timezone.now()
    month = str(Month.of(timezone.localdate(now)).back(1))
    row = SPECIALISED | {
        "rapportmanad": month,
        "beslut": "2020-01-02T09:15",
        "start": f"{month}-05T13:00",
        "medicinskt_maldatum": "",
        "huvudman": actor.region or "",
        "vardkontakt_id": number,
    }
    content = written([row | changes])
    return services.deliver(content, name="vantetider.csv", actor=actor, now=now)
