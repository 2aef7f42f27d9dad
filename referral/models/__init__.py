"""Cases, forms, the guarantee clock's pauses, offers, certificates and the case log."""

from referral.models.cases import Case, CaseNumberCounter, CaseState, CloseReason, Pause, Phase
from referral.models.intake import Attachment, IntakeForm, IntakeFormVersion
from referral.models.log import CaseLog, LogVerb
from referral.models.offers import (
    AnswerChannel,
    Certificate,
    DeclineReason,
    Offer,
    Referral,
    RejectionReason,
)

__all__ = [
    "AnswerChannel",
    "Attachment",
    "Case",
    "CaseLog",
    "CaseNumberCounter",
    "CaseState",
    "Certificate",
    "CloseReason",
    "DeclineReason",
    "IntakeForm",
    "IntakeFormVersion",
    "LogVerb",
    "Offer",
    "Pause",
    "Phase",
    "Referral",
    "RejectionReason",
]
