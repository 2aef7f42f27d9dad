"""A contract as it reads now, as plain values: what a version keeps."""

from typing import Any

from django.db.models import TextChoices

from contracts.models import ChecklistItem, Contract, ContractLine, Period, PeriodCap
from organisations.models import MedicalArea, Region


def content_of(contract_id: int) -> dict[str, Any]:
    """Everything agreed, in words and codes that can be read without the tables of today."""
    contract = (
        Contract.objects.select_related("owner_region", "provider")
        .prefetch_related("regions_allowed", "medical_areas", "period_caps", "contacts")
        .get(pk=contract_id)
    )
    lines = contract.lines.select_related("care_unit").prefetch_related("period_caps")
    return {
        "number": contract.number,
        "title": contract.title,
        "owner_region": contract.owner_region.name,
        "provider": contract.provider.name,
        "organisation_number": contract.provider.organisation_number,
        "contract_type": contract.contract_type,
        "reimbursement_principle": contract.reimbursement_principle,
        "reimbursement": contract.reimbursement,
        "valid_from": contract.valid_from,
        "valid_to": contract.valid_to,
        "option_years": contract.option_years,
        "notice_months": contract.notice_months,
        "included": contract.included,
        "regions_allowed": sorted(r.code for r in contract.regions_allowed.all()),
        "medical_areas": sorted(a.mvo for a in contract.medical_areas.all()),
        "cap_volume": contract.cap_volume,
        "cap_sek": contract.cap_sek,
        "period_caps": [_period_cap(cap) for cap in contract.period_caps.all()],
        "is_stopped": contract.is_stopped,
        "alert_percents": contract.alert_percents,
        "lines": [_line(line) for line in lines],
        "contacts": [
            {"name": c.name, "side": c.side, "about": c.about, "email": c.email, "phone": c.phone}
            for c in contract.contacts.all()
        ],
        "checklist": [
            {"question": item.question, "status": item.status, "answer": item.answer}
            for item in contract.checklist.all()
        ],
        "documents": [
            {"name": d.name, "sha256": d.sha256}
            for d in contract.documents.filter(removed_at__isnull=True)
        ],
    }


def in_words(content: dict[str, Any]) -> dict[str, Any]:
    """A version's content as people read it: the words that its codes stand for."""
    regions = {region.code: region.short_name for region in Region.objects.all()}
    wanted = content["medical_areas"]
    areas = dict(MedicalArea.objects.filter(mvo__in=wanted).values_list("mvo", "name"))
    words = {
        "contract_type": _label(Contract.Type, content["contract_type"]),
        "reimbursement_principle": _label(
            Contract.Reimbursement, content["reimbursement_principle"]
        ),
        "medical_areas": [f"{mvo} {areas.get(mvo, '')}".strip() for mvo in wanted],
        "regions_allowed": [regions.get(code, code) for code in content["regions_allowed"]],
        "period_caps": _period_words(content["period_caps"]),
        "lines": [
            line | {"period_caps": _period_words(line["period_caps"])} for line in content["lines"]
        ],
        "checklist": [
            item
            | {
                "question": _label(ChecklistItem.Question, item["question"]),
                "status": _label(ChecklistItem.Status, item["status"]),
            }
            for item in content["checklist"]
        ],
    }
    return content | words


def _label(choices: type[TextChoices], value: str) -> str:
    return str(dict(choices.choices).get(value, value))


def _period_words(caps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cap | {"period": _label(Period, cap["period"])} for cap in caps]


def _line(line: ContractLine) -> dict[str, Any]:
    return {
        "id": line.pk,
        "kva": line.kva,
        "care_unit": line.care_unit.hsa_id,
        "care_unit_name": line.care_unit.name,
        "price_sek": line.price_sek,
        "included": line.included,
        "asa_ceiling": line.asa_ceiling,
        "age_min": line.age_min,
        "age_max": line.age_max,
        "cap_volume": line.cap_volume,
        "cap_sek": line.cap_sek,
        "period_caps": [_period_cap(cap) for cap in line.period_caps.all()],
        "is_active": line.is_active,
    }


def _period_cap(cap: PeriodCap) -> dict[str, Any]:
    return {"period": cap.period, "cap_volume": cap.cap_volume, "cap_sek": cap.cap_sek}
