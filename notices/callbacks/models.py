"""Call-backs: the navigators' phone times and the calls that are booked on them."""

from datetime import timedelta

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from organisations.encrypted import EncryptedTextField
from organisations.models import Region, User
from referral.models import Case

LONGEST = timedelta(hours=4)
PHONE_SHAPE = r"[+0-9() /-]{5,30}"


class PhoneTime(models.Model):
    """Telefontid: an hour or a part of one when a navigator calls patients.

    It is free until a call is booked on it. A closed time is nobody's; the database refuses to
    close a time with a call on it, and to let two open times of a navigator overlap.
    """

    navigator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="phone_times")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="phone_times")
    starts_at = models.DateTimeField(_("börjar"))
    ends_at = models.DateTimeField(_("slutar"))
    opened_at = models.DateTimeField(_("upplagd"))
    closed_at = models.DateTimeField(_("stängd"), null=True, blank=True)

    class Meta:
        ordering = ("starts_at", "pk")
        verbose_name = _("telefontid")
        verbose_name_plural = _("telefontider")
        constraints = (
            models.CheckConstraint(
                name="phone_time_ends_within_four_hours",
                condition=Q(ends_at__gt=F("starts_at"), ends_at__lte=F("starts_at") + LONGEST),
            ),
            ExclusionConstraint(
                name="phone_times_of_a_navigator_do_not_overlap",
                expressions=[
                    ("navigator", RangeOperators.EQUAL),
                    (
                        Func(
                            F("starts_at"),
                            F("ends_at"),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(closed_at__isnull=True),
            ),
        )
        indexes = (
            models.Index(
                fields=["region", "starts_at"],
                name="phone_time_by_region",
                condition=Q(closed_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return self.when

    @property
    def clock(self) -> str:
        """``09.00–09.15``, Swedish time."""
        start, end = timezone.localtime(self.starts_at), timezone.localtime(self.ends_at)
        return f"{start:%H.%M}–{end:%H.%M}"

    @property
    def when(self) -> str:
        return f"{timezone.localtime(self.starts_at):%Y-%m-%d} {self.clock}"


class CallBack(models.Model):
    """Uppringning: a patient who is to be called, at a phone time or as soon as it can be.

    A case has at most one to come. How the call ended is kept; the number that was called goes
    when it has ended, for the patient's own stands in the case.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("Vill bli uppringd")
        BOOKED = "booked", _("Bokad")
        DONE = "done", _("Ringd")
        MISSED = "missed", _("Inget svar")
        CANCELLED = "cancelled", _("Avbokad")

    class By(models.TextChoices):
        PATIENT = "patient", _("Patienten")
        STAFF = "staff", _("Personal")

    COMING = (State.ASKED, State.BOOKED)
    # A time on which somebody was called is used, whoever answered.
    HOLDS_TIME = (State.BOOKED, State.DONE, State.MISSED)

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="call_backs")
    time = models.ForeignKey(
        PhoneTime, on_delete=models.PROTECT, null=True, blank=True, related_name="calls"
    )
    state = models.CharField(_("status"), max_length=9, choices=State)
    phone = EncryptedTextField(_("telefon"), max_length=30, blank=True, shape=PHONE_SHAPE)
    about = models.CharField(_("gäller"), max_length=200)
    booked_by = models.CharField(_("bokad av"), max_length=7, choices=By)
    booked_by_user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    booked_at = models.DateTimeField(_("bokad den"))
    # Calls before this one that nobody answered.
    tries = models.PositiveSmallIntegerField(_("försök utan svar"), default=0)
    ended_at = models.DateTimeField(_("avslutad"), null=True, blank=True)
    ended_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(_("utfall"), max_length=300, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("uppringning")
        verbose_name_plural = _("uppringningar")
        constraints = (
            models.UniqueConstraint(
                fields=["time"],
                condition=Q(state__in=["booked", "done", "missed"]),
                name="call_one_per_time",
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(state__in=["asked", "booked"]),
                name="call_one_coming_per_case",
            ),
            models.CheckConstraint(
                name="call_booked_has_time",
                condition=~Q(state="booked") | Q(time__isnull=False),
            ),
            models.CheckConstraint(
                name="call_asked_has_no_time",
                condition=~Q(state="asked") | Q(time__isnull=True),
            ),
            models.CheckConstraint(
                name="call_ended_has_time_of_end",
                condition=Q(state__in=["asked", "booked"], ended_at__isnull=True)
                | (~Q(state__in=["asked", "booked"]) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="call_done_says_how", condition=~Q(state="done") | ~Q(outcome="")
            ),
            models.CheckConstraint(
                name="call_phone_encrypted", condition=Q(phone="") | Q(phone__sealed=True)
            ),
            models.CheckConstraint(
                name="call_booked_has_number", condition=~Q(state="booked") | ~Q(phone="")
            ),
            models.CheckConstraint(
                name="call_ended_keeps_no_number",
                condition=Q(state__in=["asked", "booked"]) | Q(phone=""),
            ),
            models.CheckConstraint(
                name="call_booked_by_is_whole",
                condition=Q(booked_by="patient", booked_by_user__isnull=True)
                | Q(booked_by="staff", booked_by_user__isnull=False),
            ),
        )
        indexes = (models.Index(fields=["case", "id"], name="call_by_case"),)

    def __str__(self) -> str:
        return f"{self.case} {self.get_state_display()}"

    @property
    def is_coming(self) -> bool:
        return self.state in self.COMING
