"""A case with a row in every table, and everybody who must get nothing of it."""

from collections.abc import Callable

from django.utils import timezone

from notices.callbacks.services import ask_for_call
from notices.models import LetterBatch, Notice, PrintedLetter
from organisations.access import Actor
from organisations.events import deliver_events
from patients.services import ContactDetails
from referral import services
from referral.models import Attachment, CaseState, Pause, WatchHit
from tests.factories import (
    LONG_AGO,
    CareUnitFactory,
    MadeCase,
    RegionFactory,
    advance,
    clinic_actor,
    contract_owner_actor,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    operator_actor,
    provider_actor,
    region_admin_actor,
)


def whole_case(state: CaseState = CaseState.CLOSED, *, region: str = "13") -> MadeCase:
    """A case with a row in every table that has any."""
    made = make_case(
        CaseState.IN_PROGRESS,
        region=RegionFactory(code=region),
        given_name="Hemliga",
        family_name="Undansson",
    )
    now = timezone.now()
    today = timezone.localdate(now)
    services.pause(
        made.case,
        reason=Pause.Reason.PATIENT,
        first_day=today,
        until=today,
        comment="",
        actor=made.navigator,
        now=now,
    )
    services.correct_patient(
        made.case,
        contact=ContactDetails(given_name="Hemliga", family_name="Undansson", phone="070-1"),
        reason="Telefon saknades.",
        actor=made.clinic,
        now=now,
    )
    Attachment.objects.create(
        form=made.case.form,
        file="x",
        name="x.pdf",
        content_type="application/pdf",
        size=1,
        sha256="0" * 64,
        uploaded_at=LONG_AGO,
    )
    advance(made, CaseState.WATCHED)
    WatchHit.objects.create(
        case=made.case, cause="contract", line=made.line, event_id=0, found_at=now
    )
    services.unpark(made.case, actor=made.navigator, now=now)
    ask_for_call(made.case, about="Resan", actor=made.navigator, now=now)
    advance(made, state)
    deliver_events(now=timezone.now())
    if made.case.notices.exists():
        returned_letter(made)
    return made


def returned_letter(made: MadeCase) -> PrintedLetter:
    """A letter about the case that the print provider has had back."""
    now = timezone.now()
    batch = LetterBatch.objects.create(created_at=now, due_at=now, delivered_at=now)
    return PrintedLetter.objects.create(
        case=made.case,
        notice=Notice.objects.filter(case=made.case).earliest("pk"),
        batch=batch,
        file="x.pdf",
        sha256="0" * 64,
        state=PrintedLetter.State.RETURNED,
        told_on=timezone.localdate(now),
    )


# Everybody who has nothing to do with the case, and those at home who see no patients.
STRANGERS: dict[str, Callable[[MadeCase], Actor]] = {
    "a navigator of another region": lambda _made: navigator_actor(RegionFactory(code="14")),
    "another clinic of the region": lambda made: clinic_actor(
        CareUnitFactory(region=made.unit.region, sends=True)
    ),
    "another provider": lambda _made: provider_actor(CareUnitFactory()),
    "another unit of the provider": lambda made: provider_actor(
        CareUnitFactory(provider=made.line.care_unit.provider)
    ),
    "another region's contract owner": lambda _made: contract_owner_actor(RegionFactory(code="14")),
    "the region's contract owner": lambda made: contract_owner_actor(made.unit.region),
    "the region's manager": lambda made: manager_actor(made.unit.region),
    "the region's administrator": lambda made: region_admin_actor(made.unit.region),
    "the operator": lambda _made: operator_actor(),
    "another region's integration": lambda _made: integration_actor(RegionFactory(code="14")),
    "another unit's integration": lambda made: integration_actor(
        made.unit.region, CareUnitFactory(region=made.unit.region, sends=True)
    ),
}
