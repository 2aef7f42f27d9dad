"""What each verb of the case API needs. They parse types; the rules come from the services."""

from typing import Any

from rest_framework import serializers

from organisations.languages import language_names
from referral.models import (
    TOLD_TO_STAFF,
    CloseReason,
    DeclineReason,
    Pause,
    RejectionReason,
    WatchKind,
)
from referral.serializers import LONG


class NothingSerializer(serializers.Serializer[Any]):
    """A verb that needs nothing but the will."""


class ReturnSerializer(serializers.Serializer[Any]):
    missing = serializers.CharField(max_length=LONG)


class NoteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=LONG)


class ParkSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=WatchKind.choices, default=WatchKind.OTHER)
    waits_for = serializers.CharField(max_length=200)
    review_on = serializers.DateField()


class ReviewSerializer(serializers.Serializer[Any]):
    review_on = serializers.DateField()
    waits_for = serializers.CharField(max_length=200, allow_blank=True, default="")
    comment = serializers.CharField(max_length=300, allow_blank=True, default="")


class EndSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(
        choices=[c for c in CloseReason.choices if c[0] != CloseReason.TREATED]
    )
    comment = serializers.CharField(max_length=LONG, allow_blank=True, default="")


class LeaveListSerializer(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=TOLD_TO_STAFF)
    comment = serializers.CharField(max_length=LONG, allow_blank=True, default="")


class PauseSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(choices=Pause.Reason.choices)
    first_day = serializers.DateField()
    until = serializers.DateField(required=False, allow_null=True, default=None)
    comment = serializers.CharField(max_length=300, allow_blank=True, default="")


class EndPauseSerializer(serializers.Serializer[Any]):
    last = serializers.DateField()


class OfferRequestSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="Avropsradens id.")
    slot = serializers.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        required=False,
        allow_null=True,
        default=None,
        help_text="De lediga platsernas id, om erbjudandet tar en av dem.",
    )
    message = serializers.CharField(max_length=LONG, allow_blank=True, default="")
    language = serializers.ChoiceField(
        choices=sorted(language_names()),
        allow_blank=True,
        default="",
        help_text="Språkkod; tomt ger patientens eget, annars svenska.",
    )
    easy = serializers.BooleanField(default=False, help_text="Lättläst.")
    expected_wait_days = serializers.IntegerField(
        min_value=0,
        max_value=1500,
        allow_null=True,
        default=None,
        help_text="Väntan hos vårdgivaren, när lägesbilden inte har den.",
    )
    home_wait_days = serializers.IntegerField(
        min_value=0,
        max_value=3650,
        allow_null=True,
        default=None,
        help_text="Väntan hemma från i dag, när kliniken inte har angett den.",
    )
    same_day = serializers.ChoiceField(
        choices=["yes", "no"],
        allow_blank=True,
        default="",
        help_text="Om patienten kan åka hem samma dag; tomt när ingen vet.",
    )


class AnswerSerializer(serializers.Serializer[Any]):
    accepted = serializers.BooleanField()
    channel = serializers.ChoiceField(choices=TOLD_TO_STAFF)
    reason = serializers.ChoiceField(
        choices=DeclineReason.choices, required=False, allow_blank=True, default=""
    )
    comment = serializers.CharField(max_length=LONG, allow_blank=True, default="")


class WithdrawSerializer(serializers.Serializer[Any]):
    why = serializers.CharField(max_length=LONG)


class RejectSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(choices=RejectionReason.choices)
    comment = serializers.CharField(max_length=LONG)


class MomentField(serializers.DateTimeField):
    """Refuses a time at the calendar's end that has no UTC, which DRF does not."""

    def to_internal_value(self, value: Any) -> Any:
        try:
            return super().to_internal_value(value)
        except OverflowError:
            self.fail("overflow")


class BookSerializer(serializers.Serializer[Any]):
    booked_for = MomentField()


class TreatSerializer(serializers.Serializer[Any]):
    treated_on = serializers.DateField()


class CloseSerializer(serializers.Serializer[Any]):
    back_referral = serializers.CharField(max_length=LONG)
