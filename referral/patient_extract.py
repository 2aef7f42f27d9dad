"""Registerutdrag: all that one region's cases hold on one patient (GDPR articles 15 and 20).

The region that brokers the care is the controller of its cases; another region's cases are asked
for there. Staff are told by role and unit, as in an extract of the access log (patientdatalagen
8 kap. 5 §), and what was submitted about somebody else by mistake is left out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from organisations.access import Actor, as_product, record_access
from patients.models import Patient
from referral.machine import append_log, perform
from referral.models import Case, LogVerb
from referral.privacy import PRIVACY
from referral.selectors.administration import case_of_region
from referral.services.shared import required_text


@dataclass(frozen=True)
class Fact:
    """One value: its key and value for machines, its label and text for people."""

    key: str
    label: str
    value: Any
    text: str


@dataclass(frozen=True)
class Part:
    """Rows of one kind, as offers or notices."""

    key: str
    title: str
    rows: list[list[Fact]]


@dataclass(frozen=True)
class PatientExtract:
    number: str
    made: list[Fact]
    patient: list[Fact]
    cases: list[tuple[str, list[Part]]] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """For JSON: keys in English, codes as they stand in the database."""
        return {
            "made": _values(self.made),
            "patient": _values(self.patient),
            "cases": [
                {"number": number}
                | {part.key: [_values(row) for row in part.rows] for part in parts}
                for number, parts in self.cases
            ],
        }


def _values(facts: Iterable[Fact]) -> dict[str, Any]:
    return {fact.key: fact.value for fact in facts}


# What higher apps hold on a case, as ``(key, title, rows of a case)``.
PartMaker = Callable[[Case], Part]
_further_parts: dict[str, PartMaker] = {}


def register_part(key: str, make: PartMaker) -> None:
    """Have ``make(case)`` give a part of every extract. Called from ``AppConfig.ready``."""
    _further_parts[key] = make


@transaction.atomic
def extract_for_case(case: Case, *, reason: str, actor: Actor, now: datetime) -> PatientExtract:
    """A navigator's extract: the patient's cases that the navigator may see.

    How many are blocked for the navigator stands in it; they are the clinic's, or the region
    administrator's, to give out.
    """
    why = _why(reason)
    case = perform(case, PRIVACY["export"], actor=actor, now=now, why=why)
    cases = Case.objects.filter(patient_id=case.patient_id)
    with as_product("extract for a patient"):
        kept = cases.kept_from(actor).count()
        found = list(cases.visible_to(actor))
        return _extract(case, found, why=why, blocked=kept, actor=actor, now=now)


@transaction.atomic
def extract_for_administrator(
    number: str, *, reason: str, actor: Actor, now: datetime
) -> PatientExtract:
    """The region's whole extract for the patient of a case, blocked cases too."""
    why = _why(reason)
    case = case_of_region(actor, number)
    with as_product("extract for a patient"):
        append_log(case, verb=LogVerb.EXPORT, from_state=case.state, actor=actor, now=now, why=why)
        found = list(Case.objects.filter(patient_id=case.patient_id, region_id=case.region_id))
        return _extract(case, found, why=why, blocked=0, actor=actor, now=now)


def _why(reason: str) -> str:
    return required_text(reason, field="reason", message=_("Skriv varför utdraget görs."))


def _extract(
    case: Case, cases: list[Case], *, why: str, blocked: int, actor: Actor, now: datetime
) -> PatientExtract:
    # The case it was asked for in has its row already, from the log of the case.
    shown = [(one.number, one.patient_id) for one in cases if one.pk != case.pk]
    record_access(actor, what=LogVerb.EXPORT, now=now, cases=shown)
    return PatientExtract(
        number=case.number,
        made=[
            _fact("at", _("Utdraget gjordes"), now),
            _fact("region", _("Personuppgiftsansvarig"), case.region.name),
            _fact("place", _("Av"), f"{actor.role_label}, {actor.place}"),
            _fact("reason", _("Skäl"), why),
            _fact("blocked_cases", _("Spärrade ärenden som inte är med"), blocked),
        ],
        patient=_patient(case.patient),
        cases=[(one.number, _parts(one)) for one in sorted(cases, key=lambda one: one.pk)],
    )


def _fact(key: str, label: str, value: Any) -> Fact:
    return Fact(key, str(label), value, _text(value))


def _text(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("Ja") if value else _("Nej")
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    return str(value)


# Columns whose name in the models is no word for a patient.
LABELS = {
    "region": _lazy("Region"),
    "sending_unit": _lazy("Avsändande enhet"),
    "receiving_unit": _lazy("Mottagande enhet"),
    "care_unit": _lazy("Mottagande enhet"),
    "municipality": _lazy("Hemkommun"),
    "created_at": _lazy("Finns i systemet sedan"),
    "uploaded_at": _lazy("Inlagd"),
    "content_type": _lazy("Filtyp"),
    "size": _lazy("Storlek, byte"),
    "sha256": _lazy("Kontrollsumma (SHA-256)"),
    "name": _lazy("Filnamn"),
}


def facts_of(row: models.Model, *names: str) -> list[Fact]:
    """The row's columns under their Swedish names; choices in words for people."""
    facts = []
    for name in names:
        column = row._meta.get_field(name)
        value = getattr(row, name)
        if isinstance(value, models.Model):
            value = str(value)
        words = getattr(row, f"get_{name}_display", None)
        text = _text(words()) if words and value else _text(value)
        label = str(LABELS.get(name, getattr(column, "verbose_name", name)))
        facts.append(Fact(name, label[:1].upper() + label[1:], value, text))
    return facts


def _patient(patient: Patient) -> list[Fact]:
    return facts_of(
        patient,
        *("identity_number", "given_name", "family_name", "birth_date", "sex", "protection"),
        *("street", "postal_code", "town", "municipality", "phone", "language", "created_at"),
    )


def _parts(case: Case) -> list[Part]:
    parts = [
        Part("case", _("Ärendet"), [_case(case)]),
        Part("form", _("Blankett och underlag"), _forms(case)),
        Part("attachments", _("Bilagor"), _attachments(case)),
        Part(
            "pauses", _("Pauser"), _rows(case.pauses, "reason", "first_day", "last_day", "comment")
        ),
        Part("offers", _("Erbjudanden"), _offers(case)),
        Part("certificates", _("Vårdgarantiintyg"), _certificates(case)),
        Part("referrals", _("Remisser"), _referrals(case)),
        Part("watch_hits", _("Träffar på bevakningslistan"), _watch_hits(case)),
        Part("consents", _("Samtycken"), _consents(case)),
        Part("blocks", _("Spärrar"), _blocks(case)),
        Part(
            "openings", _("Nödöppningar"), _rows(case.emergency_openings, "at", "place", "reason")
        ),
        Part("corrections", _("Rättelser"), _rows(case.corrections, "at", "place", "kind")),
        Part("log", _("Händelser"), _log(case)),
    ]
    parts += [make(case) for make in _further_parts.values()]
    return [part for part in parts if part.rows]


def _rows(rows: Any, *names: str) -> list[list[Fact]]:
    return [facts_of(row, *names) for row in rows.all()]


def _case(case: Case) -> list[Fact]:
    return facts_of(
        case,
        *("number", "region", "sending_unit", "receiving_unit", "state", "kva", "procedure_name"),
        *("icd10", "phase", "asa", "svf", "referral_cause", "referral_date"),
        *("svf_pathway", "suspicion_date", "svf_treatment"),
        "decision_date",
        *("medical_target_date", "home_wait_days", "received_at", "confirmed_at", "closed_at"),
        *("close_reason", "guarantee_start", "guarantee_days", "last_day", "watch_kind"),
        *("watch_reason", "reviewed_on", "review_on", "archived_at"),
    )


def _forms(case: Case) -> list[list[Fact]]:
    """Each version as it was submitted, but none that was about another person by mistake."""
    own = case.patient.identity_number
    rows = []
    for version in case.form.versions.order_by("version"):
        content = {k: v for k, v in version.content.items() if v not in (None, "", [])}
        number = "".join(c for c in str(content.pop("identity_number", "")) if c.isalnum())
        if not own.endswith(number[-10:]):
            continue
        rows.append(
            [
                _fact("version", _("Version"), version.version),
                _fact("submitted_at", _("Inskickat"), version.submitted_at),
                *(_typed(name, value) for name, value in content.items()),
            ]
        )
    return rows


def _typed(name: str, value: Any) -> Fact:
    """A value of the form under the words that stand on the form."""
    from referral.forms import IntakeFormPage

    field = IntakeFormPage.base_fields.get(name)
    words = dict(getattr(field, "choices", ()))
    if isinstance(value, list):
        text = ", ".join(str(words.get(code, code)) for code in value)
    else:
        text = str(words[value]) if isinstance(value, str) and value in words else _text(value)
    return Fact(name, str(getattr(field, "label", None) or name), value, text)


def _attachments(case: Case) -> list[list[Fact]]:
    names = ("name", "content_type", "size", "sha256", "uploaded_at")
    return [facts_of(row, *names) for row in case.form.attachments.all()]


def _offers(case: Case) -> list[list[Fact]]:
    names = (
        *("serial", "care_unit", "state", "sent_at", "due_at", "answered_at", "answer_channel"),
        *("decline_reason", "answer_comment", "expected_wait_days", "home_wait_days", "text"),
    )
    return [facts_of(row, *names) for row in case.offers.select_related("care_unit")]


def _certificates(case: Case) -> list[list[Fact]]:
    return _rows(case.certificates, "number", "issued_at", "valid_to", "revoked_at")


def _referrals(case: Case) -> list[list[Fact]]:
    names = (
        *("sent_at", "confirmed_at", "rejected_at", "rejection_reason", "rejection_comment"),
        *("booked_for", "treated_on", "back_referred_at", "back_referral"),
    )
    offers = case.offers.select_related("referral").filter(referral__isnull=False)
    return [facts_of(offer.referral, *names) for offer in offers]


def _watch_hits(case: Case) -> list[list[Fact]]:
    names = ("found_at", "cause", "outcome", "reason", "handled_at")
    return [facts_of(row, *names) for row in case.watch_hits.order_by("pk")]


def _consents(case: Case) -> list[list[Fact]]:
    names = ("audience", "care_unit", "given", "how", "given_on", "until", "withdrawn_at")
    return [facts_of(row, *names) for row in case.consents.select_related("care_unit")]


def _blocks(case: Case) -> list[list[Fact]]:
    blocks = case.patient.blocks.filter(care_unit_id=case.sending_unit_id)
    return [facts_of(row, "at", "reach", "lifted_at") for row in blocks]


def _log(case: Case) -> list[list[Fact]]:
    return [
        [
            *facts_of(entry, "at", "verb", "place"),
            _fact("why", _("Varför"), "" if entry.verb == LogVerb.EXPORT else entry.why),
        ]
        for entry in case.log.order_by("pk")
    ]
