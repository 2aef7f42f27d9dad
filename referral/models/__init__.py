"""Cases, forms, the guarantee clock's pauses, offers, certificates and the case log."""

from referral.models.allocation import AllocationRow, AllocationRun, OfferDraft
from referral.models.cases import (
    BlockReach,
    Case,
    CaseNumberCounter,
    CaseState,
    CloseReason,
    Pause,
    Phase,
    ReferralCause,
    WatchKind,
)
from referral.models.intake import Attachment, IntakeForm, IntakeFormVersion
from referral.models.log import CaseLog, LogVerb
from referral.models.offers import (
    PATIENTS_OWN,
    TOLD_TO_STAFF,
    AnswerChannel,
    Certificate,
    DeclineReason,
    Offer,
    Referral,
    RejectionReason,
)
from referral.models.privacy import (
    OF_PATHWAY,
    Block,
    Consent,
    Correction,
    EmergencyOpening,
    RetentionHold,
)
from referral.models.waiting_list import WaitingListFile
from referral.models.watch import WatchHit

__all__ = [
    "OF_PATHWAY",
    "PATIENTS_OWN",
    "TOLD_TO_STAFF",
    "AllocationRow",
    "AllocationRun",
    "AnswerChannel",
    "Attachment",
    "Block",
    "BlockReach",
    "Case",
    "CaseLog",
    "CaseNumberCounter",
    "CaseState",
    "Certificate",
    "CloseReason",
    "Consent",
    "Correction",
    "DeclineReason",
    "EmergencyOpening",
    "IntakeForm",
    "IntakeFormVersion",
    "LogVerb",
    "Offer",
    "OfferDraft",
    "Pause",
    "Phase",
    "Referral",
    "ReferralCause",
    "RejectionReason",
    "RetentionHold",
    "WaitingListFile",
    "WatchHit",
    "WatchKind",
]
