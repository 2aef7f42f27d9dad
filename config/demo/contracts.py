"""What completes the demonstration's contracts: people, checklist, period caps and versions."""

from datetime import datetime, timedelta

from django.utils import timezone

from contracts.models import ChecklistItem, Contract, ContractContact, Period, PeriodCap
from contracts.services.registry import record_change
from organisations.access import Actor
from organisations.models import Role

ANSWERS = {
    "results": "Utförande enhet meddelar patienten inom två veckor, med kopia till hemkliniken.",
    "steps": "Nybesök, åtgärd, vård och ett återbesök. Preoperativa prover tas på hemorten.",
    "deviations": "Avvikelser anmäls till båda vårdgivarnas chefläkare inom en vecka.",
    "information": "Remiss och svar går i Vårdlots. Bilder skickas mellan bildarkiven.",
    "cap": "Avtalsägaren följer taket i Vårdlots. Alla som avropar ser hur mycket som är kvar.",
}


def complete_contract(contract: Contract, *, serial: int, now: datetime) -> None:
    """Contact people, a checklist that is settled on most contracts, and a first version."""
    made_at = now - timedelta(days=480)
    settled = serial % 3 != 0
    ContractContact.objects.create(
        contract=contract,
        name="Avtalsenheten",
        side="owner",
        about="cap",
        email=f"avtal.{contract.owner_region_id}@vardlots.example",
    )
    ContractContact.objects.create(
        contract=contract,
        name="Planeringen",
        side="provider",
        about="booking",
        phone=f"0980-319 2{serial % 10}",
    )
    for question, answer in ANSWERS.items():
        done = settled or question in {"steps", "cap"}
        ChecklistItem.objects.create(
            contract=contract,
            question=question,
            status="agreed" if done else "open",
            answer=answer if done else "",
            settled_at=made_at if done else None,
            settled_by="Avtalsenheten" if done else "",
        )
    if serial % 5 == 0:
        PeriodCap.objects.create(
            contract=contract,
            period=Period.MONTH,
            cap_volume=40,
            applies_from=timezone.localdate(now),
        )
    owner = Actor(role=Role.CONTRACT_OWNER, name="Avtalsenheten", region=contract.owner_region_id)
    record_change(contract, why="Avtalet lades upp.", actor=owner, now=made_at)
