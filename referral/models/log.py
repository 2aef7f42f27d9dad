"""The case log: one row per transition, append-only in the database (design 5.2)."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from organisations.models import User
from referral.models.cases import Case, CaseState, CloseReason, Pause
from referral.models.offers import DeclineReason, RejectionReason


class LogVerb(models.TextChoices):
    """What happened, in words for the timeline. The state machine's verbs and notices."""

    SUBMIT = "submit", _("Blanketten kom in")
    RESUBMIT = "resubmit", _("Kompletterad blankett kom in")
    TAKE = "take", _("Vårdlots tog ärendet")
    ASSIGN = "assign", _("Vårdlots tog över ärendet")
    RETURN_TO_CLINIC = "return_to_clinic", _("Blanketten gick åter till kliniken")
    OFFER = "offer", _("Erbjudande skickades")
    ACCEPT = "accept", _("Patienten tackade ja")
    DECLINE = "decline", _("Patienten tackade nej")
    WITHDRAW_OFFER = "withdraw_offer", _("Erbjudandet återtogs")
    EXPIRE_OFFER = "expire_offer", _("Erbjudandet löpte ut utan svar")
    CONFIRM = "confirm", _("Vårdgivaren bekräftade remissen")
    REJECT = "reject", _("Vårdgivaren avvisade remissen")
    BOOK = "book", _("Tid bokades")
    TREAT = "treat", _("Patienten behandlades")
    CLOSE = "close", _("Återremiss skickades och ärendet avslutades")
    PARK = "park", _("Ärendet lades på bevakningslistan")
    REVIEW = "review", _("Ärendet på bevakningslistan sågs över")
    DISMISS_HIT = "dismiss_hit", _("Träff på bevakningslistan avfärdades")
    UNPARK = "unpark", _("Handläggningen återupptogs")
    END = "end", _("Ärendet avslutades utan förmedling")
    LEAVE_LIST = "leave_list", _("Patienten behöver inte längre vården")
    NOTE = "note", _("Anteckning")
    PAUSE = "pause", _("Vårdgarantin pausades")
    END_PAUSE = "end_pause", _("Pausen avslutades")
    NOTICE_SENT = "notice_sent", _("Meddelande skickades")
    NOTICE_READ = "notice_read", _("Patienten läste meddelandet")
    NOTICE_FAILED = "notice_failed", _("Meddelande kunde inte skickas")
    LETTER_SENT = "letter_sent", _("Brev lämnades till tryckeriet")
    LETTER_RETURNED = "letter_returned", _("Brev kom i retur")
    CAMPAIGN_ANSWER = "campaign_answer", _("Patienten svarade på kampanjens meddelande")
    CALL_ASKED = "call_asked", _("Patienten vill bli uppringd")
    CALL_BOOKED = "call_booked", _("Uppringning bokades")
    CALL_REBOOKED = "call_rebooked", _("Uppringningen flyttades")
    CALL_CANCELLED = "call_cancelled", _("Uppringningen avbokades")
    CALL_TAKEN_OVER = "call_taken_over", _("Uppringningen togs över av en kollega")
    CALL_DONE = "call_done", _("Patienten ringdes upp")
    CALL_MISSED = "call_missed", _("Patienten svarade inte på uppringningen")
    BLOCK = "block", _("Uppgifterna spärrades på patientens begäran")
    LIFT_BLOCK = "lift_block", _("Spärren hävdes")
    CONSENT = "consent", _("Patientens besked om samtycke antecknades")
    WITHDRAW_CONSENT = "withdraw_consent", _("Samtycket återkallades")
    EMERGENCY_OPEN = "emergency_open", _("Nödöppning av spärrade uppgifter")
    CORRECT_PATIENT = "correct_patient", _("Patientuppgifter rättades")
    CORRECT_PATHWAY = "correct_pathway", _("Uppgifterna om vårdförloppet rättades")
    MOVE_PATIENT = "move_patient", _("Ärendet flyttades till rätt patient")
    PROTECT = "protect", _("Skyddad identitet antecknades")
    UNPROTECT = "unprotect", _("Skyddad identitet hävdes")
    DEPART = "depart", _("Patienten antecknades som avliden eller utflyttad")
    UNDO_DEPART = "undo_depart", _("Anteckningen om avliden eller utflyttad hävdes")
    STRIKE_NOTE = "strike_note", _("Anteckning märktes som felaktig")
    EXPORT = "export", _("Registerutdrag gjordes")


class CaseLog(models.Model):
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="log")
    at = models.DateTimeField(_("tidpunkt"))
    verb = models.CharField(_("vad"), max_length=24, choices=LogVerb)
    from_state = models.CharField(max_length=12, choices=CaseState, blank=True)
    to_state = models.CharField(max_length=12, choices=CaseState)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    place = models.CharField(_("enhet"), max_length=120, blank=True)
    why = models.TextField(_("varför"), blank=True)
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    # Set by the timeline for a note: the entry that marks it wrong, and whether the reader may.
    struck: "CaseLog | None" = None
    may_strike: bool = False

    class Meta:
        ordering = ("pk",)
        verbose_name = _("händelse i ärendet")
        verbose_name_plural = _("ärendelogg")
        indexes = (models.Index(fields=["case", "id"], name="case_log_by_case"),)

    def __str__(self) -> str:
        return f"{self.case} {self.verb}"

    @property
    def reason_label(self) -> str:
        """The coded reason in the details, in words; empty when the verb has none."""
        codes = {
            LogVerb.DECLINE: DeclineReason,
            LogVerb.REJECT: RejectionReason,
            LogVerb.END: CloseReason,
            LogVerb.PAUSE: Pause.Reason,
        }.get(LogVerb(self.verb))
        reason = self.details.get("reason")
        return str(codes(reason).label) if codes and reason in codes.values else ""

    @property
    def channel_label(self) -> str:
        """How the message went or the answer came, in words."""
        words = {
            "1177": "1177",
            "digital": _("digital post"),
            "letter": _("brev"),
            "email": _("e-post"),
            "phone": _("telefon"),
            "page": _("egna sidan"),
        }
        return str(words.get(self.details.get("channel", ""), ""))
