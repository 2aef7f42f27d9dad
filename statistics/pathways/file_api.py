"""Maximum lead times and a region's own counts over the API: what holds, and files read in."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from contracts.files.reading import MAX_BYTES
from organisations.api import actor_of
from organisations.api_files import (
    YES,
    CsvBodyParser,
    UploadSerializer,
    XlsxBodyParser,
    sent_file,
)
from organisations.uploads import XLSX
from referral.pathways import FirstTreatment
from statistics.pathways.importing import import_file
from statistics.pathways.models import (
    TOLD,
    InclusionCount,
    LeadTimeCount,
    OwnStep,
    PathwayFile,
    PathwayLimit,
)
from statistics.pathways.services import withdraw
from statistics.pathways.told import limits_for, told_by

TOLD_BY = ("entered_at", "entered_by")


class PathwayLimitSerializer(serializers.ModelSerializer[PathwayLimit]):
    treatment = serializers.ChoiceField(choices=FirstTreatment.choices)

    class Meta:
        model = PathwayLimit
        fields = ("id", "pathway", "treatment", "days", *TOLD_BY)
        read_only_fields = fields


class InclusionSerializer(serializers.ModelSerializer[InclusionCount]):
    """``pathway`` är tomt för alla vårdförlopp tillsammans."""

    class Meta:
        model = InclusionCount
        fields = ("id", "period", "pathway", "new_cases", "included", "source", *TOLD_BY)
        read_only_fields = fields


class LeadTimeCountSerializer(serializers.ModelSerializer[LeadTimeCount]):
    """``pathway`` är tomt för alla vårdförlopp tillsammans."""

    step = serializers.ChoiceField(choices=OwnStep.choices)

    class Meta:
        model = LeadTimeCount
        fields = (
            *("id", "period", "pathway", "step", "patients", "within", "median_days", "source"),
            *TOLD_BY,
        )
        read_only_fields = fields


class OwnCountsSerializer(serializers.Serializer[Any]):
    inclusions = InclusionSerializer(many=True)
    lead_times = LeadTimeCountSerializer(many=True)


class WithdrawnSerializer(serializers.Serializer[Any]):
    """Återtagandet: en egen rad, med vad som gällde i historiken."""

    id = serializers.IntegerField()
    pathway = serializers.CharField()
    withdrawn_at = serializers.DateTimeField(source="entered_at")
    withdrawn_by = serializers.CharField(source="entered_by")


class PathwayFaultSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="Radens nummer i filen; rubrikerna är rad 1.")
    reasons = serializers.ListField(child=serializers.CharField())


class PathwayFileSerializer(serializers.ModelSerializer[PathwayFile]):
    """Vad som blev av filen. Med fel, och utan ``good_rows_only``, är inget inläst."""

    faults = serializers.SerializerMethodField()

    class Meta:
        model = PathwayFile
        fields = (
            *("id", "kind", "file_name", "good_rows_only", "rows", "stored", "unchanged"),
            *("faults", "made_at", "made_by"),
        )
        read_only_fields = fields

    def get_faults(self, made: PathwayFile) -> list[dict[str, Any]]:
        return [{"row": number, "reasons": texts} for number, texts in made.faults]


_upload = extend_schema(
    tags=["statistics"],
    parameters=[
        OpenApiParameter(
            "good_rows_only", bool, description="Läs in rader som håller, fast andra har fel."
        ),
        OpenApiParameter("name", str, description="Filens namn, när den är kroppen."),
    ],
    request={
        "multipart/form-data": UploadSerializer,
        "text/csv": OpenApiTypes.BINARY,
        XLSX: OpenApiTypes.BINARY,
    },
    responses=PathwayFileSerializer,
)


class _FilesView(APIView):
    scope_area = "statistics"
    parser_classes = (MultiPartParser, CsvBodyParser, XlsxBodyParser)
    most_bytes = MAX_BYTES

    def take_in(self, request: Request, kind: PathwayFile.Kind) -> Response:
        content, name = sent_file(request, most_bytes=self.most_bytes)
        made = import_file(
            content,
            kind=kind,
            name=name,
            good_rows_only=request.query_params.get("good_rows_only", "") in YES,
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(PathwayFileSerializer(made).data)


class LimitsView(_FilesView):
    """Regionens längsta ledtider per vårdförlopp och behandling."""

    @extend_schema(tags=["statistics"], responses=PathwayLimitSerializer(many=True))
    def get(self, request: Request) -> Response:
        """De som gäller nu."""
        return Response(PathwayLimitSerializer(limits_for(actor_of(request)), many=True).data)

    @_upload
    def post(self, request: Request) -> Response:
        """Läs in ledtider: CSV eller XLSX. För regionens administratör."""
        return self.take_in(request, PathwayFile.Kind.LIMITS)


class CountsView(_FilesView):
    """Regionens egna antal: insjuknade, utredda i vårdförlopp och ledtider. För administratören."""

    @extend_schema(tags=["statistics"], responses=OwnCountsSerializer)
    def get(self, request: Request) -> Response:
        """De som gäller nu, senaste halvåret först, som de angavs."""
        return Response(OwnCountsSerializer(told_by(actor_of(request))).data)

    @_upload
    def post(self, request: Request) -> Response:
        """Läs in antal: CSV eller XLSX."""
        return self.take_in(request, PathwayFile.Kind.COUNTS)


class WithdrawView(APIView):
    """Återta vad regionen har angett. För regionens administratör."""

    scope_area = "statistics"

    @extend_schema(
        tags=["statistics"],
        parameters=[OpenApiParameter("what", str, OpenApiParameter.PATH, enum=list(TOLD))],
        request=None,
        responses=WithdrawnSerializer,
    )
    def post(self, request: Request, what: str, pk: int) -> Response:
        """Uppgiften gäller inte längre, förrän den anges på nytt."""
        if what not in TOLD:
            raise Http404
        row = withdraw(what, pk, actor=actor_of(request), now=timezone.now())
        return Response(WithdrawnSerializer(row).data)
