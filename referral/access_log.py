"""What the access log's ``what`` says, in words, and how a form is written there."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from organisations.access import Actor, record_access
from referral.models import IntakeForm, LogVerb

# Looks at one patient; the rest of what the log holds are lists, changes and reviews.
LOOKS = {
    "case": _("Öppnade ärendet"),
    "log": _("Läste ärendets händelser"),
    "form": _("Öppnade blanketten"),
    "matching": _("Sökte vårdgivare åt patienten"),
    "offers": _("Läste erbjudanden"),
    "notices": _("Läste meddelanden till patienten"),
    "calls": _("Läste uppringningar till patienten"),
    "certificate": _("Hämtade vårdgarantiintyg"),
    "attachment": _("Hämtade en bilaga"),
    "campaign_sample": _("Läste patientens meddelande i ett stickprov ur en kampanj"),
    "campaign_row": _("Öppnade patientens svar på en kampanj"),
    "running case": _("Såg att patienten har ett pågående ärende"),
}
LISTS = {
    "list": _("Såg ärendet i en lista"),
    "drafts": _("Såg utkastet i en lista"),
    "phone_times": _("Såg ärendet bland telefontider"),
    "calls_today": _("Såg ärendet bland dem som ska ringas upp"),
    "allocation": _("Såg ärendet i en fördelning av väntelistan"),
    "allocation_file": _("Hämtade en fördelning av väntelistan som fil"),
    "waiting_list": _("Såg ärendet i utfallet av en väntelista"),
    "waiting_list_file": _("Hämtade en väntelista med utfall som fil"),
    "offer_drafts": _("Såg utkastet till erbjudande i en lista"),
    "campaign_patients": _("Såg ärendet bland en kampanjs patienter"),
    "undelivered": _("Såg ärendet bland utskick att ta hand om"),
}
CHANGES = {
    "answer": _("Registrerade patientens svar"),
    "offer_drafted": _("Gjorde ett utkast till erbjudande"),
    "offer_draft_discarded": _("Kastade utkastet till erbjudande"),
    "draft_saved": _("Skrev i blanketten"),
    "draft_discarded": _("Kastade utkastet"),
    "attachment_added": _("Bifogade en fil"),
    "attachment_removed": _("Tog bort en bilaga"),
    "notice_again": _("Begärde att ett meddelande skickas på nytt"),
    "notice_as_letter": _("Begärde att ett meddelande går som brev"),
    "return_again": _("Begärde att ett brev i retur skickas på nytt"),
    "return_done": _("Tog hand om ett brev i retur"),
}
REVIEWS = {
    "log_review": _("Granskade åtkomstloggen"),
    "log_extract": _("Tog fram loggutdrag åt patienten"),
}


def words_for(what: str) -> str:
    """What was done, for a person to read."""
    for words in (LOOKS, LISTS, CHANGES, REVIEWS):
        if what in words:
            return str(words[what])
    return str(LogVerb(what).label) if what in LogVerb.values else what


def record_form_access(
    actor: Actor, form: IntakeForm, *, what: str, now: datetime, of_change: bool = False
) -> None:
    """A form is its case's; before there is one the log keeps the form's own key."""
    cases = [(form.case.number, form.case.patient_id)] if form.case else []
    forms = [] if form.case else [form.pk]
    record_access(actor, what=what, now=now, cases=cases, forms=forms, of_change=of_change)
