"""Waiting lists over the API: a clinic's system hands its list in and asks what became of it."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organisations.access import Actor, record_access
from organisations.api import actor_of
from organisations.api_files import (
    YES,
    CsvBodyParser,
    UploadSerializer,
    XlsxBodyParser,
    sent_file,
)
from organisations.errors import InvalidInput
from organisations.models import CareUnit, Role
from organisations.uploads import XLSX
from referral.models import WaitingListFile
from referral.waiting_list_file import services
from referral.waiting_list_file.selectors import lists_of, named_cases, outcomes_of, units_for

WHO = {Role.CLINIC, Role.NAVIGATOR, Role.INTEGRATION}


class FaultSerializer(serializers.Serializer[Any]):
    column = serializers.CharField(source="key", help_text="Kolumnens engelska namn.")
    heading = serializers.CharField()
    text = serializers.CharField()


class RowSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="Radens nummer i filen; rubrikerna är rad 1.")
    outcome = serializers.ChoiceField(choices=WaitingListFile.Outcome.choices)
    case_number = serializers.CharField(help_text="Tomt när raden inte har något ärende.")
    faults = FaultSerializer(many=True)


class WaitingListSerializer(serializers.ModelSerializer[WaitingListFile]):
    """``state`` är ``queued`` tills filen är läst; fråga igen."""

    sending_unit = serializers.CharField(source="sending_unit.hsa_id", read_only=True)

    class Meta:
        model = WaitingListFile
        fields: tuple[str, ...] = (
            *("id", "sending_unit", "name", "sha256", "handed_in_at", "state", "to_store"),
            *("good_rows_only", "done_at", "rows", "new", "known", "faulty", "stored", "refusal"),
        )
        read_only_fields = fields


class WaitingListResultSerializer(WaitingListSerializer):
    """Med utfallet av varje rad, i 30 dagar."""

    outcomes = RowSerializer(many=True, read_only=True)

    class Meta(WaitingListSerializer.Meta):
        fields = (*WaitingListSerializer.Meta.fields, "outcomes")


PARAMETERS = [
    OpenApiParameter("sending_unit", str, description="HSA-id; kliniken själv behöver inte ange."),
    OpenApiParameter("dry_run", bool, description="Bara kontrollera, läs inte in."),
    OpenApiParameter(
        "good_rows_only", bool, description="Läs in rader som håller, fast andra fel."
    ),
    OpenApiParameter("name", str, description="Filens namn, när den är kroppen."),
]


class WaitingListsView(generics.ListAPIView[WaitingListFile]):
    """Väntelistor som lämnats som fil, nyast först; varje ny rad blir ett ärende."""

    scope_area = "cases"
    serializer_class = WaitingListSerializer
    queryset = WaitingListFile.objects.none()
    parser_classes = (MultiPartParser, CsvBodyParser, XlsxBodyParser)
    most_bytes = WaitingListFile.MAX_BYTES

    def get_queryset(self) -> Any:
        return lists_of(_actor(self.request))

    @extend_schema(
        tags=["waiting-lists"],
        parameters=PARAMETERS,
        request={
            "multipart/form-data": UploadSerializer,
            "text/csv": OpenApiTypes.BINARY,
            XLSX: OpenApiTypes.BINARY,
        },
        responses={200: WaitingListResultSerializer, 202: WaitingListSerializer},
    )
    def post(self, request: Request) -> Response:
        """Lämna in en väntelista: CSV eller XLSX, högst 20 MB och 50 000 rader.

        200 med utfallet när filen är läst, 202 när den väntar: fråga efter den på dess adress.
        Allt eller inget läses in, om inte ``good_rows_only`` är satt. Samma fil en gång till
        ändrar inget.
        """
        actor = _actor(request)
        content, name = sent_file(request, most_bytes=self.most_bytes)
        made = services.hand_in(
            content,
            name=name,
            sending_unit=_unit(actor, request.query_params.get("sending_unit", "")),
            to_store=request.query_params.get("dry_run", "") not in YES,
            good_rows_only=request.query_params.get("good_rows_only", "") in YES,
            actor=actor,
            now=timezone.now(),
        )
        return _answer(actor, made)


class WaitingListView(APIView):
    """Vad som blev av en väntelista."""

    scope_area = "cases"

    @extend_schema(
        tags=["waiting-lists"],
        responses={200: WaitingListResultSerializer, 202: WaitingListSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        """202 tills filen är läst, sedan 200 med utfallet av varje rad."""
        actor = _actor(request)
        return _answer(actor, get_object_or_404(lists_of(actor), pk=pk))


def _actor(request: Request) -> Actor:
    actor = actor_of(request)
    if actor.role not in WHO:
        raise PermissionDenied(_("Din roll lämnar inga väntelistor."))
    return actor


def _unit(actor: Actor, hsa_id: str) -> CareUnit:
    units = units_for(actor)
    if hsa_id or actor.role != Role.CLINIC:
        units = units.filter(hsa_id=hsa_id.replace("\x00", ""))
    unit = units.first()
    if unit is None:
        text = _("Ange en avsändande enhet som du får lämna väntelistan för (HSA-id).")
        raise InvalidInput(text, fields={"sending_unit": text})
    return unit


def _answer(actor: Actor, made: WaitingListFile) -> Response:
    if made.state == WaitingListFile.State.QUEUED:
        return Response(WaitingListSerializer(made).data, status=status.HTTP_202_ACCEPTED)
    made.outcomes = outcomes_of(made)  # type: ignore[attr-defined]
    record_access(
        actor,
        what="waiting_list",
        now=timezone.now(),
        cases=named_cases(actor, made.outcomes),  # type: ignore[attr-defined]
    )
    return Response(WaitingListResultSerializer(made).data)
