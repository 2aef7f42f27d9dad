"""Users and the assignments that give them a role at a unit, a provider or a region."""

from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from organisations.addresses import neighbourhood
from organisations.encrypted import EncryptedTextField, KeyedHashField
from organisations.models.places import HSA_ID_PATTERN, CareUnit, Provider, Region


class Role(models.TextChoices):
    CLINIC = "clinic", _("Klinik")
    NAVIGATOR = "navigator", _("Vårdlots")
    PROVIDER = "provider", _("Mottagande vårdgivare")
    CONTRACT_OWNER = "contract_owner", _("Avtalsägare")
    MANAGER = "manager", _("Chef")
    REGION_ADMIN = "region_admin", _("Regionadministratör")
    OPERATOR = "operator", _("Systemoperatör")
    INTEGRATION = "integration", _("Integration")


# Which place each role must name. Invitations hold the same rule.
NAMES_WHERE_IT_HOLDS = (
    Q(role="clinic", care_unit__isnull=False, region__isnull=False)
    | Q(role="provider", provider__isnull=False)
    | Q(
        role__in=["navigator", "contract_owner", "manager", "region_admin"],
        region__isnull=False,
    )
    | Q(role="integration", region__isnull=False)
    | Q(role="operator")
)


class UserManager(BaseUserManager["User"]):
    def create_user(self, login: str, *, password: str | None = None, **fields: Any) -> "User":
        user = self.model(login=login, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):  # type: ignore[django-manager-missing]  # of the tokens, by knox
    """A person or a system that logs in. What it may do stands in its assignments."""

    login = models.CharField(_("användarnamn"), max_length=60, unique=True)
    name = models.CharField(_("namn"), max_length=120)
    email = models.EmailField(_("e-post"), blank=True)
    # Claim employeeHsaId of a SITHS login: who the person is, at whichever unit.
    hsa_id = models.CharField(_("HSA-id"), max_length=31, unique=True, null=True, blank=True)
    is_active = models.BooleanField(_("aktiv"), default=True)
    # So that a look at a neighbour is marked in the access log's review; used for nothing else.
    home_street = EncryptedTextField(
        _("gatuadress hem"), max_length=120, blank=True, default="", db_default=""
    )
    home_postal_code = EncryptedTextField(
        _("postnummer hem"), max_length=5, blank=True, shape=r"[0-9]{5}", default="", db_default=""
    )
    home_hash = KeyedHashField(
        source="neighbourhood", meaning="neighbourhood", blank=True, default="", db_default=""
    )
    # Counts up when the user logs out everywhere; every session bears the number of its day.
    login_epoch = models.PositiveIntegerField(default=0)

    objects = UserManager()

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ("name",)
        verbose_name = _("användare")
        verbose_name_plural = _("användare")
        constraints = (
            models.CheckConstraint(
                name="user_hsa_id_shape",
                condition=Q(hsa_id__isnull=True) | Q(hsa_id__regex=HSA_ID_PATTERN),
            ),
            models.CheckConstraint(
                name="user_home_street_encrypted",
                condition=Q(home_street="") | Q(home_street__sealed=True),
            ),
            models.CheckConstraint(
                name="user_home_postal_code_encrypted",
                condition=Q(home_postal_code="") | Q(home_postal_code__sealed=True),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    @property
    def neighbourhood(self) -> str:
        return neighbourhood(self.home_street, self.home_postal_code)

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Django ends a session whose hash is another: a new password does it, a new epoch too."""
        return salted_hmac(
            "organisations.User.session",
            f"{self.password}:{self.login_epoch}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def live(self, *, now: datetime) -> "AssignmentQuerySet":
        """Those that hold at ``now``: from their start until their end."""
        return self.filter(starts_at__lte=now).unended(now=now)

    def unended(self, *, now: datetime) -> "AssignmentQuerySet":
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now))

    def ruled_by(self, region: str) -> "AssignmentQuerySet":
        """Those that the region's administrator answers for (docs/decisions/0008)."""
        return self.filter(ruled_by(region))


def ruled_by(region: str) -> Q:
    """Assignments and invitations of a region: by their unit, else provider, else region."""
    return (
        Q(care_unit__region=region)
        | Q(care_unit__isnull=True, provider__region=region)
        | Q(care_unit__isnull=True, provider__isnull=True, region=region)
    )


class Assignment(models.Model):
    """Uppdrag: the role a user has, where, and since when. Ended, never deleted."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(_("roll"), max_length=16, choices=Role)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, blank=True)
    care_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, null=True, blank=True)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, null=True, blank=True)
    starts_at = models.DateTimeField(_("från"))
    ends_at = models.DateTimeField(_("till"), null=True, blank=True)
    # Given by the commission in a SITHS login, for as long as that login may last; not by a person.
    from_login = models.BooleanField(_("från inloggningen"), default=False)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        verbose_name = _("uppdrag")
        verbose_name_plural = _("uppdrag")
        constraints = (
            models.CheckConstraint(
                name="assignment_names_where_it_holds",
                condition=NAMES_WHERE_IT_HOLDS,
            ),
            models.CheckConstraint(
                name="assignment_ends_after_start",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=models.F("starts_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} – {self.get_role_display()}"

    @property
    def place(self) -> str:
        """Where it holds, as people call it; empty for the operator."""
        found = self.care_unit or self.provider or self.region
        return str(found) if found else ""
