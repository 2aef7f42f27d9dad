"""API tokens, failed logins, and what was typed when a session ended."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from organisations.encrypted import EncryptedJSONField
from organisations.models.users import Assignment, User


class ApiToken(AbstractAuthToken):
    """A key to the API: kept as a hash, with scopes (organisations/scopes.py), and a last day.

    It acts in its assignment and ends with it; without one, in its user's.
    """

    name = models.CharField(_("namn"), max_length=80, blank=True)
    scopes = ArrayField(
        models.CharField(max_length=30), verbose_name=_("behörigheter"), default=list
    )
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, null=True, related_name="+"
    )
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    last_used_at = models.DateTimeField(_("senast använd"), null=True)

    class Meta:
        ordering = ("-created",)
        verbose_name = _("API-nyckel")
        verbose_name_plural = _("API-nycklar")
        constraints = (
            models.CheckConstraint(name="api_token_expires", condition=Q(expiry__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.name or self.token_key} ({self.user})"


class FailedLogin(models.Model):
    """A login that was tried and did not succeed; counted, and gone when its time is over.

    ``login`` is what was typed, as a keyed hash: people type passwords in the wrong field.
    """

    login = models.CharField(max_length=64)
    address = models.CharField(max_length=45)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("misslyckad inloggning")
        verbose_name_plural = _("misslyckade inloggningar")
        indexes = (
            models.Index(fields=["login", "at"], name="failed_login_by_login"),
            models.Index(fields=["address", "at"], name="failed_login_by_address"),
            models.Index(fields=["at"], name="failed_login_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.address} {self.at:%Y-%m-%d %H:%M}"


class KeptText(models.Model):
    """What a user has typed in a form and not sent, kept on the server for when it comes back.

    Only the same user in the same role and place gets it back (``worked_as``).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    worked_as = models.CharField(max_length=120)
    action = models.CharField(_("formulärets adress"), max_length=300)
    fields = EncryptedJSONField(default=dict)
    saved_at = models.DateTimeField(_("sparat"))

    class Meta:
        verbose_name = _("sparad text")
        verbose_name_plural = _("sparade texter")
        constraints = (
            models.UniqueConstraint(
                fields=["user", "worked_as", "action"], name="kept_text_once_per_form"
            ),
        )
        indexes = (models.Index(fields=["saved_at"], name="kept_text_by_time"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.action}"
