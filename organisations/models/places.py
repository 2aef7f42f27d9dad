"""Regions, municipalities, medical areas, providers and care units."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from organisations.languages import language_names

# HSA-id: SE, ten-digit organisation number, hyphen, letters and digits; at most 31 characters.
HSA_ID_PATTERN = r"^SE[0-9]{10}-[A-Z0-9]{1,18}$"


class TravelPaid(models.TextChoices):
    """How a patient's journey to care elsewhere is paid."""

    BOOKED = "booked", _("Regionen bokar och betalar resan")
    AFTERWARDS = "afterwards", _("Patienten betalar och får ersättning efteråt")


class Funding(models.TextChoices):
    """Who in the region pays for care elsewhere.

    Riksrevisionens interviews in regions say that a central pot makes clinics send more patients
    than when they pay themselves.
    """

    CENTRAL = "central", _("En central pott")
    CLINIC = "clinic", _("Den sändande kliniken")


MOST_UNREAD_DAYS = 60
# By the kind of message (notices.unread).
UNREAD_DAYS = ("unread_booked_time_days", "unread_confirmation_days", "unread_guarantee_days")


def _unread_days(words: Any) -> "models.PositiveSmallIntegerField[int | None, int | None]":
    return models.PositiveSmallIntegerField(words, null=True, blank=True)


class Region(models.Model):
    """A Swedish region. The two-digit county code (SCB) is its key and begins its case numbers."""

    code = models.CharField(_("länskod"), max_length=2, primary_key=True)
    name = models.CharField(_("namn"), max_length=80, unique=True)
    short_name = models.CharField(_("kortnamn"), max_length=40)
    seat_town = models.CharField(_("residensort"), max_length=60)
    latitude = models.DecimalField(max_digits=7, decimal_places=4)
    longitude = models.DecimalField(max_digits=7, decimal_places=4)
    guarantee_days = models.PositiveSmallIntegerField(_("vårdgaranti, dagar"), default=90)
    child_psychiatry_days = models.PositiveSmallIntegerField(
        _("vårdgaranti i barn- och ungdomspsykiatri, dagar"), default=30
    )
    navigator_unit_name = models.CharField(_("vårdlotsenhet"), max_length=80)
    navigator_phone = models.CharField(_("telefon till vårdlots"), max_length=30, blank=True)
    # Every offer tells of the journey; without these nothing can be offered.
    travel_phone = models.CharField(
        _("telefon för sjukresor"), max_length=30, blank=True, default="", db_default=""
    )
    travel_paid = models.CharField(
        _("hur sjukresan betalas"),
        max_length=10,
        choices=TravelPaid,
        blank=True,
        default="",
        db_default="",
    )
    # Each offer keeps who paid when it was sent; empty where the region has not said.
    funding = models.CharField(
        _("vård hos annan vårdgivare betalas av"),
        max_length=7,
        choices=Funding,
        blank=True,
        default="",
        db_default="",
    )
    # Letters that many clinics send themselves.
    confirms_referrals = models.BooleanField(
        _("skicka remissbekräftelse när blanketten kommit in"), default=False, db_default=False
    )
    informs_of_guarantee = models.BooleanField(
        _("skicka information om vårdgarantin när blanketten kommit in"),
        default=False,
        db_default=False,
    )
    offer_stands_days = models.PositiveSmallIntegerField(
        _("dagar ett erbjudande står kvar"), default=30
    )
    letter_after_days = models.PositiveSmallIntegerField(
        _("dagar utan svar innan brev skickas"), default=14
    )
    reminder_after_days = models.PositiveSmallIntegerField(
        _("dagar utan svar innan påminnelse skickas"),
        default=7,
        db_default=7,
        null=True,
        blank=True,
    )
    # A message that is not read in 1177 by then goes as a letter too; empty is never.
    unread_booked_time_days = _unread_days(_("dagar innan en oläst bokad tid går som brev"))
    unread_confirmation_days = _unread_days(
        _("dagar innan en oläst remissbekräftelse går som brev")
    )
    unread_guarantee_days = _unread_days(
        _("dagar innan oläst information om vårdgarantin går som brev")
    )

    # What a message costs the region, for the estimate of a campaign.
    letter_sek = models.DecimalField(
        _("ett brev med porto och tryck, kronor"),
        max_digits=7,
        decimal_places=2,
        default=Decimal("12.00"),
        db_default=Decimal("12.00"),
    )
    digital_sek = models.DecimalField(
        _("ett meddelande i 1177 eller digital post, kronor"),
        max_digits=7,
        decimal_places=2,
        default=Decimal("2.00"),
        db_default=Decimal("2.00"),
    )

    class Meta:
        ordering = ("code",)
        verbose_name = _("region")
        verbose_name_plural = _("regioner")
        constraints = (
            models.CheckConstraint(
                name="region_code_two_digits", condition=Q(code__regex=r"^[0-9]{2}$")
            ),
            # Hälso- och sjukvårdsförordningen (2017:80) 6 kap. 1 §: a region may promise less
            # than 90 days, never more.
            models.CheckConstraint(
                name="region_guarantee_within_law",
                condition=Q(guarantee_days__range=(1, 90))
                & Q(child_psychiatry_days__range=(1, 90)),
            ),
            models.CheckConstraint(
                name="region_offer_outlives_letter",
                condition=Q(offer_stands_days__gt=F("letter_after_days")),
            ),
            models.CheckConstraint(
                name="region_prices_not_negative",
                condition=Q(letter_sek__gte=0, digital_sek__gte=0),
            ),
            models.CheckConstraint(
                name="region_funding_known", condition=Q(funding__in=["", *Funding.values])
            ),
            models.CheckConstraint(
                name="region_unread_within_60_days",
                condition=Q(
                    *(
                        Q((f"{name}__isnull", True)) | Q((f"{name}__range", (1, MOST_UNREAD_DAYS)))
                        for name in UNREAD_DAYS
                    )
                ),
            ),
            models.CheckConstraint(
                name="region_reminds_before_letter",
                condition=Q(reminder_after_days__isnull=True)
                | Q(reminder_after_days__gte=1, reminder_after_days__lt=F("letter_after_days")),
            ),
        )

    def __str__(self) -> str:
        return self.name


class Municipality(models.Model):
    """A municipality with SCB's four-digit code; the patient's home for distances and equality."""

    code = models.CharField(_("kommunkod"), max_length=4, primary_key=True)
    name = models.CharField(_("namn"), max_length=60)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="municipalities")
    latitude = models.DecimalField(max_digits=7, decimal_places=4)
    longitude = models.DecimalField(max_digits=7, decimal_places=4)

    class Meta:
        ordering = ("name",)
        verbose_name = _("kommun")
        verbose_name_plural = _("kommuner")
        constraints = (
            models.CheckConstraint(
                name="municipality_code_begins_with_region",
                condition=Q(code__regex=r"^[0-9]{4}$") & Q(code__startswith=models.F("region_id")),
            ),
        )

    def __str__(self) -> str:
        return self.name


class MedicalArea(models.Model):
    """Medicinskt verksamhetsområde (MVO), three-digit national code."""

    mvo = models.CharField(_("MVO-kod"), max_length=3, primary_key=True)
    name = models.CharField(_("namn"), max_length=120)
    group = models.CharField(_("grupp"), max_length=80)

    class Meta:
        ordering = ("mvo",)
        verbose_name = _("medicinskt verksamhetsområde")
        verbose_name_plural = _("medicinska verksamhetsområden")

    def __str__(self) -> str:
        return f"{self.mvo} {self.name}"


class Provider(models.Model):
    """Vårdgivare: a legal person that gives care, public or private."""

    class Kind(models.TextChoices):
        REGION = "region", _("regiondriven")
        PRIVATE = "private", _("privat")
        NON_PROFIT = "non_profit", _("idéburen")

    name = models.CharField(_("namn"), max_length=120, unique=True)
    organisation_number = models.CharField(_("organisationsnummer"), max_length=10)
    # The directory's entry for the provider. Its first part may be the number of the region that
    # entered it, so it cannot be had from the organisation number.
    hsa_id = models.CharField(_("HSA-id"), max_length=31, blank=True)
    kind = models.CharField(_("driftsform"), max_length=12, choices=Kind)
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, null=True, blank=True, related_name="own_providers"
    )

    class Meta:
        ordering = ("name",)
        verbose_name = _("vårdgivare")
        verbose_name_plural = _("vårdgivare")
        constraints = (
            models.CheckConstraint(
                name="provider_organisation_number_ten_digits",
                condition=Q(organisation_number__regex=r"^[0-9]{10}$"),
            ),
            models.CheckConstraint(
                name="provider_hsa_id_shape",
                condition=Q(hsa_id="") | Q(hsa_id__regex=HSA_ID_PATTERN),
            ),
            models.UniqueConstraint(
                name="provider_hsa_id_once", fields=["hsa_id"], condition=~Q(hsa_id="")
            ),
            models.CheckConstraint(
                name="provider_region_run_has_region",
                condition=~Q(kind="region") | Q(region__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name


class Equipment(models.TextChoices):
    """What some patients need of a unit beyond the procedure itself."""

    BARIATRIC = "bariatric", _("Bariatrisk utrustning (bord, säng och lyft för hög vikt)")
    LIFT = "lift", _("Personlyft")
    INTENSIVE_CARE = "intensive_care", _("Intensivvård (IVA)")
    OVERNIGHT = "overnight", _("Postoperativ övervakning över natten")
    DIFFICULT_AIRWAY = "difficult_airway", _("Fiberintubation vid svår luftväg")
    CHILD_ANAESTHESIA = "child_anaesthesia", _("Barnanestesi")
    SLEEP_APNOEA = "sleep_apnoea", _("Övervakning vid sömnapné (CPAP)")
    CARDIAC_DEVICE = "cardiac_device", _("Omställning av pacemaker eller ICD")
    MRI_IMPLANT = "mri_implant", _("Magnetkamera för patient med implantat")
    DIALYSIS = "dialysis", _("Dialys")
    ISOLATION = "isolation", _("Isoleringsrum (multiresistenta bakterier)")
    LATEX_FREE = "latex_free", _("Latexfri operationssal")
    NICKEL_FREE = "nickel_free", _("Nickelfria implantat")


def equipment_field(**options: Any) -> "ArrayField[Any, Any]":
    """Codes of :class:`Equipment`: what a unit has, or what a patient needs."""
    return ArrayField(
        models.CharField(max_length=20, choices=Equipment),
        verbose_name=_("särskild utrustning"),
        default=list,
        db_default=[],
        blank=True,
        **options,
    )


def equipment_in_words(codes: Iterable[str]) -> list[str]:
    """The Swedish names of the codes, in the order of the list."""
    chosen = set(codes)
    return [str(one.label) for one in Equipment if one.value in chosen]


class CareUnit(models.Model):
    """Vårdenhet with its HSA-id: sends patients, receives them, or both."""

    hsa_id = models.CharField(_("HSA-id"), max_length=31, unique=True)
    name = models.CharField(_("namn"), max_length=120)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="care_units")
    region = models.ForeignKey(
        Region,
        on_delete=models.PROTECT,
        related_name="care_units",
        help_text=_("Regionen där enheten ligger."),
    )
    municipality = models.ForeignKey(
        Municipality, on_delete=models.PROTECT, related_name="care_units"
    )
    medical_area = models.ForeignKey(
        MedicalArea, on_delete=models.PROTECT, null=True, blank=True, related_name="care_units"
    )
    latitude = models.DecimalField(max_digits=7, decimal_places=4)
    longitude = models.DecimalField(max_digits=7, decimal_places=4)
    email = models.EmailField(_("e-post"), blank=True)
    phone = models.CharField(_("telefon"), max_length=30, blank=True)
    sends = models.BooleanField(_("avsänder patienter"), default=False)
    receives = models.BooleanField(_("tar emot patienter"), default=False)
    # Empty: the unit has not said. A unit that has said languages serves no others.
    languages = ArrayField(
        models.CharField(max_length=3),
        verbose_name=_("språk, med personal eller tolk"),
        default=list,
        db_default=[],
        blank=True,
    )
    # What is not said here the unit does not have.
    equipment = equipment_field()
    is_active = models.BooleanField(_("aktiv"), default=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("vårdenhet")
        verbose_name_plural = _("vårdenheter")
        constraints = (
            models.CheckConstraint(
                name="care_unit_hsa_id_shape", condition=Q(hsa_id__regex=HSA_ID_PATTERN)
            ),
            models.CheckConstraint(
                name="care_unit_languages_known",
                condition=Q(languages__contained_by=sorted(language_names())),
            ),
            models.CheckConstraint(
                name="care_unit_equipment_known",
                condition=Q(equipment__contained_by=Equipment.values),
            ),
        )

    def __str__(self) -> str:
        return self.name
