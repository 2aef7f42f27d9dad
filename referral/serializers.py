"""Shapes of the case API. They parse types; the rules come from the services."""

import base64
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from capacity.matching import CRITERIA
from contracts.models import ContractLine
from organisations.models import CareUnit, Equipment
from referral.lead_time import LeadTime, lead_time_of
from referral.machine import TRANSITIONS
from referral.models import (
    Attachment,
    Case,
    CaseLog,
    Consent,
    IntakeForm,
    Offer,
    Phase,
    ReferralCause,
)
from referral.models.intake import MAX_DISTANCE_KM
from referral.pathways import FirstTreatment
from referral.submission import Submission

LONG = 10_000


class Base64Field(serializers.Field[bytes, str, str, Any]):
    """The bytes of a file as base64 text. What may be in them the service says."""

    default_error_messages = {"invalid": _("Innehållet ska vara base64.")}

    def to_internal_value(self, data: Any) -> bytes:
        try:
            return base64.b64decode(data, validate=True)
        except (TypeError, ValueError):
            self.fail("invalid")

    def to_representation(self, value: bytes) -> str:
        return base64.b64encode(value).decode()


class NewAttachmentSerializer(serializers.Serializer[Any]):
    """En bilaga: PDF, JPEG eller PNG, högst 20 MB."""

    name = serializers.CharField(max_length=150)
    content = extend_schema_field(OpenApiTypes.BYTE)(Base64Field)()


class IdentitySearchSerializer(serializers.Serializer[Any]):
    identity_number = serializers.CharField(max_length=20)


class SubmissionSerializer(serializers.Serializer[Any]):
    """Blanketten. ``sending_unit`` is needed for an integration client only."""

    sending_unit = serializers.CharField(max_length=31, required=False, help_text="HSA-id")
    identity_number = serializers.CharField(max_length=20)
    given_name = serializers.CharField(max_length=80)
    family_name = serializers.CharField(max_length=80)
    protection = serializers.CharField(max_length=20, default="none")
    street = serializers.CharField(max_length=120, allow_blank=True, default="")
    postal_code = serializers.CharField(max_length=5, allow_blank=True, default="")
    town = serializers.CharField(max_length=60, allow_blank=True, default="")
    municipality = serializers.CharField(max_length=4, allow_blank=True, default="")
    phone = serializers.CharField(max_length=30, allow_blank=True, default="")
    language = serializers.CharField(max_length=40, allow_blank=True, default="")
    kva = serializers.CharField(max_length=5)
    icd10 = serializers.CharField(max_length=8)
    phase = serializers.ChoiceField(choices=Phase.choices)
    referral_date = serializers.DateField()
    decision_date = serializers.DateField()
    medical_target_date = serializers.DateField(required=False, allow_null=True, default=None)
    asa = serializers.IntegerField(min_value=1, max_value=6)
    svf = serializers.BooleanField(default=False)
    svf_pathway = serializers.CharField(
        max_length=40, allow_blank=True, default="", help_text="Kod, se docs/cancer-pathways.md."
    )
    suspicion_date = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Välgrundad misstanke."
    )
    svf_treatment = serializers.ChoiceField(
        choices=FirstTreatment.choices, allow_blank=True, default=""
    )
    referral_cause = serializers.ChoiceField(
        choices=ReferralCause.choices,
        default=ReferralCause.WAITING_TIME,
        help_text="Skälet till vård hos annan vårdgivare.",
    )
    home_wait_days = serializers.IntegerField(
        min_value=0, max_value=3650, required=False, allow_null=True, default=None
    )
    medications = serializers.CharField(max_length=LONG, allow_blank=True, default="")
    anticoagulants = serializers.BooleanField(default=False)
    bmi = serializers.DecimalField(
        max_digits=4, decimal_places=1, required=False, allow_null=True, default=None
    )
    interpreter = serializers.CharField(
        max_length=40, allow_blank=True, default="", help_text="Språket, om tolk behövs."
    )
    equipment = serializers.ListField(
        child=serializers.ChoiceField(choices=Equipment.choices),
        required=False,
        default=list,
        max_length=len(Equipment),
        help_text="Särskild utrustning som patienten behöver.",
    )
    max_distance_km = serializers.IntegerField(
        min_value=1,
        max_value=MAX_DISTANCE_KM,
        required=False,
        allow_null=True,
        default=None,
        help_text="Längsta avstånd som patienten reser, fågelvägen.",
    )
    mobility = serializers.ChoiceField(
        choices=IntakeForm.Mobility.choices, allow_blank=True, default=""
    )
    escort = serializers.BooleanField(default=False)
    transferable = serializers.BooleanField()
    not_transferable_reason = serializers.CharField(max_length=LONG, allow_blank=True, default="")
    clinician = serializers.CharField(max_length=120, allow_blank=True, default="")
    free_text = serializers.CharField(max_length=LONG, allow_blank=True, default="")
    attachments = serializers.ListField(
        child=NewAttachmentSerializer(),
        required=False,
        default=list,
        max_length=20,
        help_text="Tillkommande bilagor.",
    )
    share_consent = serializers.ChoiceField(
        choices=[("yes", "Ja"), ("no", "Nej")],
        allow_blank=True,
        default="",
        help_text="Patientens besked om att uppgifter lämnas till annan vårdgivare.",
    )
    share_consent_how = serializers.ChoiceField(
        choices=Consent.How.choices, allow_blank=True, default=""
    )
    share_consent_on = serializers.DateField(required=False, allow_null=True, default=None)

    def submission(self) -> Submission:
        """The typed values for the service."""
        values = dict(self.validated_data)
        values.pop("sending_unit", None)
        values.pop("attachments", None)
        return Submission(**values)

    def attachments_given(self) -> list[tuple[str, bytes]]:
        """Names and contents of the files that came along."""
        return [(file["name"], file["content"]) for file in self.validated_data["attachments"]]


class ClockSerializer(serializers.Serializer[Any]):
    start = serializers.DateField()
    days = serializers.IntegerField()
    last_day = serializers.DateField()
    days_left = serializers.IntegerField()
    paused_from = serializers.DateField(allow_null=True)
    is_breached = serializers.BooleanField()


class PatientSerializer(serializers.Serializer[Any]):
    identity_number = serializers.CharField()
    name = serializers.CharField(source="display_name")
    protection = serializers.CharField()


class UnitSerializer(serializers.ModelSerializer[CareUnit]):
    class Meta:
        model = CareUnit
        fields = ("hsa_id", "name")


class LeadTimeSerializer(serializers.Serializer[Any]):
    """Ledtiden i cancerförloppet, från välgrundad misstanke till behandling."""

    pathway = serializers.CharField(help_text="Namnet; koden står i svf_pathway.")
    limit_days = serializers.IntegerField(
        allow_null=True, help_text="Regionens längsta ledtid; null: inte angiven."
    )
    last_day = serializers.DateField(allow_null=True)
    days = serializers.IntegerField(help_text="Från misstanken till behandlingen, eller i dag.")
    days_left = serializers.IntegerField(allow_null=True)
    started_on = serializers.DateField(allow_null=True, help_text="Behandlingens dag.")


class CaseListSerializer(serializers.ModelSerializer[Case]):
    """A case as lists show it. Context: ``today`` and ``lead_times``, by the cases' keys."""

    patient = PatientSerializer(read_only=True)
    sending_unit = UnitSerializer(read_only=True)
    receiving_unit = UnitSerializer(read_only=True, allow_null=True)
    navigator = serializers.CharField(
        source="navigator.name", default=None, allow_null=True, read_only=True
    )
    guarantee = serializers.SerializerMethodField()
    lead_time = serializers.SerializerMethodField()

    class Meta:
        model = Case
        fields: tuple[str, ...] = (
            *("number", "state", "region", "patient", "sending_unit", "receiving_unit"),
            *("navigator", "kva", "procedure_name", "icd10", "phase", "asa", "svf"),
            *("svf_pathway", "suspicion_date", "svf_treatment", "referral_cause"),
            *("received_at", "confirmed_at", "closed_at", "close_reason", "guarantee"),
            "lead_time",
        )

    @extend_schema_field(ClockSerializer)
    def get_guarantee(self, case: Case) -> Any:
        return ClockSerializer(case.clock(self.context["today"])).data

    @extend_schema_field(LeadTimeSerializer(allow_null=True))
    def get_lead_time(self, case: Case) -> Any:
        found = self._lead_time(case)
        return found and LeadTimeSerializer(found).data

    def _lead_time(self, case: Case) -> LeadTime | None:
        leads: dict[int, LeadTime] = self.context["lead_times"]
        return leads.get(case.pk)


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    class Meta:
        model = Attachment
        fields = ("id", "name", "content_type", "size", "sha256", "uploaded_at")


class FormSerializer(serializers.ModelSerializer[IntakeForm]):
    attachments = AttachmentSerializer(many=True, read_only=True)

    class Meta:
        model = IntakeForm
        fields = (
            *("submitted_at", "version", "medications", "anticoagulants", "bmi", "interpreter"),
            *(
                "equipment",
                "max_distance_km",
                "mobility",
                "escort",
                "transferable",
                "not_transferable_reason",
                "clinician",
            ),
            *("free_text", "attachments"),
        )


class OfferSerializer(serializers.ModelSerializer[Offer]):
    care_unit = UnitSerializer(read_only=True)
    line = serializers.IntegerField(source="line_id", read_only=True)
    stands_until = serializers.DateTimeField(source="due_at", read_only=True)
    certificate = serializers.CharField(
        source="certificate.number", default=None, allow_null=True, read_only=True
    )
    confirmed_at = serializers.DateTimeField(
        source="referral.confirmed_at", default=None, allow_null=True, read_only=True
    )
    rejected_at = serializers.DateTimeField(
        source="referral.rejected_at", default=None, allow_null=True, read_only=True
    )
    rejection_reason = serializers.CharField(
        source="referral.rejection_reason", default=None, allow_null=True, read_only=True
    )
    rejection_comment = serializers.CharField(
        source="referral.rejection_comment", default=None, allow_null=True, read_only=True
    )
    booked_for = serializers.DateTimeField(
        source="referral.booked_for", default=None, allow_null=True, read_only=True
    )
    treated_on = serializers.DateField(
        source="referral.treated_on", default=None, allow_null=True, read_only=True
    )
    back_referral = serializers.CharField(
        source="referral.back_referral", default=None, allow_null=True, read_only=True
    )

    class Meta:
        model = Offer
        fields = (
            *("serial", "state", "line", "care_unit", "contract_number", "price_sek", "text"),
            *("expected_wait_days", "home_wait_days", "sent_at", "stands_until"),
            *("answered_at", "answer_channel", "decline_reason", "answer_comment"),
            *("certificate", "confirmed_at", "rejected_at", "rejection_reason"),
            *("rejection_comment", "booked_for", "treated_on", "back_referral"),
        )


class CaseSerializer(CaseListSerializer):
    """A whole case. Context also: ``actions``, ``offers``."""

    actions = serializers.SerializerMethodField()
    form = FormSerializer(read_only=True)
    offers = serializers.SerializerMethodField()

    class Meta(CaseListSerializer.Meta):
        fields = (
            *CaseListSerializer.Meta.fields,
            *("referral_date", "decision_date", "medical_target_date", "home_wait_days"),
            *(
                "watch_kind",
                "watch_reason",
                "reviewed_on",
                "review_on",
                "actions",
                "form",
                "offers",
            ),
        )

    def _lead_time(self, case: Case) -> LeadTime | None:
        return lead_time_of(case, self.context["offers"], today=self.context["today"])

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(list(TRANSITIONS))))
    def get_actions(self, case: Case) -> Any:
        return self.context["actions"]

    @extend_schema_field(OfferSerializer(many=True))
    def get_offers(self, case: Case) -> Any:
        return OfferSerializer(self.context["offers"], many=True).data


class LogSerializer(serializers.ModelSerializer[CaseLog]):
    struck = serializers.SerializerMethodField(help_text="Anteckningen är märkt som felaktig.")

    class Meta:
        model = CaseLog
        fields = (
            *("at", "verb", "from_state", "to_state", "actor_name", "role", "place", "why"),
            *("details", "struck"),
        )

    def get_struck(self, entry: CaseLog) -> bool:
        return entry.struck is not None


class PartSerializer(serializers.Serializer[Any]):
    key = serializers.ChoiceField(choices=CRITERIA)
    name = serializers.CharField()
    value = serializers.CharField()
    points = serializers.FloatField()
    possible = serializers.IntegerField()
    scale = serializers.CharField(help_text="Vad som ger full poäng och ingen.")
    said_by = serializers.CharField(source="source", help_text="Källa, kod och dag eller år.")


class LineSerializer(serializers.ModelSerializer[ContractLine]):
    contract = serializers.CharField(source="contract.number", read_only=True)
    care_unit = UnitSerializer(read_only=True)

    class Meta:
        model = ContractLine
        fields = ("id", "contract", "care_unit", "kva", "price_sek", "asa_ceiling")


class MatchSerializer(serializers.Serializer[Any]):
    rank = serializers.IntegerField()
    score = serializers.FloatField()
    line = LineSerializer()
    wait_days = serializers.IntegerField(allow_null=True)
    distance_km = serializers.IntegerField(help_text="Fågelvägen.")
    places_left = serializers.IntegerField(source="line.places_left", allow_null=True)
    parts = PartSerializer(many=True)
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="Det som ingen har uppgett och måste frågas om."
    )


class LeftOutSerializer(serializers.Serializer[Any]):
    line = LineSerializer()
    distance_km = serializers.IntegerField()
    reasons = serializers.ListField(child=serializers.CharField())


class WeightsSerializer(serializers.Serializer[Any]):
    """Regionens vikter; ``version`` 0 är de nationella."""

    wait = serializers.IntegerField()
    distance = serializers.IntegerField()
    price = serializers.IntegerField()
    quality = serializers.IntegerField()
    contract = serializers.IntegerField()
    version = serializers.IntegerField()


class UncontractedSerializer(serializers.Serializer[Any]):
    care_unit = UnitSerializer(source="unit")
    wait_days = serializers.IntegerField(source="wait.days")
    distance_km = serializers.IntegerField(help_text="Fågelvägen.")


class MatchingSerializer(serializers.Serializer[Any]):
    weights = WeightsSerializer()
    matches = MatchSerializer(many=True)
    left_out = LeftOutSerializer(many=True)
    uncontracted = UncontractedSerializer(
        many=True, help_text="Enheter utan avtal: kräver direktupphandling, kan inte erbjudas."
    )
