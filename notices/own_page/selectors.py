"""What the patient's own page shows of the one case: read as the patient, past no policy."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from notices.callbacks.models import CallBack
from notices.campaigns.answers import question_to
from notices.own_page.languages import EASY, SWEDISH
from notices.own_page.models import AnswerCode
from notices.texts.kinds import TextKind
from notices.texts.writing import write
from organisations.access import Actor, as_product
from organisations.errors import InvalidInput
from organisations.models import Region
from referral.machine import BEFORE_PROVIDER, CaseNotFound
from referral.models import Case, Certificate, Offer
from referral.texts import remaining_home_wait


@dataclass(frozen=True)
class Contact:
    """Whom to call; either may be empty where the region has not entered it."""

    name: str
    phone: str

    @classmethod
    def of(cls, region: Region | None) -> "Contact":
        if region is None:
            return cls("", "")
        return cls(region.navigator_unit_name or region.name, region.navigator_phone)


@dataclass(frozen=True, kw_only=True)
class OwnCase:
    """The patient's case as it stands. No name, no address, no identity number: whoever looks over
    the shoulder, or a protected identity, learns nothing of the person here."""

    case: Case
    contact: Contact
    home_wait: int | None
    # The latest offer, and the one of it that can be answered now.
    offer: Offer | None
    open_offer: Offer | None
    certificate: Certificate | None
    booked_for: datetime | None
    call: CallBack | None
    # Whether a campaign has asked the patient and waits for the answer.
    asked: bool

    @property
    def agreed(self) -> Offer | None:
        """The offer that the patient has said yes to and that still holds."""
        accepted = self.offer is not None and self.offer.state == Offer.State.ACCEPTED
        return self.offer if accepted else None

    @property
    def may_leave(self) -> bool:
        """Whether the patient can leave the waiting list here: no provider has the referral."""
        return self.case.state in BEFORE_PROVIDER

    @property
    def answer_by(self) -> date | None:
        """The last day to answer the offer that waits."""
        last = self.open_offer.due_at - timedelta(microseconds=1) if self.open_offer else None
        return timezone.localdate(last) if last else None

    @property
    def last_day(self) -> date | None:
        """The guarantee's last day, while its clock runs."""
        case = self.case
        stopped = case.paused_from or case.clock_stopped_on or not case.is_open
        return None if stopped else case.last_day


def own_case(actor: Actor, *, now: datetime) -> OwnCase:
    """The actor's own case. Raises :class:`CaseNotFound`, also once the patient has departed."""
    case = (
        Case.objects.visible_to(actor)
        .select_related("region", "sending_unit", "receiving_unit", "patient")
        .first()
    )
    if case is None or case.patient.has_departed:
        raise CaseNotFound(_("Ärendet finns inte."))
    offer = (
        case.offers.select_related(
            *("care_unit__municipality", "referral", "certificate", "written__version")
        )
        .order_by("-serial")
        .first()
    )
    stands = offer is not None and offer.state == Offer.State.SENT and now < offer.due_at
    agreed = offer is not None and offer.state == Offer.State.ACCEPTED
    return OwnCase(
        case=case,
        contact=Contact.of(case.region),
        home_wait=remaining_home_wait(case, today=timezone.localdate(now)),
        offer=offer,
        open_offer=offer if stands else None,
        certificate=getattr(offer, "certificate", None) if agreed else None,
        booked_for=offer.referral.booked_for if offer and agreed else None,
        call=case.call_backs.select_related("time")
        .filter(state__in=CallBack.COMING)
        .order_by("-pk")
        .first(),
        asked=question_to(case) is not None,
    )


@dataclass(frozen=True)
class Reading:
    """The offer in the language of the page: ``translated`` when it is not the text as sent."""

    text: str
    language: str
    translated: bool
    sent_in: str = SWEDISH


def offer_in(language: str, offer: Offer, *, now: datetime) -> Reading:
    """The offer written anew in the page's language where there is a text in it, else as sent."""
    sent = getattr(offer, "written", None)
    sent_in = (sent.version.language, sent.version.easy) if sent else (SWEDISH, False)
    as_sent = Reading(offer.text, sent_in[0], translated=False)
    easy = language == EASY
    code = SWEDISH if easy else language
    if (code, easy) == sent_in:
        return as_sent
    try:
        written = write(
            TextKind.OFFER, case=offer.case, now=now, offer=offer, language=code, easy=easy
        )
    except (InvalidInput, LookupError):  # a field that the row does not keep
        return as_sent
    if (written.language, written.easy) != (code, easy):
        return as_sent
    return Reading(written.body, code, translated=True, sent_in=sent_in[0])


def code_state(case: Case) -> AnswerCode | None:
    """The tries at the case's code, for staff who may see the case; never the code."""
    with as_product("state of the answer code"):
        return AnswerCode.objects.filter(case_number=case.number).first()


def contact_for(number: str) -> Contact:
    """Whom to call about a case number, whether there is such a case or not."""
    with as_product("whom to call"):
        return Contact.of(Region.objects.filter(pk=number[:2]).first())
