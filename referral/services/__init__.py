"""Everything that changes a case, a form or an offer. One verb, one function, one transaction."""

from referral.services.allocation import (
    accept_allocation,
    request_allocation,
    run_allocations,
)
from referral.services.blocks import (
    block,
    follow_up_opening,
    lift_block,
    open_in_emergency,
    open_with_consent,
)
from referral.services.consents import record_consent, withdraw_consent
from referral.services.corrections import (
    correct_patient,
    depart,
    lift_hold,
    move_patient,
    place_hold,
    protect,
    strike_note,
    undo_depart,
    unprotect,
)
from referral.services.drafts import discard_drafts, send_drafts
from referral.services.handling import (
    assign,
    end,
    end_pause,
    note,
    pause,
    record_notice,
    return_to_clinic,
    take,
)
from referral.services.intake import (
    add_attachment,
    create_draft,
    discard_draft,
    remove_attachment,
    resubmit,
    save_draft,
    submit,
)
from referral.services.offers import (
    answer_offer,
    expire_offers,
    leave_list,
    send_offer,
    withdraw_offer,
)
from referral.services.provider import book, close, confirm, reject, treat
from referral.services.watching import dismiss_hit, mark_seen, park, review, unpark

__all__ = [
    "accept_allocation",
    "add_attachment",
    "answer_offer",
    "assign",
    "block",
    "book",
    "close",
    "confirm",
    "correct_patient",
    "create_draft",
    "depart",
    "discard_draft",
    "discard_drafts",
    "dismiss_hit",
    "end",
    "end_pause",
    "expire_offers",
    "follow_up_opening",
    "leave_list",
    "lift_block",
    "lift_hold",
    "mark_seen",
    "move_patient",
    "note",
    "open_in_emergency",
    "open_with_consent",
    "park",
    "pause",
    "place_hold",
    "protect",
    "record_consent",
    "record_notice",
    "reject",
    "remove_attachment",
    "request_allocation",
    "resubmit",
    "return_to_clinic",
    "review",
    "run_allocations",
    "save_draft",
    "send_drafts",
    "send_offer",
    "strike_note",
    "submit",
    "take",
    "treat",
    "undo_depart",
    "unpark",
    "unprotect",
    "withdraw_consent",
    "withdraw_offer",
]
