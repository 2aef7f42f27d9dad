"""Invitations, and the history of who gave whom what."""

from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import Q
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from organisations.models.places import HSA_ID_PATTERN, CareUnit, Provider, Region
from organisations.models.users import NAMES_WHERE_IT_HOLDS, Assignment, Role, User

NONCE_LENGTH = 32
_signer = Signer(sep=".", salt="organisations.invitation")


def new_nonce() -> str:
    return get_random_string(NONCE_LENGTH)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, *, now: datetime) -> "InvitationQuerySet":
        """Those that can still be accepted at ``now``."""
        return self.filter(accepted_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now)

    def with_token(self, token: str) -> "InvitationQuerySet":
        """The one whose link bears the token, or none."""
        try:
            return self.filter(nonce=_signer.unsign(token))
        except BadSignature:
            return self.none()


class Invitation(models.Model):
    """An assignment offered to a person by e-mail, taken up once by a link that expires.

    The link's token is the nonce with a signature, so that no link can be made from the database
    alone. A new nonce makes the old link worthless. The e-mail is due at ``due_at``; nothing is
    due once it is sent.
    """

    name = models.CharField(_("namn"), max_length=120)
    email = models.EmailField(_("e-post"))
    hsa_id = models.CharField(_("HSA-id"), max_length=31, blank=True)
    role = models.CharField(_("roll"), max_length=16, choices=Role)
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    care_unit = models.ForeignKey(
        CareUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    nonce = models.CharField(max_length=NONCE_LENGTH, unique=True, default=new_nonce)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField(_("inbjuden"))
    expires_at = models.DateTimeField(_("gäller till"))
    due_at = models.DateTimeField(_("ska skickas"), null=True, blank=True)
    sent_at = models.DateTimeField(_("skickad"), null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    accepted_at = models.DateTimeField(_("antagen"), null=True, blank=True)
    assignment = models.OneToOneField(
        Assignment, on_delete=models.PROTECT, null=True, blank=True, related_name="invitation"
    )
    withdrawn_at = models.DateTimeField(_("återtagen"), null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("inbjudan")
        verbose_name_plural = _("inbjudningar")
        constraints = (
            models.CheckConstraint(
                name="invitation_names_where_it_holds", condition=NAMES_WHERE_IT_HOLDS
            ),
            models.CheckConstraint(
                name="invitation_hsa_id_shape",
                condition=Q(hsa_id="") | Q(hsa_id__regex=HSA_ID_PATTERN),
            ),
            models.CheckConstraint(
                name="invitation_expires_after_sent",
                condition=Q(expires_at__gt=models.F("invited_at")),
            ),
            models.CheckConstraint(
                name="invitation_accepted_gives_assignment",
                condition=Q(accepted_at__isnull=True, assignment__isnull=True)
                | Q(accepted_at__isnull=False, assignment__isnull=False),
            ),
            models.CheckConstraint(
                name="invitation_not_accepted_and_withdrawn",
                condition=Q(accepted_at__isnull=True) | Q(withdrawn_at__isnull=True),
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at", "id"],
                name="invitation_due",
                condition=models.Q(due_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} – {self.get_role_display()}"

    @property
    def token(self) -> str:
        return _signer.sign(self.nonce)

    @property
    def place(self) -> str:
        found = self.care_unit or self.provider or self.region
        return str(found) if found else ""


class AdministrationLog(models.Model):
    """One thing done to people, assignments, units, providers or regions: who, what, when.

    Append-only: the database refuses UPDATE, DELETE and TRUNCATE. Holds no patient data.
    """

    class Verb(models.TextChoices):
        INVITED = "invited", _("bjöd in")
        INVITED_AGAIN = "invited_again", _("skickade inbjudan igen till")
        INVITATION_WITHDRAWN = "invitation_withdrawn", _("återtog inbjudan till")
        INVITATION_ACCEPTED = "invitation_accepted", _("antog inbjudan")
        ASSIGNMENT_GIVEN = "assignment_given", _("gav uppdrag till")
        ASSIGNMENT_ENDED = "assignment_ended", _("avslutade uppdrag för")
        PERSON_CHANGED = "person_changed", _("ändrade uppgifter om")
        PERSON_SHUT_OFF = "person_shut_off", _("stängde av")
        PERSON_LET_IN = "person_let_in", _("släppte in igen")
        CLIENT_CREATED = "client_created", _("lade upp integrationen")
        UNIT_CREATED = "unit_created", _("lade upp enheten")
        UNIT_CHANGED = "unit_changed", _("ändrade enheten")
        UNIT_CLOSED = "unit_closed", _("stängde enheten")
        UNIT_OPENED = "unit_opened", _("öppnade enheten igen")
        PROVIDER_CREATED = "provider_created", _("lade upp vårdgivaren")
        PROVIDER_CHANGED = "provider_changed", _("ändrade vårdgivaren")
        REGION_CHANGED = "region_changed", _("ändrade regionens inställningar för")
        DELIVERY_RETRIED = "delivery_retried", _("begärde nytt försök med händelsen")

    at = models.DateTimeField(_("tidpunkt"))
    verb = models.CharField(_("vad"), max_length=24, choices=Verb)
    # Whose history it belongs to; empty for what concerns the whole installation.
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    place = models.CharField(_("var"), max_length=120, blank=True)
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    care_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, null=True, related_name="+")
    subject = models.CharField(_("gällde"), max_length=254)
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("administrationshändelse")
        verbose_name_plural = _("administrationslogg")
        indexes = (
            models.Index(fields=["region", "-id"], name="administration_by_region"),
            models.Index(fields=["person", "-id"], name="administration_by_person"),
            models.Index(fields=["care_unit", "-id"], name="administration_by_unit"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.verb} {self.subject}"
