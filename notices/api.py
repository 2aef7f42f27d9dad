"""The notices of a case."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notices.models import Notice
from organisations.access import record_access
from organisations.api import actor_of
from organisations.models import Role
from referral.selectors import get_case


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    class Meta:
        model = Notice
        fields = (
            *("id", "kind", "channel", "why_channel", "state", "subject", "created_at", "due_at"),
            *("sent_at", "read_at", "attempts", "last_error", "language"),
        )


class CaseNotices(APIView):
    """Meddelanden i ett ärende, för hemregionen."""

    scope_area = "cases"

    @extend_schema(responses=NoticeSerializer(many=True), tags=["cases"])
    def get(self, request: Request, number: str) -> Response:
        actor = actor_of(request)
        if actor.role not in {Role.CLINIC, Role.NAVIGATOR, Role.INTEGRATION}:
            raise PermissionDenied
        case = get_case(actor, number)
        record_access(
            actor, what="notices", now=timezone.now(), cases=[(case.number, case.patient_id)]
        )
        return Response(NoticeSerializer(case.notices.all(), many=True).data)
