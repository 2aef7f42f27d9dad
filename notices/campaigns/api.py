"""A patient's answer to a campaign, noted by a program of the region's navigators."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notices.campaigns.answers import record_answer
from notices.campaigns.models import Answer, CampaignRecipient
from notices.campaigns.selectors import last_told
from organisations.access import record_access
from organisations.api import actor_of, body_of
from organisations.errors import WrongState
from organisations.models import Role
from referral.models import TOLD_TO_STAFF, CaseState
from referral.selectors import get_case


class CampaignAnswerSerializer(serializers.Serializer[CampaignRecipient]):
    answer = serializers.ChoiceField(choices=Answer.choices)
    channel = serializers.ChoiceField(
        choices=TOLD_TO_STAFF,
        source="answer_channel",
    )
    comment = serializers.CharField(max_length=2_000, allow_blank=True, default="", write_only=True)
    campaign = serializers.CharField(source="campaign.name", max_length=120, read_only=True)
    answered_at = serializers.DateTimeField(read_only=True)
    case_state = serializers.ChoiceField(
        choices=CaseState.choices, source="case.state", read_only=True
    )


class CampaignAnswer(APIView):
    """Patientens svar på den senaste kampanjen i ärendet, per telefon eller brev."""

    scope_area = "cases"

    @extend_schema(
        request=CampaignAnswerSerializer, responses=CampaignAnswerSerializer, tags=["cases"]
    )
    def post(self, request: Request, number: str) -> Response:
        actor, now = actor_of(request), timezone.now()
        if actor.role != Role.NAVIGATOR:
            raise PermissionDenied
        case = get_case(actor, number)
        shown = [(case.number, case.patient_id)]
        record_access(actor, what="campaign_row", now=now, cases=shown)
        body = CampaignAnswerSerializer(data=body_of(request))
        body.is_valid(raise_exception=True)
        row = last_told(case)
        if row is None:
            raise WrongState(_("Ärendet har inte varit med i någon kampanj."), code="no_campaign")
        done = record_answer(
            row,
            answer=body.validated_data["answer"],
            channel=body.validated_data["answer_channel"],
            comment=body.validated_data["comment"],
            actor=actor,
            now=now,
        )
        return Response(CampaignAnswerSerializer(done).data)
