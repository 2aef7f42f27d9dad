"""The notices and calls of a case in a patient's extract (referral.patient_extract)."""

from django.utils.translation import gettext as _

from notices.models import PrintedLetter
from referral.models import Case
from referral.patient_extract import Part, facts_of


def part_of(case: Case) -> Part:
    """What was sent to the patient; e-mails go to units and administrators."""
    names = ("kind", "channel", "state", "subject", "body", "created_at", "sent_at", "read_at")
    sent = case.notices.exclude(channel="email")
    return Part("notices", _("Meddelanden"), [facts_of(notice, *names) for notice in sent])


def letters_of_case(case: Case) -> Part:
    """What the print provider has told of each letter to the patient."""
    letters = PrintedLetter.objects.filter(case=case)
    names = ("file", "state", "reason", "told_on", "handled_at")
    return Part("printed_letters", _("Brev"), [facts_of(letter, *names) for letter in letters])


def calls_of_case(case: Case) -> Part:
    """The calls, with their time and what came of them."""
    names = ("state", "time", "phone", "about", "booked_by", "booked_at", "tries")
    calls = case.call_backs.select_related("time")
    rows = [facts_of(call, *names, "ended_at", "outcome") for call in calls]
    return Part("call_backs", _("Uppringningar"), rows)
