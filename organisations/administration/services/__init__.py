"""The verbs of administration: one function each, one transaction, one row of history."""

from organisations.administration.services.assignments import (
    change_person,
    choose_assignment,
    end_assignment,
    give_assignment,
    let_in,
    shut_off,
)
from organisations.administration.services.invitations import (
    accept_as_new,
    accept_invitation,
    invite,
    invite_again,
    invited_user,
    send_invitations,
    withdraw_invitation,
)
from organisations.administration.services.operations import retry_delivery
from organisations.administration.services.places import (
    UnitDetails,
    change_notice_days,
    change_notice_prices,
    change_patient_facts,
    change_region,
    change_unit,
    close_unit,
    create_client,
    create_unit,
    open_unit,
    save_provider,
)

__all__ = [
    "UnitDetails",
    "accept_as_new",
    "accept_invitation",
    "change_notice_days",
    "change_notice_prices",
    "change_patient_facts",
    "change_person",
    "change_region",
    "change_unit",
    "choose_assignment",
    "close_unit",
    "create_client",
    "create_unit",
    "end_assignment",
    "give_assignment",
    "invite",
    "invite_again",
    "invited_user",
    "let_in",
    "open_unit",
    "retry_delivery",
    "save_provider",
    "send_invitations",
    "shut_off",
    "withdraw_invitation",
]
