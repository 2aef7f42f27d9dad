"""What the forms of the demonstration say."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from config.demo import places
from config.demo.people import People, contact_of
from organisations.models import Municipality
from patients.models import Patient
from referral.models import IntakeForm, Phase, ReferralCause
from referral.pathways import FirstTreatment
from referral.submission import Submission

MEDICINES = ("Metoprolol 50 mg", "Omeprazol 20 mg", "Alvedon vid behov", "Levaxin 100 µg")


def submission(
    clinic: places.Clinic,
    *,
    people: People,
    homes: Sequence[Municipality],
    today: date,
    chance: Random,
    is_protected: bool,
    transferable: bool | None,
) -> Submission:
    """A form for a new person; whether he can be transferred is drawn unless told."""
    kva = chance.choice(clinic.codes)
    person = people.draw(child=kva == places.TALK)
    decided = today - timedelta(days=chance.choice((2, 5, 9, 14, 25, 40, 70)))
    protection = Patient.Protection.NONE
    if is_protected:
        protection = Patient.Protection.CONFIDENTIALITY_MARK
    able = chance.random() > 0.03 if transferable is None else transferable
    anticoagulants = chance.random() < 0.15
    medicines = chance.sample(MEDICINES, chance.randint(0, 3))
    if anticoagulants:
        medicines.append("Eliquis 5 mg")
    made = Submission(
        identity_number=person.identity_number,
        **contact_of(
            person,
            chance.choice(homes),
            chance,
            protection=protection,
        ),
        kva=kva,
        icd10=places.DIAGNOSES[kva],
        phase=Phase.FIRST_VISIT if kva == places.TALK else Phase.TREATMENT,
        referral_date=decided - timedelta(days=chance.randint(0, 60)),
        decision_date=decided,
        asa=chance.choices((1, 2, 3, 4), weights=(25, 50, 22, 3))[0],
        svf=kva == places.COLON and chance.random() < 0.3,
        # A few would have gone elsewhere without any wait.
        referral_cause=ReferralCause.FREE_CHOICE
        if decided.day == 13
        else ReferralCause.WAITING_TIME,
        medications="\n".join(medicines),
        anticoagulants=anticoagulants,
        mobility=chance.choice([m.value for m in IntakeForm.Mobility][:3]),
        escort=chance.random() < 0.15,
        transferable=able,
        not_transferable_reason="" if able else "Nyligen hjärtinfarkt, behöver IVA-beredskap.",
        clinician="Doktor Test",
        free_text="",
        **_needs(chance),
    )
    if not made.svf:
        return made
    return replace(
        made,
        svf_pathway="tjock-andtarmscancer",
        suspicion_date=made.referral_date,
        svf_treatment=FirstTreatment.SURGERY,
    )


def _needs(chance: Random) -> dict[str, Any]:
    """A few need an interpreter or equipment, or have a limit on the way."""
    needs: dict[str, Any] = {}
    if chance.random() < 0.08:
        needs["interpreter"] = chance.choice(places.INTERPRETERS)
    if chance.random() < 0.1:
        needs["max_distance_km"] = chance.choice((150, 250, 400))
    if chance.random() < 0.06:
        needs["equipment"] = (chance.choice(places.EQUIPMENT),)
    return needs
