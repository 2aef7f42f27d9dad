"""Free phone times, and the calls of a case: asked for, booked and how they ended."""

from collections.abc import Callable
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notices.callbacks import services
from notices.callbacks.models import CallBack, PhoneTime
from notices.callbacks.selectors import calls_of, free_times
from notices.callbacks.times import PhoneTimeNotFound
from organisations.access import Actor, record_access
from organisations.api import actor_of, body_of
from organisations.errors import InvalidInput
from organisations.models import Role
from referral.models import Case
from referral.selectors import get_case

HOME = {Role.CLINIC, Role.NAVIGATOR}
MAX_KEY = 2**63 - 1


class PhoneTimeSerializer(serializers.ModelSerializer[PhoneTime]):
    navigator = serializers.CharField(source="navigator.get_full_name")

    class Meta:
        model = PhoneTime
        fields = ("id", "starts_at", "ends_at", "navigator")


class CallSerializer(serializers.ModelSerializer[CallBack]):
    time = PhoneTimeSerializer(allow_null=True)

    class Meta:
        model = CallBack
        fields = (
            *("id", "state", "time", "phone", "about", "booked_by", "booked_at", "tries"),
            *("ended_at", "outcome"),
        )


class WantedCallSerializer(serializers.Serializer[Any]):
    about = serializers.CharField(max_length=200, help_text=_("Vad samtalet gäller."))
    phone = serializers.CharField(
        max_length=30, required=False, default="", allow_blank=True, help_text=_("Annars ärendets.")
    )
    time_id = serializers.IntegerField(
        min_value=1,
        max_value=MAX_KEY,
        required=False,
        help_text=_("En ledig telefontid. Utan: patienten rings när det går."),
    )


class CallEndSerializer(serializers.Serializer[Any]):
    ending = serializers.ChoiceField(choices=["done", "missed", "cancelled"])
    outcome = serializers.CharField(
        max_length=300,
        required=False,
        default="",
        allow_blank=True,
        help_text=_("Vad samtalet ledde till; krävs när patienten är uppringd."),
    )


class FreePhoneTimes(APIView):
    """Regionens lediga telefontider, de närmaste först."""

    scope_area = "cases"

    @extend_schema(responses=PhoneTimeSerializer(many=True), tags=["calls"])
    def get(self, request: Request) -> Response:
        actor = _home_actor(request)
        found = free_times(str(actor.region), now=timezone.now())
        return Response(PhoneTimeSerializer(found, many=True).data)


class CaseCalls(APIView):
    """Uppringningar i ett ärende, nyast först; POST bokar en."""

    scope_area = "cases"

    @extend_schema(responses=CallSerializer(many=True), tags=["calls"])
    def get(self, request: Request, number: str) -> Response:
        actor = _home_actor(request)
        case = _case(actor, number)
        found = calls_of(actor).filter(case=case).order_by("-pk")
        return Response(CallSerializer(found, many=True).data)

    @extend_schema(request=WantedCallSerializer, responses={201: CallSerializer}, tags=["calls"])
    def post(self, request: Request, number: str) -> Response:
        """Boka på en ledig telefontid, eller lägg till att patienten vill bli uppringd."""
        actor = _home_actor(request)
        case = _case(actor, number)
        form = WantedCallSerializer(data=body_of(request))
        form.is_valid(raise_exception=True)
        wanted = services.book_call if "time_id" in form.validated_data else services.ask_for_call
        try:
            call = wanted(case, **form.validated_data, actor=actor, now=timezone.now())
        except PhoneTimeNotFound as error:  # the address was right, the field was not
            text = str(error.message)
            raise InvalidInput(text, fields={"time_id": text}) from error
        return Response(CallSerializer(call).data, status=status.HTTP_201_CREATED)


class CallEnd(APIView):
    """Hur en uppringning slutade."""

    scope_area = "cases"

    @extend_schema(request=CallEndSerializer, responses=CallSerializer, tags=["calls"])
    def post(self, request: Request, number: str, pk: int) -> Response:
        """Uppringd, inget svar (patienten rings igen) eller avbokad."""
        actor = _home_actor(request)
        case = _case(actor, number)
        call = calls_of(actor).filter(case=case, pk=pk).first()
        if call is None:
            raise Http404
        form = CallEndSerializer(data=body_of(request))
        form.is_valid(raise_exception=True)
        ended = _ending(form.validated_data)(call, actor=actor, now=timezone.now())
        return Response(CallSerializer(ended).data)


def _ending(told: dict[str, str]) -> Callable[..., CallBack]:
    outcome = told["outcome"]
    if told["ending"] == "done":
        return lambda call, **by: services.call_done(call, outcome=outcome, **by)
    if told["ending"] == "missed":
        return lambda call, **by: services.call_missed(call, comment=outcome, **by)
    return lambda call, **by: services.cancel_call(call, reason=outcome, **by)


def _home_actor(request: Request) -> Actor:
    actor = actor_of(request)
    if actor.role not in HOME:
        raise PermissionDenied
    return actor


def _case(actor: Actor, number: str) -> Case:
    case = get_case(actor, number)
    record_access(actor, what="calls", now=timezone.now(), cases=[(case.number, case.patient_id)])
    return case
