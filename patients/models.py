"""Patients: identity, ways to reach them, protected identity."""

from datetime import date

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from organisations.addresses import neighbourhood
from organisations.encrypted import EncryptedTextField, KeyedHashField
from organisations.models import Municipality

DEPARTED = Q(deceased_on__isnull=False) | Q(emigrated_on__isnull=False)


class Patient(models.Model):
    """A person who waits for care. The identity number is unique in the whole installation."""

    class IdentityKind(models.TextChoices):
        PERSONNUMMER = "personnummer", _("Personnummer")
        SAMORDNINGSNUMMER = "samordningsnummer", _("Samordningsnummer")
        RESERVNUMMER = "reservnummer", _("Reservnummer")

    class Sex(models.TextChoices):
        FEMALE = "F", _("Kvinna")
        MALE = "M", _("Man")
        UNKNOWN = "", _("Uppgift saknas")

    class Protection(models.TextChoices):
        """Skyddade personuppgifter; codes as HL7 Sweden's security labels."""

        NONE = "none", _("Ingen skyddad identitet")
        CONFIDENTIALITY_MARK = "sekretessmarkering", _("Sekretessmarkering")
        PROTECTED_REGISTRATION = "skyddadFolkbokforing", _("Skyddad folkbokföring")

    PROTECTED = frozenset({Protection.CONFIDENTIALITY_MARK, Protection.PROTECTED_REGISTRATION})

    identity_number = EncryptedTextField(
        _("personnummer"), max_length=12, shape=r"[0-9]{8}[0-9A-Z]{4}"
    )
    identity_hash = KeyedHashField(source="identity_number", unique=True)
    identity_kind = models.CharField(max_length=20, choices=IdentityKind)
    given_name = models.CharField(_("förnamn"), max_length=80)
    family_name = models.CharField(_("efternamn"), max_length=80)
    birth_date = models.DateField(_("födelsedatum"), null=True, blank=True)
    sex = models.CharField(_("kön"), max_length=1, choices=Sex, blank=True, default="")
    municipality = models.ForeignKey(
        Municipality, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    protection = models.CharField(
        _("skyddad identitet"), max_length=20, choices=Protection, default=Protection.NONE
    )
    street = EncryptedTextField(_("gatuadress"), max_length=120, blank=True)
    postal_code = EncryptedTextField(_("postnummer"), max_length=5, blank=True, shape=r"[0-9]{5}")
    town = EncryptedTextField(_("ort"), max_length=60, blank=True)
    neighbourhood_hash = KeyedHashField(
        source="neighbourhood", meaning="neighbourhood", blank=True, default="", db_default=""
    )
    phone = EncryptedTextField(_("telefon"), max_length=30, blank=True)
    language = models.CharField(_("språk"), max_length=40, blank=True)
    # Either stops everything that would be sent (patients.services.record_departure).
    deceased_on = models.DateField(_("avliden"), null=True, blank=True)
    emigrated_on = models.DateField(_("utflyttad från Sverige"), null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("family_name", "given_name")
        verbose_name = _("patient")
        verbose_name_plural = _("patienter")
        constraints = (
            # Shapes are checked by the fields; that nothing lies in plain text, by the database.
            models.CheckConstraint(
                name="patient_identity_number_encrypted", condition=Q(identity_number__sealed=True)
            ),
            models.CheckConstraint(
                name="patient_street_encrypted", condition=Q(street="") | Q(street__sealed=True)
            ),
            models.CheckConstraint(
                name="patient_postal_code_encrypted",
                condition=Q(postal_code="") | Q(postal_code__sealed=True),
            ),
            models.CheckConstraint(
                name="patient_town_encrypted", condition=Q(town="") | Q(town__sealed=True)
            ),
            models.CheckConstraint(
                name="patient_phone_encrypted", condition=Q(phone="") | Q(phone__sealed=True)
            ),
            # Skatteverket forwards post to people with protected identity; no address is kept.
            models.CheckConstraint(
                name="patient_protected_has_no_address",
                condition=Q(protection="none")
                | Q(street="", postal_code="", town="", municipality__isnull=True),
            ),
            models.CheckConstraint(
                name="patient_not_deceased_before_birth",
                condition=Q(deceased_on__isnull=True)
                | Q(birth_date__isnull=True)
                | Q(deceased_on__gte=F("birth_date")),
            ),
        )
        # Search by part of a name compares in upper case (Django's ``icontains``).
        indexes = (
            GinIndex(
                OpClass(Upper("given_name"), name="gin_trgm_ops"), name="patient_given_name_trgm"
            ),
            GinIndex(
                OpClass(Upper("family_name"), name="gin_trgm_ops"), name="patient_family_name_trgm"
            ),
            models.Index(fields=["id"], name="patient_departed", condition=DEPARTED),
        )

    def __str__(self) -> str:
        return self.display_name

    @property
    def is_protected(self) -> bool:
        return self.protection in self.PROTECTED

    @property
    def neighbourhood(self) -> str:
        return neighbourhood(self.street, self.postal_code)

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def display_name(self) -> str:
        """The name as lists may show it: none for a protected identity (design 5.6)."""
        return str(_("Skyddad identitet")) if self.is_protected else self.full_name

    @property
    def identity_formatted(self) -> str:
        return f"{self.identity_number[:8]}-{self.identity_number[8:]}"

    @property
    def has_departed(self) -> bool:
        """Whether the patient has died or moved abroad: nothing is sent any more."""
        return bool(self.deceased_on or self.emigrated_on)

    @property
    def departure(self) -> str:
        """That the patient has died or moved abroad, and when, in words; else empty."""
        if self.deceased_on:
            return str(_("Patienten avled %(day)s.") % {"day": f"{self.deceased_on:%Y-%m-%d}"})
        if self.emigrated_on:
            day = f"{self.emigrated_on:%Y-%m-%d}"
            return str(_("Patienten flyttade från Sverige %(day)s.") % {"day": day})
        return ""

    def age_at(self, day: date) -> int | None:
        """Whole years at ``day``; ``None`` when the birth date is not known."""
        if self.birth_date is None:
            return None
        had_birthday = (day.month, day.day) >= (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - (0 if had_birthday else 1)
