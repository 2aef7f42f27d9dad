"""Everything that changes a case, a form or an offer. One verb, one function, one transaction."""

from referral.services.handling import (
    assign,
    end,
    end_pause,
    note,
    park,
    pause,
    record_notice,
    return_to_clinic,
    take,
    unpark,
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
from referral.services.offers import answer_offer, expire_offers, send_offer, withdraw_offer
from referral.services.provider import book, close, confirm, reject, treat

__all__ = [
    "add_attachment",
    "answer_offer",
    "assign",
    "book",
    "close",
    "confirm",
    "create_draft",
    "discard_draft",
    "end",
    "end_pause",
    "expire_offers",
    "note",
    "park",
    "pause",
    "record_notice",
    "reject",
    "remove_attachment",
    "resubmit",
    "return_to_clinic",
    "save_draft",
    "send_offer",
    "submit",
    "take",
    "treat",
    "unpark",
    "withdraw_offer",
]
